import middy from "@middy/core";
import httpErrorHandler from "@middy/http-error-handler";
import httpJsonBodyParser from "@middy/http-json-body-parser";
import httpRouter from "@middy/http-router";
import httpSecurityHeaders from "@middy/http-security-headers";

import { createWorld } from "../adapters/aws.ts";
import { openDesk } from "../adapters/decide-account.ts";
import { lambdaHandler } from "../adapters/lambda/handler.ts";
import type { World } from "../adapters/world.ts";
import { limitBody, tellProblems } from "../api/http.ts";
import type { ApiEvent, ApiReply } from "../api/route.ts";
import { API_ROUTES } from "../api/routes.ts";

/**
 * 10. The HTTP API of operators, brokers, holders and the venue's own systems: what they read, what they
 * command, and the only way in for terms, contacts, endpoints, prices and facts.
 *
 * Each route is a line of ROUTES; who may do what is decided by `authorize` (C2); what decides is answered
 * at once (R16), what only happened is queued. Every refusal says how to mend it, none shows a stack.
 */
export const operate = (world: World) => {
  const desk = openDesk(world);
  const routes = API_ROUTES.map(({ method, path, contract, answer }) => {
    const stack = middy<ApiEvent, ApiReply>().handler((event) => answer(desk, event));
    return { method, path, handler: contract.body === null ? stack : stack.use(limitBody()).use(httpJsonBodyParser()) };
  });
  return middy<ApiEvent, ApiReply>()
    .use(httpSecurityHeaders())
    .use(httpErrorHandler({ logger: false }))
    .use(tellProblems(world))
    .handler(httpRouter<ApiEvent, ApiReply>(routes));
};

const world = createWorld([
  "bookTable",
  "marksTable",
  "journalTable",
  "outboundTable",
  "shards",
  "rowSchema",
  "modes",
  "defaultPolicy",
  "marksQueueUrl",
  "feedQueueUrl",
  "dataKeyArn",
  "principals",
  "webhookLoopback",
  "breachShareMaxPpm",
]);

export const handler = lambdaHandler(world, operate(world));
