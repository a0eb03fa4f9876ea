import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { isDeadLetterName } from "../constructs/worker-queue.ts";
import { at, type Check, type Declared, type Deployment, each, listed } from "./template.ts";

const ALARM = "AWS::CloudWatch::Alarm";
const QUEUE = "AWS::SQS::Queue";

/** The values of a metric's dimension that some alarm watches. */
const watched = (deployment: Deployment, metric: string): ReadonlySet<unknown> =>
  new Set(
    deployment.all(ALARM).flatMap((alarm) => {
      if (at(alarm.properties, "MetricName") !== metric) return [];
      return listed(at(alarm.properties, "Dimensions")).map((dimension) => at(dimension, "Value"));
    }),
  );

/** C19, L08: somebody learns of what was parked. */
const deadLetterQueueHasAlarm: Check = (deployment) => {
  const names = watched(deployment, "ApproximateNumberOfMessagesVisible");
  const nameOf = (queue: Declared): string => String(at(queue.properties, "QueueName"));
  return each(deployment, QUEUE, (queue) =>
    isDeadLetterName(nameOf(queue)) && !names.has(nameOf(queue)) ? "has no alarm on what is parked in it" : null,
  );
};

/** C19: somebody learns of a deadline whose timer Scheduler gave up. */
const scheduleGroupHasAlarm: Check = (deployment) => {
  const names = watched(deployment, "InvocationDroppedCount");
  return each(deployment, "AWS::Scheduler::ScheduleGroup", (group) =>
    names.has(at(group.properties, "Name")) ? null : "has no alarm on the schedules that are given up",
  );
};

/** C19: a stream that is not read is a notice that is not sent; nothing is parked before it is too old. */
const streamHasAlarm: Check = (deployment) => {
  const names = watched(deployment, "IteratorAge");
  return each(deployment, "AWS::Lambda::EventSourceMapping", (mapping) => {
    const source = deployment.follow(mapping.stack, at(mapping.properties, "EventSourceArn"));
    const reader = deployment.follow(mapping.stack, at(mapping.properties, "FunctionName"));
    if (source?.type === QUEUE) return null;
    return names.has(at(reader?.properties, "FunctionName")) ? null : "has no alarm on how far it is behind";
  });
};

const alarmHasAction: Check = (deployment) =>
  each(deployment, ALARM, (alarm) => (listed(at(alarm.properties, "AlarmActions")).length === 0 ? "wakes nobody" : null));

const headings = (): ReadonlySet<string> => {
  const text = readFileSync(fileURLToPath(new URL("../../docs/operating/runbook.md", import.meta.url)), "utf8");
  return new Set([...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading ?? ""));
};

/** C19: who is woken finds what to do under the heading that the alarm names. */
const alarmHasRunbook: Check = (deployment) => {
  const known = headings();
  return each(deployment, ALARM, (alarm) => {
    const entry = /docs\/operating\/runbook\.md#([a-z-]+)$/.exec(String(at(alarm.properties, "AlarmDescription")))?.[1];
    if (entry === undefined) return "names no entry of the runbook";
    return known.has(entry) ? null : `names an entry that the runbook does not have: ${entry}`;
  });
};

/** What a metric may be told apart by: things of the deployment. An account, a holder or a broker is none of them (C9). */
const DIMENSIONS: ReadonlySet<unknown> = new Set([
  "ApiId",
  "FunctionName",
  "QueueName",
  "ScheduleGroup",
  "TableName",
  "TopicName",
  "service",
]);

/** C19: whom a metric is about is personal data, and each value is a metric that is paid for. */
const dimensionNamesNobody: Check = (deployment) =>
  [
    { type: ALARM, names: (properties: unknown) => listed(at(properties, "Dimensions")).map((dimension) => at(dimension, "Name")) },
    {
      type: "AWS::Logs::MetricFilter",
      names: (properties: unknown) =>
        listed(at(properties, "MetricTransformations")).flatMap((made) => listed(at(made, "Dimensions")).map((one) => at(one, "Key"))),
    },
  ].flatMap(({ type, names }) =>
    each(deployment, type, ({ properties }) => {
      const others = names(properties).filter((name) => !DIMENSIONS.has(name));
      return others.length === 0 ? null : `tells metrics apart by ${others.join(", ")}`;
    }),
  );

export const alarmChecks = {
  deadLetterQueueHasAlarm,
  scheduleGroupHasAlarm,
  streamHasAlarm,
  alarmHasAction,
  alarmHasRunbook,
  dimensionNamesNobody,
} as const satisfies Record<string, Check>;
