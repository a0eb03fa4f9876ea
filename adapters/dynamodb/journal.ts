import type { World } from "../world.ts";
import { decodeEnvelope, type Envelope } from "./envelope.ts";
import type { Item } from "./items.ts";
import { accountPk, sequenceSk } from "./keys.ts";
import { queryAll } from "./pages.ts";

/** The journal: read only, since each envelope is written with what it tells of (book.commit). */
export interface Journal {
  /** An account's envelopes after the sequence `after`, in order. @throws UnreadableRow for a row of another form. */
  timeline(accountId: string, after?: number): Promise<Envelope[]>;
  /** The same as stored, for `verifyChain`. */
  rows(accountId: string, after?: number): Promise<Item[]>;
}

export const createJournal = (world: World): Journal => {
  const rows = (accountId: string, after = 0): Promise<Item[]> =>
    queryAll(world.db, {
      TableName: world.settings.journalTable,
      KeyConditionExpression: "pk = :pk AND sk > :after",
      ExpressionAttributeValues: { ":pk": { S: accountPk(accountId) }, ":after": { S: sequenceSk(after) } },
      ConsistentRead: true,
    });
  return { rows, timeline: async (accountId, after) => (await rows(accountId, after)).map(decodeEnvelope) };
};
