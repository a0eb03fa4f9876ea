import type { Charge, ListedScenario, PortfolioTerms, UnitTerms, VolatilityMove } from "../../core/portfolio/portfolio-terms.ts";
import { STANDARD_TERMS, STANDARD_UNIT } from "../../core/portfolio/portfolio-terms.ts";
import { validatePortfolioTerms } from "../../core/portfolio/validate-portfolio-terms.ts";
import { CASES, type Figures, has, list, num, part, ppmOf, word } from "./venue-cases.ts";

/** Reading of a venue's published parameters into terms of core/portfolio. No formula of margin is here. */
const MOVES: Readonly<Record<string, VolatilityMove>> = { Up: "up", Down: "down", None: "same", LINEAR: "tilt", ABS: "smile" };
const NONE: Charge = { imPpm: 0, mmPpm: 0 };

/** A unit of which nothing is asked but what the patch says. */
export const bareUnit = (patch: Partial<UnitTerms>): UnitTerms => ({
  ...STANDARD_UNIT,
  tails: { movesPpm: [], dampingPpm: 0 },
  skew: null,
  roll: null,
  termMismatchPpm: 0,
  shortOption: NONE,
  hedged: NONE,
  confidence: null,
  depeg: null,
  minimumChargePpm: 0,
  deltaFloor: { netPpm: 0, hedgedPpm: 0 },
  ...patch,
});
export const termsWith = (unit: UnitTerms, patch: Partial<PortfolioTerms> = {}): PortfolioTerms =>
  validatePortfolioTerms({ ...STANDARD_TERMS, defaultUnit: unit, ...patch });

const stacked = (im: number, mm: number): Charge => ({ imPpm: ppmOf(im + mm), mmPpm: ppmOf(mm) });
const scenarioOf = (each: Figures): ListedScenario => {
  const volatility = MOVES[word(each, "VolShockDirection")];
  if (volatility === undefined) throw new RangeError(`no volatility moves "${word(each, "VolShockDirection")}"`);
  // The venue's moves of the smile leave its forwards where they are, whatever price stands beside them.
  const isSmile = volatility === "tilt" || volatility === "smile";
  const movePpm = isSmile ? 0 : ppmOf(num(each, "SpotShock")) - 1_000_000;
  return { movePpm, volatility, weightPpm: ppmOf(num(each, "DampeningFactor")) };
};

/** The parameters of a case: the fixture, section by section overridden. */
const parametersOf = (inputs: Figures): Figures => {
  const base = part(CASES.fixtures, word(inputs, "fixture"));
  const overrides = has(inputs, "paramOverrides") ? part(inputs, "paramOverrides") : {};
  const unknown = Object.keys(overrides).filter((name) => !has(base, name));
  if (unknown.length > 0) throw new RangeError(`the fixture has no ${unknown.join(", ")} to override`);
  return Object.fromEntries(
    Object.entries(base).map(([name, section]) => {
      const patch = overrides[name];
      return [name, Array.isArray(section) ? (patch ?? section) : { ...(section as Figures), ...((patch ?? {}) as Figures) }];
    }),
  );
};

const unitOf = (parameters: Figures): UnitTerms => {
  const [vol, skew, margin] = [part(parameters, "VolShock"), part(parameters, "SkewShock"), part(parameters, "Margin")];
  const [basis, other] = [part(parameters, "BasisContingency"), part(parameters, "OtherContingency")];
  const ppm = (section: Figures, name: string): number => ppmOf(num(section, name));
  const closeOut = (side: string, base: string) => ({
    basePpm: ppm(margin, base),
    rateMultiplePpm: ppm(margin, `${side}_RATE_MULTSCALE`),
    rateAddPpm: ppm(margin, `${side}_RATE_ADDSCALE`),
  });
  return bareUnit({
    scenarios: list(parameters, "Scenarios").map(scenarioOf),
    volatility: {
      upPpm: ppm(vol, "VOLRANGEUP"),
      downPpm: ppm(vol, "VOLRANGEDOWN"),
      shortPowerPpm: ppm(vol, "SHORTTERMPOWER"),
      longPowerPpm: ppm(vol, "LONGTERMPOWER"),
      minUpPpm: ppm(vol, "MIN_VOL_EVAL_SHOCKED"),
      // The terms refuse a floor of nothing: the least stands for it, here and in the skew.
      timeFloorMs: Math.max(1, num(vol, "DTE_FLOOR") * 86_400_000),
    },
    skew: {
      tilt: { capPpm: ppm(skew, "LINEAR_SCALE_CAP"), capPerRootYearPpm: ppm(skew, "LINEAR_CBASE") },
      smile: { capPpm: ppm(skew, "ABS_SCALE_CAP"), capPerRootYearPpm: ppm(skew, "ABS_CBASE") },
      kStarMinPpm: Math.max(1, ppm(skew, "MIN_K_STAR")),
      widthPpm: ppm(skew, "MIN_WIDTH_SCALE"),
      staticPpm: ppm(skew, "VOL_PARAM_STATIC"),
      perRootYearPpm: ppm(skew, "VOL_PARAM_SCALE"),
    },
    closeOut: { long: closeOut("LONG", "BASE_STATIC_DISCOUNT"), short: closeOut("SHORT", "BASE_STATIC_DISCOUNT_NEG") },
    roll: {
      upPpm: ppm(basis, "SCENARIO_SPOT_UP") - 1_000_000,
      downPpm: ppm(basis, "SCENARIO_SPOT_DOWN") - 1_000_000,
      fixedPpm: ppm(basis, "BASIS_CONT_ADD_FACTOR"),
      perYearPpm: ppm(basis, "BASIS_CONT_MULT_FACTOR"),
    },
    shortOption: stacked(num(other, "IM_OPTION_PERCENT"), num(other, "MM_OPTION_PERCENT")),
    futures: stacked(num(other, "IM_PERP_PERCENT"), num(other, "MM_PERP_PERCENT")),
    confidence: { thresholdPpm: ppm(other, "CONF_THRESHOLD"), factorPpm: ppm(other, "CONF_MARGIN") },
    depeg: { thresholdPpm: ppm(other, "PEG_LOSS_THRESHOLD"), factorPpm: ppm(other, "PEG_LOSS_FACTOR") },
  });
};

/** A venue's whole rule as terms, the haircuts of the case among them. */
export const venueTerms = (inputs: Figures): PortfolioTerms => {
  const parameters = parametersOf(inputs);
  const margin = part(parameters, "Margin");
  return termsWith(unitOf(parameters), {
    venueRule: "Derive, portfolio margin 2",
    fMmPpm: ppmOf(num(margin, "MM_LOSS_FACTOR")),
    fImPpm: ppmOf(num(margin, "IM_LOSS_FACTOR")),
    spot: Object.fromEntries(
      list(part(inputs, "scenario"), "Collaterals").map((each) => [
        word(each, "Name"),
        { hedges: each["IsRiskCancelling"] === true, haircut: stacked(num(each, "IMHaircut"), num(each, "MMHaircut")) },
      ]),
    ),
  });
};
