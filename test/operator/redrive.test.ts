import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { accountItemKey } from "../../adapters/dynamodb/account-codec.ts";
import { buildApp } from "../../lib/app.ts";
import { isDeadLetterName } from "../../lib/constructs/worker-queue.ts";
import { PRESETS } from "../../lib/stages.ts";
import { localStage } from "../../local/stage.ts";
import { bodyFor, parkingsOf, sampleOf, whyPoison } from "../../operator/redrive-homes.ts";
import { policyFixture } from "../adapters/samples.ts";
import { type Laptop, OPENS_WITHIN_MS, openLaptop } from "./laptop.ts";

const START = Date.UTC(2026, 0, 15, 10);

describe("what is parked where", () => {
  test("every dead-letter queue of the template has its line, and no other", () => {
    const stage = { ...PRESETS.sandbox, alarmEmail: "alarms@exchange.example" };
    const templates = buildApp(stage, { bundle: false })
      .synth()
      .stacks.map(({ template }) => template as { Resources: Record<string, { Type: string; Properties?: { QueueName?: string } }> });
    const names = templates.flatMap(({ Resources }) =>
      Object.values(Resources).flatMap(({ Type, Properties }) => (Type === "AWS::SQS::Queue" ? [Properties?.QueueName ?? ""] : [])),
    );
    expect(
      parkingsOf(stage)
        .map(({ deadName }) => deadName)
        .sort(),
    ).toEqual(names.filter(isDeadLetterName).sort());
    const homes = parkingsOf(stage).flatMap(({ home }) => (home === null ? [] : [home.name]));
    expect(homes.filter((name) => !names.includes(name))).toEqual([]);
  });

  test.each([
    ["sweep", '{"schemaVersion":1,"reason":"mark"}', null],
    ["sweep", '{"schemaVersion":2,"reason":"mark"}', /schemaVersion/],
    ["expiry", '{"schemaVersion":1,"accountId":"A-1","callId":"MC-ABCDEFGHIJKL-1","deadlineVersion":1}', null],
    ["expiry", '{"schemaVersion":1,"accountId":"A-1"}', /callId/],
    ["timer", '{"schemaVersion":1,"kind":"notice_accepted","accountId":"A-1"}', /./],
    ["feed", "{", /not JSON/],
    ["venue", '{"__proto__":{"schemaVersion":1}}', /./],
  ] as const)("I26 %s reads, or says why not: %s", (queue, body, why) => {
    if (why === null) expect(whyPoison(queue, body)).toBeNull();
    else expect(whyPoison(queue, body)).toMatch(why);
  });

  test.each([
    [
      '{"schemaVersion":1,"accountId":"A-1","name":"Ada Byron","entries":[{"amount":"5"}],"id":"evt_1"}',
      "schemaVersion 1, id evt_1, accountId A-1",
    ],
    ['{"schemaVersion":1,"id":"ada byron <ada@example.com>"}', "schemaVersion 1"],
    ['{"email":"ada@example.com"}', "a message without ids"],
    ["Dear Ada", "8 bytes that are no message"],
  ])("I28 a sample of %s shows ids alone", (body, shown) => expect(sampleOf(body)).toBe(shown));

  test("what SNS wrapped is unwrapped, and only there", () => {
    const wrapped = JSON.stringify({ Type: "Notification", Message: '{"schemaVersion":1}' });
    expect(bodyFor("email-subscription", wrapped)).toBe('{"schemaVersion":1}');
    expect(bodyFor("email-subscription", '{"schemaVersion":1}')).toBe('{"schemaVersion":1}');
    expect(bodyFor("email", wrapped)).toBe(wrapped);
  });
});

describe("L08 S43 redrive on the local cloud", () => {
  let laptop: Laptop;
  beforeAll(async () => {
    laptop = await openLaptop(START);
  }, OPENS_WITHIN_MS);
  afterAll(() => laptop.stop());

  const deposit = (accountId: string, sequence: number) =>
    JSON.stringify({
      schemaVersion: 1,
      accountId,
      account: { brokerId: "B1", clientClass: "retail", policyId: "late" },
      entries: [
        {
          kind: "deposit",
          externalId: `${accountId}-${sequence}`,
          sequence,
          occurredAt: "2026-01-15T10:00:00.000Z",
          asset: "USDT",
          amount: "100",
        },
      ],
    });
  const feed = (group: string, body: string) =>
    laptop.cloud.clients.sqs.send(
      new SendMessageCommand({
        QueueUrl: laptop.cloud.queueUrl("feed.fifo"),
        MessageBody: body,
        MessageGroupId: group,
        MessageDeduplicationId: `${group}-${body.length}-${body.slice(-120)}`,
      }),
    );
  /** What an account holds, without what names it. */
  const stateOf = async (accountId: string) => {
    const { Item } = await laptop.cloud.clients.db.send(
      new GetItemCommand({
        TableName: laptop.cloud.tableName("book"),
        Key: accountItemKey(accountId, localStage().shards),
        ConsistentRead: true,
      }),
    );
    return Item === undefined ? null : [Item["version"]?.N, Item["counts"]?.S, Item["cash"]?.S, Item["level"]?.S];
  };
  const parked = async () => Object.fromEntries(Object.entries(await laptop.cloud.deadLetters()).filter(([, count]) => count > 0));

  test("what failed leads to the same end state once its cause is mended; poison stays", async () => {
    // No such policy yet: three tries fail, and both facts are parked in their order.
    await feed("A-1", deposit("A-1", 1));
    await feed("A-1", deposit("A-1", 2));
    await feed("A-9", '{"schemaVersion":9}');
    await feed("A-9", deposit("A-9", 1));
    await laptop.cloud.run();
    expect(await parked()).toEqual({ "plimsoll-local-feed-dead.fifo": 4 });
    expect(await stateOf("A-1")).toBeNull();

    const look = await laptop.run("redrive", "--dry-run");
    expect(look).toMatchObject({ code: 1, stderr: "" });
    expect(look.stdout).toContain("plimsoll-local-feed-dead.fifo: 4 parked");
    expect(await parked()).toEqual({ "plimsoll-local-feed-dead.fifo": 4 });

    const { policyId: _, version: __, ...terms } = policyFixture;
    expect((await laptop.cloud.request("PUT", "/policies/late", terms, "operator")).status).toBe(200);
    const moved = await laptop.run("redrive", "--queue", "feed");
    expect(moved.stdout).toContain("4 parked, 2 moved to plimsoll-local-feed.fifo");
    // The deposit of the other account stands behind its poison: nothing overtakes (S42).
    expect(moved.stdout).toContain("1 stay: no version reads it: schemaVersion");
    expect(moved.stdout).toContain("1 not reached: behind one of its account that stays");
    expect(moved).toMatchObject({ code: 1, stderr: "" });
    await laptop.cloud.run();

    // An account whose facts never failed.
    await feed("A-2", deposit("A-2", 1));
    await feed("A-2", deposit("A-2", 2));
    await laptop.cloud.run();
    expect(await stateOf("A-1")).toEqual(await stateOf("A-2"));
    expect((await stateOf("A-1"))?.[2]).toBe("USDT:200");
    expect(await parked()).toEqual({ "plimsoll-local-feed-dead.fifo": 2 });
  });

  test("a fact that is sent home twice counts once", async () => {
    await feed("A-1", deposit("A-1", 2).replace('"schemaVersion":1', '"schemaVersion": 1'));
    await laptop.cloud.run();
    expect((await stateOf("A-1"))?.[2]).toBe("USDT:200");
  });

  test("--all moves poison too: it comes back, what stood behind it counts, and nothing is lost", async () => {
    const moved = await laptop.run("redrive", "--all");
    expect(moved).toMatchObject({ code: 0, stderr: "" });
    expect(moved.stdout).toContain("2 of 2 moved");
    await laptop.cloud.run();
    expect(await parked()).toEqual({ "plimsoll-local-feed-dead.fifo": 1 });
    expect((await stateOf("A-9"))?.[2]).toBe("USDT:100");
  });

  test("a queue that the stage does not have is refused by name", async () => {
    const refused = await laptop.run("redrive", "--queue", "fed");
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("--queue fed is none of the stage's: marks, sweep, shards");
  });
});
