import "./environment.ts";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createOutbound } from "../../adapters/dynamodb/outbound.ts";
import { MailRefused } from "../../adapters/errors.ts";
import { sendEmail } from "../../functions/send-email.ts";
import { callOf, contactOf, eventOf } from "../adapters/email/events.ts";
import { startTables, type TestTables } from "../engine.ts";
import { batch, NONE_FAILED, one, POISON, record, type Stage, stageOn, T0 } from "./stage.ts";

let tables: TestTables;
let stage: Stage;
let serial = 0;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());
beforeEach(() => {
  stage = stageOn(tables);
});

/** An event of an account and call of its own, whose holder has a contact unless told otherwise. */
const event = async (over: Parameters<typeof eventOf>[0] = {}, hasContact = true) => {
  serial += 1;
  const accountId = `acct-${serial}`;
  const call = callOf({ callId: `MC-ABCDEFGHIJ23-${serial}` });
  if (hasContact) await createOutbound(stage.world).putContact(contactOf({ accountId }));
  return eventOf({ id: `evt_${`${serial}`.padStart(16, "0")}`, accountId, call, ...over });
};
const send = (...bodies: unknown[]) => sendEmail(stage.world)(batch(...bodies.map((body) => record(body))));

describe("N13 an email", () => {
  test("N13 goes to the holder's contact, and its acceptance is told to the timer once and recorded", async () => {
    const told = await event();
    await expect(send(told)).resolves.toEqual(NONE_FAILED);
    expect(stage.emails.map(({ to, headers }) => [to, headers["X-Entity-Ref-ID"]])).toEqual([["holder@example.com", told.id]]);
    expect(stage.queued("timer")).toEqual([
      {
        schemaVersion: 1,
        kind: "notice_accepted",
        accountId: told.accountId,
        callId: told.call?.callId,
        acceptedAt: new Date(T0).toISOString(),
      },
    ]);
    const outbound = createOutbound(stage.world);
    expect(await outbound.delivery("EMAIL", told.id)).toMatchObject({ attempts: 1, lastOutcome: "ses-1", deliveredAt: T0 });
  });

  test("S36 the same event a second time sends nothing", async () => {
    const told = await event();
    await send(told);
    await send(told);
    expect(stage.emails).toHaveLength(1);
    expect(stage.sent).toHaveLength(1);
  });

  test("R12 a second notice of the same call, and one that demands nothing, tell the timer nothing", async () => {
    const issued = await event();
    await send(issued);
    await send(eventOf({ ...issued, id: "evt_second-notice-01", type: "margin_call.updated" }));
    await send(await event({ type: "margin_call.met" }));
    expect(stage.emails).toHaveLength(3);
    expect(stage.sent).toHaveLength(1);
  });

  test("S35 a crash after the send and before the record sends again under the same reference, and loses no acceptance", async () => {
    const told = await event();
    stage.replies.send = () => Promise.reject(new Error("crash"));
    expect((await send(told)).batchItemFailures).toHaveLength(1);
    stage.replies.send = () => Promise.resolve();
    await expect(send(told)).resolves.toEqual(NONE_FAILED);
    expect(stage.emails.map(({ headers }) => headers["X-Entity-Ref-ID"])).toEqual([told.id, told.id]);
    expect(stage.queued("timer")).toHaveLength(1);
  });

  test("S48 a refusal for good is recorded and counted, not tried again, and starts no clock", async () => {
    const told = await event();
    stage.replies.mail = () => Promise.reject(new MailRefused("MessageRejected"));
    await expect(send(told)).resolves.toEqual(NONE_FAILED);
    expect(await createOutbound(stage.world).delivery("EMAIL", told.id)).toMatchObject({ lastOutcome: "MailRefused", deliveredAt: null });
    expect(stage.counted("email_refused")).toBe(1);
    expect(stage.sent).toEqual([]);
  });

  test("S41 S42 throttling sends that message back, and no other", async () => {
    const [slow, fine] = [await event(), await event()];
    stage.replies.mail = ({ headers }) =>
      headers["X-Entity-Ref-ID"] === slow.id ? Promise.reject(new Error("TooManyRequests")) : Promise.resolve("ses-2");
    const message = record(slow);
    await expect(sendEmail(stage.world)(batch(message, record(fine)))).resolves.toEqual({
      batchItemFailures: [{ itemIdentifier: message.messageId }],
    });
    expect(stage.counted("email_accepted")).toBe(1);
  });

  test("an account without a contact is counted", async () => {
    await expect(send(await event({}, false))).resolves.toEqual(NONE_FAILED);
    expect(stage.emails).toEqual([]);
    expect(stage.counted("email_without_contact")).toBe(1);
  });

  test("R28 nothing is sent in observe", async () => {
    await send(await event({ mode: "observe" }));
    expect(stage.emails).toEqual([]);
  });

  test("events for machines are not emailed", async () => {
    await send(await event({ type: "account.level_changed" }), await event({ type: "liquidation.filled" }));
    expect(stage.emails).toEqual([]);
  });

  test("I28 neither logs nor counts hold the address or the code", async () => {
    const told = await event();
    stage.replies.mail = () => Promise.reject(new MailRefused("MessageRejected"));
    await send(told);
    expect(JSON.stringify([stage.log.lines, [...stage.log.counts]])).not.toMatch(/holder@|heron|Ada/);
  });

  test.each(POISON)("S43 %s goes back", async (_, body) => {
    expect((await sendEmail(stage.world)(one(body))).batchItemFailures).toHaveLength(1);
  });
});
