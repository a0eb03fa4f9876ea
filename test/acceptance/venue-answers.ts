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
  type ProfiledPosition,
} from "../../core/venue-profile.ts";
import { checkWithdrawal } from "../../core/withdrawal.ts";
import { accountOf, bare, NOW, policyWith, snapshotOf, spot } from "../core/margin-fixtures.ts";
import {
  type Answer,
  bracket,
  type Figures,
  has,
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

export type Topic = (inputs: Figures) => Answer;

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

/** Below the close-out level, strictly. */
export const belowMaintenance = (at: Venue): boolean => {
  const { high } = statementOf(at);
  return headroomBelow(high.equityMaintenance, high, 0);
};
/** With something that a liquidation would trade, too. */
export const liquidatable = (at: Venue): boolean => {
  const statement = statementOf(at);
  return belowMaintenance(at) && planLiquidation({ ...at, statement, target: "closeOut", now: NOW }).length > 0;
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
    unit: moneyOf(has(inputs, "deltaQuantums") ? 0.000001 : 0.00000001),
  });
};

export const rounding: Topic = (inputs) => {
  const quote = { quote: inputs["quoteUSD"] };
  const size = num(inputs, "sizeBTC");
  const at = dydx(quote, [{ size, price: inputs["price"], MMR: 0.1 }]);
  if (has(inputs, "delta")) return { quoteProceedsUSD: numberOf(proceeds(inputs, num(inputs, "delta"), at)) };
  // Quantums of BTC are 1e-8, of the quote 1e-6.
  return { quoteQuantums: numberOf(proceeds(inputs, num(inputs, "deltaQuantums") / 1e8, at)) * 1e6 };
};

export const fillable: Topic = (inputs) => {
  const at = dydx(inputs, list(inputs, "positions"));
  const { high, legs } = statementOf(at);
  const held = legs[num(inputs, "close")];
  if (held === undefined) throw new RangeError("no such leg");
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

/** The venue takes maintenance as a share of the initial requirement in whole quantums, which are 1e-6 of the quote asset. */
export const dydxRequirement: Topic = (inputs) => {
  const exponent = num(inputs, "priceExponent") + num(inputs, "baseAtomicResolution") + 6;
  const scaled = Math.abs(num(inputs, "baseQuantums")) * num(inputs, "price");
  const initial = quantums(num(inputs, "initialMarginPpm"), Math.trunc(exponent < 0 ? scaled / 10 ** -exponent : scaled * 10 ** exponent));
  return { IM: initial, MM: quantums(num(inputs, "maintenanceFractionPpm"), initial) };
};

/**
 * Drift: the planned close of one perpetual whose quote asset has a price of its own. A thousand times the case: money
 * counts 1e-8. The case names no position: it is one that no cure closes whole, unless nothing that is closed cures.
 */
export const driftClose: Topic = (inputs) => {
  const scale = 1_000;
  const size = (1_000_000 * num(inputs, "shortage")) / num(inputs, "price");
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
  const positions = [legOf("PERP", size * scale, num(inputs, "price"))];
  const required = assess(accountOf({}, positions), snapshot, policy, NOW).high.maintenance;
  const account = { ...accountOf({}, positions), balances: new Map([["USD", minus(required, moneyOf(num(inputs, "shortage") * scale))]]) };
  const statement = assess(account, snapshot, policy, NOW);
  const [order] = planLiquidation({ account, statement, snapshot, policy, target: "closeOut", now: NOW });
  const whole = positions[0]?.quantity;
  return { quantity: order === undefined || order.quantity === whole ? null : numberOf(order.quantity) / scale };
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
  const rows = [inputs, ...(has(inputs, "other") ? [{ side: inputs["side"], ...part(inputs, "other") }] : [])];
  const at = venue(
    "USD",
    num(inputs, "WB"),
    rows.map((row, index) => [
      linear(`P${index}`, bracket(ppmOf(num(row, "MMR")), 1_000_000, moneyOf(num(row, "cum")))),
      legOf(`P${index}`, signed(row, num(row, "size")), num(row, "entry")),
      has(row, "mark") ? num(row, "mark") : num(row, "entry"),
    ]),
  );
  return { price: liquidation(at, "P0") };
};

/** An isolated position whose margin is a share of the notional at entry. */
export const shareOf = (inputs: Figures): Ratio =>
  has(inputs, "leverage") ? ratio(ONE, quantityOf(num(inputs, "leverage"))) : ratio(BigInt(ppmOf(num(inputs, "IMR"))), 1_000_000n);

export const isolated =
  (patch: (inputs: Figures) => Partial<ProfiledPosition>, answer = "price"): Topic =>
  (inputs) => {
    const size = has(inputs, "size") ? num(inputs, "size") : 1;
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

/** Tables that cases name instead of giving them. */
const NAMED_TIERS: Readonly<Record<string, readonly Figures[]>> = {
  "binance-btc": [
    { from_: 0, rate: 0.004 },
    { from_: 50_000, rate: 0.005 },
    { from_: 250_000, rate: 0.01 },
    { from_: 1_000_000, rate: 0.025 },
    { from_: 10_000_000, rate: 0.05 },
  ],
};
const tiersOf = (inputs: Figures): ReturnType<typeof loadTiers> => {
  const name = typeof inputs["tiers"] === "string" ? inputs["tiers"] : null;
  const rows = name === null ? list(inputs, "tiers") : NAMED_TIERS[name];
  if (rows === undefined) throw new RangeError(`nobody here knows the tiers "${name}". Give the table itself`);
  const raw = rows.map((tier) => ({
    floor: moneyOf(num(tier, "from_")),
    rateMm: ppmOf(num(tier, "rate")),
    // The cases publish maintenance rates only.
    rateIm: ppmOf(num(tier, "rate")) + 1,
  }));
  return loadTiers(`tiers of ${name ?? "the case"}`, raw, 0);
};
export const tierAmounts: Topic = (inputs) => ({ amounts: tiersOf(inputs).map(({ amountMm }) => numberOf(amountMm)) });
export const tieredMaintenance: Topic = (inputs) => ({
  MM: numberOf(requirementOf(tiersOf(inputs), moneyOf(num(inputs, "notional")), 0).maintenance),
});

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
        allowNonPositive: true,
        marginMinPerUnit: moneyOf(maintenance),
        // At a mark of 0 the rates only say how IM stands to MM.
        ...bracket(ppmOf(maintenance), ppmOf(initial)),
      }),
      legOf("FUT", contracts, loss),
      0,
    ],
  ]);

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

/** The whole debt in the quote asset is weighed, beside what is held of it; of the base, core/ searches a price of one asset only. */
export const quickMargin: Topic = (inputs) => {
  const weight = debtWeight(ppmOf(num(inputs, "MMR")), ppmOf(num(inputs, "takerFee")));
  const debts = { liabilityWeight: weight };
  const [holds, owes] = [num(inputs, "baseAssets"), num(inputs, "baseLiability")];
  if (holds !== 0 && owes !== 0) throw new RangeError("core/ nets what is held and owed of the base. Give one of them as 0");
  const at: Venue = {
    account: accountOf({
      USD: textOf(num(inputs, "quoteAssets")),
      "USD owed": textOf(-num(inputs, "quoteLiability")),
      BASE: textOf(holds - owes),
    }),
    // From a price at which it is safe: the root is where it stops to be.
    snapshot: snapshotOf([spot("BASE-USD", "BASE", "USD"), spot("ONE", "USD owed", "USD")], {
      "BASE-USD": owes > 0 ? "0.000001" : "1000000",
      ONE: "1",
    }),
    policy: policyWith([bare("USD"), bare("USD owed", "ONE", debts), bare("BASE", "BASE-USD", debts)]),
  };
  const { lower, upper } = liquidationRoots(at.account, "BASE-USD", at.snapshot, at.policy, NOW);
  return { price: ratioNumber(owes > 0 ? upper : lower) };
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
  if (!has(inputs, "held")) return { amount: numberOf(due) };
  const unit = has(inputs, "rounding") ? num(inputs, "rounding") : 0.00000001;
  const [held, least] = [num(inputs, "held"), optional(inputs, "MTA")];
  return { amount: numberOf(transferAmount(due, moneyOf(held), moneyOf(least), moneyOf(unit))) };
};

/** Vega: the slippage of closing is inside the requirement, as a closing fee is. */
export const slipped: Topic = (inputs) => {
  const factor = num(inputs, "position") < 0 ? "riskFactorShort" : "riskFactorLong";
  const terms = { ...bracket(ppmOf(num(inputs, factor))), feePpm: ppmOf(num(inputs, "linearSlippage")) };
  const at = venue("USD", 0, [[linear("P", terms), legOf("P", num(inputs, "position"), num(inputs, "mark")), num(inputs, "mark")]]);
  return { maintenance: numberOf(statementOf(at).high.maintenance) };
};
export const factored: Topic = (inputs) => ({
  margin: initialOf(num(inputs, "size"), num(inputs, "price"), ppmOf(num(inputs, "marginFactor"))),
});
export const inverseInitial = (inputs: Figures, contracts: string, at: string, answer: string): Answer => {
  const position = profiled({ ...inputs, entry: inputs[at] }, num(inputs, contracts), { kind: "inverse" });
  return { [answer]: ratioNumber(entryMargin(position, shareOf(inputs))) };
};
