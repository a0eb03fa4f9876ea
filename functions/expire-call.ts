import type { SQSBatchResponse, SQSEvent } from "aws-lambda";

import { createWorld } from "../adapters/aws.ts";
import { decideAccount, newestMarks, openDesk } from "../adapters/decide-account.ts";
import { independent } from "../adapters/lambda/batches.ts";
import { lambdaHandler } from "../adapters/lambda/handler.ts";
import { parseMessage } from "../adapters/wire/parse.ts";
import { expiryMessage } from "../adapters/wire/timers.ts";
import type { World } from "../adapters/world.ts";
import { isPast } from "../core/clock.ts";
import { liveCallOf } from "../core/scope.ts";

/**
 * 6. At its deadline a call is read again, marked on the newest prices and decided: met, liquidating or
 * overdue (R10, R14).
 *
 * A timer that comes late, twice, or for a call that ended changes nothing: state is the truth. One that
 * comes early decides nothing early (R12, I04) and is let go, counted: throwing it back would only wear
 * out its tries and end it in the dead-letter queue, while the one-minute sweep finds the call by its
 * deadline whether or not any timer comes (L12).
 */
export const expireCall = (world: World) => {
  const desk = openDesk(world);
  return (event: SQSEvent): Promise<SQSBatchResponse> => {
    const newest = newestMarks(desk);
    return independent(event.Records, world.log, async ({ body }) => {
      const { accountId, callId, deadlineVersion } = parseMessage(expiryMessage, body);
      const account = await desk.book.load(accountId);
      const call = account === null ? null : liveCallOf(account, callId);
      if (account === null || call === null) return world.log.count("timer_without_call");
      if (call.deadlineAt !== null && !isPast(call.deadlineAt, world.clock.now())) world.log.count("timer_early");
      const causedBy = `timer ${callId}-${deadlineVersion}`;
      await decideAccount(desk, { accountId, causedBy, loaded: account }, await newest());
    });
  };
};

const world = createWorld(["bookTable", "journalTable", "marksTable", "shards", "rowSchema", "modes", "defaultPolicy"]);

export const handler = lambdaHandler(world, expireCall(world));
