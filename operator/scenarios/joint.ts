import { normalQuantile } from "../../core/pricing/normal.ts";
import { correlationOneStress, type StressScenario, volatilityStress } from "../../core/risk/stress.ts";
import { type JointMove, type StatisticalTerms, validateStatisticalTerms } from "../../core/statistical-model.ts";
import type { Answer } from "../../core/statistics/answer.ts";
import { FILTER, filteredReturns } from "../../core/statistics/filter.ts";
import { HISTORICAL } from "../../core/statistics/historical-margin.ts";
import { withProxy } from "../../core/statistics/proxy.ts";
import { type JointReturns, jointReturns } from "../../core/statistics/returns.ts";
import { TermsError } from "../../core/terms-error.ts";
import { draws } from "../../local/random.ts";
import { Refusal } from "../command-line.ts";
import { DAY_MS, wholeOf } from "../validate/history.ts";
import { dayOf, type PriceFile } from "../validate/lineage.ts";
import { TERMS } from "../validate/terms.ts";

/** What a policy's body takes at most (adapters/wire/margin-model.ts). */
const ROWS_MAX = 2_500;
const MOVES_MAX = 30_000;
const STRESSES_MAX = 50;
/** A proxy's β on fewer common days than this is chance. */
const PROXY_DAYS = 60;
/** Of a quote asset that loses its peg, in units of what it stands for: about the low of a large stablecoin in March 2023. */
const DEPEG = 0.9;

/** How joint scenarios are made. */
export interface ScenarioTerms {
  readonly scenariosId: string;
  readonly version: number;
  /** Of the price files' symbols: "USDT" of BTCUSDT. What is left is the risk unit. */
  readonly quoteAsset: string;
  readonly horizonDays: number;
  /** λ of the filter, ppm. */
  readonly decay: number;
  /** Unit with a short file, and the unit whose history it takes. */
  readonly proxies: ReadonlyMap<string, string>;
}

/** Scenarios that a policy can name, with all that did not get into them. */
export interface Scenarios {
  readonly terms: StatisticalTerms;
  readonly firstDay: string;
  readonly lastDay: string;
  /** What a reader must know of them, a line each: what was left out, and what was made up. */
  readonly notes: readonly string[];
}

interface UnitFile {
  readonly unit: string;
  readonly file: PriceFile;
}

const sound = <Value>(answer: Answer<Value>): Value => {
  if (!answer.ok) throw new Refusal(`no scenarios can be made of these files (${answer.fault}): ${answer.detail}`);
  return answer.value;
};

const unitsOf = (files: readonly PriceFile[], quoteAsset: string): UnitFile[] => {
  const units = files.map((file): UnitFile => {
    const { symbol, file: name } = file.lineage;
    if (!symbol.endsWith(quoteAsset) || symbol === quoteAsset) {
      throw new Refusal(
        `${name}: ${symbol} is not quoted in ${quoteAsset}: give its quote asset with --quote, and files of one quote asset`,
      );
    }
    return { unit: symbol.slice(0, -quoteAsset.length), file };
  });
  const twice = units.find(({ unit }, index) => units.findIndex((one) => one.unit === unit) < index);
  if (twice !== undefined) throw new Refusal(`two files tell ${twice.unit}: give one`);
  return units;
};

const returnsOf = (units: readonly UnitFile[], horizon: number, leastReturns: number): JointReturns => {
  const series = units.map(({ unit, file }) => ({
    name: unit,
    points: file.closes.map(({ openAt, price }) => ({ at: openAt, price: wholeOf(price) })),
  }));
  return sound(jointReturns(series, { kind: "log", horizon, intervalMs: DAY_MS, gaps: "leave-out", scaling: "overlapping", leastReturns }));
};

/** Units with long files, then each young one beside its proxy (M7). */
const jointOf = (units: readonly UnitFile[], { proxies, horizonDays }: ScenarioTerms, notes: string[]): JointReturns => {
  for (const [young, proxy] of proxies) {
    for (const unit of [young, proxy]) {
      if (!units.some((one) => one.unit === unit)) throw new Refusal(`--proxy ${young}=${proxy}: no --prices file tells ${unit}`);
    }
    if (proxies.has(proxy)) throw new Refusal(`--proxy ${young}=${proxy}: ${proxy} has a proxy itself: name one with a long file`);
  }
  const long = units.filter(({ unit }) => !proxies.has(unit));
  let joint = returnsOf(long, horizonDays, HISTORICAL.leastScenarios);
  for (const [young, proxy] of proxies) {
    const pair = units.filter(({ unit }) => unit === young || unit === proxy);
    const short = returnsOf(pair, horizonDays, PROXY_DAYS);
    const random = draws(1, `residuals of ${young}`);
    const proxied = sound(withProxy(joint, short, { young, proxy }, { leastReturns: PROXY_DAYS, random }));
    joint = proxied.joint;
    notes.push(
      `${young}: ${proxied.proxied} of ${joint.endsAt.length} rows are made up: ${proxied.beta.toFixed(4)} times ${proxy} and a residual`,
    );
  }
  return joint;
};

const ppmOf = (share: number): number => Math.max(-999_999, Math.round(share * 1_000_000));
const rowOf = ({ name, moves }: StressScenario): JointMove => ({ name, movesPpm: moves.map(ppmOf) });

/** Named stresses that the files reach, and hypothetical ones. */
const stressesOf = (joint: JointReturns, volatilities: readonly number[], quoteAsset: string, notes: string[]): readonly JointMove[] => {
  const named = TERMS.windows.flatMap(({ name, from, to }) => {
    const rows = joint.endsAt.flatMap((at, index) =>
      dayOf(at) < from || dayOf(at) > to
        ? []
        : [{ name: `${name}, ${dayOf(at)}`, moves: joint.columns.map((column) => Math.expm1(column[index] as number)) }],
    );
    if (rows.length === 0) notes.push(`stress ${name} (${from} to ${to}) is left out: no row of the files lies in it`);
    return rows;
  });
  const extreme = (pick: (a: number, b: number) => number): number[] =>
    joint.columns.map((column) => column.reduce((one, other) => pick(one, other), 0));
  const hypothetical = [
    ...volatilityStress(volatilities, TERMS.volatilityMultiple, normalQuantile(TERMS.coveragePpm / 1_000_000)),
    ...correlationOneStress(extreme(Math.min), extreme(Math.max)),
    { name: `${quoteAsset} at ${DEPEG}, all prices in it rise`, moves: joint.names.map(() => 1 / DEPEG - 1) },
  ];
  return [...named, ...hypothetical].slice(0, STRESSES_MAX).map(rowOf);
};

const rowsOf = (joint: JointReturns, columns: readonly Float64Array[], notes: string[]): readonly JointMove[] => {
  const rows = joint.endsAt.map((at, index): JointMove => {
    return { name: dayOf(at), movesPpm: columns.map((column) => ppmOf(Math.expm1(column[index] as number))) };
  });
  const most = Math.min(ROWS_MAX, Math.floor(MOVES_MAX / columns.length));
  if (rows.length <= most) return rows;
  const older = rows.slice(0, -most);
  notes.push(
    `${older.length} rows, ${older[0]?.name} to ${older.at(-1)?.name}, are left out: a policy holds ${most} of ${columns.length} units`,
  );
  return rows.slice(-most);
};

/** What of each file is not in the joint span, or lies in a gap. */
const leftOut = ({ unit, file }: UnitFile, joint: JointReturns): string[] => {
  const { lineage, closes } = file;
  const [from, to] = [joint.endsAt[0] as number, joint.endsAt.at(-1) as number];
  const outside = closes.filter(({ openAt }) => openAt < from - joint.horizon * DAY_MS || openAt > to).length;
  return [
    ...lineage.gaps.map(
      (gap) => `${unit}: ${gap.days} days are missing, ${gap.from} to ${gap.to}: rows that begin or end there are left out`,
    ),
    ...lineage.refused.map(({ line, reason }) => `${unit}: line ${line} is left out: ${reason}`),
    ...(lineage.refusedCount > lineage.refused.length
      ? [`${unit}: ${lineage.refusedCount - lineage.refused.length} more lines are left out`]
      : []),
    ...(outside > 0 ? [`${unit}: ${outside} days are left out: not every file has them`] : []),
  ];
};

/**
 * Joint scenarios of price files for a policy's portfolio model (M7): filtered returns of the horizon, named and
 * hypothetical stresses, a proxy where a file is short. The same files and terms make the same scenarios.
 *
 * @throws Refusal for files that cannot be joined or filtered, by name.
 */
export const scenariosOf = (files: readonly PriceFile[], asked: ScenarioTerms): Scenarios => {
  const notes: string[] = [];
  const units = unitsOf(files, asked.quoteAsset);
  const joint = jointOf(units, asked, notes);
  notes.push(...units.flatMap((one) => leftOut(one, joint)));
  const filtered = joint.columns.map((column, index) => {
    const answer = filteredReturns(column, { ...FILTER, decay: asked.decay });
    if (!answer.ok) throw new Refusal(`${joint.names[index]} cannot be filtered (${answer.fault}): ${answer.detail}`);
    if (answer.value.isFloored) notes.push(`${joint.names[index]}: today's volatility is below its floor, and taken at it`);
    return answer.value;
  });
  const history = rowsOf(
    joint,
    filtered.map(({ returns }) => returns),
    notes,
  );
  const stress = stressesOf(
    joint,
    filtered.map(({ volatility }) => volatility),
    asked.quoteAsset,
    notes,
  );
  const { scenariosId, version, horizonDays } = asked;
  const { confidence, weight } = HISTORICAL;
  const terms: StatisticalTerms = { scenariosId, version, horizonDays, units: joint.names, history, stress, confidence, weight };
  try {
    validateStatisticalTerms("scenarios", terms);
  } catch (error) {
    if (error instanceof TermsError) throw new Refusal(error.message);
    throw error;
  }
  return { terms, firstDay: history[0]?.name ?? "", lastDay: history.at(-1)?.name ?? "", notes };
};
