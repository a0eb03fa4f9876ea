import { healthReply } from "../adapters/wire/api.ts";
import { LIMITS } from "../core/limits.ts";
import { defineRoute, deployment, noBody, none } from "./route.ts";

export const health = defineRoute({
  action: "readHealth",
  summary: "Whether accounts are watched",
  description:
    'Unsigned, for a monitor outside the cloud (S32). "ok" while a sweep has reached every account within three minutes, else "unwatched"; `sweptAt` is when one last did. Tells nothing of any account, price or broker.',
  path: none,
  query: none,
  body: noBody,
  reply: healthReply,
  status: 200,
  key: "none",
  resource: deployment,
  run: async ({ desk: { marks, world } }) => {
    const sweptAt = (await marks.sweepState()).current?.at ?? null;
    const watched = sweptAt !== null && world.clock.now() - sweptAt <= LIMITS.unwatchedAfterMs;
    return { status: watched ? ("ok" as const) : ("unwatched" as const), sweptAt };
  },
});
