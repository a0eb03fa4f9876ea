import type { Alarm } from "../template/shapes.ts";
import type { Point } from "./meter.ts";

export type AlarmState = "OK" | "ALARM";

const STATISTICS: Readonly<Record<Alarm["Statistic"], (values: readonly number[]) => number>> = {
  Sum: (values) => values.reduce((sum, value) => sum + value, 0),
  Maximum: (values) => Math.max(...values),
};

const COMPARISONS: Readonly<Record<Alarm["ComparisonOperator"], (value: number, threshold: number) => boolean>> = {
  GreaterThanThreshold: (value, threshold) => value > threshold,
  LessThanThreshold: (value, threshold) => value < threshold,
};

/**
 * What CloudWatch makes of an alarm at the end of a period: M of the last N periods breach, where a period
 * without data counts as the alarm says.
 *
 * Modelled: statistic, period, comparison, M of N, missing data. Not modelled: data that arrives late, and the
 * older periods that CloudWatch also looks at while some of the last N have no data.
 *
 * @param endAt UTC epoch milliseconds, the end of the last period.
 */
export const stateOf = (alarm: Alarm, points: readonly Point[], endAt: number): AlarmState => {
  const periodMs = alarm.Period * 1_000;
  const breaching = Array.from({ length: alarm.EvaluationPeriods }, (_, index) => {
    const [from, to] = [endAt - (index + 1) * periodMs, endAt - index * periodMs];
    const values = points.filter(({ at }) => at >= from && at < to).map(({ value }) => value);
    if (values.length === 0) return alarm.TreatMissingData === "breaching";
    return COMPARISONS[alarm.ComparisonOperator](STATISTICS[alarm.Statistic](values), alarm.Threshold);
  });
  return breaching.filter(Boolean).length >= (alarm.DatapointsToAlarm ?? alarm.EvaluationPeriods) ? "ALARM" : "OK";
};
