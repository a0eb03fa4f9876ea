import type { LiveCall, MarginAccount } from "./account.ts";
import type { MarginCall } from "./call.ts";
import type { Asset } from "./instrument.ts";
import type { Fact } from "./ledger.ts";
import { divide, type Money, max, min, minus, plus, ZERO } from "./money.ts";
import type { LiquidationOrder } from "./order.ts";
import type { Sided } from "./statement.ts";

/** The conservative value of an account on the marks of this decision. */
export type Measure = (account: MarginAccount) => Sided;

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

/** The share of the cure that a pure reduction is, or null where the fill is anything else. */
const creditOfReduction = (call: MarginCall, fact: Fact & { readonly kind: "fill" }, before: MarginAccount): Money | null => {
  const held = before.positions.find((position) => position.instrumentId === fact.instrumentId)?.quantity ?? 0n;
  const reduces = held > 0n ? fact.quantity < 0n && -fact.quantity <= held : fact.quantity > 0n && fact.quantity <= -held;
  const cure = call.cures.find((each) => each.kind === "reduce" && each.instrumentId === fact.instrumentId);
  if (!reduces || cure?.kind !== "reduce" || cure.quantity === 0n || (cure.side === "sell") !== held > 0n) return null;
  return share(call, fact.quantity < 0n ? -fact.quantity : fact.quantity, cure.quantity);
};

/**
 * What a fact pays towards the live call (R10 a), in the call's asset; negative where it takes out.
 *
 * A deposit or reduction that the call named as a cure counts as its share of that cure, so that paying
 * exactly what the notice said is enough wherever the price is now (R4). Anything else counts by what it
 * does to `E_i − IM` on the present marks. A withdrawal that was reserved had left equity before (R16).
 */
export const creditOf = (fact: Fact, before: MarginAccount, after: MarginAccount, measure: Measure): Money => {
  if (before.live === null || !counts(before.live, fact.occurredAt)) return ZERO;
  const { call, orders } = before.live;
  const byValue = (): Money => {
    const [was, is] = [measure(before), measure(after)];
    return minus(minus(is.equityInitial, is.initial), minus(was.equityInitial, was.initial));
  };
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
    default:
      return ZERO;
  }
};

/** The call with `credit` added to what it was paid; never under 0. */
export const credited = (call: MarginCall, credit: Money): MarginCall =>
  credit === 0n ? call : { ...call, metAmount: max(plus(call.metAmount, credit), ZERO) };
