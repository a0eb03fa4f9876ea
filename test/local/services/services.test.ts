import { DecryptCommand, EncryptCommand, KMSClient } from "@aws-sdk/client-kms";
import { CreateScheduleCommand, DeleteScheduleCommand, SchedulerClient, UpdateScheduleCommand } from "@aws-sdk/client-scheduler";
import { SESv2Client, SendEmailCommand } from "@aws-sdk/client-sesv2";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { createEmail, type SentEmail } from "../../../local/services/email.ts";
import { createKeys } from "../../../local/services/keys.ts";
import { createScheduler, type Scheduler } from "../../../local/services/scheduler.ts";
import { startServices } from "../../../local/services/service.ts";
import { createSteppedTime, type SteppedTime } from "../../../local/time/stepped.ts";

const KEY = "arn:aws:kms:eu-west-1:000000000000:key/Data";
const START = Date.UTC(2020, 2, 12);

let time: SteppedTime;
let scheduler: Scheduler;
let emails: SentEmail[];
let fired: [string, number][];
let stop: () => Promise<void>;
let config: { region: string; endpoint: string; maxAttempts: number; credentials: { accessKeyId: string; secretAccessKey: string } };

beforeEach(async () => {
  time = createSteppedTime(START);
  [emails, fired] = [[], []];
  scheduler = createScheduler(
    time,
    (group, name) => `arn:${group}/${name}`,
    ({ Input }) => {
      fired.push([Input, time.now()]);
      return Promise.resolve();
    },
  );
  const services = await startServices([
    scheduler.service,
    createEmail(time.now, (email) => emails.push(email)),
    createKeys([KEY, `${KEY}2`]),
  ]);
  stop = services.stop;
  config = { region: "eu-west-1", endpoint: services.endpoint, maxAttempts: 1, credentials: { accessKeyId: "a", secretAccessKey: "b" } };
});

afterEach(() => stop());

const playAll = async () => {
  for (let due = time.step(undefined); due !== null; due = time.step(undefined)) for (const { act } of due) await act();
};

describe("KMS", () => {
  const plain = Buffer.from("whsec_secret");
  const seal = async (context: Record<string, string>) => {
    const { CiphertextBlob } = await new KMSClient(config).send(
      new EncryptCommand({ KeyId: KEY, Plaintext: plain, EncryptionContext: context }),
    );
    return CiphertextBlob as Uint8Array;
  };
  const open = (CiphertextBlob: Uint8Array, EncryptionContext: Record<string, string>, KeyId?: string) =>
    new KMSClient(config).send(new DecryptCommand({ CiphertextBlob, EncryptionContext, ...(KeyId !== undefined && { KeyId }) }));

  it("opens what it sealed under the same context, in whatever order its keys are", async () => {
    const sealed = await seal({ endpointId: "E1", brokerId: "B1" });
    expect(Buffer.from(sealed).includes(plain)).toBe(false);
    const { Plaintext } = await open(sealed, { brokerId: "B1", endpointId: "E1" });
    expect(Buffer.from(Plaintext as Uint8Array)).toEqual(plain);
  });

  it("C10: refuses another context, another key and a changed ciphertext", async () => {
    const sealed = await seal({ endpointId: "E1" });
    await expect(open(sealed, { endpointId: "E2" })).rejects.toMatchObject({ name: "InvalidCiphertextException" });
    await expect(open(sealed, {})).rejects.toMatchObject({ name: "InvalidCiphertextException" });
    await expect(open(sealed, { endpointId: "E1" }, `${KEY}2`)).rejects.toMatchObject({ name: "IncorrectKeyException" });
    const changed = Uint8Array.from(sealed);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    await expect(open(changed, { endpointId: "E1" })).rejects.toMatchObject({ name: "InvalidCiphertextException" });
    await expect(open(new Uint8Array(3), {})).rejects.toMatchObject({ name: "InvalidCiphertextException" });
  });

  it("knows only the keys of the template", async () => {
    const request = new EncryptCommand({ KeyId: "arn:aws:kms:eu-west-1:000000000000:key/None", Plaintext: plain });
    await expect(new KMSClient(config).send(request)).rejects.toMatchObject({ name: "NotFoundException" });
  });
});

describe("Scheduler", () => {
  const schedule = (at: string, Input: string) => ({
    Name: "call-1",
    GroupName: "deadlines",
    ScheduleExpression: `at(${at})`,
    ScheduleExpressionTimezone: "UTC",
    FlexibleTimeWindow: { Mode: "OFF" as const },
    ActionAfterCompletion: "DELETE" as const,
    Target: { Arn: "arn:queue", RoleArn: "arn:role", Input },
  });
  const client = () => new SchedulerClient(config);

  it("fires a one-off schedule at its instant and deletes it", async () => {
    await client().send(new CreateScheduleCommand(schedule("2020-03-12T00:10:00", "one")));
    expect(scheduler.pending()).toBe(1);
    await playAll();
    expect(fired).toEqual([["one", START + 600_000]]);
    expect(scheduler.pending()).toBe(0);
    await client().send(new CreateScheduleCommand(schedule("2020-03-12T00:20:00", "two")));
    await playAll();
    expect(fired.map(([input]) => input)).toEqual(["one", "two"]);
  });

  it("refuses to create it twice, and moves it when asked to", async () => {
    await client().send(new CreateScheduleCommand(schedule("2020-03-12T00:10:00", "one")));
    await expect(client().send(new CreateScheduleCommand(schedule("2020-03-12T00:12:00", "one")))).rejects.toMatchObject({
      name: "ConflictException",
    });
    await client().send(new UpdateScheduleCommand(schedule("2020-03-12T00:15:00", "moved")));
    await playAll();
    expect(fired).toEqual([["moved", START + 900_000]]);
    await expect(client().send(new UpdateScheduleCommand(schedule("2020-03-12T00:15:00", "late")))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
  });

  it("deletes it from its group", async () => {
    await client().send(new CreateScheduleCommand(schedule("2020-03-12T00:10:00", "one")));
    await expect(client().send(new DeleteScheduleCommand({ Name: "call-1", GroupName: "other" }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
    await client().send(new DeleteScheduleCommand({ Name: "call-1", GroupName: "deadlines" }));
    await playAll();
    expect(fired).toEqual([]);
  });

  it("refuses a schedule that would stay, or that is no instant", async () => {
    const { ActionAfterCompletion: _, ...staying } = schedule("2020-03-12T00:10:00", "one");
    await expect(client().send(new CreateScheduleCommand(staying))).rejects.toMatchObject({ name: "ValidationException" });
    await expect(client().send(new CreateScheduleCommand(schedule("tomorrow", "one")))).rejects.toMatchObject({
      name: "ValidationException",
    });
  });
});

describe("SES", () => {
  const simple = {
    Subject: { Data: "Margin call" },
    Body: { Html: { Data: "<p>pay</p>" }, Text: { Data: "pay" } },
    Headers: [{ Name: "Auto-Submitted", Value: "auto-generated" }],
  };

  it("delivers what a holder sees, at the local time", async () => {
    const { MessageId } = await new SESv2Client(config).send(
      new SendEmailCommand({
        FromEmailAddress: "margin@example.com",
        Destination: { ToAddresses: ["holder@example.com"] },
        Content: { Simple: simple },
        EmailTags: [{ Name: "call", Value: "MC-1" }],
      }),
    );
    expect(emails).toEqual([
      {
        messageId: MessageId,
        at: START,
        from: "margin@example.com",
        to: ["holder@example.com"],
        subject: "Margin call",
        html: "<p>pay</p>",
        text: "pay",
        headers: { "Auto-Submitted": "auto-generated" },
        tags: { call: "MC-1" },
      },
    ]);
  });

  it("refuses an email without a receiver or without a text", async () => {
    const send = (Destination: object, Content: object) =>
      new SESv2Client(config).send(new SendEmailCommand({ FromEmailAddress: "margin@example.com", Destination, Content }));
    await expect(send({}, { Simple: simple })).rejects.toMatchObject({ name: "BadRequestException" });
    const { Text: _, ...htmlOnly } = simple.Body;
    await expect(send({ ToAddresses: ["a@example.com"] }, { Simple: { ...simple, Body: htmlOnly } })).rejects.toMatchObject({
      name: "BadRequestException",
    });
    expect(emails).toEqual([]);
  });
});
