import type { MarginAccount } from "../core/account.ts";
import { breachesOf, type ChangePlan, holdOf } from "../core/change-plan.ts";
import { decisionInstant } from "../core/clock.ts";
import { columnsOf, type LinearBook } from "../core/columns/linear-book.ts";
import { unsettledAt } from "../core/columns/linear-levels.ts";
import type { Instrument } from "../core/instrument.ts";
import { LIMITS } from "../core/limits.ts";
import type { Mark, MarketSnapshot } from "../core/mark.ts";
import type { PolicyInMode } from "../core/mode.ts";
import { agrees, type MarkJudgement, type Tick } from "../core/quality.ts";
import { isAtRisk } from "../core/scope.ts";
import type { Desk } from "./decide-account.ts";
import { createBelieved } from "./dynamodb/believed.ts";
import { createHolds } from "./dynamodb/holds.ts";
import { shardOf } from "./dynamodb/keys.ts";
import type { LogFields } from "./lambda/log-fields.ts";
import { policiesOf } from "./mark-page.ts";
import { noTerms, overMarket, planPage } from "./plan-page.ts";

/** How long one sample serves, its accounts, marks and policies: a message may hold the prices of 250 instruments, and all of them fall in a crash. */
const SAMPLE_FOR_MS = 5_000;
const NOBODY = { called: 0, closedOut: 0 };

/** The newest marks. One that does not read is left out: it holds back the price of no other instrument. */
const newestOf = async ({ marks, world }: Desk): Promise<MarketSnapshot> => {
  const instruments = await marks.instruments();
  const takenAt = world.clock.now();
  return { snapshotId: `NEWEST#${takenAt}`, takenAt, marks: await marks.marksOf([...instruments.keys()]), instruments };
};

/** The market with this mark in the place of the instrument's own. */
const withMark = (snapshot: MarketSnapshot, mark: Mark): MarketSnapshot => ({
  ...snapshot,
  marks: new Map(snapshot.marks).set(mark.instrumentId, mark),
});

/** Accounts and marks that prices are judged on. */
interface Sample {
  readonly accounts: readonly MarginAccount[];
  readonly snapshot: MarketSnapshot;
  /** The accounts in columns, by policy: all prices of the sample's seconds are judged over them. */
  readonly books: readonly LinearBook[];
  /** Those without a policy to put them under. */
  readonly others: readonly MarginAccount[];
}

const inColumns = async (
  desk: Desk,
  accounts: readonly MarginAccount[],
  { instruments }: MarketSnapshot,
): Promise<Pick<Sample, "books" | "others">> => {
  const policyFor = await policiesOf(desk, accounts, noTerms);
  const byPolicy = Map.groupBy(accounts, policyFor);
  const under = [...byPolicy].filter((entry): entry is [PolicyInMode, MarginAccount[]] => entry[0] !== null);
  return { books: under.map(([policy, held]) => columnsOf(held, policy, instruments)), others: byPolicy.get(null) ?? [] };
};

/**
 * Whole shards of the book, from one that the instant names. The shard of an account is a hash of its id, so
 * that shards are fair samples; a small book is read whole.
 */
const readSample = async (desk: Desk): Promise<Sample> => {
  const snapshot = await newestOf(desk);
  const { shards } = desk.world.settings;
  const first = shardOf(snapshot.snapshotId, shards);
  const { breakerSampleMin, breakerAccountsMax } = LIMITS;
  const accounts: MarginAccount[] = [];
  let atRisk = 0;
  for (let index = 0; index < shards && atRisk < breakerSampleMin && accounts.length < breakerAccountsMax; index += 1) {
    let cursor: string | undefined;
    do {
      const page = await desk.book.pageOfShard((first + index) % shards, cursor);
      accounts.push(...page.accounts);
      atRisk += page.accounts.filter(isAtRisk).length;
      cursor = page.cursor;
    } while (cursor !== undefined);
  }
  return { accounts, snapshot, ...(await inColumns(desk, accounts, snapshot)) };
};

/**
 * Whom a mark would newly breach among the sampled accounts.
 *
 * @param previous the mark that it would replace, which counts as said at the same instant: what its age does
 *   to an account is not the new price's doing.
 */
const breachesOn = async (sample: Sample, desk: Desk, previous: Mark | null, mark: Mark): Promise<ChangePlan> => {
  const { accounts, snapshot, books, others } = sample;
  const before = previous === null ? snapshot : withMark(snapshot, { ...mark, price: previous.price });
  const after = withMark(snapshot, mark);
  const now = desk.world.clock.now();
  // Whom neither market moves is in no plan: few are left of a sample, and only these are decided.
  const moved = books.flatMap((book) => {
    const rows = [before, after].flatMap((market) => unsettledAt(book, market, decisionInstant(now, market)));
    return [...new Set(rows)].flatMap((row) => book.accounts[row] ?? []);
  });
  const plan = await planPage(desk, [...moved, ...others], before, overMarket(mark.instrumentId, after), now);
  return { ...plan, accounts: accounts.length, atRisk: accounts.filter(isAtRisk).length };
};

/** The mark as it stands while a price is held: the price waits beside it, as a jump does. */
const heldBeside = (previous: Mark | null, tick: Tick): MarkJudgement => {
  const reason = "held: no second source, and too many accounts would breach";
  if (previous === null) return { outcome: "rejected", mark: null, reason };
  const { candidate } = previous;
  if (candidate !== null && tick.asOf <= candidate.asOf) return { outcome: "rejected", mark: previous, reason };
  return { outcome: "candidate", mark: { ...previous, candidate: { price: tick.price, asOf: tick.asOf } }, reason };
};

/**
 * The breaker on prices (R17): one that no second source confirms, and that would newly breach more than the
 * stage's share of the accounts at risk, is held for at most {@link LIMITS.priceHoldMaxMs}; then the next one
 * of its kind is let through, and an operator is paged. Never a confirmed price: of a source that the stage
 * names as a composite, or that agrees with what another source was held for.
 */
export const createPriceBreaker = (desk: Desk) => {
  const { world } = desk;
  const holds = createHolds(world);
  const sample = createBelieved(world.clock, SAMPLE_FOR_MS, () => readSample(desk));

  /** What becomes of a tick that is good by itself. @param judged as accepted against `previous`. */
  const judge = async (previous: Mark | null, tick: Tick, judged: MarkJudgement, instrument: Instrument): Promise<MarkJudgement> => {
    const { compositeSources, breachShareMaxPpm } = world.settings;
    if (judged.mark === null || compositeSources.includes(tick.source)) return judged;
    const { instrumentId, source, price } = tick;
    const against = previous?.asOf ?? 0;
    const now = world.clock.now();
    const hold = await holds.find(instrumentId, against);
    const isHeldPrice = hold !== null && agrees(hold.price, price, instrument);
    if (isHeldPrice && hold.source !== source) return judged;
    const since = hold?.since ?? now;
    const isOver = now - since >= LIMITS.priceHoldMaxMs;
    // After its time the price that was held needs no look: stale marks may have called by then whom it breaches.
    const plan = isOver && isHeldPrice ? null : await breachesOn(await sample.get("book"), desk, previous, judged.mark);
    if (plan !== null && holdOf(plan, breachShareMaxPpm, NOBODY) === null) return judged;
    const told: LogFields = {
      instrumentId,
      source,
      heldMs: now - since,
      ...(plan !== null && { breaching: breachesOf(plan), sampled: plan.atRisk }),
    };
    if (isOver) {
      world.log.count("price_let_through");
      world.log.error("a price that no second source confirms is let through", told);
      return judged;
    }
    world.log.count("price_held");
    world.log.warn("a price that no second source confirms is held", told);
    await holds.put({ instrumentId, against, since, source, price });
    return heldBeside(previous, tick);
  };

  /** Writes down who said a jump that waits for a second tick: of another source, that tick confirms it; of the same, its time runs already. */
  const jumped = async (previous: Mark | null, { instrumentId, source, price }: Tick): Promise<void> => {
    if (previous === null || world.settings.compositeSources.includes(source)) return;
    const hold = await holds.find(instrumentId, previous.asOf);
    await holds.put({ instrumentId, against: previous.asOf, since: hold?.since ?? world.clock.now(), source, price });
  };

  return { judge, jumped };
};
