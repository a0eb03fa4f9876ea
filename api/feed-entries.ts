import { feedReply } from "../adapters/wire/api.ts";
import { encodeFeed, feedMessage } from "../adapters/wire/feed.ts";
import { defineRoute, deployment, none } from "./route.ts";

export const postFeedEntries = defineRoute({
  action: "postFeedEntries",
  summary: "Post facts of one account",
  description:
    "Queued in the account's order, then applied, each external id once, for ever: posting again is safe. `account` opens an account that the book does not have.",
  path: none,
  query: none,
  body: feedMessage,
  reply: feedReply,
  status: 202,
  key: "optional",
  resource: deployment,
  run: async ({ desk: { world }, body, requestId }) => {
    // Deduplicated by request, not by content: facts that were parked must come in when they are posted again.
    await world.queues.send(world.settings.feedQueueUrl, [{ body: encodeFeed(body), groupId: body.accountId, dedupId: requestId }]);
    return { accepted: body.entries.length };
  },
});
