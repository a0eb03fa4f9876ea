import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import * as z from "zod";

import { createWorld } from "../adapters/aws.ts";
import { changeAccount, openDesk } from "../adapters/decide-account.ts";
import { independent } from "../adapters/lambda/batches.ts";
import { lambdaHandler } from "../adapters/lambda/handler.ts";
import { eventMessage } from "../adapters/wire/events.ts";
import { parseMessage } from "../adapters/wire/parse.ts";
import { type ExpiryMessage, type NoticeAccepted, noticeAccepted } from "../adapters/wire/timers.ts";
import type { World } from "../adapters/world.ts";
import { acceptNotice } from "../core/commands.ts";
import { LIMITS } from "../core/limits.ts";
import { liveCallOf } from "../core/scope.ts";

const timerMessage = z.union([noticeAccepted, eventMessage]);

/**
 * 5c. Arms the one-off timer of a call's deadline, and records the first acceptance of its notice (R12).
 *
 * The timer is a hint: nothing but the ids of the message is believed. It is set past the deadline
 * by twice the tolerated skew, when every clock agrees that the deadline has passed. A later acceptance
 * moves the deadline by an event of its own, which comes back here and arms the new version.
 */
export const armDeadline = (world: World) => {
  const desk = openDesk(world);

  const accept = async ({ accountId, callId, acceptedAt }: NoticeAccepted): Promise<void> => {
    await changeAccount(desk, { accountId, causedBy: `notice ${callId}` }, ({ account, policy, now }) => {
      const change = acceptNotice(account, policy, { callId, acceptedAt }, now);
      return change === null ? null : { change, snapshotId: null };
    });
  };

  const arm = async (accountId: string, callId: string): Promise<void> => {
    const account = await desk.book.load(accountId);
    const call = account === null ? null : liveCallOf(account, callId);
    if (call === null || call.status !== "OPEN" || call.deadlineAt === null) return;
    const at = Math.ceil((call.deadlineAt + 2 * LIMITS.skewMs) / 1_000) * 1_000;
    // The scheduler takes no instant that has passed; what is overdue already is the sweep's.
    if (at <= world.clock.now()) return world.log.count("timer_too_late");
    const { deadlineVersion } = call;
    const body: ExpiryMessage = { schemaVersion: 1, accountId, callId, deadlineVersion };
    await world.timers.arm({ name: `${callId}-${deadlineVersion}`, at, body: JSON.stringify(body) });
    world.log.count("timer_armed");
  };

  return (event: SQSEvent): Promise<SQSBatchResponse> =>
    independent(event.Records, world.log, async ({ body }) => {
      const message = parseMessage(timerMessage, body);
      if ("kind" in message) await accept(message);
      else if (message.call !== null) await arm(message.accountId, message.call.callId);
    });
};

const DECIDES = ["bookTable", "journalTable", "shards", "rowSchema", "modes", "defaultPolicy"] as const;
const world = createWorld([...DECIDES, "expiryQueueArn", "scheduleGroup", "schedulerRoleArn"]);

export const handler = lambdaHandler(world, armDeadline(world));
