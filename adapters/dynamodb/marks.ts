import type { Instrument, Instruments } from "../../core/instrument.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Mark, MarketSnapshot } from "../../core/mark.ts";
import type { HeldTerms } from "../../core/notice.ts";
import type { World } from "../world.ts";
import { createInstruments } from "./instruments.ts";
import type { Item } from "./items.ts";
import { decodeMark, MARK_PK, markItem } from "./mark-codec.ts";
import { getAll, isConditionFailed } from "./pages.ts";
import { createSnapshots, snapshotIdOf } from "./snapshots.ts";
import { createSweepState, type SweepState } from "./sweep-state.ts";

export type { SweepState } from "./sweep-state.ts";

/** What came of the wish to start a sweep. */
export type SweepStart =
  /** The sweep is the newest one now, priced off this snapshot: send its groups. */
  | { readonly outcome: "started"; readonly snapshot: MarketSnapshot }
  /** Another sweep runs; one more is wanted after it. */
  | { readonly outcome: "inFlight" }
  /** The last sweep started too recently; one more is wanted. Ask again after `waitMs`. */
  | { readonly outcome: "tooSoon"; readonly waitMs: number };

/** Instruments, newest marks, snapshots and the state of the sweep. */
export interface Marks {
  /** The newest version of each instrument, at most 30 s old. */
  instruments(): Promise<Instruments>;
  /** Stores a version. `conflict` when it is not above the stored one, or exists with other content. */
  putInstrument(instrument: Instrument): Promise<"stored" | "conflict">;
  /** Versions of an instrument that held since an instant, from the oldest. */
  instrumentsSince(instrumentId: string, newestVersion: number, since: number): Promise<readonly HeldTerms<Instrument>[]>;
  /** The newest mark of one instrument, strongly consistent. */
  mark(instrumentId: string): Promise<Mark | null>;
  /** The newest marks of these instruments by id, strongly consistent; those that have none, or one that does not read, are left out. */
  marksOf(instrumentIds: readonly string[]): Promise<ReadonlyMap<string, Mark>>;
  /** The newest marks, strongly consistent, as a snapshot `NEWEST#<takenAt>` that is not stored. */
  newest(): Promise<MarketSnapshot>;
  /**
   * Stores what `judgeMark` made of a tick, if the mark that it judged against is still the newest
   * (`expectedPreviousAsOf`, null for none). `superseded`: judge again against the newer one.
   */
  acceptMark(mark: Mark, expectedPreviousAsOf: number | null): Promise<"accepted" | "superseded">;
  /** Stores the newest marks as an immutable snapshot, with the instruments' versions. */
  takeSnapshot(now: number): Promise<MarketSnapshot>;
  /** A stored snapshot; null for one that never was or has expired. */
  snapshot(snapshotId: string): Promise<MarketSnapshot | null>;
  /**
   * Starts a sweep of `groups` groups unless one is in flight (`SWEEP_TIMEOUT_MS`) or the last one is
   * too recent (`SWEEP_INTERVAL_MIN_MS`). The same non-empty `token` (the id of the message that asks)
   * resumes the sweep that it started.
   *
   * @param state as read just now; read here when absent.
   */
  startSweep(now: number, groups: number, token?: string, state?: SweepState): Promise<SweepStart>;
  /** Reports a group done. `current` once all are; both false for a sweep that is not the newest any more. */
  groupDone(snapshotId: string, group: number): Promise<{ readonly current: boolean; readonly wanted: boolean }>;
  /** Asks for another sweep after the one in flight. */
  wantSweep(): Promise<void>;
  sweepState(): Promise<SweepState>;
}

const markKey = (instrumentId: string) => ({ pk: { S: MARK_PK }, sk: { S: instrumentId } });

/** A row that does not read costs its neighbours nothing: whoever needs it reads it alone and is told. */
const readable = (item: Item): Mark[] => {
  try {
    return [decodeMark(item)];
  } catch {
    return [];
  }
};

const acceptMark = async (world: World, mark: Mark, expectedPreviousAsOf: number | null): Promise<"accepted" | "superseded"> => {
  const item = markItem(mark);
  const waits = mark.candidate === null ? "" : " AND (attribute_not_exists(candidateAsOf) OR candidateAsOf < :candidate)";
  try {
    await world.db.put({
      TableName: world.settings.marksTable,
      Item: item,
      ConditionExpression: expectedPreviousAsOf === null ? "attribute_not_exists(pk)" : `asOf = :previous AND asOf <= :asOf${waits}`,
      ...(expectedPreviousAsOf !== null && {
        ExpressionAttributeValues: {
          ":previous": { N: `${expectedPreviousAsOf}` },
          ":asOf": { N: `${mark.asOf}` },
          ...(mark.candidate !== null && { ":candidate": { N: `${mark.candidate.asOf}` } }),
        },
      }),
    });
    return "accepted";
  } catch (error) {
    if (!isConditionFailed(error)) throw error;
    // After a lost reply the retry fails on its own write: the row says whose it is.
    const got = await world.db.get({ TableName: world.settings.marksTable, Key: markKey(mark.instrumentId), ConsistentRead: true });
    const stored = got.Item === undefined ? null : markItem(decodeMark(got.Item));
    return JSON.stringify(stored) === JSON.stringify(item) ? "accepted" : "superseded";
  }
};

export const createMarks = (world: World): Marks => {
  const known = createInstruments(world);
  const snapshots = createSnapshots(world, known);
  const sweep = createSweepState(world);

  const startSweep: Marks["startSweep"] = async (now, groups, token = "", state) => {
    const last = state ?? (await sweep.sweepState());
    const { sweepTimeoutMs, sweepIntervalMinMs } = world.settings;
    const elapsedMs = now - last.startedAt;
    // A start further ahead than clocks may differ was stamped by a broken clock: it must not hold sweeps back (S39).
    const sinceMs = elapsedMs < -LIMITS.skewMs ? Number.POSITIVE_INFINITY : elapsedMs;
    const runs = last.snapshotId !== null && last.current?.snapshotId !== last.snapshotId && sinceMs < sweepTimeoutMs;
    if (runs && token !== "" && last.token === token && last.snapshotId !== null) {
      const taken = await snapshots.snapshot(last.snapshotId);
      return { outcome: "started", snapshot: taken ?? (await snapshots.store(await snapshots.newest(last.snapshotId, last.startedAt))) };
    }
    if (runs) return { outcome: "inFlight" };
    // At least 1 ms: two sweeps of one instant would share the name of their snapshot.
    const waitMs = Math.max(1, sweepIntervalMinMs) - sinceMs;
    if (last.snapshotId !== null && waitMs > 0) return { outcome: "tooSoon", waitMs };
    // Claimed before its marks are read: a mark that comes later asks for the next sweep, and none is missed (R18).
    const snapshotId = snapshotIdOf(now);
    if (!(await sweep.claim(last, { snapshotId, now, groups, token }))) return { outcome: "inFlight" };
    return { outcome: "started", snapshot: await snapshots.store(await snapshots.newest(snapshotId, now)) };
  };

  return {
    instruments: known.instruments,
    putInstrument: known.putInstrument,
    instrumentsSince: known.instrumentsSince,
    mark: async (instrumentId) => {
      const got = await world.db.get({ TableName: world.settings.marksTable, Key: markKey(instrumentId), ConsistentRead: true });
      return got.Item === undefined ? null : decodeMark(got.Item);
    },
    marksOf: async (instrumentIds) => {
      const items = await getAll(world.db, world.settings.marksTable, [...new Set(instrumentIds)].map(markKey));
      return new Map(items.flatMap(readable).map((mark) => [mark.instrumentId, mark]));
    },
    newest: () => {
      const now = world.clock.now();
      return snapshots.newest(`NEWEST#${now}`, now);
    },
    acceptMark: (mark, expectedPreviousAsOf) => acceptMark(world, mark, expectedPreviousAsOf),
    takeSnapshot: async (now) => snapshots.store(await snapshots.newest(snapshotIdOf(now), now)),
    snapshot: snapshots.snapshot,
    startSweep,
    groupDone: sweep.groupDone,
    wantSweep: sweep.wantSweep,
    sweepState: sweep.sweepState,
  };
};
