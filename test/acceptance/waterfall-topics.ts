import { closingProceeds } from "../../core/limit-price.ts";
import { abs, type Money, minus, ONE, type Ppm, plus } from "../../core/money.ts";
import { compareRatio, ratio } from "../../core/ratio.ts";
import { notionalOf } from "../../core/valuation.ts";
import { afterSale, auctionShare } from "../../core/waterfall/auction.ts";
import { type Deleveraged, deleverage, planDeleveraging, settleAtOracle, walletScore } from "../../core/waterfall/deleveraging.ts";
import {
  closableShare,
  collateralFor,
  depositorLoss,
  insuranceDelta,
  insuranceFee,
  liabilityFor,
  liquidatorFee,
  spotInsuranceFee,
} from "../../core/waterfall/fees.ts";
import { absorbLoss, coverSize, type DefaultResources, settleLosses } from "../../core/waterfall/losses.ts";
import { dydx, proceeds, type Topic } from "./venue-answers.ts";
import {
  type Figures,
  linear,
  list,
  moneyOf,
  num,
  numberOf,
  numbers,
  part,
  ppmOf,
  priceOf,
  quantityOf,
  ratioNumber,
  shareNumber,
  word,
} from "./venue-cases.ts";

const rate = (ppm: Ppm): number => ppm / 1e6;
const amounts = (given: Figures, scale = 1): Map<string, Money> =>
  new Map(Object.keys(given).map((id) => [id, moneyOf(num(given, id) * scale)]));

const nothing: DefaultResources = {
  margin: moneyOf(0),
  ownContribution: moneyOf(0),
  insuranceFund: { balance: moneyOf(0), drawn: moneyOf(0), drawCap: null },
  skinInTheGame: moneyOf(0),
  contributions: new Map(),
  assessmentCap: ratio(0n),
  gains: new Map(),
};

const waterfall: Topic = (inputs) => {
  const layers = Object.fromEntries(inputs["layers"] as readonly (readonly [string, number])[]);
  const { taken, unallocated } = absorbLoss(moneyOf(num(inputs, "loss")), {
    ...nothing,
    margin: moneyOf(num(layers, "defaulterMargin")),
    ownContribution: moneyOf(num(layers, "defaulterDF")),
    insuranceFund: { ...nothing.insuranceFund, balance: moneyOf(num(layers, "insuranceFund")) },
    skinInTheGame: moneyOf(num(layers, "skinInTheGame")),
    contributions: new Map([["others", moneyOf(num(layers, "defaultFund"))]]),
    assessmentCap: ratio(moneyOf(num(layers, "assessments")), moneyOf(num(layers, "defaultFund"))),
  });
  return {
    defaulterMargin: numberOf(taken.margin),
    defaulterDF: numberOf(taken.ownContribution),
    insuranceFund: numberOf(taken.insuranceFund),
    skinInTheGame: numberOf(taken.skinInTheGame),
    defaultFund: numberOf(taken.defaultFund),
    assessments: numberOf(taken.assessments),
    unallocated: numberOf(unallocated),
  };
};

/** The market of the deleveraging fixtures. The bankruptcy price does not depend on it; what is left of a position does. */
const MARKET = { price: 50_000, MMR: 0.1 };
const bankrupt: Topic = (inputs) => {
  const [short, long] = [part(inputs, "short"), part(inputs, "long")];
  const bought = -num(short, "btc") * num(inputs, "fraction");
  const at = dydx({ quote: num(short, "quote") }, [{ size: num(short, "btc"), ...MARKET }]);
  const left = (btc: number): Money => moneyOf(btc * MARKET.price);
  return cashOf(
    deleverage(
      { cash: moneyOf(num(short, "quote")), rest: left(num(short, "btc") + bought) },
      { cash: moneyOf(num(long, "quote")), rest: left(num(long, "btc") - bought) },
      proceeds(inputs, bought, at),
    ),
  );
};
const cashOf = (after: Deleveraged) => ({
  feasible: after.feasible,
  shortQuote: after.feasible ? numberOf(after.closed) : null,
  longQuote: after.feasible ? numberOf(after.offsetting) : null,
});
const flat = (inputs: Figures, name: string) => ({ cash: moneyOf(num(inputs, name)), rest: moneyOf(0) });

const oneLeg: Topic = (inputs) => {
  const at = dydx(inputs, list(inputs, "positions"));
  const held = list(inputs, "positions")[num(inputs, "close")] ?? {};
  const cashflow = proceeds(inputs, -num(held, "size"), at, num(inputs, "close"));
  const after = deleverage(flat(inputs, "quote"), flat(inputs, "offsettingQuote"), cashflow);
  return after.feasible
    ? { price: numberOf(abs(cashflow)), remainingQuote: numberOf(after.closed), offsettingQuote: numberOf(after.offsetting) }
    : {};
};

const fundDelta: Topic = (inputs) => {
  const notional = moneyOf(num(inputs, "fillNotional"));
  const value = (word(inputs, "side") === "long" ? notional : -notional) as Money;
  const whole = moneyOf(1);
  const equity = plus(moneyOf(num(inputs, "quote")), value);
  const bankruptcy = closingProceeds({ value, equity, relief: whole, maintenance: whole });
  return { insuranceFundDelta: numberOf(insuranceDelta(value, bankruptcy, ppmOf(num(inputs, "maxFee")))) };
};

const allocation: Topic = (inputs) => {
  const queue = list(inputs, "queue");
  const plan = planDeleveraging(
    quantityOf(num(inputs, "need")),
    queue.map((row, index) => ({
      accountId: String(num(row, "account")),
      quantity: quantityOf(num(row, "size")),
      score: ratio(BigInt(queue.length - index)),
      equity: moneyOf(num(inputs, "price") * num(row, "size")),
      maintenance: moneyOf(1),
      maintenanceAfter: moneyOf(0),
    })),
    { costPerContract: moneyOf(0), hedgeTolerance: 0, lotSize: quantityOf(0.00000001) },
  );
  return { fills: Object.fromEntries(plan.fills.map(({ accountId, quantity }) => [accountId, numberOf(quantity)])) };
};

const auction: Topic = (inputs) => {
  const portfolio = {
    markToMarket: moneyOf(num(inputs, "markToMarket")),
    bufferMargin: moneyOf(num(inputs, "bufferMargin")),
    maintenanceMargin: moneyOf(num(inputs, "maintenanceMargin")),
  };
  const most = auctionShare(portfolio, ppmOf(num(inputs, "discount")));
  if (most === null) return {};
  // A bid names the share that it wants, or takes all that it may.
  const wanted = inputs["portion"] === "max" ? most : ratio(moneyOf(num(inputs, "portion")), ONE);
  const share = compareRatio(wanted, most) < 0 ? wanted : most;
  const after = afterSale(portfolio, share, ppmOf(num(inputs, "discount")));
  return {
    fMax: shareNumber(most),
    bid: numberOf(after.bid),
    postMtM: numberOf(after.markToMarket),
    postBufferMargin: numberOf(after.bufferMargin),
    postMM: numberOf(after.maintenanceMargin),
  };
};

const socialised: Topic = (inputs) => {
  const { shortfall, poolUsed, haircuts } = settleLosses({
    losers: list(inputs, "losers").map((row) => ({ loss: moneyOf(num(row, "loss")), balance: moneyOf(num(row, "balance")) })),
    gains: amounts(part(inputs, "gains")),
    pool: moneyOf(num(inputs, "insurancePool")),
  });
  const cut = [...haircuts].map(([party, haircut]) => [party, numberOf(haircut)] as const);
  return { shortfall: numberOf(shortfall), poolUsed: numberOf(poolUsed), ...Object.fromEntries(cut) };
};

const spotFee: Topic = (inputs) => ({
  fee: shareNumber(
    spotInsuranceFee({
      shortage: moneyOf(num(inputs, "shortage")),
      debtValue: notionalOf(linear("P", {}), quantityOf(num(inputs, "liability")), priceOf(num(inputs, "price"))),
      assetWeight: ppmOf(num(inputs, "assetWeight")),
      assetMultiplier: ppmOf(num(inputs, "assetMultiplier")),
      liabilityWeight: ppmOf(num(inputs, "liabilityWeight")),
      liabilityMultiplier: ppmOf(num(inputs, "liabilityMultiplier")),
      feeMax: ppmOf(num(inputs, "maxFee")),
    }),
  ),
});

const exchange = (inputs: Figures) => ({
  assetPrice: priceOf(num(inputs, "assetPrice")),
  liabilityPrice: priceOf(num(inputs, "liabilityPrice")),
  assetMultiplier: ppmOf(num(inputs, "assetMultiplier")),
  liabilityMultiplier: ppmOf(num(inputs, "liabilityMultiplier")),
});

/** Who bears a loss, and what a liquidation costs (M12, M13). */
export const WATERFALL: Readonly<Record<string, Topic>> = {
  "ADL allocation in rank order": allocation,
  "ADL ranking score (Binance definition)": (inputs) => {
    const ratioMm = ratio(BigInt(ppmOf(num(inputs, "marginRatio"))), 1_000_000n);
    const { profitShare, score } = walletScore(moneyOf(num(inputs, "unrealisedProfit")), moneyOf(num(inputs, "walletBalance")), ratioMm);
    return { pnlPercent: shareNumber(profitShare), leveragePnl: shareNumber(score) };
  },
  "collateral seized for liability repaid": (inputs) => ({
    asset: ratioNumber(collateralFor(moneyOf(num(inputs, "liability")), exchange(inputs))),
  }),
  "liability implied by asset amount": (inputs) => ({
    liability: ratioNumber(liabilityFor(moneyOf(num(inputs, "asset")), exchange(inputs))),
  }),
  "cover-2 default fund sizing": (inputs) => {
    const losses = numbers(inputs, "stressLossOverIM").map(moneyOf);
    return { cover1: numberOf(coverSize(losses, 1)), cover2: numberOf(coverSize(losses, 2)) };
  },
  "default waterfall sequential absorption": waterfall,
  // A million times the case: shares are whole 1e-8, and the published ones are finer.
  "non-defaulter default-fund use pro rata to contributions": (inputs) => {
    const scale = 1_000_000;
    const given = { ...nothing, contributions: amounts(part(inputs, "contributions"), scale) };
    const { contributions } = absorbLoss(moneyOf(num(inputs, "loss") * scale), given);
    return Object.fromEntries([...contributions].map(([member, used]) => [member, numberOf(used) / scale]));
  },
  "deleverage one leg of a multi-position account": oneLeg,
  "deleveraging a short against a long at the bankruptcy price": bankrupt,
  "deleveraging feasibility: offsetting party must not end with negative equity": (inputs) => {
    const at = dydx({ quote: num(inputs, "shortQuote") }, [{ size: -1, ...MARKET }]);
    return { feasible: deleverage(flat(inputs, "shortQuote"), flat(inputs, "longQuote"), proceeds(inputs, 1, at)).feasible };
  },
  "final settlement close-out at oracle price 50,000 (both sides must stay >= 0)": (inputs) =>
    cashOf(settleAtOracle(flat(inputs, "shortQuote"), flat(inputs, "longQuote"), minus(moneyOf(0), moneyOf(num(inputs, "oracle"))))),
  "insurance fee limited by what leaves the shortage curable": (inputs) => ({
    fee: shareNumber(
      insuranceFee({
        shortage: moneyOf(num(inputs, "shortage")),
        notional: notionalOf(linear("P", {}), quantityOf(num(inputs, "base")), priceOf(num(inputs, "price"))),
        rateMm: ppmOf(num(inputs, "marginRatio")),
        liquidatorFee: ppmOf(num(inputs, "liquidatorFee")),
        feeMax: ppmOf(num(inputs, "maxFee")),
        safety: ppmOf(num(inputs, "safety")),
      }),
    ),
  }),
  "insurance pool first, then pro-rata loss socialisation to winners": socialised,
  "insurance-fund delta of a liquidation fill (fee capped by surplus over bankruptcy)": fundDelta,
  "liquidation auction: maximum portfolio fraction purchasable": auction,
  // A slot lasts 400 ms, the published grace is 1,500 slots, and the ramp 1 ppm a slot.
  "liquidator fee grows with time in liquidation (incentive ramp after grace)": (inputs) => ({
    fee: rate(
      liquidatorFee({
        base: ppmOf(num(inputs, "base")),
        max: ppmOf(num(inputs, "max")),
        graceMs: 1_500 * 400,
        ppmPerMinute: 150,
        elapsedMs: num(inputs, "slotsElapsed") * 400,
      }),
    ),
  }),
  "small shortage is liquidated fully at once": (inputs) => ({
    pct: rate(
      closableShare({
        shortage: moneyOf(num(inputs, "shortage")),
        smallShortage: moneyOf(num(inputs, "minShortage")),
        initial: ppmOf(num(inputs, "initialPct")),
        elapsedMs: 0,
        rampMs: 1,
      }),
    ),
  }),
  "spot bankruptcy socialised to depositors": (inputs) => {
    const { share } = depositorLoss(moneyOf(num(inputs, "loss")), moneyOf(num(inputs, "deposits")));
    return { interestDelta: shareNumber(share) };
  },
  "spot insurance fee": spotFee,
};
