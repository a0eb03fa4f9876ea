import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";

import { applyFeed, applyMessage } from "../adapters/apply-feed.ts";
import { createWorld } from "../adapters/aws.ts";
import { newestMarks, openDesk } from "../adapters/decide-account.ts";
import { ordered } from "../adapters/lambda/batches.ts";
import { lambdaHandler } from "../adapters/lambda/handler.ts";
import { type FeedMessage, feedMessage } from "../adapters/wire/feed.ts";
import { Malformed, parseMessage } from "../adapters/wire/parse.ts";
import type { World } from "../adapters/world.ts";

const read = ({ body }: SQSRecord): FeedMessage => parseMessage(feedMessage, body);

/** The messages of a group up to the first that does not read. */
const readable = (group: readonly SQSRecord[]): FeedMessage[] => {
  const messages: FeedMessage[] = [];
  for (const record of group) {
    try {
      messages.push(read(record));
    } catch (error) {
      if (error instanceof Malformed) break;
      throw error;
    }
  }
  return messages;
};

/**
 * 9. Applies what happened at the venue: fills, deposits, withdrawals, snapshots, closed orders, statements (R16).
 *
 * The facts of one account in one batch are one transaction. Where they cannot be applied together,
 * they are applied message by message, so that what comes before a bad one is kept; the bad one and
 * what follows it in its group go back to the queue, in order (S42).
 */
export const applyBookFeed = (world: World) => {
  const desk = openDesk(world);
  return (event: SQSEvent): Promise<SQSBatchResponse> => {
    const newest = newestMarks(desk);
    const groupOf = (record: SQSRecord): string => record.attributes.MessageGroupId ?? "";
    const groups = Map.groupBy(event.Records, groupOf);
    const applied = new Set<string>();

    const together = async (group: readonly SQSRecord[]): Promise<void> => {
      const messages = readable(group);
      const isOneAccount = new Set(messages.map(({ accountId }) => accountId)).size === 1;
      if (messages.length < 2 || !isOneAccount) return;
      try {
        await applyFeed(desk, messages, await newest());
        for (const { messageId } of group.slice(0, messages.length)) applied.add(messageId);
      } catch {
        world.log.count("feed_batch_split");
      }
    };

    return ordered(event.Records, world.log, async (record) => {
      const group = groups.get(groupOf(record)) ?? [];
      if (group[0] === record) await together(group);
      if (!applied.has(record.messageId)) await applyMessage(desk, read(record), newest);
    });
  };
};

const world = createWorld(["bookTable", "journalTable", "marksTable", "shards", "rowSchema", "modes", "defaultPolicy"]);

export const handler = lambdaHandler(world, applyBookFeed(world));
