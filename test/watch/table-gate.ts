import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** DynamoDB's front door: passes every request on, and refuses writes to a table for their rate when told to. */
export interface TableGate {
  readonly endpoint: string;
  /** Refuses the next write to the table. The client tries again, and gets through. */
  refuseNext(table: string): void;
  /** Is told of every write that was refused. */
  onThrottle(listener: (table: string) => void): void;
  stop(): Promise<void>;
}

const WRITES = /\.(PutItem|UpdateItem|DeleteItem|BatchWriteItem|TransactWriteItems)$/;

const bodyOf = async (incoming: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
};

const THROTTLED = JSON.stringify({
  __type: "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
  message: "The level of configured provisioned throughput for the table was exceeded.",
});

export const startTableGate = async (engine: string): Promise<TableGate> => {
  const refusing = new Set<string>();
  const listeners: ((table: string) => void)[] = [];
  const { hostname, port } = new URL(engine);

  const pass = async (incoming: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const body = await bodyOf(incoming);
    const target = String(incoming.headers["x-amz-target"] ?? "");
    const refused = WRITES.test(target) ? [...refusing].find((table) => body.includes(`"${table}"`)) : undefined;
    if (refused !== undefined) {
      refusing.delete(refused);
      for (const listener of listeners) listener(refused);
      answer.writeHead(400, { "content-type": "application/x-amz-json-1.0" }).end(THROTTLED);
      return;
    }
    const { method, headers, url } = incoming;
    const onward = request({ hostname, port, method, path: url, headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 500, reply.headers);
      reply.pipe(answer);
    });
    onward.on("error", () => answer.destroy());
    onward.end(body);
  };

  const server = createServer((incoming, answer) => void pass(incoming, answer));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refuseNext: (table) => void refusing.add(table),
    onThrottle: (listener) => void listeners.push(listener),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
