import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { beforeAll, describe, expect, test } from "vitest";

import { at } from "../../lib/checks/template.ts";
import { FUNCTION_NAMES } from "../../lib/stage.ts";
import { propertyOf, resourcesOf, stageWith, type Templates, templatesOf } from "./deployment.ts";

const ALARM = "AWS::CloudWatch::Alarm";

describe("the watch stack", () => {
  let production: Templates;

  beforeAll(() => {
    production = templatesOf(stageWith("production"));
  });

  test("three minutes without a CURRENT sweep wake somebody, and silence counts as without", () => {
    expect(production.Watch.Resources["NoCurrentSweepAlarm"]?.Properties).toMatchObject({
      Namespace: "Plimsoll",
      MetricName: "sweep_current",
      Dimensions: [{ Name: "service", Value: "plimsoll-production-pipeline" }],
      Statistic: "Sum",
      Period: 60,
      EvaluationPeriods: 3,
      DatapointsToAlarm: 3,
      Threshold: 1,
      ComparisonOperator: "LessThanThreshold",
      TreatMissingData: "breaching",
      AlarmActions: [{ Ref: "Page" }],
    });
    const variables = propertyOf(production.Pipeline, "AWS::Lambda::Function", "Environment", "Variables");
    expect(at(variables["MarkAccountsFunction"], "POWERTOOLS_SERVICE_NAME")).toBe("plimsoll-production-pipeline");
    expect(at(variables["MarkAccountsFunction"], "POWERTOOLS_METRICS_NAMESPACE")).toBe("Plimsoll");
  });

  test("every count that is alarmed is made somewhere in the code", () => {
    const sources = ["functions", "adapters", "api"].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((path) => path.endsWith(".ts"))
        .map((path) => readFileSync(join(folder, path), "utf8")),
    );
    const counted = resourcesOf(production.Watch, ALARM)
      .filter(({ properties }) => at(properties, "Namespace") === "Plimsoll")
      .map(({ properties }) => String(at(properties, "MetricName")));
    expect(counted).toHaveLength(12);
    for (const metric of counted) {
      expect(
        sources.some((source) => source.includes(`count("${metric}"`)),
        metric,
      ).toBe(true);
    }
  });

  test("L08: one message in any dead-letter queue pages within a minute", () => {
    const dead = resourcesOf(production.Pipeline, "AWS::SQS::Queue").filter(({ id }) => id.endsWith("Dead"));
    expect(dead).toHaveLength(17);
    const alarms = resourcesOf(production.Watch, ALARM);
    for (const { properties } of dead) {
      const name = at(properties, "QueueName");
      const watching = alarms.filter(
        ({ properties: alarm }) =>
          at(alarm, "MetricName") === "ApproximateNumberOfMessagesVisible" &&
          JSON.stringify(at(alarm, "Dimensions")).includes(`"${String(name)}"`),
      );
      expect(watching).toHaveLength(1);
      expect(watching[0]?.properties).toMatchObject({
        Threshold: 0,
        ComparisonOperator: "GreaterThanThreshold",
        Period: 60,
        EvaluationPeriods: 1,
        TreatMissingData: "notBreaching",
        AlarmActions: [{ Ref: "Page" }],
      });
    }
  });

  test("L07: every function's errors and throttles are alarmed, and so is the relay's lag", () => {
    const names = Object.values(propertyOf(production.Watch, ALARM, "AlarmName"));
    for (const name of FUNCTION_NAMES) {
      expect(names).toContain(`plimsoll-production-${name}-errors`);
      expect(names).toContain(`plimsoll-production-${name}-throttles`);
    }
    expect(production.Watch.Resources["EventsLateAlarm"]?.Properties).toMatchObject({ MetricName: "IteratorAge", Threshold: 60_000 });
  });

  test("every alarm tells what it means and has somebody to wake", () => {
    for (const { properties } of resourcesOf(production.Watch, ALARM)) {
      expect(at(properties, "AlarmActions")).toHaveLength(1);
      expect(String(at(properties, "AlarmDescription"))).toMatch(/^.{20,} Runbook: docs\/operating\/runbook\.md#[a-z-]+$/);
    }
  });

  test("a delay on purpose is not late: webhooks wait for their retries", () => {
    const late = (queue: string) => at(production.Watch.Resources[`${queue}LateAlarm`]?.Properties, "Threshold");
    expect([late("Marks"), late("Expiry"), late("Webhook"), late("Venue")]).toEqual([60, 300, 1_200, 60]);
  });

  test("the dashboard has one row per step, in flow order", () => {
    const [dashboard] = resourcesOf(production.Watch, "AWS::CloudWatch::Dashboard");
    const body = JSON.stringify(at(dashboard?.properties, "DashboardBody"));
    const steps = [
      "1 accept-marks",
      "2 start-sweep",
      "3 mark-accounts",
      "4 publish-events",
      "5a",
      "5b",
      "5c",
      "6 expire",
      "7 sweep",
      "8 dispatch",
      "9 apply",
      "10 operate",
    ];
    const places = steps.map((step) => body.indexOf(`### ${step}`));
    expect(places.every((place) => place > 0)).toBe(true);
    expect([...places].sort((a, b) => a - b)).toEqual(places);
  });

  test("the stage's alarm address reads both topics, and what it misses is parked", () => {
    const { Watch } = templatesOf(stageWith("production", { name: "read", alarmEmail: "risk@example.com" }));
    const subscriptions = resourcesOf(Watch, "AWS::SNS::Subscription");
    expect(subscriptions.map(({ properties }) => [at(properties, "Protocol"), at(properties, "Endpoint")])).toEqual([
      ["email", "risk@example.com"],
      ["email", "risk@example.com"],
    ]);
    expect(resourcesOf(production.Watch, "AWS::SNS::Subscription")).toEqual([]);
    expect(Watch.Resources["AlarmsDeadAlarm"]?.Properties).toMatchObject({ MetricName: "ApproximateNumberOfMessagesVisible" });
  });
});
