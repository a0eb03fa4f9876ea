import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request to one of the small services: its JSON body parsed. */
export interface ServiceRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** `X-Amz-Target` of the services that have one. */
  readonly target: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Answers a request, or null when it is for another service. @throws ServiceError for what the caller did wrong. */
export type Service = (request: ServiceRequest) => Promise<object | null> | object | null;

/** An error of a service as the SDK knows it: by its type's name. */
export class ServiceError extends Error {
  override readonly name: string;
  readonly status: number;

  constructor(type: string, message: string, status = 400) {
    super(message);
    this.name = type;
    this.status = status;
  }
}

/** The whole body as text. @throws RangeError past `bytesMax`. */
export const readBody = async (request: IncomingMessage, bytesMax: number): Promise<string> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new RangeError(`a body of more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
};

/** More than any of the services takes: an email of 40 MB is the largest thing among them. */
const BODY_BYTES_MAX = 41_943_040;

const answer = async (services: readonly Service[], request: IncomingMessage): Promise<object> => {
  const text = await readBody(request, BODY_BYTES_MAX);
  const target = request.headers["x-amz-target"];
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  const asked: ServiceRequest = {
    method: request.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    target: typeof target === "string" ? target : undefined,
    body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
  for (const service of services) {
    const reply = await service(asked);
    if (reply !== null) return reply;
  }
  throw new ServiceError("UnknownOperationException", `${asked.method} ${asked.path} ${asked.target ?? ""}`, 404);
};

/** Serves small JSON services on one free loopback port. */
export const startServices = async (
  services: readonly Service[],
): Promise<{ readonly endpoint: string; readonly stop: () => Promise<void> }> => {
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const reply = await answer(services, request).catch((error: unknown) =>
      error instanceof ServiceError ? error : new ServiceError("InternalFailure", String(error), 500),
    );
    const failed = reply instanceof ServiceError;
    response.writeHead(failed ? reply.status : 200, {
      "content-type": "application/json",
      ...(failed && { "x-amzn-errortype": reply.name }),
    });
    response.end(JSON.stringify(failed ? { __type: reply.name, message: reply.message } : reply));
  };
  const server = createServer((request, response) => void respond(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
