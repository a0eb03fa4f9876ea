import { Agent, request } from "node:http";

/** A change of an item, as Lambda gets it. */
export interface StreamRecord {
  readonly eventName: string;
  readonly dynamodb: {
    readonly Keys: Readonly<Record<string, unknown>>;
    readonly NewImage?: Readonly<Record<string, unknown>>;
    readonly SequenceNumber: string;
  };
}

/** Reads one table's stream from its beginning. */
export interface StreamReader {
  readonly streamArn: string;
  /** The engines here keep a stream in one shard. */
  readonly shardId: string;
  /** Everything since the last call, in the stream's order. */
  readToEnd(): Promise<readonly StreamRecord[]>;
  stop(): void;
}

interface Page {
  readonly Records: readonly StreamRecord[];
  readonly NextShardIterator?: string;
}

type Call = <T>(operation: string, input: object) => Promise<T>;

/** The engine's wire format is a Lambda record already: an SDK would only take it apart and put it together. */
const createCall = (endpoint: string, region: string, agent: Agent): Call => {
  const { hostname, port } = new URL(endpoint);
  return (operation, input) =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify(input);
      const headers = {
        "content-type": "application/x-amz-json-1.0",
        "content-length": Buffer.byteLength(body),
        "x-amz-target": `DynamoDBStreams_20120810.${operation}`,
        "x-amz-date": "20200101T000000Z",
        authorization: `AWS4-HMAC-SHA256 Credential=local/20200101/${region}/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=0`,
      };
      const sent = request({ hostname, port, agent, method: "POST", path: "/", headers }, (reply) => {
        const chunks: Buffer[] = [];
        reply.on("data", (chunk: Buffer) => chunks.push(chunk));
        reply.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          if (reply.statusCode === 200) resolve(JSON.parse(text));
          else reject(new Error(`${operation} answered ${reply.statusCode}: ${text}`));
        });
      });
      sent.on("error", reject);
      sent.end(body);
    });
};

interface Shards {
  readonly first: string;
  readonly iterators: string[];
}

const openShards = async (call: Call, streamArn: string): Promise<Shards> => {
  const { StreamDescription } = await call<{ StreamDescription: { Shards: readonly { readonly ShardId: string }[] } }>("DescribeStream", {
    StreamArn: streamArn,
  });
  const iterators: string[] = [];
  for (const { ShardId } of StreamDescription.Shards) {
    const opened = await call<{ ShardIterator: string }>("GetShardIterator", {
      StreamArn: streamArn,
      ShardId,
      ShardIteratorType: "TRIM_HORIZON",
    });
    iterators.push(opened.ShardIterator);
  }
  return { first: StreamDescription.Shards[0]?.ShardId ?? "", iterators };
};

/** Opens the stream of a table that was just created: from its beginning, which is now. */
export const createStreamReader = async (endpoint: string, region: string, streamArn: string): Promise<StreamReader> => {
  const agent = new Agent({ keepAlive: true });
  const call = createCall(endpoint, region, agent);
  const opened = await openShards(call, streamArn);
  let { iterators } = opened;

  const readShard = async (first: string, into: StreamRecord[]): Promise<string> => {
    let iterator = first;
    for (;;) {
      const page = await call<Page>("GetRecords", { ShardIterator: iterator });
      into.push(...page.Records);
      iterator = page.NextShardIterator ?? iterator;
      if (page.Records.length === 0) return iterator;
    }
  };

  return {
    streamArn,
    shardId: opened.first,
    readToEnd: async () => {
      const records: StreamRecord[] = [];
      const next: string[] = [];
      for (const iterator of iterators) next.push(await readShard(iterator, records));
      iterators = next;
      return records;
    },
    stop: () => agent.destroy(),
  };
};
