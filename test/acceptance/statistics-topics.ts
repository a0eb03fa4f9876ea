import { mertonDefault, spreadDefault } from "../../core/risk/default-probability.ts";
import { almgrenImpact, LIQUIDITY, liquidityCost } from "../../core/risk/liquidity.ts";
import { type ProcyclicalityTools, responsiveness, smoothedMargin, smoothedSeries } from "../../core/risk/procyclicality.ts";
import { AVAILABLE_FUNDING, stableFunding } from "../../core/risk/stable-funding.ts";
import type { Answer as Answered } from "../../core/statistics/answer.ts";
import { binomialCumulative } from "../../core/statistics/chi-square.ts";
import { conditionalCoverage, kupiec } from "../../core/statistics/coverage.ts";
import { deltaProfits } from "../../core/statistics/historical-margin.ts";
import { measuredReturns } from "../../core/statistics/returns.ts";
import { interpolatedPercentile, type Tail, tailOf, weightedTail } from "../../core/statistics/tail.ts";
import type { Topic } from "./venue-answers.ts";
import { type Figures, num, numbers, part, ppmOf } from "./venue-cases.ts";

/** Cases of M7, M8, M9, M14 and M16: figures in and out of core/statistics and core/risk; no formula is here. */
const figureOf = <Value>(answer: Answered<Value>): Value => {
  if (!answer.ok) throw new Error(`${answer.fault}: ${answer.detail}`);
  return answer.value;
};
const worstOf = (inputs: Figures, confidence: number): Tail => figureOf(tailOf(numbers(inputs, "worst"), confidence, num(inputs, "N")));
/** The source shocks a price by a factor and takes the upper percentile of the profits themselves. */
const percentile = (inputs: Figures): number => {
  const shocks = numbers(inputs, "shocks").map((shock) => shock - 1);
  const dates = shocks.map((_, index) => index);
  const joint = figureOf(measuredReturns("simple", dates, { X: shocks }));
  return figureOf(interpolatedPercentile(figureOf(deltaProfits(joint, { X: num(inputs, "exposureEUR") })), ppmOf(num(inputs, "level"))));
};
const jointTail = (inputs: Figures, notional: Readonly<Record<string, number>>): Tail => {
  const columns = Object.fromEntries(Object.keys(notional).map((asset) => [asset, numbers(inputs, `returns${asset}`)]));
  const dates = Object.values(columns)[0]?.map((_, index) => index) ?? [];
  const joint = figureOf(measuredReturns("simple", dates, columns));
  return figureOf(
    tailOf(
      figureOf(deltaProfits(joint, notional)).map((profit) => -profit),
      ppmOf(num(inputs, "alpha")),
    ),
  );
};

const NO_TOOLS: ProcyclicalityTools = { buffer: null, stressed: null, floor: null, stepCap: null };

export const STATISTICS_TOPICS: Readonly<Record<string, Topic>> = {
  "historical VaR with multiplicative shocks and interpolated percentile": (inputs) => ({ VaR: percentile(inputs) }),
  "historical VaR": (inputs) => ({ VaR: percentile(inputs) }),
  "99% VaR and ES from sorted losses": (inputs) => {
    const tail = worstOf(inputs, 990_000);
    return { VaR99: tail.valueAtRisk, ES99: tail.expectedShortfall };
  },
  "99% ES, competing convention": (inputs) => {
    const tail = worstOf(inputs, 990_000);
    return { conventionB_excludeVaR: tail.meanBeyond, conventionA_includeVaR: tail.expectedShortfall };
  },
  "98% ES, 250 observations": (inputs) => ({ ES: worstOf(inputs, ppmOf(num(inputs, "level"))).expectedShortfall }),
  "weighted-tail VaR and ES at 99%": (inputs) => {
    const tail = figureOf(weightedTail(numbers(inputs, "losses"), numbers(inputs, "weights"), 1_000_000 - ppmOf(num(inputs, "tail"))));
    return { VaR: tail.valueAtRisk, ES: tail.expectedShortfall };
  },
  "historical-simulation VaR/ES must use joint return vectors": (inputs) => {
    const held = part(inputs, "notional");
    const notional = Object.fromEntries(Object.keys(held).map((asset) => [asset, num(held, asset)]));
    const joint = jointTail(inputs, notional);
    const alone = Object.entries(notional).map(
      ([asset, amount]) => [`standaloneVaR${asset}`, jointTail(inputs, { [asset]: amount }).valueAtRisk] as const,
    );
    return { VaR: joint.valueAtRisk, ES: joint.expectedShortfall, ...Object.fromEntries(alone) };
  },
  "Kupiec POF": (inputs) => {
    const test = figureOf(kupiec(num(inputs, "N"), num(inputs, "x"), ppmOf(num(inputs, "p"))));
    return { LR: test.statistic, pValue: test.pValue };
  },
  "POF at 250 days 1%": (inputs) => ({
    LR: numbers(inputs, "x").map((x) => figureOf(kupiec(num(inputs, "N"), x, ppmOf(num(inputs, "p")))).statistic),
  }),
  "conditional coverage = POF + independence, chi2(2)": (inputs) => {
    const [n00, n01, n10, n11] = [num(inputs, "n00"), num(inputs, "n01"), num(inputs, "n10"), num(inputs, "n11")];
    const test = figureOf(conditionalCoverage(num(inputs, "N"), num(inputs, "x"), ppmOf(num(inputs, "p")), { n00, n01, n10, n11 }));
    return { LR: test.statistic };
  },
  "cumulative probability of <=k exceptions": (inputs) => ({
    cum: Array.from({ length: 11 }, (_, most) => 100 * figureOf(binomialCumulative(num(inputs, "N"), most, ppmOf(num(inputs, "p"))))),
  }),
  "market impact (bp) of trading 10% of ADV over T days": (inputs) => {
    const averageVolume = num(inputs, "ADV");
    const impacts = numbers(inputs, "T").map((days) =>
      figureOf(
        almgrenImpact(
          {
            quantity: num(inputs, "fraction") * averageVolume,
            averageVolume,
            outstanding: num(inputs, "sharesOutstanding"),
            dailyVolatility: num(inputs, "dailyVol"),
            days,
          },
          { gamma: num(inputs, "gamma"), eta: num(inputs, "eta"), exponent: num(inputs, "delta") },
        ),
      ),
    );
    return { permanentBp: 10_000 * (impacts[0]?.permanent ?? 0), totalBp: impacts.map(({ total }) => 10_000 * total) };
  },
  "liquidation cost estimate": (inputs) => {
    const market = {
      halfSpread: num(inputs, "halfSpread"),
      dailyVolatility: num(inputs, "dailyVol"),
      averageVolume: num(inputs, "ADV"),
    };
    return { costFraction: figureOf(liquidityCost(num(inputs, "Q"), market, { ...LIQUIDITY, impact: num(inputs, "Y") })).costShare };
  },
  "asset value, asset vol and PD from equity": (inputs) => {
    const { assetValue, assetVolatility, probability } = figureOf(
      mertonDefault({
        equity: num(inputs, "E"),
        equityVolatility: num(inputs, "sigmaE"),
        debt: num(inputs, "D"),
        rate: num(inputs, "r"),
        years: num(inputs, "T"),
      }),
    );
    return { V: assetValue, sigmaV: assetVolatility, PD: probability };
  },
  "default probability from spread": (inputs) => ({
    PD: figureOf(spreadDefault(num(inputs, "spread"), num(inputs, "LGD"), num(inputs, "T"))),
  }),
  // The case says of a single step what it draws: any rise draws, and nothing is rebuilt.
  "APC tool a: 25% buffer, exhaustible": (inputs) => {
    const buffer = { buffer: ppmOf(num(inputs, "buffer")), significantRise: 0, rebuildSteps: 60 };
    const [base, inStress] = figureOf(smoothedSeries([num(inputs, "model"), num(inputs, "stressedModel")], { ...NO_TOOLS, buffer }));
    return { base: base?.charged, inStress: inStress?.charged };
  },
  "APC tool b: >=25% weight to stressed observations": (inputs) => {
    const stressed = { weight: ppmOf(num(inputs, "w")), stressed: num(inputs, "stressed") };
    return { margin: figureOf(smoothedMargin(num(inputs, "current"), null, { ...NO_TOOLS, stressed })).charged };
  },
  "procyclicality metrics of an IM series": (inputs) => {
    const { peakToTrough, largestRise } = figureOf(responsiveness(numbers(inputs, "series")));
    return { peakToTrough, max1d: largestRise.get(1), max5d: largestRise.get(5) };
  },
  "Net Stable Funding Ratio": (inputs) => {
    const { capital, stableDeposits, lessStableDeposits, corporateUnderOneYear } = AVAILABLE_FUNDING;
    const { available, ratio } = figureOf(
      stableFunding(
        [
          { name: "capital", amount: num(inputs, "capital"), weight: capital },
          { name: "stable deposits", amount: num(inputs, "stableDeposits"), weight: stableDeposits },
          { name: "less stable deposits", amount: num(inputs, "lessStable"), weight: lessStableDeposits },
          { name: "corporate funding", amount: num(inputs, "corporate"), weight: corporateUnderOneYear },
        ],
        [{ name: "required", amount: num(inputs, "RSF"), weight: 1_000_000 }],
      ),
    );
    return { ASF: available, NSFRpct: 100 * ratio };
  },
};
