import { describe, expect, it } from "vitest";

import type { Alarm } from "../../../local/template/shapes.ts";
import { type AlarmState, stateOf } from "../../../local/watch/alarm.ts";
import { createMeter, readEmbedded } from "../../../local/watch/meter.ts";

const MINUTE = 60_000;
const END = 10 * MINUTE;

const ALARM: Alarm = {
  AlarmName: "a",
  AlarmDescription: "a",
  Namespace: "N",
  MetricName: "m",
  Dimensions: [{ Name: "service", Value: "s" }],
  Statistic: "Sum",
  Period: 60,
  EvaluationPeriods: 1,
  Threshold: 0,
  ComparisonOperator: "GreaterThanThreshold",
  TreatMissingData: "notBreaching",
  AlarmActions: ["page"],
};
const HEARTBEAT: Partial<Alarm> = {
  EvaluationPeriods: 3,
  DatapointsToAlarm: 3,
  Threshold: 1,
  ComparisonOperator: "LessThanThreshold",
  TreatMissingData: "breaching",
};

/** Points as [seconds before the end, value]. */
type Points = readonly (readonly [beforeS: number, value: number])[];

describe("what an alarm makes of its last periods", () => {
  it.each<[name: string, changes: Partial<Alarm>, points: Points, state: AlarmState]>([
    ["nothing was reported", {}, [], "OK"],
    ["something in the last minute", {}, [[30, 1]], "ALARM"],
    ["at its very begin", {}, [[60, 1]], "ALARM"],
    ["just before it", {}, [[61, 1]], "OK"],
    ["at its end: the next minute's", {}, [[0, 1]], "OK"],
    [
      "at the threshold is not above it",
      { Threshold: 2 },
      [
        [30, 1],
        [20, 1],
      ],
      "OK",
    ],
    [
      "a sum above it",
      { Threshold: 2 },
      [
        [30, 1],
        [20, 2],
      ],
      "ALARM",
    ],
    [
      "a maximum at it, although the sum is above",
      { Threshold: 2, Statistic: "Maximum" },
      [
        [30, 2],
        [20, 2],
      ],
      "OK",
    ],
    [
      "a maximum above it",
      { Threshold: 2, Statistic: "Maximum" },
      [
        [30, 3],
        [20, 1],
      ],
      "ALARM",
    ],
    [
      "two of three minutes",
      { EvaluationPeriods: 3, DatapointsToAlarm: 3 },
      [
        [30, 1],
        [90, 1],
      ],
      "OK",
    ],
    [
      "three of three",
      { EvaluationPeriods: 3, DatapointsToAlarm: 3 },
      [
        [30, 1],
        [90, 1],
        [150, 1],
      ],
      "ALARM",
    ],
    [
      "two of three suffice",
      { EvaluationPeriods: 3, DatapointsToAlarm: 2 },
      [
        [30, 1],
        [150, 1],
      ],
      "ALARM",
    ],
    [
      "a heartbeat in each minute",
      HEARTBEAT,
      [
        [30, 1],
        [90, 1],
        [150, 1],
      ],
      "OK",
    ],
    ["a heartbeat that was last there in the third minute", HEARTBEAT, [[150, 1]], "OK"],
    ["silence for three minutes", HEARTBEAT, [[181, 1]], "ALARM"],
    [
      "heartbeats of nothing",
      HEARTBEAT,
      [
        [30, 0],
        [90, 0],
        [150, 0],
      ],
      "ALARM",
    ],
  ])("%s", (_, changes, points, state) => {
    const series = points.map(([beforeS, value]) => ({ at: END - beforeS * 1_000, value }));
    expect(stateOf({ ...ALARM, ...changes }, series, END)).toBe(state);
  });
});

describe("metrics in what a function prints", () => {
  const line = (extra: object, dimensions: string[][] = [["service"]]) =>
    JSON.stringify({
      _aws: { Timestamp: 7, CloudWatchMetrics: [{ Namespace: "N", Dimensions: dimensions, Metrics: [{ Name: "m", Unit: "Count" }] }] },
      service: "s",
      ...extra,
    });

  it.each<[name: string, printed: string, values: number[]]>([
    ["one value", line({ m: 2 }), [2]],
    ["values of one invocation", line({ m: [1, 1, 3] }), [1, 1, 3]],
    ["an ordinary line", '{"level":"INFO","m":2}', []],
    ["no JSON", "Task timed out after 1 seconds", []],
  ])("%s", (_, printed, values) => {
    const meter = createMeter(() => 0);
    for (const [metric, point] of readEmbedded(printed)) meter.addAt(metric, point);
    const points = meter.points({ namespace: "N", name: "m", dimension: "service", of: "s" });
    expect(points).toEqual(values.map((value) => ({ at: 7, value })));
  });

  it("refuses a second dimension instead of dropping it", () => {
    expect(() => readEmbedded(line({ m: 1, accountId: "A1" }, [["service", "accountId"]]))).toThrow("metrics of one dimension");
  });
});
