import type { LiveCall, MarginAccount } from "./account.ts";
import type { MarginCall } from "./call.ts";
import type { Asset } from "./instrument.ts";
import type { Fact } from "./ledger.ts";
import { divide, type Money, max, min, minus, plus, ZERO } from "./money.ts";
import type { LiquidationOrder } from "./order.ts";
import type { Sided } from "./statement.ts";

/** The conservative value of an account on the marks of this decision. */
export type Measure = (account: MarginAccount) => Sided;

type PendingDeposit = Fact & { readonly kind: "deposit_pending" };

/** True once an order of the call may be with the venue: from then on nothing turns back (R8, N12). */
export const hasOrderLeft = (call: MarginCall, orders: readonly LiquidationOrder[]): boolean =>
  call.attempt > 1 || orders.some((order) => order.sentAt !== null || order.filled > 0n);

/** True where a payment that happened at `occurredAt` counts: in time, and before an order left (N12). */
const counts = ({ call, orders }: LiveCall, occurredAt: number): boolean => {
  if (call.status === "OPEN") return true;
  if (hasOrderLeft(call, orders)) return false;
  return call.deadlineAt === null || occurredAt <= call.deadlineAt;
};

/** What each cure of the call, as last shown, pays alone: the margin that was missing on those figures (R4). */
const curedBy = (call: MarginCall): Money => minus(call.initialRequirement, call.equity);

/** `part` of a cure of `whole` pays this much of the amount due, whatever the price is now (R10). */
const share = (call: MarginCall, part: bigint, whole: bigint): Money =>
  divide(part * curedBy(call), whole, part > 0n ? "up" : "down") as Money;

const creditOfTransfer = (call: MarginCall, asset: Asset, amount: Money): Money | null => {
  const cure = call.cures.find((each) => each.kind === "deposit" && each.asset === asset);
  return cure?.kind === "deposit" && cure.amount > 0n ? share(call, amount, cure.amount) : null;
};

/** What a transfer between CROSS and a pool pays in either; null where it moved a position too, or the asset cures nothing by itself. */
const creditOfMove = (call: MarginCall, before: MarginAccount, after: MarginAccount): Money | null => {
  if (before.positions.length !== after.positions.length) return null;
  for (const asset of new Set([...before.balances.keys(), ...after.balances.keys()])) {
    const moved = minus(after.balances.get(asset) ?? ZERO, before.balances.get(asset) ?? ZERO);
    if (moved !== 0n) return creditOfTransfer(call, asset, moved);
  }
  return ZERO;
};

/** The share of the cure that a pure reduction is, or null where the fill is anything else. */
const creditOfReduction = (call: MarginCall, fact: Fact & { readonly kind: "fill" }, before: MarginAccount): Money | null => {
  const held = before.positions.find((position) => position.instrumentId === fact.instrumentId)?.quantity ?? 0n;
  const reduces = held > 0n ? fact.quantity < 0n && -fact.quantity <= held : fact.quantity > 0n && fact.quantity <= -held;
  const cure = call.cures.find((each) => each.kind === "reduce" && each.instrumentId === fact.instrumentId);
  if (!reduces || cure?.kind !== "reduce" || cure.quantity === 0n || (cure.side === "sell") !== held > 0n) return null;
  return share(call, fact.quantity < 0n ? -fact.quantity : fact.quantity, cure.quantity);
};

/** How much nearer to the initial requirement `after` is than `before`, on the present marks. */
const gainOf = (before: MarginAccount, after: MarginAccount, measure: Measure): Money => {
  const [was, is] = [measure(before), measure(after)];
  return minus(minus(is.equityInitial, is.initial), minus(was.equityInitial, was.initial));
};

/**
 * What a fact pays towards the live call (R10 a), in the call's asset; negative where it takes out.
 *
 * A deposit or reduction that the call named as a cure counts as its share of that cure, so that paying
 * exactly what the notice said is enough wherever the price is now (R4). Anything else counts by what it
 * does to `E_i − IM` on the present marks. A withdrawal that was reserved had left equity before (R16).
 */
const creditOf = (fact: Fact, before: MarginAccount, after: MarginAccount, measure: Measure): Money => {
  if (before.live === null || !counts(before.live, fact.occurredAt)) return ZERO;
  const { call, orders } = before.live;
  const byValue = (): Money => gainOf(before, after, measure);
  switch (fact.kind) {
    case "deposit":
      return creditOfTransfer(call, fact.asset, fact.amount) ?? byValue();
    case "withdrawal": {
      const released = min(before.reserved.get(fact.asset) ?? ZERO, fact.amount);
      if (released === fact.amount) return ZERO;
      return creditOfTransfer(call, fact.asset, minus(released, fact.amount)) ?? byValue();
    }
    case "fill":
      if (orders.some((order) => order.orderId === fact.orderId)) return ZERO;
      return creditOfReduction(call, fact, before) ?? byValue();
    case "pool_transfer":
      return creditOfMove(call, before, after) ?? byValue();
    // What a gap swallowed comes with the snapshot that heals it: paid is paid, however it was told. A cancelled order
    // lowers IM and pays nothing, since it may be placed again: R10 (b) meets such a call.
    case "snapshot":
      return gainOf(before, { ...after, standing: before.standing }, measure);
    default:
      return ZERO;
  }
};

/** What a deposit that still confirms would pay, were it credited now (R15); never negative. */
const promiseOf = (call: MarginCall, { asset, amount }: PendingDeposit, before: MarginAccount, measure: Measure): Money => {
  const byValue = (): Money => {
    const balances = new Map(before.balances).set(asset, plus(before.balances.get(asset) ?? ZERO, amount));
    return gainOf(before, { ...before, balances }, measure);
  };
  return max(creditOfTransfer(call, asset, amount) ?? byValue(), ZERO);
};

/**
 * Deposits that still confirm after a fact (R15). Each deposit that is credited takes its own credit off,
 * whether it was announced or not: so no money is counted as paid and as confirming, and the sum of both,
 * which decides at the deadline, does not fall by a payment.
 */
const confirmingAfter = (call: MarginCall, fact: Fact, credit: Money, promise: () => Money): Money => {
  if (fact.kind === "deposit_pending" && call.status === "OPEN") return plus(call.confirmingAmount, promise());
  return fact.kind === "deposit" ? max(minus(call.confirmingAmount, credit), ZERO) : call.confirmingAmount;
};

/**
 * The account, as one scope of it sees it, after a fact, with what the fact pays (R10) or announces (R15) in its live call.
 *
 * @param before the account as the fact found it.
 * @param after the same with the fact's postings in it.
 */
export const withCredit = (fact: Fact, before: MarginAccount, after: MarginAccount, measure: Measure): MarginAccount => {
  if (after.live === null) return after;
  const { call } = after.live;
  const credit = creditOf(fact, before, after, measure);
  const metAmount = max(plus(call.metAmount, credit), ZERO);
  const promise = (): Money => (fact.kind === "deposit_pending" ? promiseOf(call, fact, before, measure) : ZERO);
  const confirmingAmount = confirmingAfter(call, fact, credit, promise);
  if (metAmount === call.metAmount && confirmingAmount === call.confirmingAmount) return after;
  return { ...after, live: { ...after.live, call: { ...call, metAmount, confirmingAmount } } };
};
