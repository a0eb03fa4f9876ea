import { atPrice } from "../../core/collateral.ts";
import { type Money, minus, type Price, plus, ZERO } from "../../core/money.ts";
import { confidenceAddOn, depegAddOn } from "../../core/options-margin/add-ons.ts";
import type { OptionLeg, OptionMarket } from "../../core/options-margin/leg.ts";
import { type OptionMargin, standardOptionMargin } from "../../core/options-margin/standard.ts";
import { loadOptionMarginTerms, type OptionMarginTerms } from "../../core/options-margin/terms.ts";
import { black76, stdDevOf } from "../../core/pricing/black76.ts";
import { notionalOf } from "../../core/valuation.ts";
import { accountOf, bare, policyWith, snapshotOf, spot } from "../core/margin-fixtures.ts";
import { statementOf, type Topic } from "./venue-answers.ts";
import {
  bracket,
  type Figures,
  has,
  legOf,
  linear,
  list,
  moneyOf,
  num,
  numberOf,
  optional,
  part,
  ppmOf,
  priceOf,
  quantityOf,
  textOf,
  word,
} from "./venue-cases.ts";

/** The year of the source, in seconds. */
const YEAR = 365 * 86_400;
/** The cases are counted in a millionth of a millionth of their quote asset: their figures are finer than a money of 1e-8. */
const UNITS = 1e12;
const fineMoney = (value: number): Money => moneyOf(value * UNITS);
const finePrice = (value: number): Price => priceOf(value * UNITS);
const sum = (amounts: readonly Money[]): Money => amounts.reduce(plus, ZERO);

const termsOf = (params: Figures): OptionMarginTerms => {
  if (num(params, "mmPutSpot") !== num(params, "mmCallSpot")) throw new RangeError("core/ has one maintenance rate for calls and puts");
  return loadOptionMarginTerms("standard margin", {
    rate: { initial: ppmOf(num(params, "maxSpot")), maintenance: ppmOf(num(params, "mmCallSpot")) },
    least: { initial: ppmOf(num(params, "minSpot")), maintenance: ppmOf(num(params, "mmCallSpot")) },
    putLeastOn: "spot",
    putValueMaintenance: ppmOf(num(params, "mmPutMtM")),
    putInitialOverMaintenance: ppmOf(num(params, "putImOverMm")),
    unpairedCall: { initial: ppmOf(num(params, "unpairedIM")), maintenance: ppmOf(num(params, "unpairedMM")) },
    straddle: false,
  });
};

const optionOf = (row: Figures, index: number): OptionLeg => {
  const right = word(row, "type") === "call" ? "call" : "put";
  const stdDev = stdDevOf(num(row, "vol"), num(row, "expirySec") / YEAR);
  return {
    instrumentId: `O${index}`,
    right,
    kind: "linear",
    style: "premium",
    expiryAt: num(row, "expirySec") * 1_000,
    strike: finePrice(num(row, "strike")),
    quantity: quantityOf(num(row, "amount")),
    multiplier: quantityOf(1),
    value: finePrice(black76(num(row, "forward"), num(row, "strike"), stdDev, 1, right === "call")),
  };
};

export const judged = (legs: readonly OptionLeg[], market: OptionMarket, terms: OptionMarginTerms): OptionMargin => {
  const margin = standardOptionMargin(legs, market, terms);
  if (!margin.ok) throw new RangeError(margin.fault);
  return margin;
};

/** All of one underlying: nothing is offset between two. */
interface Book {
  readonly options: OptionMargin;
  /** The coins held, at the index and at what the settlement asset is worth of it. */
  readonly coins: { readonly atIndex: Money; readonly inSettlement: Money };
  /** What doubt in prices and in the settlement asset adds to the initial requirement. */
  readonly addOns: Money;
}

const perpsOf = (inputs: Figures): Figures => (has(inputs, "perps") ? part(inputs, "perps") : {});

const bookOf = (inputs: Figures, coin: string): Book => {
  const params = part(inputs, "params");
  const index = num(part(inputs, "spot"), coin);
  const rows = list(inputs, "options").filter((row) => word(row, "underlying") === coin);
  const forwards = new Map(rows.map((row) => [num(row, "expirySec") * 1_000, finePrice(num(row, "forward"))]));
  const worth = (units: number): Money => notionalOf(linear(coin, {}), quantityOf(units), finePrice(index));
  const indexConfidence = num(part(inputs, "spotConfidence"), coin);
  const doubt = (exposure: number, confidence: number): Money =>
    confidenceAddOn(worth(exposure), ppmOf(Math.min(indexConfidence, confidence)), {
      threshold: ppmOf(num(params, "oracleThreshold")),
      factor: ppmOf(num(params, "oracleFactor")),
    });
  const sold = (of: readonly Figures[]): number => of.reduce((units, row) => units + Math.max(0, -num(row, "amount")), 0);
  const expiries = [...forwards.keys()].map((expiryAt) => {
    const together = rows.filter((row) => num(row, "expirySec") * 1_000 === expiryAt);
    return doubt(sold(together), Math.min(...together.map((row) => num(row, "oracleConfidence"))));
  });
  const held = has(inputs, "base") ? optional(part(inputs, "base"), coin) : 0;
  const perps = Math.abs(optional(perpsOf(inputs), coin));
  const stable = num(inputs, "usdc");
  return {
    options: judged(rows.map(optionOf), { spot: finePrice(index), forwards }, termsOf(params)),
    coins: { atIndex: worth(held), inSettlement: atPrice(fineMoney(held), priceOf(index / stable), "down") },
    addOns: sum([
      ...expiries,
      doubt(held, 1),
      doubt(perps, 1),
      depegAddOn(worth(sold(rows) + perps), priceOf(stable), priceOf(num(params, "depegThreshold")), ppmOf(num(params, "depegFactor"))),
    ]),
  };
};

/** Perpetuals, cash and coins after their haircut: the account that the house decides. */
const accountStatement = (inputs: Figures, coins: readonly string[]): ReturnType<typeof statementOf> => {
  const params = part(inputs, "params");
  const perps = perpsOf(inputs);
  const marks = (perps["price"] ?? []) as readonly number[];
  const terms = bracket(ppmOf(num(params, "perpMM")), ppmOf(num(params, "perpIM")));
  const held = coins.filter((coin) => optional(perps, coin) !== 0);
  const haircut = ppmOf(1 - num(params, "baseFactor"));
  const slice = { tiers: [{ floor: ZERO, haircutIm: haircut, haircutMm: haircut }] };
  const funding = coins.reduce((paid, coin) => paid + optional(perps, `funding${coin}`), 0);
  const base = has(inputs, "base") ? part(inputs, "base") : {};
  return statementOf({
    account: accountOf(
      {
        USD: textOf((num(inputs, "cash") + funding) * UNITS),
        ...Object.fromEntries(coins.map((coin) => [coin, textOf(optional(base, coin))])),
      },
      held.map((coin) => legOf(coin, num(perps, coin), num(perps, `entry${coin}`) * UNITS)),
    ),
    snapshot: snapshotOf(
      [...held.map((coin) => linear(coin, terms)), ...coins.map((coin) => spot(`${coin}-USD`, coin, "USD"))],
      Object.fromEntries([
        ...held.map((coin) => [coin, textOf((marks[coins.indexOf(coin)] ?? 0) * UNITS)] as const),
        ...coins.map((coin) => [`${coin}-USD`, textOf(num(part(inputs, "spot"), coin) * UNITS)] as const),
      ]),
    ),
    policy: policyWith([bare("USD"), ...coins.map((coin) => bare(coin, `${coin}-USD`, slice))]),
  });
};

/** Derive, standard margin: options by their strategies, perpetuals by rates, coins after a haircut, doubt in the initial requirement. */
export const standardMargin: Topic = (inputs) => {
  const coins = Object.keys(part(inputs, "spot"));
  const { high } = accountStatement(inputs, coins);
  const books = coins.map((coin) => bookOf(inputs, coin));
  // Equity without the coins, which the figure at the market counts in the settlement asset and without haircut.
  const { high: without } = accountStatement({ ...inputs, base: {} }, coins);
  const net = (equity: Money, required: Money, of: (book: Book) => Money): number =>
    numberOf(minus(equity, sum([required, ...books.map(of)]))) / UNITS;
  return {
    netIM: net(high.equityInitial, high.initial, ({ options, addOns }) => plus(options.initial, addOns)),
    netMM: net(high.equityMaintenance, high.maintenance, ({ options }) => options.maintenance),
    markToMarket:
      numberOf(sum([without.equityMaintenance, ...books.flatMap(({ options, coins: held }) => [options.value, held.inSettlement])])) /
      UNITS,
  };
};
