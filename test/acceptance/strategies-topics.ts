import { atPrice } from "../../core/collateral.ts";
import { type Money, minus, ONE, type Price, plus } from "../../core/money.ts";
import { confidenceAddOn } from "../../core/options-margin/add-ons.ts";
import type { OptionLeg, OptionMarket } from "../../core/options-margin/leg.ts";
import { type OptionMargin, standardOptionMargin } from "../../core/options-margin/standard.ts";
import { loadOptionMarginTerms, type OptionMarginTerms } from "../../core/options-margin/terms.ts";
import { black76, stdDevOf } from "../../core/pricing/black76.ts";
import { accountOf, bare, policyWith, snapshotOf, spot } from "../core/margin-fixtures.ts";
import { LISTED } from "../core/options-margin/fixtures.ts";
import { statementOf, type Topic } from "./venue-answers.ts";
import {
  bracket,
  type Figures,
  legOf,
  linear,
  list,
  moneyOf,
  num,
  numberOf,
  part,
  ppmOf,
  priceOf,
  quantityOf,
  textOf,
  word,
} from "./venue-cases.ts";

/** The year of the fixtures, in seconds. */
const YEAR = 365 * 86_400;
const COINS = ["ETH", "BTC"] as const;

const termsOf = (params: Figures): OptionMarginTerms =>
  loadOptionMarginTerms("standard margin", {
    rate: { initial: ppmOf(num(params, "maxSpot")), maintenance: ppmOf(num(params, "mmCallSpot")) },
    least: { initial: ppmOf(num(params, "minSpot")), maintenance: ppmOf(num(params, "mmCallSpot")) },
    putLeastOn: "spot",
    putValueMaintenance: ppmOf(num(params, "mmPutMtM")),
    putInitialOverMaintenance: ppmOf(num(params, "putImOverMm")),
    unpairedCall: { initial: ppmOf(num(params, "unpairedIM")), maintenance: ppmOf(num(params, "unpairedMM")) },
    straddle: false,
  });

const optionOf = (row: Figures, index: number): OptionLeg => {
  const years = num(row, "expirySec") / YEAR;
  const right = word(row, "type") === "call" ? "call" : "put";
  const value = black76(num(row, "forward"), num(row, "strike"), stdDevOf(num(row, "vol"), years), 1, right === "call");
  return {
    instrumentId: `O${index}`,
    right,
    kind: "linear",
    style: "premium",
    expiryAt: num(row, "expirySec") * 1_000,
    strike: priceOf(num(row, "strike")),
    quantity: quantityOf(num(row, "amount")),
    multiplier: quantityOf(1),
    value: priceOf(value),
  };
};

const judged = (legs: readonly OptionLeg[], market: OptionMarket, terms: OptionMarginTerms): OptionMargin => {
  const margin = standardOptionMargin(legs, market, terms);
  if (!margin.ok) throw new RangeError(margin.fault);
  return margin;
};

/** Options of each underlying on their own: nothing is offset between underlyings. */
const optionsOf = (inputs: Figures): OptionMargin[] =>
  COINS.map((coin) => {
    const rows = list(inputs, "options").filter((row) => word(row, "underlying") === coin);
    const forwards = new Map(rows.map((row) => [num(row, "expirySec") * 1_000, priceOf(num(row, "forward"))]));
    return judged(rows.map(optionOf), { spot: priceOf(num(part(inputs, "spot"), coin)), forwards }, termsOf(part(inputs, "params")));
  });

/** Perpetuals, cash and coins: the account that the house decides. */
const accountStatement = (inputs: Figures): ReturnType<typeof statementOf> => {
  const params = part(inputs, "params");
  const perps = inputs["perps"] === undefined ? { ETH: 0, BTC: 0, fundingETH: 0, fundingBTC: 0, price: [1, 1] } : part(inputs, "perps");
  const base = inputs["base"] === undefined ? { ETH: 0, BTC: 0 } : part(inputs, "base");
  const marks = perps["price"] as readonly number[];
  const terms = bracket(ppmOf(num(params, "perpMM")), ppmOf(num(params, "perpIM")));
  const held = COINS.filter((coin) => num(perps, coin) !== 0);
  const haircut = ppmOf(1 - num(params, "baseFactor"));
  const slice = { tiers: [{ floor: 0n as Money, haircutIm: haircut, haircutMm: haircut }] };
  const prices = [
    ...held.map((coin) => [coin, textOf(marks[COINS.indexOf(coin)] ?? 0)] as const),
    ...COINS.map((coin) => [`${coin}-USD`, textOf(num(part(inputs, "spot"), coin))] as const),
  ];
  return statementOf({
    account: accountOf(
      {
        USD: textOf(num(inputs, "cash") + num(perps, "fundingETH") + num(perps, "fundingBTC")),
        ...Object.fromEntries(COINS.map((coin) => [coin, textOf(num(base, coin))])),
      },
      held.map((coin) => legOf(coin, num(perps, coin), num(perps, `entry${coin}`))),
    ),
    snapshot: snapshotOf(
      [...held.map((coin) => linear(coin, terms)), ...COINS.map((coin) => spot(`${coin}-USD`, coin, "USD"))],
      Object.fromEntries(prices),
    ),
    policy: policyWith([bare("USD"), ...COINS.map((coin) => bare(coin, `${coin}-USD`, slice))]),
  });
};

/** What the account is worth without haircut, beside its options. */
const coinsAtIndex = (inputs: Figures, coin: string): Money => {
  const held = inputs["base"] === undefined ? 0 : num(part(inputs, "base"), coin);
  return atPrice(moneyOf(held), priceOf(num(part(inputs, "spot"), coin)), "down");
};

const standardMargin: Topic = (inputs) => {
  const params = part(inputs, "params");
  const { high } = accountStatement(inputs);
  const options = optionsOf(inputs);
  const doubt = COINS.map((coin) =>
    confidenceAddOn(coinsAtIndex(inputs, coin), ppmOf(num(part(inputs, "spotConfidence"), coin)), {
      threshold: ppmOf(num(params, "oracleThreshold")),
      factor: ppmOf(num(params, "oracleFactor")),
    }),
  );
  const sum = (amounts: readonly Money[]): Money => amounts.reduce(plus, 0n as Money);
  const haircuts = COINS.map((coin) => {
    const worth = coinsAtIndex(inputs, coin);
    return minus(worth, atPrice(worth, ((ONE * BigInt(ppmOf(num(params, "baseFactor")))) / 1_000_000n) as Price, "down"));
  });
  const required = sum([high.initial, ...options.map(({ initial }) => initial), ...doubt]);
  return {
    netIM: numberOf(minus(high.equityInitial, required)),
    netMM: numberOf(minus(high.equityMaintenance, sum([high.maintenance, ...options.map(({ maintenance }) => maintenance)]))),
    markToMarket: numberOf(sum([high.equityMaintenance, ...haircuts, ...options.map(({ value }) => value)])),
  };
};

/** Contracts of a hundred shares, premium and 20 % (15 % for a broad index). */
const listed: Topic = (inputs) => {
  const rate = inputs["pct"] === undefined ? LISTED.rate.initial : ppmOf(num(inputs, "pct"));
  const contracts = inputs["contracts"] === undefined ? 1 : num(inputs, "contracts");
  const leg: OptionLeg = {
    instrumentId: "O",
    right: word(inputs, "type") === "call" ? "call" : "put",
    kind: "linear",
    style: "premium",
    expiryAt: 1,
    strike: priceOf(num(inputs, "strike")),
    quantity: quantityOf(-contracts),
    multiplier: quantityOf(100),
    value: priceOf(num(inputs, "premium")),
  };
  const underlying = priceOf(num(inputs, "underlying"));
  const terms = { ...LISTED, rate: { initial: rate, maintenance: rate } };
  return { MM: numberOf(judged([leg], { spot: underlying, forwards: new Map([[1, underlying]]) }, terms).maintenance) };
};

/** Options by their strategies (M5). */
export const STRATEGIES: Readonly<Record<string, Topic>> = {
  "standard (strategy-based) option/perp margin, net margin = collateral value minus requirement": standardMargin,
  "short option maintenance (Reg T: premium + max(20%S - OTM, 10% floor))": listed,
  "short option maintenance vs broker-observed": listed,
};
