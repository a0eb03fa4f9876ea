import { betaStress } from "../../core/portfolio/beta-stress.ts";
import { type PortfolioLeg, type PortfolioRequirement, portfolioMargin, portfolioSurplus } from "../../core/portfolio/portfolio-margin.ts";
import type { PortfolioTerms, UnitTerms } from "../../core/portfolio/portfolio-terms.ts";
import { STANDARD_UNIT } from "../../core/portfolio/portfolio-terms.ts";
import { type PricedUnit, priceInstrument } from "../../core/portfolio/priced-instrument.ts";
import { scenarioSet, shockedVolatility, volatilityShock } from "../../core/portfolio/scenario-set.ts";
import type { Leg, OptionLeg } from "../../core/portfolio/scenario-vector.ts";
import { scheduleMargin } from "../../core/portfolio/schedule.ts";
import { scanRisk, spanScenarios, spreadCredit } from "../../core/portfolio/span.ts";
import { fixedShare } from "../../core/pricing/option-value.ts";
import { bareUnit, termsWith, venueTerms } from "./portfolio-terms-of-case.ts";
import type { Topic } from "./venue-answers.ts";
import { type Figures, list, num, numbers, part, ppmOf, word } from "./venue-cases.ts";

const DAY_MS = 86_400_000;

interface Prices {
  readonly spot: number;
  readonly confidence?: number;
  readonly peg?: number;
}
const unitAt = (terms: PortfolioTerms, { spot, confidence = 1, peg = 1 }: Prices): PricedUnit => ({
  set: scenarioSet(terms, "UNIT"),
  market: { spot, quoteRate: 1 },
  spotConfidencePpm: ppmOf(confidence),
  peg,
});
const requirementOf = (legs: readonly PortfolioLeg[], terms: PortfolioTerms): PortfolioRequirement => {
  const required = portfolioMargin(legs, terms);
  if (!required.ok) throw new TypeError(`no requirement: ${JSON.stringify(required.faults)}`);
  return required;
};
const future = (mark: number): Leg => ({ kind: "linear", mark, multiplier: 1, timeMs: null });
const addOn = ({ units }: PortfolioRequirement, name: string) =>
  units.flatMap(({ addOns }) => addOns).find((each) => each.name === name) ?? { initial: 0, maintenance: 0 };

/** Futures of one unit, each a quantity, at one price. */
const futures = (
  patch: Partial<UnitTerms>,
  spot: number,
  quantities: readonly number[],
  rules: Partial<PortfolioTerms> = {},
): PortfolioRequirement => {
  const terms = termsWith(bareUnit(patch), rules);
  const unit = unitAt(terms, { spot });
  return requirementOf(
    quantities.map((quantity, index) => ({ quantity, instrument: priceInstrument(`F${index}`, future(spot), unit) })),
    terms,
  );
};

/** The venue settles on the average index of the last half hour, of which no scenario moves what has gone by. */
const WINDOW_MS = 30 * 60_000;

const optionOf = (each: Figures, feed: Figures): OptionLeg => {
  const timeMs = num(each, "Expiry") * 1_000;
  const forward = num(feed, "Forward");
  return {
    kind: "option",
    isCall: num(each, "IsCall") === 1,
    strike: num(each, "Strike"),
    forward,
    forwardFixed: forward * fixedShare(timeMs, WINDOW_MS),
    volatility: num(each, "MarkVol"),
    // A rate below 0 counts as 0 there: nothing is worth more at expiry than today.
    discount: Math.min(1, num(each, "MarkDiscount")),
    rate: num(feed, "Rate"),
    timeMs,
    multiplier: 1,
    settle: "linear",
  };
};

const venueCase: Topic = (inputs) => {
  const terms = venueTerms(inputs);
  const held = part(inputs, "scenario");
  const stable = num(held, "StablePrice");
  const unit = unitAt(terms, { spot: num(held, "SpotPrice"), confidence: num(held, "SpotConfidence"), peg: stable });
  const feeds = new Map(list(held, "OptionFeeds").map((feed) => [num(feed, "FeedExpiry"), feed]));
  const collateral = list(held, "Collaterals").map((each) => ({
    quantity: num(each, "Amount"),
    instrument: priceInstrument(
      word(each, "Name"),
      { kind: "spot", mark: num(each, "Price") / stable, multiplier: 1, timeMs: null },
      unit,
      { asset: word(each, "Name"), confidencePpm: ppmOf(num(each, "Confidence")) },
    ),
  }));
  const options = list(held, "Options").map((each, index) => {
    const feed = feeds.get(num(each, "Expiry"));
    if (feed === undefined) throw new RangeError(`no feed of expiry ${num(each, "Expiry")}`);
    const confidence = Math.min(num(feed, "OptionVolConfidences"), num(feed, "ForwardConfidence"), num(feed, "RateConfidence"));
    return {
      quantity: num(each, "Amount"),
      instrument: priceInstrument(`O${index}`, optionOf(each, feed), unit, { confidencePpm: ppmOf(confidence) }),
    };
  });
  const perpetual = {
    quantity: num(held, "NumPerps"),
    instrument: priceInstrument("PERP", future(num(held, "PerpPrice")), unit, { confidencePpm: ppmOf(num(held, "PerpConfidence")) }),
  };
  const required = requirementOf([...collateral, ...options, ...(perpetual.quantity === 0 ? [] : [perpetual])], terms);
  const surplus = portfolioSurplus(num(held, "Cash") + num(held, "UnrealisedPerpPNL") + num(held, "UnrealisedFunding"), required);
  return { netIM: surplus.initial, netMM: surplus.maintenance, markToMarket: surplus.markToMarket };
};

const scan: Topic = (inputs) => {
  const risk = scanRisk([{ quantity: 1, array: numbers(inputs, "riskArray") }]);
  return { scan: risk.scan, scenario: risk.scenario };
};

/** Topics of M6, each to the function of core/portfolio that answers it. */
export const PORTFOLIO_TOPICS: Readonly<Record<string, Topic>> = {
  "portfolio margin: price x vol scenario grid, dampened tails, skew shocks, static discount, contingencies, haircut collateral": venueCase,
  "vol shock scaling with time to expiry": (inputs) => ({
    shockPct:
      100 *
      volatilityShock(ppmOf(num(inputs, "shock")), num(inputs, "days") * DAY_MS, {
        ...STANDARD_UNIT.volatility,
        shortPowerPpm: ppmOf(num(inputs, "power")),
      }),
  }),
  "vol shock scaling": (inputs) => ({
    shockedIV: shockedVolatility(num(inputs, "iv"), num(inputs, "dte") * DAY_MS, "up", {
      ...STANDARD_UNIT.volatility,
      upPpm: ppmOf(num(inputs, "shockUp")),
      shortPowerPpm: ppmOf(num(inputs, "power")),
    }),
  }),
  "net short option contingency per strike": (inputs) => {
    const mmPpm = ppmOf(num(inputs, "perOptionBTC"));
    const terms = termsWith(bareUnit({ shortOption: { mmPpm, imPpm: mmPpm + 1 } }));
    const unit = unitAt(terms, { spot: 1 });
    const option = (isCall: boolean): Leg => ({
      ...{ kind: "option", isCall, strike: 1, forward: 1, forwardFixed: 0, volatility: 0.5, discount: 1, rate: 0 },
      ...{ timeMs: 30 * DAY_MS, multiplier: 1, settle: "linear" },
    });
    const held = [
      { quantity: num(inputs, "calls"), instrument: priceInstrument("C", option(true), unit) },
      { quantity: num(inputs, "puts"), instrument: priceInstrument("P", option(false), unit) },
    ];
    return { contingencyBTC: addOn(requirementOf(held, terms), "short option minimum").maintenance };
  },
  "offset futures contingency": (inputs) => {
    const mmPpm = ppmOf(num(inputs, "rate"));
    const required = futures({ hedged: { mmPpm, imPpm: mmPpm + 1 } }, 1, [num(inputs, "longBTC"), -num(inputs, "shortBTC")]);
    return { contingencyBTC: addOn(required, "hedged futures").maintenance };
  },
  // Futures at a price of 1 and a range of a half: net they lose the scenario's figure, and gross they owe the least charge.
  "scenario requirement floored by minimum charge": (inputs) => {
    const [net, gross] = [2 * num(inputs, "scenarioMMR"), 2 * num(inputs, "minimumCharge")];
    const short = Math.max(0, gross - net) / 2;
    const half = { priceRangePpm: 500_000, minimumChargePpm: 500_000 };
    const required = futures(half, 1, [net + short, -short], { fImPpm: ppmOf(num(inputs, "imFactor")) });
    return { MMR: required.maintenance, IMR: required.initial };
  },
  "portfolio margin floor on delta": (inputs) => {
    const [net, hedged] = [num(inputs, "netDelta"), num(inputs, "hedgedDelta")];
    const sides = [hedged + Math.max(net, 0), Math.min(net, 0) - hedged];
    const required = futures({ deltaFloor: STANDARD_UNIT.deltaFloor }, num(inputs, "spot"), sides);
    return { minMargin: required.units[0]?.floor.maintenance };
  },
  "SPAN scan risk of one long future": scan,
  "SPAN scan risk of one long call": scan,
  "SPAN scan risk of long future + short call": (inputs) => {
    const risk = scanRisk(
      ["future", "call"].map((name) => ({ quantity: num(part(inputs, "positions"), name), array: numbers(inputs, name) })),
    );
    return { scan: risk.scan, scenario: risk.scenario };
  },
  "inter-commodity spread credit": (inputs) => {
    const [corn, soy] = [num(inputs, "cornQty"), num(inputs, "soyQty")];
    const { gross, credit, margin } = spreadCredit(
      { delta: corn, marginPerDelta: num(inputs, "cornMargin"), ratio: corn },
      { delta: -soy, marginPerDelta: num(inputs, "soyMargin"), ratio: soy },
      ppmOf(num(inputs, "creditRate")),
    );
    return { gross, credit, margin };
  },
  "scenario grid": (inputs) => ({
    ...spanScenarios({
      priceScan: num(inputs, "priceScan"),
      volScan: num(inputs, "volScan"),
      extremeMultiple: num(inputs, "extremeMultiple"),
      extremeCover: num(inputs, "extremeCover"),
    }),
  }),
  "regulatory schedule IM, NGR=0": (inputs) => ({ IM: scheduleMargin(num(inputs, "gross"), num(inputs, "NGR")) }),
  "beta-scaled stress excess (requirement unstressed)": (inputs) => ({
    stressExcess: betaStress(
      [
        {
          value: num(inputs, "shares") * num(inputs, "price"),
          betaPpm: ppmOf(num(inputs, "beta")),
          maintenancePpm: ppmOf(num(inputs, "MMR")),
        },
      ],
      num(inputs, "debit"),
      ppmOf(num(inputs, "shock")),
    ).excess,
  }),
};
