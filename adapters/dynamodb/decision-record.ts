import * as z from "zod";

import type { MarginAccount, Scope } from "../../core/account.ts";
import type { Change } from "../../core/decision.ts";
import { footprintOf } from "../../core/footprint.ts";
import type { Instrument } from "../../core/instrument.ts";
import { LIMITS } from "../../core/limits.ts";
import type { MarketSnapshot } from "../../core/mark.ts";
import type { PolicyInMode } from "../../core/mode.ts";
import type { Policy } from "../../core/policy.ts";
import { scopesOf, viewOf } from "../../core/scope.ts";
import { RELEASE } from "../release.ts";
import { encodeInstrument } from "../wire/instrument.ts";
import { encodePolicy } from "../wire/policy.ts";
import { count, instantText, iso } from "../wire/scalars.ts";
import { encodeAccount } from "./account-codec.ts";
import { canonical } from "./canonical.ts";
import type { Item } from "./items.ts";
import { hashOf } from "./keys.ts";
import { packMark } from "./mark-codec.ts";

/** What a decision was made on: `decide` with these, the account before and the facts of the entries gives the change (I27). */
export interface Decided {
  readonly snapshot: MarketSnapshot;
  readonly policy: PolicyInMode;
  /** The instant given to `decide`, epoch milliseconds. */
  readonly now: number;
  /** Release that decided; this one where it is absent. */
  readonly release?: string;
}

/** The inputs themselves, where a call or the level changed. */
const keptInputs = z.object({
  now: instantText,
  takenAt: instantText,
  /** SHA-256 of each input's text, as base64url. Policy and instruments by content, since their rows stand elsewhere. */
  hashes: z.object({ account: z.string(), instruments: z.string(), marks: z.string(), policy: z.string() }),
  /** The account's row as it was, in the newest version of rows, without its shard. */
  account: z.record(z.string(), z.unknown()),
  /** Left out above `LIMITS.recordMarksMax`: then the stored snapshot has them, as long as it is kept. */
  marks: z.array(z.unknown()).optional(),
});

const policyName = z.object({ policyId: z.string(), version: count });

/**
 * The record of a decision in its envelope: versions and a hash of what it looked at, and, where a call or the
 * level changed, what is needed to decide it again. So it is recomputed after the snapshot is gone (35 days), and also
 * where it was made on newest marks that were never stored. Facts, mode and snapshot id stand in the envelope.
 */
export const decisionRecord = z.object({
  /** Release of the code that decided. */
  release: z.string(),
  policy: policyName,
  /** Of the account's isolated pools, by scope (R9, R11); absent without pools. */
  policiesOfPools: z.record(z.string(), policyName).optional(),
  /** Version of each instrument that the decision may have looked at. */
  instruments: z.record(z.string(), count),
  /** SHA-256 over instants and the hashes of account, instruments, marks and policy. */
  inputs: z.string(),
  kept: keptInputs.optional(),
});
export type DecisionText = z.input<typeof decisionRecord>;
export type DecisionRecord = z.output<typeof decisionRecord>;
export type KeptInputs = z.output<typeof keptInputs>;

const known = new WeakMap<Instrument, string>();
/** A version of an instrument never changes: hashed once. */
const instrumentHash = (instrument: Instrument): string => {
  const kept = known.get(instrument) ?? hashOf(canonical(encodeInstrument(instrument)));
  known.set(instrument, kept);
  return kept;
};

/** Terms of the policy, and of those of the pools. */
const policyText = ({ mode: _, ofPools = new Map(), ...policy }: PolicyInMode): string =>
  canonical([encodePolicy(policy), ...[...ofPools].map(([scope, own]) => [scope, encodePolicy(own)])]);

const nameOf = ({ policyId, version }: Policy): z.output<typeof policyName> => ({ policyId, version });

const accountRow = (account: MarginAccount): Item => {
  const { pk: _, ...row } = encodeAccount(account, account.headHash, 1, 2);
  return row;
};

/** True where the inputs themselves are kept: a change of a call or of the level is what somebody may ask about. */
const isAskedAbout = ({ before, after, calls }: Change): boolean =>
  calls.length > 0 || [...scopesOf(before), ...scopesOf(after)].some((scope) => viewOf(before, scope).level !== viewOf(after, scope).level);

/** The record of a change that `decide` made. */
export const recordOf = (change: Change, { snapshot, policy, now, release = RELEASE }: Decided): DecisionText => {
  const used = footprintOf(change, snapshot, policy);
  const instruments = [...used.instruments.values()];
  const account = accountRow(change.before);
  const marks = [...used.marks.values()].map(packMark);
  const ofPools = policy.ofPools ?? new Map<Scope, Policy>();
  const hashes = {
    account: hashOf(canonical(account)),
    instruments: hashOf(canonical(instruments.map(instrumentHash))),
    marks: hashOf(canonical(marks)),
    policy: hashOf(policyText(policy)),
  };
  const instants = { now: iso(now), takenAt: iso(used.takenAt) };
  return {
    release,
    policy: nameOf(policy),
    ...(ofPools.size > 0 && { policiesOfPools: Object.fromEntries([...ofPools].map(([scope, own]) => [scope, nameOf(own)])) }),
    instruments: Object.fromEntries(instruments.map(({ instrumentId, version }) => [instrumentId, version])),
    inputs: hashOf(canonical({ ...instants, ...hashes })),
    ...(isAskedAbout(change) && {
      kept: { ...instants, hashes, account, ...(marks.length <= LIMITS.recordMarksMax && { marks }) },
    }),
  };
};
