import { decodeEnvelope, type Envelope } from "../../adapters/dynamodb/envelope.ts";
import { accountKey } from "../../adapters/dynamodb/keys.ts";
import { unpackAmounts } from "../../adapters/dynamodb/packed.ts";
import type { EventText } from "../../adapters/wire/events.ts";
import { type MarginAccount, newAccount } from "../../core/account.ts";
import { applyFacts } from "../../core/apply-facts.ts";
import { decisionInstant } from "../../core/clock.ts";
import type { Sided } from "../../core/equity.ts";
import type { Instruments } from "../../core/instrument.ts";
import { isAtLeast } from "../../core/level.ts";
import type { MarketSnapshot } from "../../core/mark.ts";
import { money, ZERO } from "../../core/money.ts";
import type { Policy } from "../../core/policy.ts";
import type { Inputs } from "./causes.ts";
import type { Figures, OurAct } from "./differences.ts";
import type { OurAccount, OurBook } from "./ours.ts";

const figuresOf = ({ figures, call }: EventText): Figures => ({
  amountDue: call === null ? null : money(call.amountDue),
  equity: figures === null ? null : money(figures.equity),
  initialRequirement: figures === null ? null : money(figures.initialRequirement),
  maintenanceRequirement: figures === null ? null : money(figures.maintenanceRequirement),
});

const UNKNOWN: Figures = { amountDue: null, equity: null, initialRequirement: null, maintenanceRequirement: null };

/** The liquidation that an event is, or would be in a mode that sends no orders (R28); null for any other. */
const liquidationIn = (event: EventText, { mode }: Envelope): Pick<OurAct, "reason" | "figures"> | null => {
  const figures = { ...figuresOf(event), amountDue: null };
  if (event.type === "liquidation.started") return { reason: event.reason, figures };
  if (mode === "enforce") return null;
  if (event.type === "account.level_changed" && isAtLeast(event.level, "CLOSE_OUT"))
    return { reason: `R1: ${event.level}, would be liquidated in enforce`, figures };
  const isUnmet = event.type === "margin_call.expired" && event.call?.onUnmet === "reduce" && !event.call.onBadMarks;
  // What the event shows are the call's figures, not those that judge a liquidation.
  return isUnmet ? { reason: "R14: unmet at the deadline, would be liquidated in enforce", figures: UNKNOWN } : null;
};

const ENDINGS: ReadonlySet<string> = new Set(["margin_call.met", "margin_call.cancelled", "liquidation.completed", "liquidation.failed"]);

/** Envelopes of an account, in order. */
export const envelopesOf = ({ journal }: OurAccount): readonly Envelope[] => journal.map(decodeEnvelope);

/** Nothing is live in an account that is folded again, so no payment is ever measured. */
const UNMEASURED: Sided = { equityInitial: ZERO, equityMaintenance: ZERO, initial: ZERO, maintenance: ZERO };

/** The account as its journal left it after envelope `seq`: the facts folded again, by the core (R16). */
export const accountAt = (our: OurAccount, envelopes: readonly Envelope[], seq: number, instruments: Instruments): MarginAccount => {
  const past = envelopes.filter((envelope) => envelope.seq <= seq);
  const { accountId, brokerId, clientClass, policyId } = our;
  const empty = newAccount({ accountId, key: accountKey(accountId), brokerId, clientClass, policyId });
  const facts = past.flatMap(({ entries }) => entries.map(({ fact }) => fact));
  // One by one: a batch would put facts that came late back into their place, and the book did not.
  const account = facts.reduce((held, fact) => applyFacts(held, [fact], instruments, () => UNMEASURED).account, empty);
  const last = past.at(-1);
  return last === undefined ? account : { ...account, version: last.seq, level: last.level, reserved: unpackAmounts(last.reserved) };
};

/**
 * Calls and liquidations that a journal tells of, in order. In `observe` and `notify` a liquidation is what would
 * have been one: not so for an account that is OUT_OF_SYNC, which sends no orders in any mode (R16). Attempts after
 * the first, and top-ups, belong to the act that they go on with.
 */
export const actsOf = (our: OurAccount, envelopes: readonly Envelope[], instruments: Instruments): readonly OurAct[] => {
  const acts: OurAct[] = [];
  let isLiquidated = false;
  for (const envelope of envelopes) {
    const { seq, snapshotId } = envelope;
    const common = { accountId: our.accountId, at: Date.parse(envelope.at), seq, snapshotId };
    const sendsOrders = (): boolean => envelope.mode === "enforce" || !accountAt(our, envelopes, seq, instruments).outOfSync;
    for (const event of envelope.events) {
      const callId = event.call?.callId ?? null;
      if (event.type === "margin_call.issued") {
        // Under the close-out level `enforce` gives no call: it is born LIQUIDATING (R8), where orders may leave.
        const isBornLiquidating = envelope.mode !== "enforce" && isAtLeast(event.level, "CLOSE_OUT") && sendsOrders();
        if (!isBornLiquidating) acts.push({ ...common, kind: "call", callId, figures: figuresOf(event), reason: event.reason });
      }
      const liquidation = isLiquidated ? null : liquidationIn(event, envelope);
      if (liquidation !== null && sendsOrders()) {
        acts.push({ ...common, kind: "liquidation", callId, ...liquidation });
        isLiquidated = true;
      }
      if (ENDINGS.has(event.type) || event.level === "HEALTHY") isLiquidated = false;
    }
  }
  return acts;
};

/** The deadline of the call that was live after envelope `seq`; null without one. */
const deadlineAfter = (envelopes: readonly Envelope[], seq: number): number | null => {
  let deadlineAt: number | null = null;
  for (const { calls } of envelopes.filter((envelope) => envelope.seq <= seq)) {
    for (const call of calls) deadlineAt = call.status === "OPEN" && call.deadlineAt !== null ? Date.parse(call.deadlineAt) : null;
  }
  return deadlineAt;
};

/** What our rules looked at, as far as the journal and the stored snapshots say. */
export interface Moment {
  readonly our: OurAccount;
  readonly envelopes: readonly Envelope[];
  readonly at: number;
  /** The act that is explained: its envelope's own facts count, the call that it opens does not. Null for an instant without one. */
  readonly act: OurAct | null;
}

const snapshotsFor = (book: OurBook, { at, act }: Moment, within: number): readonly MarketSnapshot[] => {
  const named = book.snapshots.find(({ snapshotId }) => snapshotId === act?.snapshotId);
  const before = book.snapshots.findLast(({ takenAt }) => takenAt <= at && at - takenAt <= within);
  const after = book.snapshots.find(({ takenAt }) => takenAt > at && takenAt - at <= within);
  return [named, before, after].filter((each) => each !== undefined);
};

const policiesFor = ({ policies, defaultPolicy }: OurBook, policyId: string): readonly Policy[] =>
  policies.filter((policy) => policy.policyId === (policyId === "default" ? defaultPolicy : policyId));

/**
 * Everything that our rules may have looked at in a moment, the likeliest first: the snapshot that the journal
 * names, or the newest stored one not older than `within` milliseconds; the newest version of the policy first.
 */
export const inputsAt = (book: OurBook, moment: Moment, within: number): readonly Inputs[] => {
  const { our, envelopes, at, act } = moment;
  const seq = act?.seq ?? envelopes.findLast((envelope) => Date.parse(envelope.at) <= at)?.seq ?? 0;
  const deadlineAt = deadlineAfter(envelopes, act === null ? seq : seq - 1);
  return snapshotsFor(book, moment, within).flatMap((snapshot) => {
    const account = accountAt(our, envelopes, seq, book.instruments);
    return policiesFor(book, our.policyId).map((policy) => ({
      account,
      snapshot,
      policy,
      at: decisionInstant(at, snapshot),
      deadlineAt,
    }));
  });
};
