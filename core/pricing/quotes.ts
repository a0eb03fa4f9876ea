import { impliedVolatility, type VolatilityFault } from "./implied-volatility.ts";
import type { OptionRight } from "./option-fault.ts";
import { readNodes, type SurfaceFault, type SurfaceNode, type SurfaceSlice, type VolatilitySurface, volatilitySurface } from "./surface.ts";

/** The quote of one option, prices in the unit of the forward. Null: the market maker quotes nothing on that side. */
export interface OptionQuote {
  readonly strike: number;
  /** Time to expiry. */
  readonly years: number;
  /** The forward to that expiry and the discount factor, from the same snapshot. */
  readonly forward: number;
  readonly discount: number;
  readonly bid: number | null;
  readonly ask: number | null;
  readonly right: OptionRight;
}

/** Why a quote makes no node of the surface. */
export type QuoteFaultName =
  | Exclude<VolatilityFault, "VOLATILITY_NEGATIVE" | "NO_TIME_VALUE">
  /** Neither a bid nor an ask. */
  | "NO_QUOTE"
  | "NO_BID"
  | "NO_ASK"
  /** A bid or ask of 0 is the absence of one on most venues. */
  | "ZERO_BID"
  | "ZERO_ASK"
  | "NEGATIVE_PRICE"
  /** The bid is above the ask. */
  | "CROSSED"
  /** A second quote of the same option. */
  | "DUPLICATE";

export interface QuoteFault {
  readonly strike: number;
  readonly years: number;
  readonly right: OptionRight;
  readonly fault: QuoteFaultName;
}

type Side = { readonly ok: true; readonly variance: number } | { readonly ok: false; readonly fault: QuoteFaultName };

/** A quote, judged: a good pair has both sides and its mid; else what is left of it bounds the model. */
interface JudgedQuote {
  readonly quote: OptionQuote;
  readonly logMoneyness: number;
  readonly fault: QuoteFaultName | null;
  readonly mid: number | null;
  readonly bid: number | null;
  readonly ask: number | null;
}

const sideOf = (quote: OptionQuote, price: number): Side => {
  const implied = impliedVolatility({ ...quote, price });
  if (implied.ok) return { ok: true, variance: implied.volatility * implied.volatility * quote.years };
  if (implied.fault === "NO_TIME_VALUE") return { ok: false, fault: "BELOW_INTRINSIC" };
  return { ok: false, fault: implied.fault === "VOLATILITY_NEGATIVE" ? "NOT_A_NUMBER" : implied.fault };
};

/** What is wrong with the prices of a quote as they stand; the model has not been asked yet. */
const priceFault = ({ bid, ask }: OptionQuote): QuoteFaultName | null => {
  if (bid === null && ask === null) return "NO_QUOTE";
  if (![bid ?? 0, ask ?? 0].every(Number.isFinite)) return "NOT_A_NUMBER";
  if ((bid ?? 0) < 0 || (ask ?? 0) < 0) return "NEGATIVE_PRICE";
  if (ask === 0) return "ZERO_ASK";
  return bid !== null && ask !== null && bid > ask ? "CROSSED" : null;
};

/** The name of the missing side, or null. */
const missingSide = ({ bid, ask }: OptionQuote): QuoteFaultName | null => {
  if (bid === null) return "NO_BID";
  if (bid === 0) return "ZERO_BID";
  return ask === null ? "NO_ASK" : null;
};

const judge = (quote: OptionQuote): JudgedQuote => {
  const logMoneyness = Math.log(quote.strike / quote.forward);
  const refused = (fault: QuoteFaultName): JudgedQuote => ({ quote, logMoneyness, fault, mid: null, bid: null, ask: null });
  const wrong = priceFault(quote);
  if (wrong !== null) return refused(wrong);
  const bid = quote.bid === null || quote.bid === 0 ? null : sideOf(quote, quote.bid);
  const ask = quote.ask === null ? null : sideOf(quote, quote.ask);
  // An ask that no volatility is low enough for, or a bid that none is high enough for, is an arbitrage: nothing of it is used.
  if (ask?.ok === false && ask.fault !== "ABOVE_BOUND") return refused(ask.fault);
  if (bid?.ok === false && bid.fault !== "BELOW_INTRINSIC") return refused(bid.fault);
  const bounds = { bid: bid?.ok === true ? bid.variance : null, ask: ask?.ok === true ? ask.variance : null };
  const fault = missingSide(quote) ?? (bid?.ok === false ? bid.fault : ask?.ok === false ? ask.fault : null);
  if (fault !== null) return { quote, logMoneyness, fault, mid: null, ...bounds };
  const mid = sideOf(quote, ((quote.bid as number) + (quote.ask as number)) / 2);
  return mid.ok
    ? { quote, logMoneyness, fault: null, mid: mid.variance, ...bounds }
    : { quote, logMoneyness, fault: mid.fault, mid: null, ...bounds };
};

/** Of the good options of a strike the one out of the money: its price is all volatility. */
const preferred = (a: JudgedQuote, b: JudgedQuote): JudgedQuote => {
  if (a.mid === null || b.mid === null) return a.mid === null ? b : a;
  return (a.quote.right === "call") === a.logMoneyness >= 0 ? a : b;
};

/** The node of a listed strike without a good pair: the model's variance, widened to what its one side says. */
const holeNode = (strike: readonly JudgedQuote[], good: readonly SurfaceNode[]): SurfaceNode => {
  const { logMoneyness } = strike[0] as JudgedQuote;
  const { variance, low, high } = readNodes(good, logMoneyness);
  const bids = strike.map(({ bid }) => bid).filter((bid) => bid !== null);
  const asks = strike.map(({ ask }) => ask).filter((ask) => ask !== null);
  const floor = Math.max(0, ...bids);
  const ceiling = Math.min(Number.POSITIVE_INFINITY, ...asks);
  // Bids and asks of call and put may cross one another: then neither moves the model.
  const inside = floor <= ceiling ? Math.min(ceiling, Math.max(floor, variance)) : variance;
  return { logMoneyness, variance: inside, low: Math.min(low, inside), high: Math.max(high, inside), quality: "MODEL" };
};

/** The slice of one expiry from its judged quotes; null when no strike of it has a good pair. */
const sliceOf = (years: number, judged: readonly JudgedQuote[]): SurfaceSlice | null => {
  const strikes = new Map<number, JudgedQuote[]>();
  for (const each of judged) strikes.set(each.logMoneyness, [...(strikes.get(each.logMoneyness) ?? []), each]);
  const listed = [...strikes].sort(([a], [b]) => a - b).map(([, quotes]) => quotes);
  const nodeOf = (quotes: readonly JudgedQuote[]): SurfaceNode | null => {
    const { logMoneyness, mid, bid, ask } = quotes.reduce(preferred);
    if (mid === null) return null;
    return { logMoneyness, variance: mid, low: Math.min(bid ?? mid, mid), high: Math.max(ask ?? mid, mid), quality: "QUOTED" };
  };
  const good = listed.map(nodeOf).filter((node) => node !== null);
  if (good.length === 0) return null;
  return { kind: "NODES", years, nodes: listed.map((quotes) => nodeOf(quotes) ?? holeNode(quotes, good)) };
};

/** A quote without a place on the surface, whatever its prices. */
const placeFault = ({ strike, forward, discount, years }: OptionQuote): QuoteFaultName | null => {
  if (!Number.isFinite(strike + forward + discount + years)) return "NOT_A_NUMBER";
  if (forward <= 0) return "FORWARD_NOT_POSITIVE";
  if (strike <= 0) return "STRIKE_NOT_POSITIVE";
  if (discount <= 0) return "DISCOUNT_NOT_POSITIVE";
  return years <= 0 ? "TIME_NOT_POSITIVE" : null;
};

/**
 * The surface of one underlying from the quotes of one market snapshot (M1, S15).
 *
 * Each quote is judged: crossed, one-sided, zero and missing quotes and prices that no volatility explains are
 * reported by name with their strike. A good pair makes a node: the mid's variance, with those of bid and ask
 * beside it. A listed strike without a good pair is a hole: its variance comes from its neighbours, moved no
 * further than into what its one good side allows, and answers there and next to it have quality MODEL.
 * An expiry without any good pair has no slice.
 */
export const surfaceFromQuotes = (
  quotes: readonly OptionQuote[],
): { readonly surface: VolatilitySurface; readonly quoteFaults: readonly QuoteFault[]; readonly faults: readonly SurfaceFault[] } => {
  const quoteFaults: QuoteFault[] = [];
  const tell = ({ strike, years, right }: OptionQuote, fault: QuoteFaultName | null): boolean => {
    if (fault !== null) quoteFaults.push({ strike, years, right, fault });
    return fault !== null;
  };
  const seen = new Set<string>();
  const expiries = new Map<number, JudgedQuote[]>();
  for (const quote of quotes) {
    if (tell(quote, placeFault(quote))) continue;
    const name = `${quote.years} ${quote.strike} ${quote.right}`;
    if (tell(quote, seen.has(name) ? "DUPLICATE" : null)) continue;
    seen.add(name);
    const judged = judge(quote);
    tell(quote, judged.fault);
    expiries.set(quote.years, [...(expiries.get(quote.years) ?? []), judged]);
  }
  const slices = [...expiries].map(([years, judged]) => sliceOf(years, judged)).filter((slice) => slice !== null);
  return { ...volatilitySurface(slices), quoteFaults };
};
