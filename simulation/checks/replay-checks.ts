import { isDeepStrictEqual } from "node:util";

import { decodeAccount } from "../../adapters/dynamodb/account-codec.ts";
import { sealEnvelope } from "../../adapters/dynamodb/envelope.ts";
import { decodeInstrument, unpackMarks } from "../../adapters/dynamodb/mark-codec.ts";
import { recompute, type Shelf } from "../../adapters/recompute.ts";
import { policyBody } from "../../adapters/wire/policy.ts";
import { decide } from "../../core/decide.ts";
import type { Instrument } from "../../core/instrument.ts";
import type { MarketSnapshot } from "../../core/mark.ts";
import type { PolicyInMode } from "../../core/mode.ts";
import type { Policy } from "../../core/policy.ts";
import { scopeOf } from "../../core/scope.ts";
import type { Item } from "../db/expressions.ts";
import type { MemoryTables } from "../db/memory-tables.ts";
import { instantOf } from "../time/instants.ts";
import type { Check } from "./book-checks.ts";
import type { Commit } from "./witness.ts";

/** One decision in so many is made again: each costs as much as the run's own. */
const EVERY = 4;
/** Likewise from its record, where the rows of terms are read again as well. */
const EVERY_RECORD = 8;

interface TableNames {
  readonly book: string;
  readonly marks: string;
}

const itemAt = (tables: MemoryTables, table: string, pk: string, sk: string): Item | undefined =>
  tables.get({ TableName: table, Key: { pk: { S: pk }, sk: { S: sk } } }).Item;

const instrumentAt = (tables: MemoryTables, marks: string, instrumentId: string, version: number): Instrument =>
  decodeInstrument(itemAt(tables, marks, `INSTRUMENT#${instrumentId}`, `v${version}`) as Item);

const snapshotAt = (tables: MemoryTables, { marks }: TableNames, snapshotId: string): MarketSnapshot | null => {
  const meta = itemAt(tables, marks, `SNAPSHOT#${snapshotId}`, "META");
  if (meta === undefined) return null;
  const versions = Object.entries(JSON.parse(meta["instruments"]?.S ?? "{}") as Record<string, number>);
  const instruments = versions.map(([id, version]) => instrumentAt(tables, marks, id, version));
  return {
    snapshotId,
    takenAt: Number(meta["takenAt"]?.N),
    marks: new Map(unpackMarks(meta["marks"]?.S ?? "[]").map((mark) => [mark.instrumentId, mark])),
    instruments: new Map(instruments.map((one) => [one.instrumentId, one])),
  };
};

const policyAt = (tables: MemoryTables, { book }: TableNames, policyId: string, version = 1): Policy => {
  const row = itemAt(tables, book, "POLICY", `${policyId}#v${version}`);
  return policyBody.parse(JSON.parse(row?.["body"]?.S ?? "{}"));
};

/** What records name, out of the tables of the run. */
const shelfOf = (tables: MemoryTables, names: TableNames): Shelf => ({
  policy: async (policyId, version) => policyAt(tables, names, policyId, version),
  instrument: async (instrumentId, version) => instrumentAt(tables, names.marks, instrumentId, version),
  snapshot: async (snapshotId) => snapshotAt(tables, names, snapshotId),
});

const sweptOn = ({ causedBy, snapshotId }: { readonly causedBy: string; readonly snapshotId: string | null }): string | null =>
  snapshotId?.startsWith("S") === true && causedBy === `sweep ${snapshotId}` ? snapshotId : null;

/** A decision that a record must give again. */
interface Recorded {
  readonly words: string;
  readonly row: Item;
  readonly kept: Item;
  /** The account's row that the transaction replaced. */
  readonly before: Item;
}

/** What a commit kept to be decided again; null for an act, a small change and an account that was not there. */
const recordedIn = ({ envelope, envelopeRow, accountBefore }: Commit): Recorded | null => {
  const kept = envelope?.decision?.kept;
  if (envelope === null || kept === undefined || envelopeRow === undefined || accountBefore === undefined) return null;
  return { words: `${envelope.accountId}: entry ${envelope.seq}`, row: envelopeRow, kept: kept.account, before: accountBefore };
};

/** True where a record's account is the one that the transaction replaced. */
const isAsItWas = ({ kept, before }: Recorded): boolean =>
  isDeepStrictEqual(decodeAccount({ ...kept, pk: before["pk"] as Item[string] }), decodeAccount(before));

/** I27, in two ways; see {@link createReplayChecks}. */
export interface ReplayChecks {
  hear(commit: Commit): void;
  /** Decides again from their records, when the run is over: nothing of it may stand between two steps. */
  judgeRecords(): Promise<void>;
}

/**
 * I27: a decision, made again, gives the same journal entry with its record, byte for byte.
 *
 * - Of a sweep: on the account as it was, the snapshot that it names as it was stored, its policy and its instant. So a
 *   record that keeps too little, or other marks than the snapshot's, is found.
 * - Of anything (a sweep, a timer, a fact, a request): on its own record, as `npm run verify` does; the account in the
 *   record must be the one that the transaction replaced.
 */
export const createReplayChecks = (check: Check, tables: MemoryTables, names: TableNames): ReplayChecks => {
  const decisions = { swept: 0, recorded: 0 };
  const recorded: Recorded[] = [];

  const judgeSwept = ({ envelope, envelopeText }: Commit, snapshotId: string, before: Item): void => {
    if (envelope === null) return;
    const snapshot = snapshotAt(tables, names, snapshotId);
    check("I27", snapshot !== null, () => `${envelope.accountId}: the snapshot ${snapshotId} of entry ${envelope.seq} is not stored`);
    if (snapshot === null) return;
    const at = instantOf(envelope.at);
    const account = decodeAccount(before);
    const own = policyAt(tables, names, account.policyId);
    // Every policy of a run has one version: its pools' calls were opened under it too.
    const ofPools = new Map([...account.pools.keys()].map((instrumentId) => [scopeOf(instrumentId), own]));
    const policy: PolicyInMode = { ...own, mode: "enforce", ...(ofPools.size > 0 && { ofPools }) };
    const change = decide(account, snapshot, policy, at);
    const meta = { causedBy: envelope.causedBy, snapshotId, mode: "enforce", decided: { snapshot, policy, now: at } } as const;
    const again = change === null ? "" : sealEnvelope(change, meta, at).row["body"]?.S;
    check(
      "I27",
      again === envelopeText,
      () => `${envelope.accountId}: entry ${envelope.seq} is decided otherwise on what it was decided on`,
    );
  };

  return {
    hear: (commit) => {
      const { envelope, accountBefore } = commit;
      if (envelope === null || accountBefore === undefined) return;
      const snapshotId = sweptOn(envelope);
      if (snapshotId !== null) decisions.swept += 1;
      if (snapshotId !== null && decisions.swept % EVERY === 0) judgeSwept(commit, snapshotId, accountBefore);
      const record = recordedIn(commit);
      if (record !== null) decisions.recorded += 1;
      if (record !== null && decisions.recorded % EVERY_RECORD === 0) recorded.push(record);
    },
    judgeRecords: async () => {
      const shelf = shelfOf(tables, names);
      for (const each of recorded.splice(0)) {
        check("I27", isAsItWas(each), () => `${each.words} keeps another account than it was decided on`);
        const verdict = await recompute(shelf, each.row);
        const words = verdict.outcome === "differs" ? ` at ${verdict.difference.path}` : "";
        check("I27", verdict.outcome === "agrees", () => `${each.words}, decided again from its record, ${verdict.outcome}${words}`);
      }
    },
  };
};
