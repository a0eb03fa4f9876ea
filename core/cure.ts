import type { MarginAccount, Position } from "./account.ts";
import type { Cure } from "./call.ts";
import { depositFor } from "./collateral.ts";
import type { Settlement, Valued } from "./equity.ts";
import { closeIn, initialBalance, sidedOf, unrealisedOf, valuedOf } from "./equity.ts";
import type { MarketSnapshot } from "./mark.ts";
import type { PricedMarket } from "./market.ts";
import { marketOf, pricedAsset, pricedInstrument } from "./market.ts";
import type { Money, Quantity } from "./money.ts";
import { abs, ZERO } from "./money.ts";
import type { Policy } from "./policy.ts";
import { leastClosing } from "./reduction.ts";
import type { MarginStatement } from "./statement.ts";
import { initialPrice } from "./valuation.ts";

/** Balance of an asset as E_i counts it: what a deposit is added to. */
const countedBalance = (settlements: readonly Settlement[], asset: string, policy: Policy): Money => {
  const settlement = settlements.find((candidate) => candidate.asset === asset);
  return settlement === undefined ? ZERO : initialBalance(settlement, unrealisedOf(settlement), policy);
};

/** The deposit of each accepted asset that alone cures, the valuation asset first. An asset without a GOOD price is not offered. */
const deposits = (need: Money, settlements: readonly Settlement[], market: PricedMarket): Cure[] => {
  const { policy } = market;
  const assets = [...policy.collateral.keys()].filter((asset) => asset !== policy.valuationAsset).sort();
  const cures: Cure[] = [];
  for (const asset of [policy.valuationAsset, ...assets]) {
    const priced = pricedAsset(market, asset);
    if (priced === null || priced.quality !== "GOOD") continue;
    const amount = depositFor(need, countedBalance(settlements, asset, policy), initialPrice(priced, "low"), priced.terms);
    if (amount !== null) cures.push({ kind: "deposit", asset, amount });
  }
  return cures;
};

/** The reduction of one position that alone cures: `ΔN = A / (r_im − f)` tier by tier (R4), in whole lots. */
const reduction = (position: Position, valued: Valued, market: PricedMarket): Cure | null => {
  const { instrument } = pricedInstrument(market, position.instrumentId);
  const isEnough = (closed: Quantity): boolean => {
    const after = closeIn(valued, market, { position, quantity: closed, costPpm: instrument.feePpm }, "low");
    const { equityInitial, initial } = sidedOf(after, market, "low");
    return equityInitial >= initial;
  };
  // Both sides of a position with its orders are equal where half of what they are apart is closed (M3).
  const orders = valued.standing.get(position.instrumentId);
  const [own, other] = position.quantity > 0n ? [orders?.buys, orders?.sells] : [orders?.sells, orders?.buys];
  const turn = orders === undefined ? null : abs(position.quantity) + ((own ?? 0n) - (other ?? 0n)) / 2n;
  const quantity = leastClosing(position, market, "low", isEnough, turn);
  if (quantity === null) return null;
  return {
    kind: "reduce",
    instrumentId: position.instrumentId,
    side: position.quantity > 0n ? "sell" : "buy",
    quantity: quantity as Quantity,
  };
};

/**
 * What a call asks for and the ways to meet it (R4): back to IM (x = 1) on E_low, on the marks of the statement.
 *
 * `amountDue` is the value that is missing, in the valuation asset. Each cure alone is enough on the
 * same marks: a deposit repays debts first and then takes the haircut slice by slice, a reduction
 * pays its fee; both are rounded up. A position is offered only where its own mark is GOOD.
 */
export const waysToCure = (
  account: MarginAccount,
  statement: MarginStatement,
  snapshot: MarketSnapshot,
  policy: Policy,
): { readonly amountDue: Money; readonly cures: readonly Cure[] } => {
  const missing = statement.low.initial - statement.low.equityInitial;
  if (missing <= 0n) return { amountDue: ZERO, cures: [] };
  const market = marketOf(snapshot, policy, statement.at);
  const valued = valuedOf(account, market, "low");
  const need = missing as Money;
  const cures = deposits(need, valued.settlements, market);
  for (const position of account.positions) {
    if (pricedInstrument(market, position.instrumentId).quality !== "GOOD") continue;
    const cure = reduction(position, valued, market);
    if (cure !== null) cures.push(cure);
  }
  return { amountDue: need, cures };
};
