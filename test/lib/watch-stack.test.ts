import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { beforeAll, describe, expect, test } from "vitest";

import { at } from "../../lib/checks/template.ts";
import { FUNCTION_NAMES } from "../../lib/stage.ts";
import { propertyOf, resourcesOf, stageWith, type Templates, templatesOf } from "./deployment.ts";

const ALARM = "AWS::CloudWatch::Alarm";

describe("the watch stack", () => {
  let production: Templates;
  /** The same with a reader of the alarms: it has every alarm that there can be. */
  let read: Templates;
  const runbook = readFileSync("docs/operating/runbook.md", "utf8");

  beforeAll(() => {
    production = templatesOf(stageWith("production"));
    read = templatesOf(stageWith("production", { name: "read", alarmEmail: "risk@example.com", reconciliationMin: 30 }));
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

  test("a stage whose venue sends statements pages when none has agreed for as long as it says; silence counts as none", () => {
    expect(production.Watch.Resources["NoReconciliationAlarm"]).toBeUndefined();
    const { Watch } = templatesOf(stageWith("production", { name: "checked", reconciliationMin: 20 }));
    expect(Watch.Resources["NoReconciliationAlarm"]?.Properties).toMatchObject({
      MetricName: "accounts_reconciled",
      Period: 60,
      EvaluationPeriods: 20,
      DatapointsToAlarm: 20,
      Threshold: 1,
      ComparisonOperator: "LessThanThreshold",
      TreatMissingData: "breaching",
      AlarmActions: [{ Ref: "Page" }],
    });
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
    expect(counted).toHaveLength(14);
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

  test("every alarm tells what it means, who acts on it, and has somebody to wake, also when it is over", () => {
    for (const { id, properties } of resourcesOf(read.Watch, ALARM)) {
      expect([id, at(properties, "AlarmActions")]).toEqual([id, at(properties, "OKActions")]);
      expect(at(properties, "AlarmActions")).toHaveLength(1);
      expect(String(at(properties, "AlarmDescription"))).toMatch(
        /^.{20,}\. Owner: (risk desk|platform|integration)\. Runbook: docs\/operating\/runbook\.md#[a-z-]+$/,
      );
    }
  });

  test("the runbook has one entry for each alarm or kind of alarms, and none for an alarm that does not exist", () => {
    const entries = resourcesOf(read.Watch, ALARM).map(({ properties }) => String(at(properties, "AlarmDescription")).split("#").at(-1));
    const headings = [...runbook.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    expect(headings.toSorted()).toEqual([...new Set(entries)].toSorted());
    expect(new Set(headings).size).toBe(headings.length);
  });

  test("each entry says what the alarm means, what to look at, what to do and when it is over", () => {
    const entries = runbook.split(/^## /m).slice(1);
    const parts = entries.map((entry) => [
      entry.split("\n")[0],
      [...entry.matchAll(/^\*\*(Means|Look at|Do|Over when)(?:\.)?\*\* \S.{20,}$/gm)].map(([, part]) => part),
    ]);
    expect(parts).toEqual(entries.map((entry) => [entry.split("\n")[0], ["Means", "Look at", "Do", "Over when"]]));
  });

  test("the page of the owners names each of them, and nobody else", () => {
    const owners = resourcesOf(read.Watch, ALARM).map(
      ({ properties }) => /Owner: ([a-z ]+)\./.exec(String(at(properties, "AlarmDescription")))?.[1],
    );
    const named = [...readFileSync("docs/operating/watching.md", "utf8").matchAll(/^\| \*\*(.+)\*\* \|/gm)].map(([, owner]) => owner);
    expect(named.toSorted()).toEqual([...new Set(owners)].toSorted());
  });

  test("silence is an alarm where a heartbeat is watched, and nowhere else (S32)", () => {
    const breaching = resourcesOf(production.Watch, ALARM).filter(({ properties }) => at(properties, "TreatMissingData") === "breaching");
    expect(breaching.map(({ id }) => id).toSorted()).toEqual(["NoCurrentSweepAlarm", "NoOverdueSweepAlarm"]);
  });

  test("no alarm and no graph has a dimension that is named after an account, a broker or a holder (C9)", () => {
    const things = ["service", "FunctionName", "QueueName", "TopicName", "ScheduleGroup", "ApiId", "TableName"];
    const dimensions = resourcesOf(production.Watch, ALARM).flatMap(({ properties }) =>
      (at(properties, "Dimensions") as { Name: string }[]).map(({ Name }) => Name),
    );
    expect(new Set(dimensions)).toEqual(new Set(things));
    const [dashboard] = resourcesOf(production.Watch, "AWS::CloudWatch::Dashboard");
    const body = JSON.stringify(at(dashboard?.properties, "DashboardBody"));
    const graphed = [...body.matchAll(/\\"(?:AWS\/\w+|Plimsoll)\\",\\"\w+\\",\\"(\w+)\\"/g)].map(([, dimension]) => dimension);
    expect(graphed.length).toBeGreaterThan(80);
    expect(graphed.filter((dimension) => !things.includes(String(dimension)))).toEqual([]);
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

  test("each row shows rate, errors, how long the oldest waits, and every dead-letter queue on the way", () => {
    const [dashboard] = resourcesOf(production.Watch, "AWS::CloudWatch::Dashboard");
    const body = JSON.stringify(at(dashboard?.properties, "DashboardBody"));
    for (const name of FUNCTION_NAMES) {
      for (const metric of ["Invocations", "Errors"])
        expect(body).toContain(`${metric}\\",\\"FunctionName\\",\\"plimsoll-production-${name}`);
    }
    expect(body).toContain('IteratorAge\\",\\"FunctionName\\",\\"plimsoll-production-publish-events');
    for (const { properties } of resourcesOf(production.Pipeline, "AWS::SQS::Queue")) {
      const name = String(at(properties, "QueueName"));
      const metric = name.includes("-dead") ? "ApproximateNumberOfMessagesVisible" : "ApproximateAgeOfOldestMessage";
      expect(body).toContain(`${metric}\\",\\"QueueName\\",\\"${name}\\"`);
    }
  });

  test("the stage's alarm address reads both topics, and what it misses is parked", () => {
    const { Watch } = read;
    const subscriptions = resourcesOf(Watch, "AWS::SNS::Subscription");
    expect(subscriptions.map(({ properties }) => [at(properties, "Protocol"), at(properties, "Endpoint")])).toEqual([
      ["email", "risk@example.com"],
      ["email", "risk@example.com"],
    ]);
    expect(resourcesOf(production.Watch, "AWS::SNS::Subscription")).toEqual([]);
    expect(Watch.Resources["AlarmsDeadAlarm"]?.Properties).toMatchObject({ MetricName: "ApproximateNumberOfMessagesVisible" });
  });
});
