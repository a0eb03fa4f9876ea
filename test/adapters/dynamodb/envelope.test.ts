import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createBook } from "../../../adapters/dynamodb/book.ts";
import { canonical } from "../../../adapters/dynamodb/canonical.ts";
import { decodeEnvelope, envelopeToMessages, sealEnvelope, verifyChain } from "../../../adapters/dynamodb/envelope.ts";
import type { Item } from "../../../adapters/dynamodb/items.ts";
import { createJournal } from "../../../adapters/dynamodb/journal.ts";
import { eventIdOf } from "../../../adapters/dynamodb/keys.ts";
import { eventMessage } from "../../../adapters/wire/events.ts";
import { startTables, type TestTables, testClock, testWorld } from "../../engine.ts";
import { account, deposit, deposited, ended, liquidating, opened, T0 } from "../samples.ts";

const meta = { causedBy: "message-1", snapshotId: "S1", mode: "enforce" } as const;

let tables: TestTables;
let rows: Item[];
let head: string;
beforeAll(async () => {
  tables = await startTables();
  const world = testWorld(tables, { clock: testClock(T0) });
  const book = createBook(world);
  const step = async (make: (before: ReturnType<typeof account>) => ReturnType<typeof opened>): Promise<void> => {
    const before = (await book.load("chain")) ?? account("chain");
    expect(await book.commit(make(before), meta)).toBe("committed");
  };
  await step((before) => deposited(before, [deposit("c-1", 1), deposit("c-2", 2)]));
  await step(opened);
  await step(liquidating);
  await step((before) => ended(before, "LIQUIDATED"));
  await step((before) => deposited(before, [deposit("c-3", 3)]));
  rows = await createJournal(world).rows("chain");
  head = (await book.load("chain"))?.headHash ?? "";
});
afterAll(() => tables.stop());

const withBody = (row: Item, change: (body: string) => string): Item => ({ ...row, body: { S: change(row["body"]?.S ?? "") } });

describe("the chain of an account (I20, I21)", () => {
  test("is whole as written, and its end is the account's head", () => {
    expect(rows).toHaveLength(5);
    expect(verifyChain(rows, head)).toEqual({ valid: true, head });
    expect(verifyChain([])).toEqual({ valid: true, head: "" });
  });

  const faults: readonly [name: string, tamper: (intact: Item[]) => Item[], seq: number, fault: string][] = [
    [
      "a changed amount",
      (all) =>
        all.with(
          0,
          withBody(all[0] as Item, (body) => body.replace('"100"', '"900"')),
        ),
      1,
      "not what was hashed",
    ],
    ["a changed hash", (all) => all.with(2, { ...(all[2] as Item), hash: { S: "x".repeat(43) } }), 3, "not what was hashed"],
    ["a changed publish flag", (all) => all.with(1, { ...(all[1] as Item), publish: { BOOL: false } }), 2, "publish flag"],
    ["a deleted row", (all) => all.toSpliced(2, 1), 3, "number 4, number 3 was due"],
    ["a deleted first row", (all) => all.slice(1), 1, "number 2, number 1 was due"],
    ["a row inserted twice", (all) => all.toSpliced(3, 0, all[2] as Item), 4, "number 3, number 4 was due"],
    ["two rows swapped", (all) => all.with(1, all[2] as Item).with(2, all[1] as Item), 2, "number 3, number 2 was due"],
    ["a row under another key", (all) => all.with(4, { ...(all[4] as Item), sk: { S: "SEQ#000000000009" } }), 5, "another key"],
    ["a row of an unknown schema version", (all) => all.with(4, { ...(all[4] as Item), schema: { N: "2" } }), 5, "schema version 2"],
    ["a cut end", (all) => all.slice(0, 4), 5, "ends before"],
  ];
  test.each(faults)("%s is found at its place", (_, tamper, seq, fault) => {
    const verdict = verifyChain(tamper([...rows]), head);
    expect(verdict).toMatchObject({ valid: false, seq });
    expect(verdict.valid ? "" : verdict.fault).toContain(fault);
  });

  test("a row forged with a matching hash of its own breaks the chain at its successor", () => {
    const forged = sealEnvelope(deposited(account("chain"), [deposit("c-1", 1, "1000000")]), meta, T0).row;
    expect(verifyChain(rows.with(0, forged), head)).toMatchObject({ valid: false, seq: 2 });
  });

  test("any flipped character of any body is found", () => {
    fc.assert(
      fc.property(fc.nat(4), fc.nat(5_000), fc.integer({ min: 1, max: 90 }), (index, at, by) => {
        const row = rows[index] as Item;
        const flipped = withBody(row, (body) => {
          const place = at % body.length;
          const code = 32 + ((body.charCodeAt(place) - 32 + by) % 95);
          return `${body.slice(0, place)}${String.fromCharCode(code)}${body.slice(place + 1)}`;
        });
        return flipped["body"]?.S === row["body"]?.S || !verifyChain(rows.with(index, flipped), head).valid;
      }),
      { numRuns: 300 },
    );
  });
});

describe("messages of an envelope", () => {
  test("each event is one message with the envelope's account, sequence and instant (R27)", () => {
    const messages = envelopeToMessages(rows[1] as Item);
    expect(messages).toHaveLength(1);
    const [message] = messages;
    expect(eventMessage.parse(message)).toEqual(message);
    expect(message).toMatchObject({
      id: eventIdOf("chain", 2, 0),
      type: "margin_call.issued",
      schemaVersion: 1,
      occurredAt: "2020-03-12T10:00:00.000Z",
      accountId: "chain",
      brokerId: "B1",
      accountSequence: 2,
      mode: "enforce",
      call: {
        amountDue: "1250.5",
        deadlineAt: "2020-03-12T10:31:00.000Z",
        cures: [{ kind: "deposit", asset: "USDT", amount: "1250.5" }, {}],
      },
    });
  });

  test("an envelope without events, and any envelope in observe mode, is not published (R28)", () => {
    expect(rows[0]?.["publish"]).toEqual({ BOOL: false });
    expect(envelopeToMessages(rows[0] as Item)).toEqual([]);
    const observed = sealEnvelope(opened(account("watched")), { ...meta, mode: "observe" }, T0).row;
    expect(observed["publish"]).toEqual({ BOOL: false });
    expect(envelopeToMessages(observed)).toEqual([]);
    expect(decodeEnvelope(observed).events).toHaveLength(1);
  });

  test("a row that does not read is malformed, by place and not by value (I26)", () => {
    const other = withBody(rows[1] as Item, (body) => body.replace('"OPEN"', '"HALF_OPEN"'));
    expect(() => envelopeToMessages(other)).toThrow(/calls\.0\.status/);
    expect(() => envelopeToMessages({ ...(rows[1] as Item), schema: { N: "2" } })).toThrow("schema version 2");
  });

  test("an event's id is a function of account, sequence and index alone", () => {
    expect(eventIdOf("A-1", 7, 0)).toBe(eventIdOf("A-1", 7, 0));
    expect(new Set([eventIdOf("A-1", 7, 0), eventIdOf("A-1", 7, 1), eventIdOf("A-1", 70, 0), eventIdOf("A-17", 0, 0)]).size).toBe(4);
    expect(eventIdOf("A-1", 7, 0)).toMatch(/^evt_[A-Za-z0-9_-]{32}$/);
  });
});

test("the timeline tells facts, calls and orders in order, after a sequence", async () => {
  const journal = createJournal(testWorld(tables));
  const timeline = await journal.timeline("chain", 1);
  expect(timeline.map((one) => one.seq)).toEqual([2, 3, 4, 5]);
  expect(timeline[1]).toMatchObject({ calls: [{ status: "LIQUIDATING", version: 2 }], orders: [{ status: "PENDING", filled: "0" }] });
  expect((await journal.timeline("chain"))[0]?.entries.map((entry) => entry.fact)).toEqual([deposit("c-1", 1), deposit("c-2", 2)]);
});

test("canonical JSON has one text for one content", () => {
  expect(canonical({ b: [1, { d: null, c: "x" }], a: true })).toBe('{"a":true,"b":[1,{"c":"x","d":null}]}');
  fc.assert(
    fc.property(
      fc.jsonValue(),
      (value) => JSON.stringify(JSON.parse(canonical(value))) === JSON.stringify(JSON.parse(canonical(JSON.parse(canonical(value))))),
    ),
  );
});
