import { fundingAddOn, fundingPayment } from "../../core/funding.ts";
import { ONE, plus } from "../../core/money.ts";
import type { OptionLeg } from "../../core/options-margin/leg.ts";
import { orderCost, requirementWithOrders, worstExposure } from "../../core/order-margin.ts";
import { addRatio, type Ratio, ratio } from "../../core/ratio.ts";
import { notionalOf, pointAt } from "../../core/valuation.ts";
import {
  earlyTrigger,
  exposureMax,
  fillWeight,
  type LadderStep,
  ladderPrice,
  remainingTriggers,
  scaledLevels,
  scaledWeight,
} from "../../core/venue-levels.ts";
import { LISTED } from "../core/options-margin/fixtures.ts";
import { judged, standardMargin } from "./standard-margin-topic.ts";
import type { Topic } from "./venue-answers.ts";
import {
  bracket,
  has,
  linear,
  list,
  moneyOf,
  num,
  numberOf,
  numbers,
  optional,
  part,
  ppmOf,
  priceOf,
  quantityOf,
  ratioNumber,
  shareNumber,
  word,
} from "./venue-cases.ts";

/** The year of the source of the funding cases, in seconds. */
const YEAR = 365 * 86_400;

/** Contracts of a hundred shares, premium and 20 % (15 % for a broad index). */
const listed: Topic = (inputs) => {
  const rate = has(inputs, "pct") ? ppmOf(num(inputs, "pct")) : LISTED.rate.initial;
  const contracts = has(inputs, "contracts") ? num(inputs, "contracts") : 1;
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

const exposure: Topic = (inputs) => {
  const { long, short } = worstExposure(quantityOf(num(inputs, "open")), quantityOf(num(inputs, "buys")), quantityOf(num(inputs, "sells")));
  return { riskiestLong: numberOf(long), riskiestShort: numberOf(short) };
};

/** Each side has its own factor; the slippage of closing stands inside the requirement, as a closing fee does. */
const ordersOf: Topic = (inputs) => {
  const point = (factor: string) =>
    pointAt(linear("P", { ...bracket(ppmOf(num(inputs, factor))), feePpm: ppmOf(num(inputs, "slip")) }), priceOf(num(inputs, "mark")));
  const orders = { buys: quantityOf(num(inputs, "buys")), sells: quantityOf(num(inputs, "sells")) };
  const points = { long: point("rfLong"), short: point("rfShort") };
  const { required } = requirementWithOrders(points, quantityOf(num(inputs, "openVolume")), orders, "maintenance");
  return { ...exposure({ ...inputs, open: inputs["openVolume"] }), maintenanceWithOrders: numberOf(required) };
};

const openLoss: Topic = (inputs) => {
  const size = num(inputs, "contracts");
  const {
    margin,
    openLoss: loss,
    total,
  } = orderCost(
    linear("P", { multiplier: quantityOf(num(inputs, "contractSize")) }),
    { quantity: quantityOf(word(inputs, "side") === "buy" ? size : -size), price: priceOf(num(inputs, "orderPrice")) },
    priceOf(num(inputs, "mark")),
    ratio(ONE, quantityOf(num(inputs, "leverage"))),
  );
  return { IM: numberOf(margin), openLoss: numberOf(loss), total: numberOf(total) };
};

/** A published factor, with all its decimals. */
const exact = (value: number): Ratio => ratio(BigInt(Math.round(value * 1e12)), 10n ** 12n);

const fourLevels: Topic = (inputs) => {
  const scales = part(inputs, "scales");
  const notional = notionalOf(linear("P", {}), quantityOf(num(inputs, "position")), priceOf(num(inputs, "mark")));
  const { maintenance, scaled } = scaledLevels(
    notional,
    addRatio(exact(num(inputs, "slip")), exact(num(inputs, "riskFactor"))),
    ["search", "initial", "release"].map((level) => ppmOf(num(scales, level))),
  );
  const [search, initial, release] = scaled.map(numberOf);
  return { maintenance: numberOf(maintenance), search, initial, release };
};

const saturatedLevels: Topic = (inputs) => {
  const notional = notionalOf(linear("P", {}), quantityOf(num(inputs, "size")), priceOf(num(inputs, "price")));
  const scales = numbers(inputs, "scales").map(ppmOf);
  const { maintenance, scaled } = scaledLevels(notional, exact(num(inputs, "rf")), scales);
  return { levels: [maintenance, ...scaled].map(numberOf) };
};

const steps: Topic = (inputs) => {
  const held = { quantity: quantityOf(num(inputs, "shares")), debt: moneyOf(num(inputs, "debit")) };
  const [rate, shock] = [ppmOf(num(inputs, "MMR")), ppmOf(num(inputs, "betaShock"))];
  const at = (step: Partial<LadderStep>) =>
    ratioNumber(ladderPrice(held, { equityShare: rate, shock: 0, requirementAfterShock: false, ...step }));
  return {
    stressUnstressedMM: at({ shock }),
    stressStressedMM: at({ shock, requirementAfterShock: true }),
    // The venue warns 5 % of the value above its requirement and sells at half of it.
    warning5pctMV: at({ equityShare: rate + 50_000 }),
    call: at({}),
    liquidation: at({ equityShare: rate / 2 }),
  };
};

const clamped: Topic = (inputs) => ({
  payments: list(inputs, "cases").map((row) =>
    numberOf(
      fundingPayment({
        perpetual: priceOf(num(row, "fTwap")),
        index: priceOf(num(inputs, "sTwap")),
        interest: ppmOf(optional(row, "interest")),
        intervalMs: Math.round(optional(row, "deltaT") * YEAR * 1_000),
        clamp:
          row["mode"] === "interest only" ? null : { lower: ppmOf(optional(row, "clampLower")), upper: ppmOf(optional(row, "clampUpper")) },
      }),
    ),
  ),
});

const funded: Topic = (inputs) => {
  const position = {
    quantity: quantityOf(num(inputs, "position")),
    multiplier: quantityOf(1),
    paymentPerUnit: priceOf(num(inputs, "fundingPaymentPerUnit")),
  };
  const addOn = fundingAddOn(position, ppmOf(num(inputs, "marginFundingFactor")));
  return { total: numberOf(plus(moneyOf(num(inputs, "futuresMargin")), addOn)) };
};

/** Orders, funding and levels of venues (M1-M3, M10). */
const LEAVES: Readonly<Record<string, Topic>> = {
  "order margin on riskiest side": ordersOf,
  "worst-side exposure with open orders": exposure,
  "order margin includes opening loss vs mark": openLoss,
  "initial asset weight scaled down by total deposits (concentration)": (inputs) => ({
    weight: shareNumber(scaledWeight(ppmOf(num(inputs, "initialWeight")), moneyOf(1), moneyOf(num(inputs, "depositsOverScaleStart")))),
  }),
  "max exposure under a margin ratio": (inputs) => ({
    exposure: numberOf(exposureMax(moneyOf(num(inputs, "equity")), ppmOf(num(inputs, "requirement")))),
  }),
  "four margin levels by scaling": fourLevels,
  "margin levels from saturated factor": saturatedLevels,
  "three requirement types; Fill is the mid of Initial and Maintenance": (inputs) => ({
    fill: fillWeight(ppmOf(num(inputs, "initial")), ppmOf(num(inputs, "maintenance"))) / 1e6,
  }),
  "early close-out trigger 10% inside the liquidation price": (inputs) => ({
    trigger: numberOf(earlyTrigger(priceOf(num(inputs, "liquidation")), ppmOf(num(inputs, "bufferPct")), word(inputs, "side") === "long")),
  }),
  "margin call triggers: warning at <=5% remaining, liquidation only beyond 10% buffer": (inputs) =>
    remainingTriggers(moneyOf(num(inputs, "portfolioValue")), moneyOf(num(inputs, "marginUsed")), { warning: 50_000, buffer: 100_000 }),
  "price levels at which each ladder step fires": steps,
  "perp funding payment with clamp": clamped,
  "perpetual funding margin add-on": funded,
};

/** Options by their strategies (M5), and the leaves around positions. */
export const STRATEGIES: Readonly<Record<string, Topic>> = {
  ...LEAVES,
  "standard (strategy-based) option/perp margin, net margin = collateral value minus requirement": standardMargin,
  "short option maintenance (Reg T: premium + max(20%S - OTM, 10% floor))": listed,
  "short option maintenance vs broker-observed": listed,
};
