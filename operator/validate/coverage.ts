import { decimal, type Money, max } from "../../core/money.ts";
import {
  conditionalCoverage,
  type Exceptions,
  exceptionsOf,
  independence,
  kupiec,
  type ShortfallForecast,
  shortfallTest,
  trafficLight,
} from "../../core/statistics/coverage.ts";
import { answered, type Figure, figure, missing } from "./figure.ts";
import type { ValidationTerms } from "./terms.ts";
import type { Model, Walk } from "./walk.ts";

/** Days of the traffic light. */
const LIGHT_DAYS = 250;
/** Acerbi and Szekely's value at 5 % for 250 days at 97.5 %; of longer samples it rejects less often than it could. */
const Z2_CRITICAL = -0.7;

/** A likelihood ratio and what follows from it. */
export interface Verdict {
  readonly statistic: Figure;
  readonly pValue: Figure;
  /** null where the test has no answer. */
  readonly isRejected: boolean | null;
}

/** Breaches of one stretch of days. */
export interface Stretch {
  readonly name: string;
  readonly observations: number;
  readonly breaches: number;
  readonly pValue: Figure;
}

/** One model on one portfolio. */
export interface ModelCoverage {
  readonly model: Model;
  readonly observations: number;
  /** Days with a loss above the margin. */
  readonly breaches: number;
  readonly expected: number;
  readonly kupiec: Verdict;
  /** Which way the count is off where Kupiec's test rejects: more breaches than the level allows, or fewer. */
  readonly side: "more" | "fewer" | null;
  readonly independence: Verdict;
  readonly conditional: Verdict;
  /** Of the last 250 days. */
  readonly light: "GREEN" | "YELLOW" | "RED" | null;
  readonly lightBreaches: number | null;
  readonly lightAddOn: number | null;
  /** The most breaches of any 250 days in a row. */
  readonly worstLightBreaches: number | null;
  /** Mean of margin over gross notional value. */
  readonly meanRate: Figure;
  /** The loss furthest above its margin. */
  readonly worst: { readonly day: string; readonly excess: string } | null;
  readonly breachDays: readonly string[];
  readonly halves: readonly Stretch[];
  readonly years: readonly Stretch[];
}

/** Acerbi and Szekely's test of the filtered expected shortfall. */
export interface ShortfallCoverage {
  readonly z2: Figure;
  readonly z2Last250: Figure;
  readonly critical: number;
  readonly isRejected: boolean | null;
}

const verdict = (answer: ReturnType<typeof kupiec>, significancePpm: number): Verdict => ({
  statistic: answered(answer, ({ statistic }) => statistic),
  pValue: answered(answer, ({ pValue }) => pValue),
  isRejected: answer.ok ? answer.value.pValue * 1_000_000 < significancePpm : null,
});

/** Days with a loss above the margin, exactly: the sign of the difference decides, not two rounded numbers. */
const breachesOf = (losses: readonly Money[], margins: readonly Money[]): Exceptions => {
  const excess = losses.map((loss, day) => Number(loss - (margins[day] as Money)));
  const answer = exceptionsOf(excess, new Float64Array(excess.length));
  if (!answer.ok) throw new RangeError(answer.detail);
  return answer.value;
};

const stretch = (name: string, flags: readonly boolean[], expected: number): Stretch => {
  const breaches = flags.filter(Boolean).length;
  const test = flags.length === 0 ? missing("no day") : answered(kupiec(flags.length, breaches, expected), ({ pValue }) => pValue);
  return { name, observations: flags.length, breaches, pValue: test };
};

const lightOf = (
  flags: readonly boolean[],
  expected: number,
): Pick<ModelCoverage, "light" | "lightBreaches" | "lightAddOn" | "worstLightBreaches"> => {
  if (flags.length < LIGHT_DAYS) return { light: null, lightBreaches: null, lightAddOn: null, worstLightBreaches: null };
  let running = 0;
  let worst = 0;
  for (const [day, flag] of flags.entries()) {
    running += Number(flag) - Number(flags[day - LIGHT_DAYS] ?? false);
    worst = Math.max(worst, running);
  }
  const light = trafficLight(LIGHT_DAYS, running, expected);
  if (!light.ok) throw new RangeError(light.detail);
  return { light: light.value.light, lightBreaches: running, lightAddOn: light.value.addOn, worstLightBreaches: worst };
};

const worstOf = (walk: Walk, days: readonly string[], margins: readonly Money[]): ModelCoverage["worst"] => {
  let at = 0;
  const excessOf = (day: number): Money => ((walk.losses[day] as Money) - (margins[day] as Money)) as Money;
  for (let day = 1; day < days.length; day += 1) if (excessOf(day) > excessOf(at)) at = day;
  const excess = max(excessOf(at), 0n as Money);
  return excess === 0n ? null : { day: days[at] as string, excess: decimal(excess) };
};

/** Kupiec, Christoffersen, the traffic light and the split sample of one model on one portfolio (M14). */
export const coverageOf = (walk: Walk, days: readonly string[], model: Model, terms: ValidationTerms): ModelCoverage => {
  const expected = 1_000_000 - terms.coveragePpm;
  const margins = walk.margins[model];
  const { flags, observations, exceptions, transitions } = breachesOf(walk.losses, margins);
  const proportion = verdict(kupiec(observations, exceptions, expected), terms.significancePpm);
  const rates = margins.map((margin, day) => Number(margin) / 1e8 / (walk.notional[day] as number));
  const half = Math.ceil(flags.length / 2);
  const years = Map.groupBy(days.keys(), (day) => (days[day] as string).slice(0, 4));
  const alone = exceptions === 0 ? "no breach: nothing can follow another" : null;
  const follows = (test: ReturnType<typeof independence>): Verdict =>
    alone === null ? verdict(test, terms.significancePpm) : { statistic: missing(alone), pValue: missing(alone), isRejected: null };
  return {
    ...{ model, observations, breaches: exceptions, expected: (observations * expected) / 1_000_000 },
    kupiec: proportion,
    side: proportion.isRejected === true ? (exceptions * 1_000_000 > observations * expected ? "more" : "fewer") : null,
    independence: follows(independence(transitions)),
    conditional: follows(conditionalCoverage(observations, exceptions, expected, transitions)),
    ...lightOf(flags, expected),
    meanRate: figure(rates.reduce((sum, rate) => sum + rate, 0) / rates.length),
    worst: worstOf(walk, days, margins),
    breachDays: days.filter((_, day) => flags[day]),
    halves: [
      stretch(`${days[0]} to ${days[half - 1]}`, flags.slice(0, half), expected),
      stretch(`${days[half] ?? "none"} to ${days.at(-1)}`, flags.slice(half), expected),
    ],
    years: [...years].map(([year, members]) =>
      stretch(
        year,
        members.map((day) => flags[day] as boolean),
        expected,
      ),
    ),
  };
};

/** Acerbi and Szekely's Z2 of the filtered expected shortfall (M14), of all days and of the last 250. */
export const shortfallCoverageOf = (walk: Walk, terms: ValidationTerms): ShortfallCoverage => {
  const forecasts = walk.losses.map(
    (loss, day): ShortfallForecast => ({
      loss: Number(loss) / 1e8,
      valueAtRisk: walk.valueAtRisk[day] as number,
      expectedShortfall: walk.shortfall[day] as number,
    }),
  );
  const z2 = answered(shortfallTest(forecasts, terms.shortfallPpm), (test) => test.z2);
  return {
    z2,
    z2Last250:
      forecasts.length < LIGHT_DAYS
        ? missing(`${forecasts.length} days, 250 needed`)
        : answered(shortfallTest(forecasts.slice(-LIGHT_DAYS), terms.shortfallPpm), (test) => test.z2),
    critical: Z2_CRITICAL,
    isRejected: z2.value === null ? null : z2.value < Z2_CRITICAL,
  };
};
