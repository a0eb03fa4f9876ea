import type { Stack } from "aws-cdk-lib";
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { CfnSchedule, ScheduleGroup } from "aws-cdk-lib/aws-scheduler";
import type { Queue } from "aws-cdk-lib/aws-sqs";

import { usesMessagingKey } from "../permissions.ts";
import { nameOf, type Stage } from "../stage.ts";
import { pascal } from "./named-stack.ts";

/** A tick that is a minute late is worth less than the next one. */
const TICK_AGE_MAX_S = 60;
const TICK_RETRIES_MAX = 3;

export const scheduleGroup = (stack: Stack, stage: Stage, thing: string): ScheduleGroup =>
  new ScheduleGroup(stack, `${pascal(thing)}Group`, { scheduleGroupName: nameOf(stage, thing) });

/** A role that Scheduler takes for schedules of one group, and what it may do with it. */
export const schedulerRole = (stack: Stack, id: string, group: ScheduleGroup, statements: readonly PolicyStatement[]): Role =>
  new Role(stack, id, {
    assumedBy: new ServicePrincipal("scheduler.amazonaws.com", {
      conditions: { StringEquals: { "aws:SourceAccount": stack.account, "aws:SourceArn": group.scheduleGroupArn } },
    }),
    inlinePolicies: { send: new PolicyDocument({ statements: [...statements] }) },
  });

export interface EveryMinute {
  readonly stage: Stage;
  /** Name of the schedule. */
  readonly thing: string;
  readonly description: string;
  readonly group: ScheduleGroup;
  readonly targetArn: string;
  readonly input: object;
  /** What the schedule's role may do to its target. */
  readonly allows: readonly PolicyStatement[];
  readonly dead: Queue;
  readonly key: IKey;
}

/** A schedule that fires each minute. What it cannot deliver is parked, and the next minute comes anyway. */
export const everyMinute = (stack: Stack, schedule: EveryMinute): void => {
  const id = `${pascal(schedule.thing)}Schedule`;
  const role = schedulerRole(stack, `${id}Role`, schedule.group, [
    ...schedule.allows,
    new PolicyStatement({ actions: ["sqs:SendMessage"], resources: [schedule.dead.queueArn] }),
    usesMessagingKey(schedule.key),
  ]);
  const every = new CfnSchedule(stack, id, {
    name: nameOf(schedule.stage, schedule.thing),
    description: schedule.description,
    groupName: schedule.group.scheduleGroupName,
    scheduleExpression: "rate(1 minute)",
    flexibleTimeWindow: { mode: "OFF" },
    target: {
      arn: schedule.targetArn,
      roleArn: role.roleArn,
      input: JSON.stringify(schedule.input),
      retryPolicy: { maximumEventAgeInSeconds: TICK_AGE_MAX_S, maximumRetryAttempts: TICK_RETRIES_MAX },
      deadLetterConfig: { arn: schedule.dead.queueArn },
    },
  });
  every.node.addDependency(schedule.group);
};
