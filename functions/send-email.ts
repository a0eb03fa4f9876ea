import type { SQSBatchResponse, SQSEvent } from "aws-lambda";

import { createWorld } from "../adapters/aws.ts";
import { createOutbound } from "../adapters/dynamodb/outbound.ts";
import { emailOf } from "../adapters/email/email.ts";
import { MailRefused } from "../adapters/errors.ts";
import { tellAccepted } from "../adapters/first-notice.ts";
import { independent } from "../adapters/lambda/batches.ts";
import { lambdaHandler } from "../adapters/lambda/handler.ts";
import { type EventMessage, eventMessage } from "../adapters/wire/events.ts";
import { parseMessage } from "../adapters/wire/parse.ts";
import type { Email, World } from "../adapters/world.ts";

/** Name of the channel in the records of deliveries. */
const TARGET = "EMAIL";

/**
 * 5a. Writes to the holder of an account (N10, N13).
 *
 * The record of an accepted email is written last: after a crash in between, the email is sent twice with
 * the same `X-Entity-Ref-ID`, and never lost. A refusal for good is recorded and counted, not tried again.
 */
export const sendEmail = (world: World) => {
  const outbound = createOutbound(world);
  const { appUrl, mailFrom } = world.settings;

  const record = ({ id, accountId }: EventMessage, outcome: string, accepted: boolean): Promise<void> =>
    outbound.recordAttempt({ target: TARGET, eventId: id, accountId, at: world.clock.now(), outcome, accepted });

  const send = async (event: EventMessage, email: Email): Promise<void> => {
    try {
      const messageId = await world.mailer.send(email);
      await tellAccepted(world, outbound, event, "email");
      await record(event, messageId, true);
      world.log.count("email_accepted");
    } catch (error) {
      if (!(error instanceof MailRefused)) throw error;
      await record(event, error.name, false);
      world.log.count("email_refused");
      world.log.error("email refused for good", { eventId: event.id, accountId: event.accountId });
    }
  };

  return (event: SQSEvent): Promise<SQSBatchResponse> =>
    independent(event.Records, world.log, async ({ body }) => {
      const message = parseMessage(eventMessage, body);
      if (message.mode === "observe") return;
      const known = await outbound.delivery(TARGET, message.id);
      if (known !== null && known.deliveredAt !== null) return;
      const contact = await outbound.contact(message.accountId);
      if (contact === null) {
        world.log.count("email_without_contact");
        return world.log.warn("account without a contact", { eventId: message.id, accountId: message.accountId });
      }
      const email = emailOf(message, contact, { appUrl, mailFrom, now: world.clock.now() });
      if (email !== null) await send(message, email);
    });
};

const world = createWorld(["outboundTable", "timerQueueUrl", "mailFrom", "mailConfigurationSet", "appUrl"]);

export const handler = lambdaHandler(world, sendEmail(world));
