import type { MarginAccount } from "./account.ts";
import type { Cure } from "./call.ts";
import { atPrice } from "./collateral.ts";
import type { Instrument } from "./instrument.ts";
import { LIMITS } from "./limits.ts";
import type { MarketSnapshot } from "./mark.ts";
import { marketOf, type PricedMarket, pricedAsset, pricedInstrument } from "./market.ts";
import { valuationOf } from "./model-requirement.ts";
import { abs, divide, type Money, max, ONE, PPM, type Price, type Quantity } from "./money.ts";
import type { Policy } from "./policy.ts";
import { hasAnyOrders, standingOf, withoutOrders } from "./standing.ts";
import { assess, type MarginStatement } from "./statement.ts";
import { withTrade } from "./thought-trade.ts";
import { notionalOf } from "./valuation.ts";

/** A trade in a contract that the account need not hold, where the policy's model gives relief for it (M6). */
export interface Hedge {
  readonly kind: "hedge";
  readonly instrumentId: string;
  readonly side: "buy" | "sell";
  readonly quantity: Quantity;
}

/** All open orders of the holder taken back (M3). */
export interface Cancellation {
  readonly kind: "cancel_orders";
}

/** A way to cure, and what it costs in the valuation asset: a deposit its value at the index, a trade its fee. */
export interface PricedCure {
  readonly cure: Cure | Hedge | Cancellation;
  readonly cost: Money;
}

export interface Subject {
  readonly account: MarginAccount;
  readonly statement: MarginStatement;
  readonly snapshot: MarketSnapshot;
  readonly policy: Policy;
}

const feeOf = (market: PricedMarket, instrument: Instrument, quantity: Quantity): Money => {
  const price = pricedInstrument(market, instrument.instrumentId).high?.price;
  if (price === undefined) return 0n as Money;
  const fee = divide(notionalOf(instrument, quantity, price) * BigInt(instrument.feePpm), PPM, "up") as Money;
  return valuationOf(market, instrument.settleAsset, fee, "high");
};

const costOf = (market: PricedMarket, cure: PricedCure["cure"]): Money => {
  if (cure.kind === "cancel_orders") return 0n as Money;
  if (cure.kind === "deposit") return atPrice(cure.amount, pricedAsset(market, cure.asset)?.high ?? (ONE as Price), "up");
  return feeOf(market, pricedInstrument(market, cure.instrumentId).instrument, cure.quantity);
};

/** Contracts of one asset whose marks are GOOD and which may be traded whole: what a hedge may be made of. */
const hedgeable = ({ account, snapshot, policy }: Subject, market: PricedMarket): readonly Instrument[] => {
  if (policy.model.kind !== "portfolio") return [];
  const bases = new Set(account.positions.flatMap(({ instrumentId }) => snapshot.instruments.get(instrumentId)?.baseAsset ?? []));
  const contracts = [...snapshot.instruments.values()].filter(
    ({ kind, baseAsset, settleAsset }) =>
      (kind === "linear" || kind === "inverse") && bases.has(baseAsset) && policy.collateral.has(settleAsset),
  );
  return contracts
    .filter(({ instrumentId, expiryAt }) => {
      const isOpen = expiryAt === null || expiryAt > market.now;
      return isOpen && pricedInstrument(market, instrumentId).quality === "GOOD";
    })
    .slice(0, LIMITS.hedgesTriedMax);
};

/** Parts of the whole size that are tried in turn, since half of a hedge may help where all of it does not. */
const PARTS = 8n;

/** Contracts that are as much as everything that the account holds of the asset: the most that a hedge can need. */
const wholeSize = ({ account, snapshot }: Subject, instrument: Instrument, price: Price): bigint => {
  const units = account.positions.reduce((sum, { instrumentId, quantity }) => {
    const held = snapshot.instruments.get(instrumentId);
    if (held === undefined || held.baseAsset !== instrument.baseAsset) return sum;
    const mark = snapshot.marks.get(instrumentId)?.price ?? price;
    const size = abs(quantity) * held.multiplier;
    return sum + (held.kind === "inverse" ? (size * ONE) / max(mark, 1n as Price) : size);
  }, 0n);
  return instrument.kind === "inverse"
    ? divide(units * price, instrument.multiplier * ONE, "up")
    : divide(units, instrument.multiplier, "up");
};

/** The least trade of one side, in whole lots, that alone returns the account to IM; null where none of the parts does. */
const hedgeWith = (subject: Subject, market: PricedMarket, instrument: Instrument, side: "buy" | "sell"): Hedge | null => {
  const { account, snapshot, policy, statement } = subject;
  const price = pricedInstrument(market, instrument.instrumentId).high?.price;
  if (price === undefined || price <= 0n) return null;
  const { lotSize, instrumentId } = instrument;
  const lots = wholeSize(subject, instrument, price) / lotSize + 1n;
  const cures = (count: bigint): boolean => {
    const quantity = (count * lotSize * (side === "buy" ? 1n : -1n)) as Quantity;
    const { low } = assess(withTrade(account, instrument, quantity, price), snapshot, policy, statement.at);
    return low.equityInitial >= low.initial;
  };
  let from = 0n;
  for (let part = 1n; part <= PARTS; part += 1n) {
    const to = divide(lots * part, PARTS, "up");
    if (to <= from || !cures(to)) {
      from = to;
      continue;
    }
    let [low, high] = [from, to];
    while (high - low > 1n) {
      const middle = (low + high) / 2n;
      if (cures(middle)) high = middle;
      else low = middle;
    }
    return { kind: "hedge", instrumentId, side, quantity: (high * lotSize) as Quantity };
  }
  return null;
};

/** Trades in contracts of the account's assets that alone cure, where the model gives relief (M6). What only reduces a position is among the cures of R4. */
const hedges = (subject: Subject, market: PricedMarket): readonly Hedge[] =>
  hedgeable(subject, market).flatMap((instrument): readonly Hedge[] => {
    const held = subject.account.positions.find(({ instrumentId }) => instrumentId === instrument.instrumentId)?.quantity ?? 0n;
    const sides = (["buy", "sell"] as const).filter((side) => held === 0n || held > 0n === (side === "buy"));
    return sides.flatMap((side): Hedge | [] => hedgeWith(subject, market, instrument, side) ?? []);
  });

/** To cancel every open order, where that alone returns the account to IM. */
const cancellations = ({ account, snapshot, policy, statement }: Subject): readonly Cancellation[] => {
  if (!hasAnyOrders(standingOf(account))) return [];
  const { low } = assess(withoutOrders(account), snapshot, policy, statement.at);
  return low.equityInitial >= low.initial ? [{ kind: "cancel_orders" }] : [];
};

/**
 * Ways to cure with what each costs, the cheapest first. A deposit's cost stays the holder's own money; it is shown at
 * its value, since that is what must be found. A trade costs its taker fee, a cancelled order nothing.
 *
 * @param cures those of R4, each of which alone is enough.
 */
export const cheapestCures = (subject: Subject, cures: readonly Cure[]): readonly PricedCure[] => {
  if (subject.statement.low.equityInitial >= subject.statement.low.initial) return [];
  const market = marketOf(subject.snapshot, subject.policy, subject.statement.at);
  const priced = [...cancellations(subject), ...cures, ...hedges(subject, market)].map(
    (cure): PricedCure => ({ cure, cost: costOf(market, cure) }),
  );
  return priced.sort((a, b) => (a.cost < b.cost ? -1 : a.cost > b.cost ? 1 : 0));
};
