import { minus, ONE } from "../../core/money.ts";
import { multiplyRatio, ratio } from "../../core/ratio.ts";
import { notionalOf, profitOf } from "../../core/valuation.ts";
import { scaledLevels } from "../../core/venue-levels.ts";
import { entryMargin, maintenanceRate, sizeRate } from "../../core/venue-profile.ts";
import { accountOf, bare, policyWith, snapshotOf, spot } from "../core/margin-fixtures.ts";
import { PORTFOLIO_TOPICS } from "./portfolio-topics.ts";
import { PRICING_TOPICS } from "./pricing-topics.ts";
import { STATISTICS_TOPICS } from "./statistics-topics.ts";
import { STRATEGIES } from "./strategies-topics.ts";
import {
  average,
  backstop,
  bankruptcy,
  belowMaintenance,
  binanceCross,
  bitmex,
  creditSupport,
  driftClose,
  driftTransfer,
  dueOf,
  dydx,
  dydxRequirement,
  factored,
  fillable,
  inverseInitial,
  inverseVenue,
  isolated,
  ladder,
  liquidatable,
  liquidation,
  onEntry,
  onEntryInverse,
  onMark,
  openInterest,
  perContract,
  proceeds,
  quantums,
  quickMargin,
  rounding,
  shareOf,
  slipped,
  statementOf,
  stock,
  type Topic,
  tierAmounts,
  tieredMaintenance,
} from "./venue-answers.ts";
import {
  bracket,
  legOf,
  linear,
  list,
  moneyOf,
  num,
  numberOf,
  numbers,
  optional,
  ppmOf,
  priceOf,
  profiled,
  quantityOf,
  ratioNumber,
  textOf,
  venue,
  word,
} from "./venue-cases.ts";
import { WATERFALL } from "./waterfall-topics.ts";

/** Each topic, to the function of core/ that answers it. */
export const TOPICS: Readonly<Record<string, Topic>> = {
  ...STRATEGIES,
  ...PORTFOLIO_TOPICS,
  ...WATERFALL,
  "maintenance margin = slippage + risk factor": slipped,
  "maintenance margin, extreme slippage factor": slipped,
  "isolated margin / order margin": factored,
  "isolated margin (published inconsistency)": factored,
  "fully collateralised top-up after realised loss": (inputs) => ({
    topUp: dueOf(perContract(1, num(inputs, "newLevel"), 1, num(inputs, "priorMargin"), num(inputs, "realisedLoss"))),
  }),
  "variation margin transfer on a mark change": (inputs) => ({
    transfer: numberOf(
      profitOf(linear("P", {}), quantityOf(num(inputs, "position")), priceOf(num(inputs, "markFrom")), priceOf(num(inputs, "markTo"))),
    ),
  }),
  "maintenance fraction of initial margin (ppm)": (inputs) => ({
    maintenanceMarginPpm: maintenanceRate(num(inputs, "initialMarginPpm"), num(inputs, "maintenanceFractionPpm")),
  }),
  "open-interest-scaled initial margin, integer round up": (inputs) => ({
    initialMargin: quantums(openInterest(inputs), num(inputs, "quoteQuantums")),
  }),
  "open-interest-scaled IMF": (inputs) => ({ ppm: openInterest(inputs) }),
  "margin requirement in integer quote quantums (1e-6 USD)": dydxRequirement,
  "liquidation trigger is strict (equity < MM)": (inputs) => ({
    liquidatable: liquidatable(
      dydx(inputs, [{ size: Number.parseFloat(word(inputs, "position")), price: inputs["price"], MMR: inputs["MMR"] }]),
    ),
  }),
  "account without positions is never liquidatable (even with negative balance)": (inputs) => ({
    liquidatable: liquidatable(dydx(inputs, [])),
  }),
  "bankruptcy price (quote cash-flow of closing delta), multi-position": (inputs) => ({
    quoteProceeds: numberOf(proceeds(inputs, num(inputs, "delta"), dydx(inputs, list(inputs, "positions")), num(inputs, "close"))),
  }),
  "bankruptcy price integer rounding (up, adverse to closer)": rounding,
  "bankruptcy price integer rounding": rounding,
  "long financed entirely by cash has negative bankruptcy price": rounding,
  "liquidation order limit (fillable) price": fillable,
  "close price that keeps TV/TR of the deleveraged account non-worsening": (inputs) => {
    const at = venue("USD", num(inputs, "collateral"), [
      [linear("P", bracket(1)), legOf("P", num(inputs, "position"), 0), num(inputs, "price")],
    ]);
    return { totalValue: numberOf(statementOf(at).high.equityMaintenance), closeAt: bankruptcy(at, "P") };
  },
  "position size to close to cure a margin shortage": driftClose,
  "borrow repaid to cure shortage by seizing collateral": driftTransfer,
  "isolated liquidation price with maintenance amount": binanceCross,
  "cross liquidation price includes other positions": binanceCross,
  "isolated liquidation price from leverage": onMark,
  "liquidation price with closing fee inside the trigger": onMark,
  "Bybit linear isolated (maintenance on entry value)": onEntry,
  "tier table: maintenance (quick-calculation) amounts": tierAmounts,
  "tiered maintenance margin = marginal-rate integral": tieredMaintenance,
  // A million times the case: a coin counts 1e-8, and the published figures are finer.
  "coin-margined maintenance margin": (inputs) => {
    const scale = 1_000_000;
    const terms = {
      ...bracket(ppmOf(num(inputs, "MMR")), 1_000_000, moneyOf(optional(inputs, "amount") * scale)),
      multiplier: quantityOf(num(inputs, "contractUSD")),
    };
    const { legs, high } = statementOf(inverseVenue(num(inputs, "contracts") * scale, num(inputs, "mark"), 0, num(inputs, "mark"), terms));
    return { notionalBTC: numberOf(legs[0]?.notional ?? 0n) / scale, MM: numberOf(high.maintenance) / scale };
  },
  "first-order liquidation price approximation (MM on entry value)": isolated(
    (inputs) => ({ basis: "entry", rateMm: ppmOf(num(inputs, "mmr")) }),
    "approxPrice",
  ),
  "isolated liquidation price": onEntry,
  "liquidation price after adding margin": onEntry,
  "inverse isolated liquidation price": onEntryInverse,
  "inverse bankruptcy price": isolated(() => ({ kind: "inverse" })),
  "inverse bankruptcy price with closing fee": (inputs) => {
    const terms = { ...bracket(0, 1_000_000), feePpm: ppmOf(num(inputs, "takerFee")) };
    return {
      price: liquidation(
        inverseVenue(num(inputs, "contracts"), num(inputs, "entry"), num(inputs, "margin"), num(inputs, "entry"), terms),
        "INV",
      ),
    };
  },
  "inverse initial margin": (inputs) => inverseInitial(inputs, "contracts", "entry", "IM"),
  "inverse IM in BTC": (inputs) => inverseInitial(inputs, "contractsUSD", "price", "IMBTC"),
  "ADL / bankruptcy price with total account margin": (inputs) => {
    const assets = numbers(inputs, "margins").map((margin, index) => [`M${index}`, textOf(margin)] as const);
    const instruments = [linear("P", bracket(1)), ...assets.map(([asset]) => spot(`${asset}-USD`, asset, "USD"))];
    const snapshot = snapshotOf(instruments, {
      P: textOf(num(inputs, "entry")),
      ...Object.fromEntries(assets.map(([asset]) => [`${asset}-USD`, "1"])),
    });
    const policy = policyWith([bare("USD"), ...assets.map(([asset]) => bare(asset, `${asset}-USD`))]);
    const account = accountOf(Object.fromEntries(assets), [legOf("P", num(inputs, "size"), num(inputs, "entry"))]);
    return { price: bankruptcy({ account, snapshot, policy }, "P") };
  },
  "size-scaled initial/maintenance margin": (inputs) => {
    const [size, step] = [quantityOf(num(inputs, "size")), ppmOf(num(inputs, "imPerUnit"))];
    const notional = notionalOf(linear("P", {}), size, priceOf(num(inputs, "price")));
    const required = (base: string): number =>
      numberOf(scaledLevels(notional, sizeRate(ppmOf(num(inputs, base)), step, size), []).maintenance);
    return { IM: required("imBase"), MM: required("mmBase") };
  },
  "inverse liquidation and bankruptcy price": (inputs) => {
    const terms = bracket(ppmOf(num(inputs, "MMR")), 1_000_000);
    const at = inverseVenue(num(inputs, "contractsUSD"), num(inputs, "entry"), num(inputs, "marginBTC"), num(inputs, "entry"), terms);
    return { liquidation: liquidation(at, "INV"), bankruptcy: bankruptcy(at, "INV") };
  },
  "cross margin: liquidation and bankruptcy price": bitmex,
  "margin-ratio ladder (boundaries inclusive on the worse side)": ladder(
    "uniMMR",
    [
      [1.05, "liquidation"],
      [1.2, "reduce-only"],
      [1.5, "reminder"],
    ],
    "free",
    true,
  ),
  "five-step escalation ladder": ladder(
    "ratio",
    [
      [1, "LIQUIDATED"],
      [1.05, "RESTRICTION"],
      [1.2, "REDUCE_ONLY"],
      [1.5, "CANCEL_ALL"],
      [2, "CALL"],
    ],
    "NORMAL",
    false,
  ),
  "weighted average entry": average,
  "standard vs leveraged margin model": (inputs) => {
    const position = profiled({ ...inputs, entry: inputs["price"] }, num(inputs, "quantity"), {
      multiplier: quantityOf(num(inputs, "multiplier")),
    });
    return { margin: ratioNumber(entryMargin(position, multiplyRatio(shareOf(inputs), ratio(quantityOf(num(inputs, "rate")), ONE)))) };
  },
  "linear crypto future initial margin": (inputs) => ({
    IM: ratioNumber(entryMargin(profiled({ ...inputs, entry: inputs["price"] }, num(inputs, "quantity")), shareOf(inputs))),
  }),
  // The venue calls below maintenance, not below initial.
  "call restores to initial margin": (inputs) => {
    const at = perContract(num(inputs, "contracts"), num(inputs, "IM"), num(inputs, "MM"), num(inputs, "equity"));
    return { call: belowMaintenance(at) ? dueOf(at) : 0 };
  },
  "call restores to initial": (inputs) => {
    const at = perContract(1, num(inputs, "IM"), num(inputs, "MM"), num(inputs, "IM"), num(inputs, "loss"));
    return { equity: numberOf(statementOf(at).low.equityInitial), call: dueOf(at) };
  },
  "maintenance excess of a long stock margin account": (inputs) => {
    const { high, legs } = statementOf(stock(inputs));
    const [equity, required] = [high.equityInitial, high.initial];
    return {
      MV: numberOf(legs[0]?.notional ?? 0n),
      equity: numberOf(equity),
      MM: numberOf(required),
      excess: numberOf(minus(equity, required)),
    };
  },
  "call amount": (inputs) => ({ call: dueOf(stock(inputs)) }),
  "CSA credit support amount": creditSupport,
  "MTA and rounding: delivery rounds up, return rounds down": creditSupport,
  "backstop at 2/3 of maintenance": backstop,
  "isolated spot-margin liquidation price": quickMargin,
  ...STATISTICS_TOPICS,
  ...PRICING_TOPICS,
};
