import type { LiveCall } from "./account.ts";
import type { MarginCall } from "./call.ts";
import { attempt } from "./call-liquidation.ts";
import { deadlineOf, isPast, issuedAtOf, moveDeadline, newestPriceAt } from "./clock.ts";
import { outstandingOf } from "./event.ts";
import { hasLeftCall, isBare, isBelowCall, isCloseOut, isDeficit } from "./level.ts";
import { LIMITS } from "./limits.ts";
import { divide, type Money, max, minus, PPM, plus } from "./money.ts";
import { dueIn } from "./pool-cure.ts";
import { ACTIONS } from "./quality.ts";
import { note, type Situation, type Step } from "./situation.ts";
import { boundOf } from "./statement.ts";

const still = (call: MarginCall): Step => ({ call, orders: [], notes: [] });

const met = (s: Situation, call: MarginCall, metBy: "payment" | "market", reason: string): Step => {
  const next: MarginCall = { ...call, status: "MET", metBy, endedAt: s.now };
  return { call: next, orders: [], notes: [note("margin_call.met", next, reason)] };
};

/** The amount due, its cures and its figures on the marks of this decision (R4), on top of what was paid. */
const asked = (s: Situation, call: MarginCall, due: { readonly amountDue: Money; readonly cures: MarginCall["cures"] }): MarginCall => ({
  ...call,
  snapshotId: s.snapshot.snapshotId,
  amountDue: plus(call.metAmount, due.amountDue),
  cures: due.cures,
  boundBy: boundOf(s.statement),
  equity: s.statement.low.equityInitial,
  initialRequirement: s.statement.low.initial,
  maintenanceRequirement: s.statement.low.maintenance,
});

/** Since when `E_i ≥ IM` holds on GOOD marks (R10 b); a break starts it anew. */
const watchCure = ({ statement, now }: Situation, call: MarginCall): MarginCall => {
  const holds = ACTIONS.meetByMarket[statement.quality] === "allowed" && statement.low.equityInitial >= statement.low.initial;
  const curedSince = holds ? (call.curedSince ?? now) : null;
  return curedSince === call.curedSince ? call : { ...call, curedSince };
};

/**
 * A call that exists only on the conservative value (R3): its clock starts with GOOD marks, or once the
 * last accepted marks show the breach as well; after `badMarkWaitMs` it is overdue, and somebody is paged.
 */
const waitForMarks = (s: Situation, call: MarginCall): Step => {
  const { account, statement, policy, now } = s;
  if (ACTIONS.startClock[statement.quality] === "allowed" || isBelowCall(account, statement.high, policy.levels)) {
    const due = dueIn(s);
    const started: MarginCall = {
      ...(due.amountDue > 0n ? asked(s, call, due) : call),
      ...moveDeadline(call, deadlineOf(issuedAtOf(now), call.graceMs, policy)),
      onBadMarks: false,
      badMarksSince: null,
      overdueAt: null,
    };
    return {
      call: started,
      orders: [],
      notes: [note("margin_call.updated", started, "R3: the marks decide again, the clock runs from now")],
    };
  }
  if (call.overdueAt !== null || now - (call.badMarksSince ?? now) < policy.badMarkWaitMs) return still(call);
  const overdue: MarginCall = { ...call, overdueAt: now };
  return {
    call: overdue,
    orders: [],
    notes: [note("margin_call.expired", overdue, "R3: no good mark within the wait; an operator decides")],
  };
};

/**
 * More time for a deposit that still confirms (R15), once a call: null where none would cure.
 *
 * It must cover all that is outstanding, for a part would leave the call unmet all the same. The last
 * accepted marks must hold the account at its maintenance requirement, the side that a close-out judges
 * (R3); under it the close-out level ends the extension as it ends any grace. Told of so late that the
 * extension is over too, the deposit moves nothing.
 */
const extended = (s: Situation, call: MarginCall): Step | null => {
  const { account, statement, policy, now } = s;
  if (call.extendedAt !== null || call.overdueAt !== null || call.deadlineAt === null) return null;
  const covers = call.confirmingAmount > 0n && plus(call.metAmount, call.confirmingAmount) >= call.amountDue;
  const deadlineAt = call.deadlineAt + LIMITS.extensionMs;
  if (!covers || isCloseOut(account, statement, policy.levels) || isPast(deadlineAt, now)) return null;
  const next: MarginCall = { ...call, ...moveDeadline(call, deadlineAt), extendedAt: now };
  return { call: next, orders: [], notes: [note("margin_call.extended", next, "R15: a deposit that cures is still confirming")] };
};

/** The deadline has passed on every clock (R12): met by being back at the call level (R10), extended (R15), or unmet (R14). */
const atDeadline = (s: Situation, call: MarginCall): Step => {
  const { account, statement, policy, now } = s;
  const isFirst = call.overdueAt === null;
  // A clock that runs ahead proves no deadline: a price from after it does (I04, S39). One that stays away makes the marks stale.
  if (statement.quality === "GOOD" && newestPriceAt(s.snapshot) < (call.deadlineAt ?? 0)) return still(call);
  // Where orders bring the account back, what could not be judged at the deadline is judged as there, without a dead band.
  const isBack =
    isFirst || call.onUnmet === "reduce"
      ? !isBelowCall(account, statement.low, policy.levels)
      : hasLeftCall(account, statement.low, policy.levels);
  if (isBack) return met(s, call, "market", isFirst ? "R10: at the call level at the deadline" : "R14: the call level is left");
  const extension = extended(s, call);
  if (extension !== null) return extension;
  const expired = (next: MarginCall): Step["notes"] =>
    isFirst ? [note("margin_call.expired", next, `R14: unmet at the deadline, ${next.onUnmet}`)] : [];
  if (call.onUnmet === "reduce" && isBelowCall(account, statement.high, policy.levels)) {
    const liquidation = attempt(s, call, "deadline");
    if (liquidation !== null) return { ...liquidation, notes: [...expired(liquidation.call), ...liquidation.notes] };
  }
  if (!isFirst) return still(call);
  const overdue: MarginCall = { ...call, overdueAt: now };
  return { call: overdue, orders: [], notes: expired(overdue) };
};

/**
 * Asks for more where the market went on against the account (R11), at most `topUpsMax` times an episode.
 *
 * The shortfall must exceed what is outstanding by the minimum transfer amount and by a quarter of what
 * was asked, and the last accepted marks must show it too; so neither each sweep nor a bad mark writes one.
 */
const topUp = (s: Situation, call: MarginCall): Step => {
  const { account, statement, policy, now } = s;
  const isTimely = call.deadlineAt !== null && now < call.deadlineAt && call.overdueAt === null;
  if (!isTimely || account.episode === null || account.episode.topUps >= policy.topUpsMax) return still(call);
  const quarter = divide(call.amountDue * BigInt(LIMITS.topUpSharePpm), PPM, "up") as Money;
  const least = plus(outstandingOf(call), max(policy.minimumTransfer, quarter));
  if (minus(statement.high.initial, statement.high.equityInitial) < least) return still(call);
  const due = dueIn(s);
  if (due.amountDue < least) return still(call);
  const next: MarginCall = {
    ...asked(s, call, due),
    ...moveDeadline(call, now + policy.topUpGraceMs),
    topUps: call.topUps + 1,
  };
  return { call: next, orders: [], notes: [note("margin_call.updated", next, "R11: the shortfall has grown")] };
};

const onTheClock = (s: Situation, call: MarginCall): Step => {
  if (call.onBadMarks) return waitForMarks(s, call);
  if (call.deadlineAt !== null && isPast(call.deadlineAt, s.now)) return atDeadline(s, call);
  return topUp(s, call);
};

/** What becomes of a call in OPEN (R8). Payment goes first, then the close-out level, then the market and the clock. */
export const stepOpen = (s: Situation, { call }: LiveCall): Step => {
  const { account, statement, policy, now } = s;
  if (isBare(account) || (account.positions.length === 0 && statement.low.equityInitial >= 0n)) {
    const flat: MarginCall = { ...call, status: "CLOSED_FLAT", endedAt: now };
    return { call: flat, orders: [], notes: [note("margin_call.met", flat, "R8: no position is left, and no deficit")] };
  }
  if (call.metAmount >= call.amountDue && !isDeficit(account, statement)) return met(s, call, "payment", "R10: paid");
  if (isCloseOut(account, statement, policy.levels)) {
    const liquidation = attempt(s, call, "closeOut");
    if (liquidation !== null) return liquidation;
  }
  const watched = watchCure(s, call);
  if (watched.curedSince !== null && now - watched.curedSince >= policy.cureDwellMs) {
    return met(s, watched, "market", "R10: back at the initial requirement for long enough");
  }
  const step = onTheClock(s, watched);
  const isPart = call.metAmount > s.metBefore && step.call.status === "OPEN";
  return isPart ? { ...step, notes: [note("margin_call.partially_met", step.call, "R10: paid in part"), ...step.notes] } : step;
};
