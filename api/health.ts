import { healthReply } from "../adapters/wire/api.ts";
import { defineRoute, deployment, noBody, none } from "./route.ts";

export const health = defineRoute({
  action: "readHealth",
  summary: "Whether the API answers",
  description: "Tells nothing else. Alarms, not this route, tell whether accounts are marked.",
  path: none,
  query: none,
  body: noBody,
  reply: healthReply,
  status: 200,
  key: "none",
  resource: deployment,
  run: async () => ({ status: "ok" as const }),
});
