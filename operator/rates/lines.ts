import { type Responsiveness, responsiveness } from "../../core/risk/procyclicality.ts";
import type { Answer } from "../../core/statistics/answer.ts";
import type { Lineage } from "../validate/lineage.ts";
import type { RateChange } from "./change.ts";
import type { RateSeries } from "./series.ts";
import type { RatedInstrument, RatesTerms } from "./terms.ts";

const percent = (ppm: number): string => `${ppm / 10_000} %`;
const share = (value: number): string => `${(value * 100).toFixed(2)} %`;

/** Which tools are on, with their figures: to be published beside the rates (M9). */
export const toolsLine = ({ tools: { buffer, stressed, floor, stepCap } }: RatesTerms): string => {
  const on = [
    buffer === null
      ? "buffer off"
      : `buffer ${percent(buffer.buffer)}, drawn above ${percent(buffer.significantRise)} a day, rebuilt in ${buffer.rebuildSteps} days`,
    stressed === null ? "stressed weight off" : `stressed weight ${percent(stressed.weight)}`,
    floor === null ? "floor off" : `floor at the volatility of ${floor.days} days`,
    stepCap === null ? "step cap off" : `step cap ${percent(stepCap.mostRise)} a day`,
  ];
  return `tools, to be published: ${on.join("; ")} (M9)`;
};

const SPANS = [1, 5, 30] as const;

/** Raw and charged side by side: what a tool costs and what it spares. */
const metricLines = (raw: Answer<Responsiveness>, charged: Answer<Responsiveness>): readonly string[] => {
  if (!raw.ok || !charged.ok) return [`  no metrics: ${raw.ok ? (charged.ok ? "" : charged.detail) : raw.detail}`];
  const both = (of: (one: Responsiveness) => string): string => `${of(raw.value)} raw, ${of(charged.value)} charged`;
  const orNone = (value: number | null | undefined): string => (value == null ? "none" : share(value));
  return [
    `  peak over trough: ${both(({ peakToTrough }) => peakToTrough.toFixed(4))}`,
    ...SPANS.map((span) => `  largest rise of ${span} days: ${both(({ largestRise }) => orNone(largestRise.get(span)))}`),
    `  mean of the daily rises beyond 95 %: ${both(({ expectedShortfallOfRises }) => orNone(expectedShortfallOfRises))}`,
  ];
};

const changeLine = (change: RateChange | null): string => {
  if (change === null) return "  the rate holds already";
  const { body, rises } = change;
  if (rises.length === 0) return "  for at once: no bracket rises by more than 25 % (M3)";
  const places = rises.map(({ place, from, to }) => `${place} ${from} to ${to}`).join(", ");
  return body.emergency === undefined
    ? `  effective ${body.effectiveAt}, if it is applied within an hour: 24 h of notice (M3) for ${places}`
    : `  an emergency, without 24 h of notice (M3), "${body.emergency.reason}": ${places}`;
};

/** What came of one instrument, a line each. */
export const ratesLines = (
  { instrument }: RatedInstrument,
  { file, sha256, rows, firstDay, lastDay, gaps, refused, refusedCount }: Lineage,
  { raw, charged, next, volatility }: RateSeries,
  change: RateChange | null,
): readonly string[] => [
  `${instrument.instrumentId} from ${file}: ${rows} days, ${firstDay} to ${lastDay}, sha256 ${sha256}`,
  ...gaps.map(({ from, to, days }) => `  ${days} days are missing, ${from} to ${to}: no return spans them`),
  ...refused.map(({ line, reason }) => `  line ${line} is left out: ${reason}`),
  ...(refusedCount > refused.length ? [`  and ${refusedCount - refused.length} more lines`] : []),
  `  volatility ${share(volatility)} a day; rate ${raw.at(-1)} ppm raw, ${Math.min(1_000_000, Math.ceil(next.charged))} ppm charged, ${instrument.tiers[0]?.rateIm} ppm now`,
  `  buffer drawn ${Math.ceil(next.bufferDrawn)} ppm; held back by the step cap ${Math.ceil(next.deferred)} ppm`,
  `  over ${raw.length} days:`,
  ...metricLines(responsiveness(raw, SPANS), responsiveness(charged, SPANS)),
  changeLine(change),
];
