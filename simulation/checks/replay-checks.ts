import { decodeAccount } from "../../adapters/dynamodb/account-codec.ts";
import { sealEnvelope } from "../../adapters/dynamodb/envelope.ts";
import { decodeInstrument, unpackMarks } from "../../adapters/dynamodb/mark-codec.ts";
import { policyBody } from "../../adapters/wire/policy.ts";
import { decide } from "../../core/decide.ts";
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

interface TableNames {
  readonly book: string;
  readonly marks: string;
}

const itemAt = (tables: MemoryTables, table: string, pk: string, sk: string): Item | undefined =>
  tables.get({ TableName: table, Key: { pk: { S: pk }, sk: { S: sk } } }).Item;

const snapshotAt = (tables: MemoryTables, { marks }: TableNames, snapshotId: string): MarketSnapshot | null => {
  const meta = itemAt(tables, marks, `SNAPSHOT#${snapshotId}`, "META");
  if (meta === undefined) return null;
  const versions = Object.entries(JSON.parse(meta["instruments"]?.S ?? "{}") as Record<string, number>);
  const instruments = versions.map(([id, version]) => decodeInstrument(itemAt(tables, marks, `INSTRUMENT#${id}`, `v${version}`) as Item));
  return {
    snapshotId,
    takenAt: Number(meta["takenAt"]?.N),
    marks: new Map(unpackMarks(meta["marks"]?.S ?? "[]").map((mark) => [mark.instrumentId, mark])),
    instruments: new Map(instruments.map((one) => [one.instrumentId, one])),
  };
};

const policyAt = (tables: MemoryTables, { book }: TableNames, policyId: string): Policy => {
  const row = itemAt(tables, book, "POLICY", `${policyId}#v1`);
  return policyBody.parse(JSON.parse(row?.["body"]?.S ?? "{}"));
};

/**
 * I27: a decision of a sweep, made again from what was stored (the account as it was, the snapshot that it names,
 * its policy, its instant), gives the same journal entry with its record, byte for byte.
 */
export const createReplayChecks = (check: Check, tables: MemoryTables, names: TableNames) => {
  let decisions = 0;
  return ({ envelope, envelopeText, accountBefore }: Commit): void => {
    const snapshotId = envelope?.snapshotId ?? "";
    if (envelope === null || accountBefore === undefined || envelope.causedBy !== `sweep ${snapshotId}` || !snapshotId.startsWith("S"))
      return;
    decisions += 1;
    if (decisions % EVERY !== 0) return;
    const snapshot = snapshotAt(tables, names, snapshotId);
    check("I27", snapshot !== null, () => `${envelope.accountId}: the snapshot ${snapshotId} of entry ${envelope.seq} is not stored`);
    if (snapshot === null) return;
    const at = instantOf(envelope.at);
    const account = decodeAccount(accountBefore);
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
};
