import type { Ppm } from "../money.ts";
import type { Answer, Refused } from "../statistics/answer.ts";
import { given, isCount, isPpm, notAtLeast, refused } from "../statistics/answer.ts";
import { tailOf } from "../statistics/tail.ts";

const PPM = 1_000_000;

/** Tool a: a buffer on the calculated margin that is used up while margins rise, and rebuilt after (M9). */
export interface BufferTerms {
  /** At least 250,000. */
  readonly buffer: Ppm;
  /** A step's rise of the calculated margin above this is a rise in which the buffer is drawn, and not rebuilt. */
  readonly significantRise: Ppm;
  /** In how many other steps an empty buffer is full again. */
  readonly rebuildSteps: number;
}
/** Tool b: a share of at least 250,000 for the margin of stressed observations (M9). */
export interface StressedTerms {
  readonly weight: Ppm;
  readonly stressed: number;
}
/** The most that a margin may rise in a step, unless somebody says why it must (M9). */
export interface StepCap {
  readonly mostRise: Ppm;
}

/** What is switched on; null is off. Publish it with the metrics. */
export interface ProcyclicalityTools {
  readonly buffer: BufferTerms | null;
  readonly stressed: StressedTerms | null;
  /** Tool c: the margin at ten years' volatility, see {@link floorMargin}. */
  readonly floor: number | null;
  readonly stepCap: StepCap | null;
}

/** What the next step needs to know of the one before. */
export interface MarginState {
  /** What the models ask for, with floor and stressed weight. */
  readonly calculated: number;
  readonly charged: number;
}

/** A step's margin, with each tool's part in it. */
export interface SmoothedMargin extends MarginState {
  /** How much of the full buffer is drawn. */
  readonly bufferDrawn: number;
  /** What the step cap holds back: the charged margin is below what the tools before it ask for by this. */
  readonly deferred: number;
  /** Why the cap was passed over, or null. */
  readonly emergency: string | null;
}

/** Tool b: `(1 − w)·current + w·stressed`, and not below `current`: a calm stress lowers nothing (M9). */
const withStress = (current: number, { weight, stressed }: StressedTerms): number =>
  Math.max(current, ((PPM - weight) / PPM) * current + (weight / PPM) * stressed);

/** Tool a: see {@link BufferTerms}. Always within the calculated margin and the calculated margin with its whole buffer. */
const withBuffer = (calculated: number, before: MarginState | null, { buffer, significantRise, rebuildSteps }: BufferTerms): number => {
  const whole = (calculated * (PPM + buffer)) / PPM;
  if (before === null || whole <= before.charged) return whole;
  const held = Math.max(calculated, before.charged);
  if (calculated * PPM > before.calculated * (PPM + significantRise)) return held;
  return Math.min(whole, held + (whole - calculated) / rebuildSteps);
};

const toolsFault = ({ buffer, stressed, floor, stepCap }: ProcyclicalityTools): Refused | null => {
  if (buffer !== null && !(isPpm(buffer.buffer, 250_000) && isCount(buffer.significantRise) && isCount(buffer.rebuildSteps, 1))) {
    return refused("BAD_TERMS", "buffer: give whole ppm from 250,000 up (M9), a rise in whole ppm and at least 1 step to rebuild");
  }
  if (stressed !== null && !isPpm(stressed.weight, 250_000))
    return refused("BAD_TERMS", "stressed weight: give whole ppm from 250,000 up (M9)");
  if (stepCap !== null && !isCount(stepCap.mostRise, 1)) return refused("BAD_TERMS", "step cap: give whole ppm above 0");
  return notAtLeast(0, { floor: floor ?? 0, "stressed margin": stressed?.stressed ?? 0 });
};

/**
 * One step of the margin through the tools that are on: floor, stressed weight, buffer, step cap (M9).
 * `emergency` is why the cap is passed over this once; it is kept in the answer, for the log of overrides.
 * Answers BAD_NUMBER for a model margin that is not finite, BAD_TERMS for one below 0, for tools out of
 * range and for an emergency without words.
 */
export const smoothedMargin = (
  model: number,
  before: MarginState | null,
  tools: ProcyclicalityTools,
  emergency: string | null = null,
): Answer<SmoothedMargin> => {
  const fault = notAtLeast(0, { "model margin": model }) ?? toolsFault(tools);
  if (fault !== null) return fault;
  if (emergency !== null && emergency.trim() === "") return refused("BAD_TERMS", "an emergency needs its reason in words. Say why");
  const floored = Math.max(model, tools.floor ?? 0);
  const calculated = tools.stressed === null ? floored : withStress(floored, tools.stressed);
  const buffered = tools.buffer === null ? calculated : withBuffer(calculated, before, tools.buffer);
  const cap =
    tools.stepCap === null || before === null || before.charged === 0 || emergency !== null
      ? Number.POSITIVE_INFINITY
      : (before.charged * (PPM + tools.stepCap.mostRise)) / PPM;
  const charged = Math.min(buffered, cap);
  return given({
    calculated,
    charged,
    bufferDrawn: tools.buffer === null ? 0 : Math.max(0, (calculated * (PPM + tools.buffer.buffer)) / PPM - buffered),
    deferred: buffered - charged,
    emergency,
  });
};

/** A series of model margins through the tools, step by step. Answers what {@link smoothedMargin} answers, with the step. */
export const smoothedSeries = (models: readonly number[], tools: ProcyclicalityTools): Answer<readonly SmoothedMargin[]> => {
  const steps: SmoothedMargin[] = [];
  for (const [index, model] of models.entries()) {
    const step = smoothedMargin(model, steps.at(-1) ?? null, tools);
    if (!step.ok) return refused(step.fault, `step ${index}: ${step.detail}`);
    steps.push(step.value);
  }
  return given(steps);
};

/**
 * Tool c: the margin as it would be at ten years' volatility, if that is higher than today's (M9).
 * Answers ZERO_VOLATILITY where today's is 0, BAD_NUMBER, BAD_TERMS.
 */
export const floorMargin = (margin: number, volatility: number, tenYears: number): Answer<number> => {
  const fault = notAtLeast(0, { margin, volatility, "ten years' volatility": tenYears });
  if (fault !== null) return fault;
  if (volatility === 0)
    return refused("ZERO_VOLATILITY", "today's volatility is 0: no margin can be scaled from it. Give a longer history");
  return given(margin * Math.max(1, tenYears / volatility));
};

/**
 * Variance that is quick to rise and slow to fall: λ_up where the return is above the variance's root,
 * λ_down where it is not (M9). Answers BAD_NUMBER, and BAD_TERMS unless 0 < λ_up ≤ λ_down < 1,000,000 ppm.
 */
export const asymmetricVariance = (variance: number, move: number, decayUp: Ppm, decayDown: Ppm): Answer<number> => {
  const fault = notAtLeast(0, { variance, "size of the move": Math.abs(move) });
  if (fault !== null) return fault;
  if (!isPpm(decayUp, 1, PPM - 1) || !isPpm(decayDown, decayUp, PPM - 1)) {
    return refused("BAD_TERMS", `decays ${decayUp} and ${decayDown}: give whole ppm below 1,000,000, the one for falls not smaller`);
  }
  const decay = (move * move > variance ? decayUp : decayDown) / PPM;
  return given(decay * variance + (1 - decay) * move * move);
};

/** How a margin moved over its history: what is published beside its level (M9). */
export interface Responsiveness {
  /** Highest over lowest. */
  readonly peakToTrough: number;
  /** By number of steps n, the largest rise over n steps as a share; negative where it only fell; null where the series is shorter. */
  readonly largestRise: ReadonlyMap<number, number | null>;
  /** Mean of the largest one-step rises beyond the confidence, as a share; null for a single margin. */
  readonly expectedShortfallOfRises: number | null;
}

/**
 * Metrics of procyclicality of a margin series: of the raw and of the smoothed one, to compare (M9).
 * Answers NO_HISTORY for no margin, BAD_NUMBER or BAD_TERMS for one that is not above 0 and for spans that are no whole steps.
 */
export const responsiveness = (
  series: readonly number[],
  spans: readonly number[] = [1, 5, 30],
  confidence: Ppm = 950_000,
): Answer<Responsiveness> => {
  if (series.length === 0) return refused("NO_HISTORY", "no margin to judge. Give a series");
  const fault = notAtLeast(0, Object.fromEntries(series.map((margin, index) => [`margin of step ${index}`, margin])));
  if (fault !== null) return fault;
  if (series.includes(0)) return refused("BAD_TERMS", "a margin of 0 has no relative change. Judge the steps with a position");
  if (!spans.every((span) => isCount(span, 1))) return refused("BAD_TERMS", `spans ${spans.join(", ")}: give whole steps, at least 1`);
  const risesOver = (span: number): number[] => series.slice(span).map((margin, index) => margin / (series[index] as number) - 1);
  const highest = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, value));
  const daily = risesOver(1);
  const tail = daily.length === 0 ? null : tailOf(daily, confidence);
  if (tail?.ok === false) return tail;
  return given({
    peakToTrough: highest(series) / -highest(series.map((margin) => -margin)),
    largestRise: new Map(spans.map((span) => [span, span < series.length ? highest(risesOver(span)) : null])),
    expectedShortfallOfRises: tail?.value.expectedShortfall ?? null,
  });
};
