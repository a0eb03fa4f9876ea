import { type ProcyclicalityTools, responsiveness, type SmoothedMargin, smoothedMargin } from "../../core/risk/procyclicality.ts";
import { answered, type Figure, figure, missing } from "./figure.ts";
import type { History } from "./history.ts";
import type { Tool, ValidationTerms } from "./terms.ts";
import { type Model, type Walk, type WalkForward, walkForward } from "./walk.ts";

/** How one margin series answers to the market: margins per unit of gross notional value, so that the price level does not count. */
export interface ProcyclicalityRow {
  readonly name: string;
  readonly meaning: string;
  /** Rates of the report's days, 0.2 is 20 %. */
  readonly rates: readonly number[];
  readonly meanRate: Figure;
  readonly breaches: number;
  readonly peakToTrough: Figure;
  /** Largest rises over 1, 5 and 30 days, as a share. */
  readonly rise1: Figure;
  readonly rise5: Figure;
  readonly rise30: Figure;
  /** Mean of the largest daily rises beyond 95 %. */
  readonly shortfallOfRises: Figure;
}

const SPANS = [1, 5, 30] as const;

const metricsOf = (name: string, meaning: string, rates: readonly number[], lossRates: readonly number[]): ProcyclicalityRow => {
  const answer = responsiveness(rates, SPANS);
  const rise = (span: number): Figure => {
    if (!answer.ok) return missing(`${answer.fault}: ${answer.detail}`);
    const value = answer.value.largestRise.get(span) ?? null;
    return value === null ? missing(`${rates.length} days, more than ${span} needed`) : figure(value);
  };
  return {
    ...{ name, meaning, rates },
    meanRate: figure(rates.reduce((sum, rate) => sum + rate, 0) / rates.length),
    breaches: rates.filter((rate, day) => (lossRates[day] as number) > rate).length,
    peakToTrough: answered(answer, (value) => value.peakToTrough),
    ...{ rise1: rise(1), rise5: rise(5), rise30: rise(30) },
    shortfallOfRises: answered(answer, (value) => value.expectedShortfallOfRises ?? Number.NaN),
  };
};

/** The series through tools whose terms may be those of the day. */
const through = (raw: readonly number[], toolsAt: (day: number) => ProcyclicalityTools): number[] => {
  let before: SmoothedMargin | null = null;
  return raw.map((rate, day) => {
    const step = smoothedMargin(rate, before, toolsAt(day));
    if (!step.ok) throw new RangeError(`day ${day} (${step.fault}): ${step.detail}`);
    before = step.value;
    return step.value.charged;
  });
};

const rateOf = (walk: Walk, amounts: ArrayLike<number>): number[] =>
  Array.from(amounts, (amount, day) => amount / (walk.notional[day] as number));

/**
 * Metrics of procyclicality of the first portfolio (M9): the filtered shortfall raw, with each of the three tools alone,
 * with those that are on together, and the models as they are. Raw is without the volatility floor of the filter, which is a tool itself.
 */
export const procyclicalityOf = (
  history: History,
  base: WalkForward,
  ranges: readonly number[],
  terms: ValidationTerms,
  told: () => void,
): readonly ProcyclicalityRow[] => {
  const house = base.walks[0] as Walk;
  const bare: ValidationTerms = { ...terms, filter: { ...terms.filter, floorShare: 0 } };
  const walk = walkForward(history, [house.portfolio], ranges, bare, told).walks[0] as Walk;
  const raw = rateOf(walk, walk.shortfall);
  const [stress, longRun] = [rateOf(walk, walk.stress), rateOf(walk, walk.longRun)];
  const losses = rateOf(
    house,
    house.losses.map((loss) => Number(loss) / 1e8),
  );
  const { on, buffer, stressedWeightPpm: weight } = terms.procyclicality;
  /** The raw series through these tools, in the order in which they act. */
  const charged = (tools: readonly Tool[]): number[] =>
    through(raw, (day) => ({
      buffer: tools.includes("buffer") ? buffer : null,
      stressed: tools.includes("stressed-weight") ? { weight, stressed: stress[day] as number } : null,
      floor: tools.includes("floor") ? (longRun[day] as number) : null,
      stepCap: null,
    }));
  const own = (model: Model): number[] =>
    rateOf(
      house,
      house.margins[model].map((margin) => Number(margin) / 1e8),
    );
  const row = (name: string, meaning: string, rates: readonly number[]): ProcyclicalityRow => metricsOf(name, meaning, rates, losses);
  return [
    row("raw", "filtered shortfall, no tool", raw),
    row("tool a: buffer", "25 % on top, drawn while margins rise, rebuilt after", charged(["buffer"])),
    row("tool b: stressed weight", "25 % weight to the worst stress known", charged(["stressed-weight"])),
    row("tool c: floor", "not below the shortfall of up to ten years, unfiltered", charged(["floor"])),
    ...(on.length === 0 ? [] : [row("together", `the tools that are on: ${on.join(", ")}`, charged(on))]),
    row("statistical", "the house's: volatility floor and stress blend together", own("statistical")),
    row("historical", "value at risk at 99 %, unfiltered", own("historical")),
    row("normal", "EWMA normal at 99 %", own("normal")),
    row("grid", "constant by asset: it moves with the mix of the book only", own("grid")),
  ];
};
