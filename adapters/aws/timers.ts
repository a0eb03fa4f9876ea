import type { Clock, Settings, Timers } from "../world.ts";
import { clientConfiguration, lazily } from "./clients.ts";

/** A one-off schedule fires at a whole second, and none is made for the past. */
const expressionAt = (at: number, now: number): string => {
  const second = Math.max(Math.ceil(at / 1_000), Math.ceil(now / 1_000) + 1) * 1_000;
  return `at(${new Date(second).toISOString().slice(0, 19)})`;
};

/** EventBridge Scheduler. The schedule puts its message into the expiry queue and deletes itself. */
export const createTimers = (settings: Settings, clock: Clock): Timers => {
  const client = lazily(async () => {
    const sdk = await import("@aws-sdk/client-scheduler");
    return { sdk, send: new sdk.SchedulerClient(clientConfiguration) };
  });
  return {
    arm: async ({ name, at, body }) => {
      const { sdk, send } = await client();
      const schedule = {
        Name: name,
        GroupName: settings.scheduleGroup,
        ScheduleExpression: expressionAt(at, clock.now()),
        ScheduleExpressionTimezone: "UTC",
        FlexibleTimeWindow: { Mode: "OFF" as const },
        ActionAfterCompletion: "DELETE" as const,
        Target: {
          Arn: settings.expiryQueueArn,
          RoleArn: settings.schedulerRoleArn,
          Input: body,
          // The sweep finds a deadline that this misses: an hour of trying is plenty.
          RetryPolicy: { MaximumEventAgeInSeconds: 3_600, MaximumRetryAttempts: 60 },
          DeadLetterConfig: { Arn: `${settings.expiryQueueArn}-dead` },
        },
      };
      try {
        await send.send(new sdk.CreateScheduleCommand(schedule));
      } catch (error) {
        if (!(error instanceof sdk.ConflictException)) throw error;
        await send.send(new sdk.UpdateScheduleCommand(schedule));
      }
    },
  };
};
