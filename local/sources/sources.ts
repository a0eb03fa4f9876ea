import type { Lambda } from "../engines/lambda.ts";
import type { Messages } from "../engines/messages.ts";
import { createStreamReader, type StreamReader } from "../engines/stream-reader.ts";
import type { Mapping, Wiring } from "../template/wiring.ts";
import { createQueueSource } from "./queue.ts";
import type { Source } from "./source.ts";
import { createStreamSource } from "./stream.ts";

export interface SourcesOptions {
  readonly wiring: Wiring;
  readonly messages: Messages;
  readonly lambda: Lambda;
  /** Stream ARNs by the name of the table. */
  readonly streams: ReadonlyMap<string, string>;
  /** Where the tables are. */
  readonly endpoint: string;
  /** The instant of stepped time; null in real time. */
  readonly now: (() => number) | null;
}

export interface Sources {
  /** In the order of the template, which is the order of the flow. */
  readonly sources: readonly Source[];
  stop(): void;
}

const TABLE_OF_STREAM = /:table\/([^/]+)\/stream\//;

/** Sources that take their turns at the same time. */
const sideBySide = (sources: readonly Source[]): Source => ({
  wave: async () => (await Promise.all(sources.map((source) => source.wave()))).includes(true),
  follow: async (stopped) => void (await Promise.all(sources.map((source) => source.follow(stopped)))),
});

/** One source for each event source mapping of the template. */
export const createSources = async (options: SourcesOptions): Promise<Sources> => {
  const { wiring, messages, lambda, streams, endpoint, now } = options;
  const { region } = wiring.place;
  const readers: StreamReader[] = [];
  const subscribed = new Set(wiring.subscriptions.map(({ Endpoint }) => Endpoint));

  const sourceOf = async (mapping: Mapping): Promise<Source> => {
    const queue = wiring.queues.find(({ arn }) => arn === mapping.sourceArn);
    if (queue !== undefined) {
      return createQueueSource({ mapping, queue, ordered: subscribed.has(queue.arn), region, messages, lambda, sentAt: now });
    }
    const streamArn = streams.get(TABLE_OF_STREAM.exec(mapping.sourceArn)?.[1] ?? "");
    if (streamArn === undefined)
      throw new Error(`${mapping.id}: its source ${mapping.sourceArn} is neither a queue nor the stream of a table`);
    const reader = await createStreamReader(endpoint, region, streamArn);
    readers.push(reader);
    return createStreamSource({ mapping, reader, lambda, messages, realTime: now === null });
  };

  // What listens to the topic and does not know the book only tells others: whoever of them is first changes no decision.
  const tells = ({ sourceArn, functionName }: Mapping): boolean =>
    subscribed.has(sourceArn) && wiring.functions.find(({ name }) => name === functionName)?.environment["BOOK_TABLE"] === undefined;
  const sources: Source[] = [];
  const telling: Source[] = [];
  for (const mapping of wiring.mappings) {
    const source = await sourceOf(mapping);
    if (tells(mapping) && telling.push(source) > 1) continue;
    sources.push(tells(mapping) ? sideBySide(telling) : source);
  }
  return {
    sources,
    stop: () => {
      for (const reader of readers) reader.stop();
    },
  };
};
