import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { readBody, ServiceError } from "../services/service.ts";
import { createMemoryOperations, type Operation } from "./memory-operations.ts";

/** What the service takes in one request. */
const BODY_BYTES_MAX = 16_777_216;

/** Namespaces of the errors that the service answers with. */
const DYNAMODB = "com.amazonaws.dynamodb.v20120810";
const NAMESPACES = new Map([
  ["ValidationException", "com.amazon.coral.validate"],
  ["SerializationException", "com.amazon.coral.service"],
  ["UnknownOperationException", "com.amazon.coral.service"],
  ["ConditionalCheckFailedException", DYNAMODB],
  ["ResourceInUseException", DYNAMODB],
  ["ResourceNotFoundException", DYNAMODB],
  ["TransactionCanceledException", DYNAMODB],
]);

interface Reply {
  readonly status: number;
  readonly body: object;
}

const bodyOf = (text: string): object => {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null && !Array.isArray(body)) return body;
  } catch {
    // Told below, like JSON that is no object.
  }
  throw new ServiceError("SerializationException", "the body is no JSON object");
};

const answer = async (operations: ReadonlyMap<string, Operation>, request: IncomingMessage): Promise<object> => {
  const text = await readBody(request, BODY_BYTES_MAX);
  const target = `${request.headers["x-amz-target"] ?? ""}`;
  const operation = request.method === "POST" ? operations.get(target) : undefined;
  if (operation === undefined) throw new ServiceError("UnknownOperationException", `the engine in memory does not know ${target}`);
  return operation(bodyOf(text));
};

const errorReply = (error: unknown): Reply => {
  const { name, message, CancellationReasons } = error as Error & { readonly CancellationReasons?: readonly object[] };
  // The table throws a plain Error for an expression that it does not understand, which is the caller's.
  const type = name === "Error" ? "ValidationException" : name;
  const namespace = NAMESPACES.get(type);
  if (namespace === undefined) return { status: 500, body: { __type: `${DYNAMODB}#InternalServerError`, message: String(error) } };
  return {
    status: 400,
    body: { __type: `${namespace}#${type}`, message, ...(CancellationReasons !== undefined && { CancellationReasons }) },
  };
};

const respond = async (operations: ReadonlyMap<string, Operation>, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { status, body } = await answer(operations, request).then((reply): Reply => ({ status: 200, body: reply }), errorReply);
  const { $metadata: _, ...sent } = body as { readonly $metadata?: object };
  const text = Buffer.from(JSON.stringify(sent));
  response.writeHead(status, { "content-type": "application/x-amz-json-1.0", "content-length": text.byteLength });
  response.end(text);
};

/**
 * Serves the simulation's DynamoDB in memory on a free loopback port, in this process: DynamoDB's JSON 1.0
 * protocol, as far as the stores and the local cloud use it, with streams of new images. What it does not know
 * it refuses with a ValidationException that names it. The tables go when it stops; nothing expires.
 */
export const startMemoryEngine = async (): Promise<{ readonly endpoint: string; readonly stop: () => Promise<void> }> => {
  const operations = createMemoryOperations();
  const server = createServer((request, response) => void respond(operations, request, response));
  // A connection that rests stays open: a client that writes while the server closes it would see a reset.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
