import { supportAmount, transferAmount } from "../../core/credit-support.ts";
import { waysToCure } from "../../core/cure.ts";
import { fillPosition } from "../../core/fill.ts";
import { openInterestRate } from "../../core/initial-rates.ts";
import { levelOf } from "../../core/level.ts";
import { closingProceeds } from "../../core/limit-price.ts";
import { planLiquidation } from "../../core/liquidation-plan.ts";
import { bankruptcyRoots, liquidationRoots } from "../../core/liquidation-price.ts";
import { type Money, minus, money, ONE } from "../../core/money.ts";
import { addRatio, type Ratio, ratio } from "../../core/ratio.ts";
import { assess, headroomBelow, type MarginStatement } from "../../core/statement.ts";
import { loadTiers, requirementOf } from "../../core/tiers.ts";
import { notionalOf } from "../../core/valuation.ts";
import {
  debtToRepay,
  debtWeight,
  entryMargin,
  fillablePrice,
  isolatedLiquidationPrice,
  maintenanceRate,
  type ProfiledPosition,
} from "../../core/venue-profile.ts";
import { checkWithdrawal } from "../../core/withdrawal.ts";
import { accountOf, bare, NOW, policyWith, snapshotOf, spot } from "../core/margin-fixtures.ts";
import {
  type Answer,
  bracket,
  type Figures,
  inverse,
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
  profiled,
  quantityOf,
  ratioNumber,
  signed,
  textOf,
  type Venue,
  venue,
} from "./venue-cases.ts";

export type Topic = (inputs: Figures, id: string) => Answer | null;

export const statementOf = ({ account, snapshot, policy }: Venue): MarginStatement => assess(account, snapshot, policy, NOW);
export const dueOf = (at: Venue): number => numberOf(waysToCure(at.account, statementOf(at), at.snapshot, at.policy).amountDue);
export const liquidation = (at: Venue, id: string): number | null => {
  const roots = liquidationRoots(at.account, id, at.snapshot, at.policy, NOW);
  const held = at.account.positions.find((position) => position.instrumentId === id);
  return ratioNumber((held?.quantity ?? 1n) > 0n ? roots.lower : roots.upper);
};
export const bankruptcy = (at: Venue, id: string): number | null => {
  const roots = bankruptcyRoots(at.account, id, at.snapshot, at.policy, NOW);
  const quantity = at.account.positions.find((position) => position.instrumentId === id)?.quantity ?? 1n;
  return quantity > 0n !== roots.breached ? ratioNumber(roots.lower) : ratioNumber(roots.upper);
};

/** dYdX keeps the whole value of a position out of its quote balance: an entry price of 0. */
export const dydx = (inputs: Figures, positions: readonly Figures[]): Venue =>
  venue(
    "USD",
    num(inputs, "quote"),
    positions.map((held, index) => [
      linear(`P${index}`, bracket(ppmOf(num(held, "MMR")), 1_000_000)),
      legOf(`P${index}`, num(held, "size"), 0),
      num(held, "price"),
    ]),
  );

/** Liquidatable: below the close-out level, strictly, and with something that a liquidation would trade. */
export const liquidatable = (at: Venue): boolean => {
  const statement = statementOf(at);
  const below = headroomBelow(statement.high.equityMaintenance, statement.high, 0);
  return below && planLiquidation({ ...at, statement, target: "closeOut", now: NOW }).length > 0;
};

export const proceeds = (inputs: Figures, size: number, at: Venue, index = 0): Money => {
  const { high } = statementOf(at);
  const held = statementOf(at).legs[index];
  const instrument = at.snapshot.instruments.get(`P${index}`);
  if (held === undefined || instrument === undefined) throw new RangeError("no such leg");
  const closed = quantityOf(Math.abs(size));
  const notional = notionalOf(instrument, closed, held.price);
  return closingProceeds({
    value: (size < 0 ? notional : -notional) as Money,
    equity: high.equityMaintenance,
    relief: requirementOf(instrument.tiers, notional, instrument.feePpm).maintenance,
    maintenance: high.maintenance,
    unit: inputs["deltaQuantums"] === undefined ? moneyOf(0.00000001) : moneyOf(0.000001),
  });
};

export const rounding: Topic = (inputs) => {
  const quote = { quote: inputs["quoteUSD"] };
  const size = num(inputs, "sizeBTC");
  const at = dydx(quote, [{ size, price: inputs["price"], MMR: 0.1 }]);
  if (inputs["delta"] !== undefined) return { quoteProceedsUSD: numberOf(proceeds(inputs, num(inputs, "delta"), at)) };
  // Quantums of BTC are 1e-8, of the quote 1e-6.
  return { quoteQuantums: numberOf(proceeds(inputs, num(inputs, "deltaQuantums") / 1e8, at)) * 1e6 };
};

export const fillable: Topic = (inputs) => {
  const at = dydx(inputs, list(inputs, "positions"));
  const { high, legs } = statementOf(at);
  const held = legs[num(inputs, "close")];
  if (held === undefined) return null;
  return {
    price: ratioNumber(
      fillablePrice({
        price: held.price,
        sells: held.quantity > 0n,
        rateMm: ppmOf(num(list(inputs, "positions")[num(inputs, "close")] ?? {}, "MMR")),
        spreadPpm: ppmOf(num(inputs, "spreadToMMR")),
        adjustmentPpm: ppmOf(num(inputs, "bankruptcyAdjustment")),
        equity: high.equityMaintenance,
        maintenance: high.maintenance,
      }),
    ),
  };
};

export const openInterest = (inputs: Figures): number =>
  openInterestRate(
    num(inputs, "initialMarginPpm"),
    moneyOf(num(inputs, "openInterestNotional")),
    moneyOf(num(inputs, "lowerCap")),
    moneyOf(num(inputs, "upperCap")),
  );

/** A notional in whole quantums, as the venue counts them. */
export const quantums = (rateIm: number, notional: number): number =>
  Number(requirementOf(bracket(0, rateIm).tiers, BigInt(notional) as Money, 0).initial);

export const dydxRequirement: Topic = (inputs) => {
  const base = num(inputs, "baseQuantums") * 10 ** num(inputs, "baseAtomicResolution");
  const mark = num(inputs, "price") * 10 ** num(inputs, "priceExponent");
  const rateIm = num(inputs, "initialMarginPpm");
  const rateMm = maintenanceRate(rateIm, num(inputs, "maintenanceFractionPpm"));
  const { high } = statementOf(venue("USD", 0, [[linear("P", bracket(rateMm, rateIm)), legOf("P", base, 0), mark]]));
  return { IM: numberOf(high.initial) * 1e6, MM: numberOf(high.maintenance) * 1e6 };
};

/** Drift: the planned close of one perpetual whose quote asset has a price of its own. A thousand times the case: money counts 1e-8. */
export const driftClose: Topic = (inputs) => {
  const scale = 1_000;
  const instrument = linear("PERP", {
    ...bracket(ppmOf(num(inputs, "marginRatio")), 1_000_000),
    quoteAsset: "USDC",
    settleAsset: "USDC",
    liquidationFeePpm: ppmOf(num(inputs, "liquidatorFee")),
    insuranceFeePpm: ppmOf(num(inputs, "insuranceFee")),
  });
  const snapshot = snapshotOf([instrument, spot("USDC-USD", "USDC", "USD")], {
    PERP: textOf(num(inputs, "price")),
    "USDC-USD": textOf(num(inputs, "quotePrice")),
  });
  const policy = policyWith([bare("USD"), bare("USDC", "USDC-USD")]);
  const positions = [legOf("PERP", 10 * scale, num(inputs, "price"))];
  const required = assess(accountOf({}, positions), snapshot, policy, NOW).high.maintenance;
  const account = { ...accountOf({}, positions), balances: new Map([["USD", minus(required, moneyOf(num(inputs, "shortage") * scale))]]) };
  const statement = assess(account, snapshot, policy, NOW);
  const [order] = planLiquidation({ account, statement, snapshot, policy, target: "closeOut", now: NOW });
  return { quantity: order === undefined ? null : numberOf(order.quantity) / scale };
};

export const driftTransfer: Topic = (inputs) => ({
  liability: ratioNumber(
    debtToRepay({
      need: moneyOf(num(inputs, "shortage")),
      price: priceOf(num(inputs, "price")),
      assetWeightPpm: ppmOf(num(inputs, "assetWeight")),
      assetMultiplierPpm: ppmOf(num(inputs, "assetMultiplier")),
      liabilityWeightPpm: ppmOf(num(inputs, "liabilityWeight")),
      liabilityMultiplierPpm: ppmOf(num(inputs, "liabilityMultiplier")),
      feePpm: ppmOf(num(inputs, "ifFee")),
    }),
  ),
});

export const binanceCross: Topic = (inputs) => {
  const rows = [inputs, ...(inputs["other"] === undefined ? [] : [part(inputs, "other")])];
  const at = venue(
    "USD",
    num(inputs, "WB"),
    rows.map((row, index) => [
      linear(`P${index}`, bracket(ppmOf(num(row, "MMR")), 1_000_000, moneyOf(num(row, "cum")))),
      legOf(`P${index}`, signed(inputs, num(row, "size")), num(row, "entry")),
      row["mark"] === undefined ? num(row, "entry") : num(row, "mark"),
    ]),
  );
  return { price: liquidation(at, "P0") };
};

/** An isolated position whose margin is a share of the notional at entry. */
export const shareOf = (inputs: Figures): Ratio =>
  inputs["leverage"] === undefined ? ratio(BigInt(ppmOf(num(inputs, "IMR"))), 1_000_000n) : ratio(ONE, quantityOf(num(inputs, "leverage")));

export const isolated =
  (patch: (inputs: Figures) => Partial<ProfiledPosition>, answer = "price"): Topic =>
  (inputs) => {
    const size = inputs["size"] === undefined ? 1 : num(inputs, "size");
    const position = profiled(inputs, signed(inputs, size), patch(inputs));
    const margin = addRatio(entryMargin(position, shareOf(inputs)), ratio(moneyOf(optional(inputs, "extraMargin"))));
    return { [answer]: ratioNumber(isolatedLiquidationPrice(position, margin)) };
  };

export const onMark = isolated((inputs) => ({
  rateMm: ppmOf(num(inputs, "MMR")),
  feePpm: ppmOf(optional(inputs, "takerFee")),
  amount: moneyOf(optional(inputs, "cum")),
}));
export const onEntry = isolated((inputs) => ({ basis: "entry", rateMm: ppmOf(num(inputs, "MMR")) }));
export const onEntryInverse = isolated((inputs) => ({
  kind: "inverse",
  basis: "entry",
  quantity: quantityOf(signed(inputs, num(inputs, "contractsUSD"))),
  rateMm: ppmOf(num(inputs, "MMR")),
}));

export const tiersOf = (inputs: Figures, id: string): Answer => {
  const raw = list(inputs, "tiers").map((tier) => ({
    floor: moneyOf(num(tier, "from_")),
    rateMm: ppmOf(num(tier, "rate")),
    // The cases publish maintenance rates only.
    rateIm: ppmOf(num(tier, "rate")) + 1,
  }));
  return { amounts: loadTiers(id, raw, 0).map(({ amountMm }) => numberOf(amountMm)) };
};

/** The table that case `tier-mm-*` names, by its own case. */
export const BINANCE_BTC: readonly (readonly [number, number])[] = [
  [0, 0.004],
  [50_000, 0.005],
  [250_000, 0.01],
  [1_000_000, 0.025],
  [10_000_000, 0.05],
];

export const inverseVenue = (contracts: number, entry: number, cash: number, mark: number, terms: Parameters<typeof inverse>[0]): Venue =>
  venue("BTC", cash, [[inverse(terms), legOf("INV", contracts, entry), mark]]);

const initialOf = (size: number, mark: number, rateIm: number): number =>
  numberOf(statementOf(venue("USD", 0, [[linear("P", bracket(0, rateIm)), legOf("P", size, mark), mark]])).high.initial);

/** A ladder of ratios E/MM, read as headroom of an account whose IM is twice its MM. */
export const ladder =
  (name: string, steps: readonly (readonly [ratio: number, status: string])[], above: string, inclusive: boolean): Topic =>
  (inputs) => {
    const sided = { initial: money("2"), maintenance: money("1") };
    const deepest = steps.find(([at]) => headroomBelow(moneyOf(num(inputs, name)), sided, ppmOf(at - 1), inclusive));
    return { status: deepest?.[1] ?? above };
  };

/** Futures with a fixed margin per contract: the least margin of R5. */
export const perContract = (contracts: number, initial: number, maintenance: number, cash: number, loss = 0): Venue =>
  venue("USD", cash, [
    [
      linear("FUT", {
        ...bracket(1, 1),
        allowNonPositive: true,
        marginMinPerUnit: moneyOf(maintenance),
        ...fixedRates(initial, maintenance),
      }),
      legOf("FUT", contracts, loss),
      0,
    ],
  ]);
const fixedRates = (initial: number, maintenance: number): ReturnType<typeof bracket> =>
  bracket(Math.round(maintenance), Math.round(initial));

export const stock = (inputs: Figures): Venue =>
  venue("USD", -num(inputs, "debit"), [
    [linear("SHARE", bracket(1, ppmOf(num(inputs, "MMR")))), legOf("SHARE", num(inputs, "shares"), 0), num(inputs, "price")],
  ]);

export const bitmex: Topic = (inputs) => {
  const terms = bracket(ppmOf(num(inputs, "MMR")), ppmOf(num(inputs, "IMR")));
  const at = venue("USD", num(inputs, "balance"), [
    [linear("P", terms), legOf("P", num(inputs, "size"), num(inputs, "entry")), num(inputs, "entry")],
  ]);
  const { high } = statementOf(at);
  const position = profiled(inputs, num(inputs, "size"), { basis: "entry", rateMm: ppmOf(num(inputs, "MMR")) });
  const { available } = checkWithdrawal(at.account, at.snapshot, at.policy, { requestId: "w", asset: "USD", amount: moneyOf(1) }, NOW);
  return {
    IM: numberOf(high.initial),
    MM: numberOf(high.maintenance),
    liquidation: ratioNumber(isolatedLiquidationPrice(position, ratio(moneyOf(num(inputs, "balance"))))),
    bankruptcy: bankruptcy(at, "P"),
    available: numberOf(available),
  };
};

export const quickMargin: Topic = (inputs) => {
  const snapshot = snapshotOf([spot("BASE-USD", "BASE", "USD")], { "BASE-USD": "1000000" });
  const weight = debtWeight(ppmOf(num(inputs, "MMR")), ppmOf(num(inputs, "takerFee")));
  const policy = policyWith([bare("USD", null, { liabilityWeight: weight }), bare("BASE", "BASE-USD", { liabilityWeight: weight })]);
  const account = accountOf({
    USD: textOf(num(inputs, "quoteAssets") - num(inputs, "quoteLiability")),
    BASE: textOf(num(inputs, "baseAssets") - num(inputs, "baseLiability")),
  });
  return { price: liquidation({ account, snapshot, policy }, "BASE-USD") };
};

export const backstop: Topic = (inputs) => {
  const equity = moneyOf(num(inputs, "equity"));
  const maintenance = moneyOf(num(inputs, "MM"));
  const sided = { equityInitial: equity, equityMaintenance: equity, initial: (maintenance + maintenance) as Money, maintenance };
  const held = accountOf({}, [legOf("P", 1, 1)]);
  return { stage: levelOf(held, { low: sided, high: sided }, policyWith([bare("USD")]).levels, "HEALTHY").toLowerCase() };
};

export const average: Topic = (inputs) => {
  const fills = inputs["fills"] as readonly (readonly [number, number])[];
  let held: ReturnType<typeof fillPosition>["position"] = null;
  for (const [size, at] of fills) held = fillPosition(linear("P", {}), held, quantityOf(size), priceOf(at)).position;
  return { avg: numberOf(held?.entryPrice ?? 0n) };
};

export const creditSupport: Topic = (inputs) => {
  const due = supportAmount({
    exposure: moneyOf(num(inputs, "exposure")),
    independentOfTaker: moneyOf(optional(inputs, "IAt")),
    independentOfGiver: moneyOf(optional(inputs, "IAr")),
    threshold: moneyOf(num(inputs, "threshold")),
  });
  if (inputs["MTA"] === undefined) return { amount: numberOf(due) };
  const [held, least, unit] = [num(inputs, "held"), num(inputs, "MTA"), num(inputs, "rounding")];
  return { amount: numberOf(transferAmount(due, moneyOf(held), moneyOf(least), moneyOf(unit))) };
};

/** Vega: the slippage of closing is inside the requirement, as a closing fee is. */
export const slipped = (inputs: Figures): Answer => {
  const terms = { ...bracket(ppmOf(num(inputs, "riskFactorShort"))), feePpm: ppmOf(num(inputs, "linearSlippage")) };
  const at = venue("USD", 0, [[linear("P", terms), legOf("P", num(inputs, "position"), num(inputs, "mark")), num(inputs, "mark")]]);
  return { maintenance: numberOf(statementOf(at).high.maintenance) };
};
export const factored = (inputs: Figures): Answer => ({
  margin: initialOf(num(inputs, "size"), num(inputs, "price"), ppmOf(num(inputs, "marginFactor"))),
});
export const inverseInitial = (inputs: Figures, contracts: string, at: string, answer: string): Answer => {
  const position = profiled({ ...inputs, entry: inputs[at] }, num(inputs, contracts), { kind: "inverse" });
  return { [answer]: ratioNumber(entryMargin(position, shareOf(inputs))) };
};
