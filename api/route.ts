import type { APIGatewayEventRequestContextV2, APIGatewayProxyEventV2WithRequestContext } from "aws-lambda";
import * as z from "zod";

import type { Desk } from "../adapters/decide-account.ts";
import type { KeyedRequest } from "../adapters/dynamodb/replies.ts";
import { type Action, ROUTES, type RouteLine } from "../adapters/wire/routes.ts";
import { authorize, type Principal, principalOf, type Resource } from "./authorize.ts";
import { answerOnce, jsonReply, type KeyUse } from "./idempotency.ts";
import { Problem, refuse } from "./problem.ts";

/** An event of the HTTP API (payload format 2.0). Only the signature says who asks; the health check has none. */
export type ApiEvent = APIGatewayProxyEventV2WithRequestContext<
  APIGatewayEventRequestContextV2 & { readonly authorizer?: { readonly iam?: { readonly userArn?: string } } }
>;

export interface ApiReply {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** What a handler is called with: everything read, nothing raw. */
export interface Request<Path, Query, Body> {
  readonly desk: Desk;
  /** Who asks; null on the public route alone. */
  readonly principal: Principal | null;
  readonly path: Path;
  readonly query: Query;
  readonly body: Body;
  readonly requestId: string;
  /** The request under its idempotency key; null when it came without one. */
  readonly keyed: KeyedRequest | null;
}

/** What the OpenAPI document says of a route. */
export interface Contract {
  readonly summary: string;
  readonly description: string;
  readonly path: z.ZodObject;
  readonly query: z.ZodObject;
  /** Null for a route without a body. */
  readonly body: z.ZodType | null;
  readonly reply: z.ZodType;
  readonly status: 200 | 202;
  readonly key: KeyUse;
}

export interface Route extends RouteLine {
  readonly action: Action;
  readonly contract: Contract;
  readonly answer: (desk: Desk, event: ApiEvent) => Promise<ApiReply>;
}

/** A route's parts; its method, path and access stand in ROUTES. `reply` is written with its codecs. */
export interface Definition<Path extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType, Reply extends z.ZodType> {
  readonly action: Action;
  readonly summary: string;
  readonly description: string;
  readonly path: Path;
  readonly query: Query;
  readonly body: Body;
  readonly reply: Reply;
  readonly status: 200 | 202;
  readonly key: KeyUse;
  readonly resource: (request: Request<z.output<Path>, z.output<Query>, z.output<Body>>) => Resource | Promise<Resource>;
  readonly run: (request: Request<z.output<Path>, z.output<Query>, z.output<Body>>) => Promise<z.output<Reply>>;
}

/** For a route without path parameters, or without a query. */
export const none = z.strictObject({});
/** For a route without a body. What is sent anyway is not read. */
export const noBody = z.unknown().transform(() => null);

/** The resource of routes about no one account: prices, terms, lists over all accounts. */
export const deployment = (): Resource => ({ kind: "deployment" });

/** An account as a resource. Whose it is is read only where that matters: for a broker. */
export const accountResource = async (
  { desk, principal }: Pick<Request<unknown, unknown, unknown>, "desk" | "principal">,
  accountId: string,
): Promise<Resource> => {
  const account = principal?.role === "broker" ? await desk.book.load(accountId) : null;
  return { kind: "account", accountId, brokerId: account?.brokerId ?? null };
};

/** The account in the path as a resource. */
export const pathAccount = (request: Request<{ readonly accountId: string }, unknown, unknown>): Promise<Resource> =>
  accountResource(request, request.path.accountId);

const read = <Schema extends z.ZodType>(schema: Schema, value: unknown, root: string): z.output<Schema> => {
  const result = schema.safeParse(value);
  if (!result.success) throw refuse(result.error, root);
  return result.data;
};

const forbidden = (): Problem =>
  new Problem("forbidden", {
    detail: "the signed identity has no permission for this action on this resource",
    mend: "Have the stage's principals give the identity a role that may do this; docs/reference/api.md has the table.",
  });

const lineOf = (action: Action): (typeof ROUTES)[number] => {
  const line = ROUTES.find((route) => route.action === action);
  if (line === undefined) throw new Error(`ROUTES has no action ${action}`);
  return line;
};

/**
 * Makes a route of its parts. The order is fixed: who asks, whether such a caller may ever do this, what
 * exactly is asked, whether the caller may do it to that, then the idempotency key, then the work (C2, C4).
 */
export const defineRoute = <Path extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType, Reply extends z.ZodType>(
  parts: Definition<Path, Query, Body, Reply>,
): Route => {
  const line = lineOf(parts.action);
  const { summary, description, path, query, reply, status, key } = parts;
  const body = (parts.body as z.ZodType) === noBody ? null : parts.body;

  const answer = async (desk: Desk, event: ApiEvent): Promise<ApiReply> => {
    const isPublic = line.access === "public";
    const principal = isPublic ? null : principalOf(desk.world.settings.principals, event.requestContext.authorizer?.iam?.userArn);
    const admit = (resource: Resource): void => {
      if (!isPublic && !authorize(principal, parts.action, resource)) throw forbidden();
    };
    admit({ kind: "unread" });
    const request: Request<z.output<Path>, z.output<Query>, z.output<Body>> = {
      desk,
      principal,
      path: read(path, event.pathParameters ?? {}, "path"),
      query: read(query, event.queryStringParameters ?? {}, "query"),
      body: read(parts.body, event.body, "body"),
      requestId: event.requestContext.requestId,
      keyed: null,
    };
    admit(await parts.resource(request));
    const work = async (keyed: KeyedRequest | null): Promise<ApiReply> =>
      jsonReply(status, JSON.stringify(z.encode(reply, await parts.run({ ...request, keyed }))));
    return answerOnce({ world: desk.world, event, principal, use: key, work });
  };
  return { ...line, contract: { summary, description, path, query, body, reply, status, key }, answer };
};
