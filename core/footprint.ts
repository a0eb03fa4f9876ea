import { newestPriceAt } from "./clock.ts";
import type { Change } from "./decision.ts";
import type { Instrument } from "./instrument.ts";
import type { Fact } from "./ledger.ts";
import type { Mark, MarketSnapshot } from "./mark.ts";
import type { PolicyInMode } from "./mode.ts";
import { ownVolatility } from "./option-market.ts";
import { spotOf } from "./risk-market.ts";
import { allPositions, livesOf } from "./scope.ts";

/** Instruments that a fact names. */
const namedBy = (fact: Fact): readonly string[] => {
  if ("instrumentId" in fact) return [fact.instrumentId];
  if (fact.kind === "snapshot" || fact.kind === "reconciliation") return fact.positions.map(({ instrumentId }) => instrumentId);
  return [];
};

/**
 * What else tells the price of an instrument: the underlying of an option and, where its own mark tells no volatility,
 * the options beside it; and what the models take for the price of its base asset.
 */
const besides = (instrument: Instrument, snapshot: MarketSnapshot): readonly string[] => {
  const { option, baseAsset } = instrument;
  const spot = spotOf(baseAsset, snapshot)?.instrumentId;
  const told = spot === undefined ? [] : [spot];
  if (option === null) return told;
  if (ownVolatility(instrument, option, snapshot) !== null) return [...told, option.underlyingId];
  const beside = [...snapshot.instruments.values()].filter((other) => other.option?.underlyingId === option.underlyingId);
  return [...told, option.underlyingId, ...beside.map(({ instrumentId }) => instrumentId)];
};

/** The instant of a decision is never before the newest price (S39), so one mark of that instant belongs to it. */
const newestOf = (snapshot: MarketSnapshot, used: ReadonlyMap<string, Mark>): readonly Mark[] => {
  const newest = newestPriceAt(snapshot);
  if ([...used.values()].some(({ asOf }) => asOf === newest)) return [];
  for (const mark of snapshot.marks.values()) if (mark.asOf === newest) return [mark];
  return [];
};

/** Those of these ids, in the snapshot's own order, which is that of the ids where a snapshot was stored. */
const only = <One>(all: ReadonlyMap<string, One>, ids: ReadonlySet<string>): ReadonlyMap<string, One> =>
  new Map([...all].filter(([id]) => ids.has(id)));

/**
 * The part of a snapshot that a change may have looked at, as a snapshot of its own: deciding the same account on
 * it gives the same change (I27). It holds the positions and orders before and after, what its facts and orders name, what else
 * tells the prices of these, what prices the policy's collateral and its pegs, and one mark of the newest instant.
 *
 * @param change as `decide` made it on this snapshot under this policy.
 */
export const footprintOf = (change: Change, snapshot: MarketSnapshot, policy: PolicyInMode): MarketSnapshot => {
  const { before, after } = change;
  const own = new Set([
    ...[...allPositions(before), ...allPositions(after)].map(({ instrumentId }) => instrumentId),
    ...[...before.standing.keys(), ...after.standing.keys()],
    ...change.entries.flatMap(({ fact }) => namedBy(fact)),
    ...[...livesOf(before).flatMap(({ orders }) => orders), ...change.orders].map(({ instrumentId }) => instrumentId),
  ]);
  const held = [...own].flatMap((id): Instrument | [] => snapshot.instruments.get(id) ?? []);
  const priceIds = [policy, ...(policy.ofPools?.values() ?? [])].flatMap(({ collateral }) =>
    [...collateral.values()].flatMap(({ priceId, peg }) => [priceId ?? [], peg?.priceId ?? []].flat()),
  );
  const ids = new Set([...own, ...priceIds, ...held.flatMap((instrument) => besides(instrument, snapshot))]);
  const marks = only(snapshot.marks, ids);
  const newest = newestOf(snapshot, marks).map(({ instrumentId }) => instrumentId);
  return {
    snapshotId: snapshot.snapshotId,
    takenAt: snapshot.takenAt,
    instruments: only(snapshot.instruments, ids),
    marks: newest.length === 0 ? marks : only(snapshot.marks, new Set([...ids, ...newest])),
  };
};
