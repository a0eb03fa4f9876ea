import { AT_ONCE, applyChange, instrumentChange, policyChange } from "../../adapters/change-terms.ts";
import { createOutbound } from "../../adapters/dynamodb/outbound.ts";
import { encodeFeed } from "../../adapters/wire/feed.ts";
import type { QueueMessage, World } from "../../adapters/world.ts";
import type { AccountRead } from "./accounts.ts";
import type { Plan, Planned } from "./plan.ts";

/** Messages handed over in one request to the port, so that an import of a large book does not hold them all. */
const MESSAGES_AT_ONCE = 1_000;

const isDue = ({ state }: Planned<unknown>): boolean => state === "new" || state === "changed";

/** The account's snapshot as the venue's core system sends it: same queue, same order, same function that applies it. */
const messageOf = ({ accountId, terms, fact }: AccountRead, now: number): QueueMessage => ({
  body: encodeFeed({ schemaVersion: 1, accountId, account: terms, entries: [fact] }),
  groupId: accountId,
  // One of its own for each run: facts that were parked must come in when they are sent again.
  dedupId: `${fact.externalId}-${now}`,
});

/**
 * Does what is planned: terms first, since accounts are decided under them, then contacts, then the accounts' snapshots
 * into the feed queue. It takes no breach on: terms that would newly call more than the stage's share, or raise a rate
 * without notice, go through `npm run policy` (R17, M3). Each step is safe to repeat, so an import that stopped half-way is completed by another run.
 *
 * @throws ChangeHeld, NoticeTooShort, ChangePending where terms are not stored: what came before them is done, the rest is not.
 */
export const applyPlan = async ({ policies, instruments, contacts, accounts }: Plan, world: World): Promise<void> => {
  for (const { id, thing } of policies.filter(isDue)) {
    await applyChange(
      policyChange(world, id, (version) => ({ ...thing, version })),
      AT_ONCE,
    );
  }
  for (const { id, thing } of instruments.filter(isDue)) {
    await applyChange(
      instrumentChange(world, id, (version) => ({ ...thing, version })),
      AT_ONCE,
    );
  }
  const outbound = createOutbound(world);
  for (const { thing } of contacts.filter(isDue)) await outbound.putContact(thing);
  const due = accounts.filter(isDue);
  for (let from = 0; from < due.length; from += MESSAGES_AT_ONCE) {
    const now = world.clock.now();
    const messages = due.slice(from, from + MESSAGES_AT_ONCE).map(({ thing }) => messageOf(thing, now));
    await world.queues.send(world.settings.feedQueueUrl, messages);
  }
};
