import type { Scope } from "../core/account.ts";
import { decide } from "../core/decide.ts";
import type { Change } from "../core/decision.ts";
import type { Instrument } from "../core/instrument.ts";
import type { Mark, MarketSnapshot } from "../core/mark.ts";
import type { Mode, PolicyInMode } from "../core/mode.ts";
import type { Policy } from "../core/policy.ts";
import { decodeAccount } from "./dynamodb/account-codec.ts";
import { type DecisionRecord, type KeptInputs, recordOf } from "./dynamodb/decision-record.ts";
import { decodeEnvelope, sealEnvelope } from "./dynamodb/envelope.ts";
import { type Item, text } from "./dynamodb/items.ts";
import { accountPk } from "./dynamodb/keys.ts";
import { type PackedMark, unpackMark } from "./dynamodb/mark-codec.ts";

/** Where tables are read from: versions of policies and instruments, for ever, and snapshots, for 35 days. */
export interface Shelf {
  policy(policyId: string, version: number): Promise<Policy>;
  instrument(instrumentId: string, version: number): Promise<Instrument>;
  snapshot(snapshotId: string): Promise<MarketSnapshot | null>;
}

/** The first place at which two texts of JSON differ, in the order of the canonical form. */
export interface Difference {
  /** As in `calls[0].status`. */
  readonly path: string;
  /** JSON of what stands there; "nothing" where it is absent. */
  readonly stored: string;
  readonly recomputed: string;
}

/**
 * - `agrees`: decided again on its record, the envelope is the same byte for byte (I27).
 * - `differs`: it is not. `difference` is in what was decided, or in the inputs where these alone differ; `inputs` names
 *   those that are not what was hashed.
 * - `act`: the change was made by no decision.
 * - `unrecorded`: from before the record existed.
 * - `unkept`: its inputs are not kept. `isSmall`: because it changed neither a call nor the level; else its marks are gone.
 */
export type Verdict =
  | { readonly outcome: "agrees"; readonly change: Change }
  | { readonly outcome: "differs"; readonly difference: Difference; readonly inputs: readonly string[] }
  | { readonly outcome: "act" }
  | { readonly outcome: "unrecorded" }
  | { readonly outcome: "unkept"; readonly isSmall: boolean; readonly why: string };

const shown = (value: unknown): string => (value === undefined ? "nothing" : JSON.stringify(value));

/** The first difference of two JSON values; null where they are the same. Members by name, as the canonical form has them. */
export const firstDifference = (stored: unknown, recomputed: unknown, path = ""): Difference | null => {
  const here = { path: path === "" ? "(whole)" : path, stored: shown(stored), recomputed: shown(recomputed) };
  if (typeof stored !== "object" || typeof recomputed !== "object" || stored === null || recomputed === null)
    return Object.is(stored, recomputed) ? null : here;
  if (Array.isArray(stored) !== Array.isArray(recomputed)) return here;
  const [a, b] = [stored as Record<string, unknown>, recomputed as Record<string, unknown>];
  const isList = Array.isArray(stored);
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  if (!isList) names.sort();
  for (const name of names) {
    const inner = isList ? `${path}[${name}]` : path === "" ? name : `${path}.${name}`;
    const difference = firstDifference(a[name], b[name], inner);
    if (difference !== null) return difference;
  }
  return null;
};

/** The market of a record: its instruments by version, its marks as kept or else from the stored snapshot; null where these are gone. */
const marketOf = async (
  shelf: Shelf,
  snapshotId: string,
  { instruments }: DecisionRecord,
  kept: KeptInputs,
): Promise<MarketSnapshot | null> => {
  const read = await Promise.all(Object.entries(instruments).map(([instrumentId, version]) => shelf.instrument(instrumentId, version)));
  const own = (kept.marks as PackedMark[] | undefined)?.map(unpackMark).map((mark): [string, Mark] => [mark.instrumentId, mark]);
  const marks = own === undefined ? (await shelf.snapshot(snapshotId))?.marks : new Map(own);
  if (marks === undefined) return null;
  return { snapshotId, takenAt: Date.parse(kept.takenAt), marks, instruments: new Map(read.map((one) => [one.instrumentId, one])) };
};

/** The policy of a record in its mode, with those of its pools. */
const policyOf = async (shelf: Shelf, { policy, policiesOfPools }: DecisionRecord, mode: Mode): Promise<PolicyInMode> => {
  const own = await shelf.policy(policy.policyId, policy.version);
  if (policiesOfPools === undefined) return { ...own, mode };
  const ofPools = new Map<Scope, Policy>();
  for (const [scope, { policyId, version }] of Object.entries(policiesOfPools))
    ofPools.set(scope as Scope, await shelf.policy(policyId, version));
  return { ...own, mode, ofPools };
};

const INPUTS = ["account", "instruments", "marks", "policy"] as const;

/** The first difference of two bodies: in what was decided, or else in what it was decided on. */
const differenceOf = (stored: string, made: string): Difference => {
  const [a, b] = [JSON.parse(stored), JSON.parse(made)] as [Record<string, unknown>, Record<string, unknown>];
  const decided = firstDifference({ ...a, decision: null }, { ...b, decision: null });
  return decided ?? firstDifference(a, b) ?? { path: "(text)", stored, recomputed: made };
};

const NOTHING: Difference = { path: "(whole)", stored: "a change", recomputed: "nothing to change" };

/**
 * Decides an envelope of the journal again on its own record, and compares byte for byte (I27): account and marks as the
 * record keeps them, policy and instruments by version from their tables.
 *
 * @param under another policy, to see what it would have decided; the recorded one by default.
 * @throws UnreadableRow for a row of another form, UnknownPolicy and Error for a version that is not stored.
 */
export const recompute = async (shelf: Shelf, row: Item, under?: Policy): Promise<Verdict> => {
  const envelope = decodeEnvelope(row);
  const { decision, mode, snapshotId } = envelope;
  if (decision === undefined) return { outcome: "unrecorded" };
  if (decision === null) return { outcome: "act" };
  const { kept } = decision;
  if (kept === undefined) return { outcome: "unkept", isSmall: true, why: "it changed no call and not the level" };
  const snapshot = await marketOf(shelf, snapshotId ?? "", decision, kept);
  if (snapshot === null) return { outcome: "unkept", isSmall: false, why: `the marks of ${snapshotId} are kept no longer` };
  const policy: PolicyInMode = under === undefined ? await policyOf(shelf, decision, mode) : { ...under, mode };
  const now = Date.parse(kept.now);
  const account = decodeAccount({ ...(kept.account as Item), pk: { S: accountPk(envelope.accountId) } });
  const facts = envelope.entries.map(({ fact }) => fact);
  const change = decide(account, snapshot, policy, now, facts);
  if (change === null) return { outcome: "differs", difference: NOTHING, inputs: [] };
  const meta = {
    causedBy: envelope.causedBy,
    snapshotId,
    mode,
    decided: { snapshot, policy, now, release: decision.release },
    ...(envelope.follows !== undefined && { follows: { seq: envelope.follows, hash: envelope.prevHash } }),
  };
  const [stored, made] = [text(row, "body"), text(sealEnvelope(change, meta, Date.parse(envelope.at)).row, "body")];
  if (made === stored) return { outcome: "agrees", change };
  const again = recordOf(change, meta.decided).kept?.hashes;
  const inputs = INPUTS.filter((name) => kept.hashes[name] !== again?.[name]);
  return { outcome: "differs", difference: differenceOf(stored, made), inputs };
};
