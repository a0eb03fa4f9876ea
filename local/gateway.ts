import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { Lambda } from "./engines/lambda.ts";
import { readBody } from "./services/service.ts";
import type { Route } from "./template/wiring.ts";

/** Who a local caller says it is: `operator`, `auditor`, `marks`, `feed`, `broker:<id>` or `holder:<id>`. */
export const ROLE_HEADER = "x-plimsoll-role";

/** API Gateway's own limit. */
const BODY_BYTES_MAX = 10_485_760;

const ACCOUNT = "000000000000";

/** Callers that a stage run on this machine names as its principals, by the role that the header gives. */
export const LOCAL_PRINCIPALS = {
  [`arn:aws:iam::${ACCOUNT}:role/plimsoll-operator`]: { role: "operator" },
  [`arn:aws:iam::${ACCOUNT}:role/plimsoll-auditor`]: { role: "auditor" },
  [`arn:aws:iam::${ACCOUNT}:role/plimsoll-marks`]: { role: "marks" },
  [`arn:aws:iam::${ACCOUNT}:role/plimsoll-feed`]: { role: "feed" },
} as const;

export interface ApiRequest {
  readonly method: string;
  /** Path with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export interface ApiReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Answers an API request as API Gateway and the function behind its route would. */
export type Api = (request: ApiRequest) => Promise<ApiReply>;

const problem = (status: number, message: string): ApiReply => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ message }),
});

interface Match {
  readonly route: Route;
  readonly parameters: Readonly<Record<string, string>>;
}

const parametersOf = (pattern: string, path: string): Record<string, string> | null => {
  const [wanted, given] = [pattern.split("/"), path.split("/")];
  if (wanted.length !== given.length) return null;
  const parameters: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? "";
    if (!part.startsWith("{")) {
      if (part !== value) return null;
    } else if (value === "") return null;
    else parameters[part.slice(1, -1)] = decodeURIComponent(value);
  }
  return parameters;
};

const matchOf = (routes: readonly Route[], method: string, path: string): Match | null => {
  for (const route of routes) {
    const parameters = route.method === method || route.method === "ANY" ? parametersOf(route.path, path) : null;
    if (parameters !== null) return { route, parameters };
  }
  return null;
};

/** The ARN that the stage knows for a role, or one that it does not know: then `authorize` refuses. */
const arnOf = (role: string, principals: string | undefined): string => {
  const [kind, id] = role.split(":");
  const known = Object.entries(JSON.parse(principals ?? "{}") as Record<string, { role?: string; brokerId?: string; accountId?: string }>);
  const found = known.find(
    ([, principal]) => principal.role === kind && (id === undefined || (principal.brokerId ?? principal.accountId) === id),
  );
  return found?.[0] ?? `arn:aws:iam::${ACCOUNT}:role/plimsoll-${role.replace(/[^\w-]/g, "-")}`;
};

const eventOf = (request: ApiRequest, { route, parameters }: Match, userArn: string | null, at: number): object => {
  const url = new URL(request.path, "http://127.0.0.1");
  const routeKey = `${route.method} ${route.path}`;
  const query = Object.fromEntries(url.searchParams);
  return {
    version: "2.0",
    routeKey,
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    headers: request.headers,
    ...(url.search !== "" && { queryStringParameters: query }),
    ...(Object.keys(parameters).length > 0 && { pathParameters: parameters }),
    requestContext: {
      accountId: ACCOUNT,
      apiId: "local",
      domainName: "127.0.0.1",
      domainPrefix: "local",
      http: {
        method: request.method,
        path: url.pathname,
        protocol: "HTTP/1.1",
        sourceIp: "127.0.0.1",
        userAgent: request.headers["user-agent"] ?? "",
      },
      requestId: randomUUID(),
      routeKey,
      stage: "$default",
      time: new Date(at).toISOString(),
      timeEpoch: at,
      ...(userArn !== null && {
        authorizer: { iam: { accountId: ACCOUNT, callerId: "local", userArn, userId: "local", accessKey: "local" } },
      }),
    },
    ...(request.body !== null && { body: request.body }),
    isBase64Encoded: false,
  };
};

const replyOf = (result: unknown): ApiReply => {
  const {
    statusCode,
    headers = {},
    body = "",
    isBase64Encoded,
  } = (result ?? {}) as {
    statusCode?: number;
    headers?: Record<string, string>;
    body?: string;
    isBase64Encoded?: boolean;
  };
  if (statusCode === undefined) return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(result) };
  return { status: statusCode, headers, body: isBase64Encoded === true ? Buffer.from(body, "base64").toString("utf8") : body };
};

export interface ApiOptions {
  readonly routes: readonly Route[];
  readonly lambda: Lambda;
  readonly now: () => number;
  /** The stage's principals, as the function has them: JSON by ARN. */
  readonly principals: (functionName: string) => string | undefined;
  /** Is told the status of every answer. */
  readonly answered: (status: number) => void;
}

export const createApi = ({ routes, lambda, now, principals, answered }: ApiOptions): Api => {
  const answer: Api = async (request) => {
    const match = matchOf(routes, request.method, new URL(request.path, "http://127.0.0.1").pathname);
    if (match === null) return problem(404, "Not Found");
    const role = request.headers[ROLE_HEADER];
    if (match.route.authorized && role === undefined) return problem(403, "Forbidden");
    const userArn = role === undefined ? null : arnOf(role, principals(match.route.functionName));
    const outcome = await lambda.invoke(match.route.functionName, eventOf(request, match, userArn, now()));
    return outcome.ok ? replyOf(outcome.result) : problem(500, "Internal Server Error");
  };
  return async (request) => {
    const reply = await answer(request);
    answered(reply.status);
    return reply;
  };
};

/** A port that something else holds. The message says what to do. */
export class PortTakenError extends Error {
  override readonly name = "PortTakenError";

  constructor(port: number) {
    super(`port ${port} of 127.0.0.1 is taken: stop the program that holds it, or choose another port`);
  }
}

/** @throws PortTakenError */
export const listenLocally = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(error.code === "EADDRINUSE" ? new PortTakenError(port) : error));
    server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });

/** Whether a request was meant for this machine: a web page that resolves its own name to 127.0.0.1 is not. */
export const isLocalHost = (host: string | undefined, port: number): boolean =>
  host === `127.0.0.1:${port}` || host === `localhost:${port}`;

const headersOf = (request: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(",") : (value ?? "")]),
  );

const serve = async (api: Api, request: IncomingMessage, port: number): Promise<ApiReply> => {
  if (!isLocalHost(request.headers.host, port)) return problem(421, "Misdirected Request");
  const body = await readBody(request, BODY_BYTES_MAX).catch(() => null);
  if (body === null) return problem(413, "Request Entity Too Large");
  return api({ method: request.method ?? "GET", path: request.url ?? "/", headers: headersOf(request), body: body === "" ? null : body });
};

export interface Gateway {
  readonly url: string;
  stop(): Promise<void>;
}

/** Reserves the API's port: its address is part of the functions' wiring, so it comes before them. */
export const startGateway = async (port: number): Promise<Gateway & { open(api: Api): void }> => {
  let answer: Api = () => Promise.resolve(problem(503, "Service Unavailable"));
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { status, headers, body } = await serve(answer, request, bound).catch(() => problem(500, "Internal Server Error"));
    response.writeHead(status, headers);
    response.end(body);
  };
  const server = createServer((request, response) => void respond(request, response));
  const bound = await listenLocally(server, port);
  return {
    url: `http://127.0.0.1:${bound}`,
    open: (api) => {
      answer = api;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
