import { contractReply } from "../adapters/wire/api.ts";
import { openApi } from "./openapi.ts";
import { defineRoute, deployment, noBody, none, type Route } from "./route.ts";

/** The route that describes the API: the others, and itself. */
export const readContract = (others: readonly Route[]): Route => {
  const own: Route = defineRoute({
    action: "readContract",
    summary: "This document",
    description: "OpenAPI 3.1, made from the schemas that requests are read and replies are written with.",
    path: none,
    query: none,
    body: noBody,
    reply: contractReply,
    status: 200,
    key: "none",
    resource: deployment,
    run: async () => openApi([own, ...others]),
  });
  return own;
};
