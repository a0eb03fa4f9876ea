import type { BufferTerms } from "../../core/risk/procyclicality.ts";
import { FILTER, type FilterTerms } from "../../core/statistics/filter.ts";

/** A named stress: the days of a window of history, first and last included. */
export interface StressWindow {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

/** The three tools against procyclicality of Article 28, as a command names them (M9). */
export const TOOLS = ["buffer", "stressed-weight", "floor"] as const;
export type Tool = (typeof TOOLS)[number];

/** Every parameter of a validation. Rates and levels in ppm (R23). */
export interface ValidationTerms {
  readonly filter: FilterTerms;
  /** Level of the expected shortfall of the statistical model, and of the test of expected shortfall. */
  readonly shortfallPpm: number;
  /** Level of both value-at-risk benchmarks, and the coverage that every model is tested against. */
  readonly coveragePpm: number;
  /** Share of the expected shortfall in the blend; the rest is the worst stress. */
  readonly blendPpm: number;
  /** Days of history before the first day that is tested. */
  readonly leastDays: number;
  /** Days of history that a margin looks back on at most. */
  readonly mostDays: number;
  /** Level of significance of every test. */
  readonly significancePpm: number;
  /** Accounts that are tested by themselves: those with the largest exposure. */
  readonly accountsTested: number;
  readonly windows: readonly StressWindow[];
  /** Hypothetical stress: volatilities of a day, at the coverage level's normal quantile. */
  readonly volatilityMultiple: number;
  /** Lead times that are judged (M11): the horizon, and distances to a breach as shares of gross notional value. */
  readonly leadTime: { readonly horizonDays: number; readonly distancesPpm: readonly number[] };
  /** Which tools against procyclicality are on together, and what two of them are (M9); the third, the floor, has no parameter. */
  readonly procyclicality: { readonly on: readonly Tool[]; readonly buffer: BufferTerms; readonly stressedWeightPpm: number };
}

/** The house's choice (M7, M14). */
export const TERMS: ValidationTerms = {
  filter: FILTER,
  shortfallPpm: 975_000,
  coveragePpm: 990_000,
  blendPpm: 750_000,
  leastDays: 500,
  mostDays: 3_652,
  significancePpm: 50_000,
  accountsTested: 10,
  windows: [
    { name: "Mar-2020", from: "2020-03-08", to: "2020-03-16" },
    { name: "May-2021", from: "2021-05-12", to: "2021-05-24" },
    { name: "Nov-2022", from: "2022-11-06", to: "2022-11-14" },
    { name: "Oct-2025", from: "2025-10-09", to: "2025-10-13" },
  ],
  volatilityMultiple: 2,
  leadTime: { horizonDays: 5, distancesPpm: [50_000, 100_000, 200_000] },
  procyclicality: { on: TOOLS, buffer: { buffer: 250_000, significantRise: 50_000, rebuildSteps: 60 }, stressedWeightPpm: 250_000 },
};

/** A parameter with its value, as the report tells it. */
export interface Assumption {
  readonly name: string;
  readonly value: string;
  readonly meaning: string;
  readonly source: string;
}

const percent = (ppm: number): string => `${ppm / 10_000} %`;

const row = (name: string, value: string | number, meaning: string, source: string): Assumption => ({
  ...{ name, value: String(value), meaning, source },
});

const procyclicalityRows = ({ on, buffer, stressedWeightPpm }: ValidationTerms["procyclicality"]): readonly Assumption[] => [
  row(
    "tools against procyclicality",
    on.join(", ") || "none",
    "on together; each stands alone beside them. Publish which (Article 28)",
    "M9",
  ),
  row("buffer against procyclicality", percent(buffer.buffer), "tool a: on top of the margin, until it is drawn", "M9"),
  row("significant rise", `${percent(buffer.significantRise)} in a day`, "the buffer is drawn in one, and not rebuilt", "house"),
  row("rebuilding the buffer", `${buffer.rebuildSteps} days`, "from empty to full", "house"),
  row("stressed weight", percent(stressedWeightPpm), "tool b: for the worst stress known", "M9"),
];

/** The assumption log (M14): every parameter that shapes a figure of the report. */
export const assumptionsOf = (terms: ValidationTerms): readonly Assumption[] => {
  const { filter } = terms;
  return [
    row("margin period of risk", "1 day", "a loss is measured from one daily close to the next", "M7"),
    row("returns", "logarithmic, joint by day", "each scenario moves all assets as one day of the past did", "M7"),
    row("look-ahead", "none", "the margin of a day is made of returns, volatilities and stresses of earlier days only", "M14"),
    row("least history", `${terms.leastDays} days`, "days before the first tested one", "house"),
    row("longest history", `${terms.mostDays} days`, "days that a margin looks back on at most: ten years", "M7"),
    row("filter decay", percent(filter.decay), "lambda: the share of yesterday's variance that stays", "M7"),
    row("filter seed", `${filter.seedReturns} returns`, "their mean square is the first variance", "house"),
    row(
      "filter scale",
      `${percent(filter.leastScale)} to ${percent(filter.greatestScale)}`,
      "today's volatility over the past day's",
      "M7",
    ),
    row(
      "volatility floor",
      `${percent(filter.floorShare)} of ${filter.floorReturns} days`,
      "today's volatility is at least this share of it",
      "M7",
    ),
    row("shortfall level", percent(terms.shortfallPpm), "of the statistical model, and of the test of expected shortfall", "M7"),
    row("coverage level", percent(terms.coveragePpm), "of the value-at-risk benchmarks; each model is tested against it", "M7, M14"),
    row("shortfall convention", "includes the value at risk", "mean of the worst n(1 - a) losses, the last one by its fraction", "M7"),
    row(
      "stress blend",
      `${percent(terms.blendPpm)} shortfall`,
      "the rest is the worst stress known on the day; never below the shortfall",
      "M7",
    ),
    row("price grid", "0, 25, 50, 75 and 100 % of each asset's range, both ways", "worst of each asset, summed: no offset", "M14"),
    row("normal benchmark", "covariance with the filter's decay", "its quantile times the volatility of the portfolio", "M14"),
    row("significance", percent(terms.significancePpm), "a test rejects below it", "M14"),
    row("traffic light", "250 days at 99 %", "0 to 4 breaches green, 5 to 9 yellow, 10 and more red", "M14"),
    ...terms.windows.map(({ name, from, to }) => row(`stress window ${name}`, `${from} to ${to}`, "each day of it is a scenario", "M7")),
    row(
      "volatility stress",
      `${terms.volatilityMultiple} times`,
      "all assets together, at the normal quantile of the coverage level",
      "M7",
    ),
    row("correlation stress", "1", "each asset makes its worst, or its best, day so far on one day", "M7"),
    ...procyclicalityRows(terms.procyclicality),
    row(
      "lead time",
      `${terms.leadTime.horizonDays} days, ${terms.leadTime.distancesPpm.map(percent).join(", ")}`,
      "probability that such a share of gross notional value is lost at a close within them; the larger of diffusion and 1,000 paths",
      "M11",
    ),
    row("accounts tested", terms.accountsTested, "by themselves: those with the largest exposure", "M14"),
    row("positions", "held constant through the history", "today's book at the prices of each day", "M14"),
  ];
};
