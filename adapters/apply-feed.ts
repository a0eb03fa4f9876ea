import { LIMITS } from "../core/limits.ts";
import type { MarketSnapshot } from "../core/mark.ts";
import { type Desk, decideAccount } from "./decide-account.ts";
import type { FeedMessage } from "./wire/feed.ts";

/** Facts of an account that the book does not have and whose message does not say whose it is. */
export class UnknownAccount extends Error {
  override readonly name = "UnknownAccount";
}

/**
 * Applies messages of one account's feed: all facts in one transaction, as far as one holds them, with
 * the decision that follows from them. Facts that were applied before are left out (I17).
 *
 * A gap in the venue's sequence, or a reconciliation that differs, marks the account OUT_OF_SYNC: counted, for an
 * operator to have the venue send a snapshot. Logs name what differs; how much stands in the journal.
 */
export const applyFeed = async (desk: Desk, messages: readonly FeedMessage[], snapshot: MarketSnapshot): Promise<void> => {
  const { log } = desk.world;
  const accountId = messages[0]?.accountId;
  if (accountId === undefined) return;
  const facts = messages.flatMap(({ entries }) => entries);
  const terms = messages.findLast(({ account }) => account !== undefined)?.account;
  for (let from = 0; from < facts.length; from += LIMITS.factsPerChangeMax) {
    const some = facts.slice(from, from + LIMITS.factsPerChangeMax);
    const causedBy = `feed ${some[0]?.externalId ?? ""}`;
    const request = { accountId, causedBy, facts: some, ...(terms === undefined ? {} : { terms }) };
    const changed = await decideAccount(desk, request, snapshot);
    if (changed === null) throw new UnknownAccount("facts of an account that was never opened");
    const { account, change } = changed;
    const differing = (change?.entries ?? []).flatMap(({ differences }) => (differences === undefined ? [] : [differences]));
    log.count("facts_applied", (change?.entries.length ?? 0) - differing.length);
    if (change?.after.outOfSync && !change.before.outOfSync) {
      log.count("account_out_of_sync");
      log.error("account out of sync", { accountId, sequence: change.after.sourceSequence });
    }
    for (const differences of differing) {
      log.count("book_differs");
      log.error("the book differs from the venue", { accountId, reason: differences.map(({ what }) => what).join(", ") });
    }
    const isChecked = some.some(({ kind, sequence }) => kind === "reconciliation" && sequence === account.sourceSequence);
    if (isChecked && !account.outOfSync) log.count("accounts_reconciled");
  }
};

/**
 * Applies one message. A statement of the venue that cannot be judged now is let go: the next one comes in minutes,
 * and a deposit behind it in its account's queue must not wait past a deadline for it (N12).
 */
export const applyMessage = async (desk: Desk, message: FeedMessage, newest: () => Promise<MarketSnapshot>): Promise<void> => {
  try {
    await applyFeed(desk, [message], await newest());
  } catch (error) {
    const isCheck = message.entries.every(({ kind }) => kind === "reconciliation");
    if (!isCheck || error instanceof UnknownAccount) throw error;
    desk.world.log.count("reconciliation_skipped");
    desk.world.log.warn("a statement of the venue was not judged", {
      accountId: message.accountId,
      reason: error instanceof Error ? error.name : "unknown",
    });
  }
};
