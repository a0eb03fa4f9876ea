import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod";

import { encodeCall, encodeOrder, liquidationOrder, marginCall } from "../../../adapters/wire/calls.ts";
import { attributesOf, type EventMessage, severityOf } from "../../../adapters/wire/events.ts";
import { balances, encodeEntry, encodeFact, encodeFeed, entry, fact, feedMessage, positions } from "../../../adapters/wire/feed.ts";
import { encodeMarks, marksEnvelope, marksMessage, markTick } from "../../../adapters/wire/marks.ts";
import { Malformed, MESSAGE_BYTES_MAX, parseMessage } from "../../../adapters/wire/parse.ts";
import { contactBody, endpointBody } from "../../../adapters/wire/parties.ts";
import { decimalText, iso, moneyText } from "../../../adapters/wire/scalars.ts";
import { shardGroup, sweepMessage } from "../../../adapters/wire/sweep.ts";
import { expiryMessage, noticeAccepted } from "../../../adapters/wire/timers.ts";
import { EVENT_TYPES } from "../../../core/event.ts";
import { decimal, type Money, money, price, quantity } from "../../../core/money.ts";
import { call, deposit, order, T0 } from "../samples.ts";

const marksOf = (tick: unknown): string => JSON.stringify({ schemaVersion: 1, marks: [tick] });
const good = { instrumentId: "BTC-PERP", price: "7935.1", asOf: "2020-03-12T10:00:00.000Z", source: "composite" };

describe("decimals", () => {
  test("read and write to the last unit", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 27n), max: 10n ** 27n }), (value) => {
        const text = decimal(value as Money);
        return z.decode(moneyText, text) === value && z.encode(moneyText, value as Money) === text;
      }),
    );
  });

  test.each([
    7935.1,
    null,
    undefined,
    "",
    " 1",
    "1 ",
    "+1",
    "1e3",
    "NaN",
    "Infinity",
    "1.",
    ".5",
    "0x10",
    "1,000",
    "１",
    "0.000000001",
    `1.${"0".repeat(80)}`,
    "9".repeat(21),
  ])("%s is refused (S21)", (value) => expect(decimalText.safeParse(value).success).toBe(false));

  test.each(["0", "-0", "-36.98", "0.00000001", "1.500000000", "99999999999999999999.99999999"])("%s reads", (value) =>
    expect(moneyText.safeParse(value).success).toBe(true),
  );
});

describe("marks", () => {
  test("read to the domain and back", () => {
    const read = parseMessage(marksMessage, marksOf(good));
    expect(read.marks).toEqual([{ instrumentId: "BTC-PERP", price: price("7935.1"), asOf: T0, source: "composite" }]);
    expect(JSON.parse(encodeMarks(read.marks))).toEqual({ schemaVersion: 1, marks: [good] });
  });

  test.each<[string, unknown]>([
    ["null price", { ...good, price: null }],
    ["number for a price", { ...good, price: 7935.1 }],
    ["empty price", { ...good, price: "" }],
    ["NaN", { ...good, price: "NaN" }],
    ["no price", { instrumentId: "BTC-PERP", asOf: good.asOf, source: "x" }],
    ["local instant", { ...good, asOf: "2020-03-12T10:00:00" }],
    ["offset instant", { ...good, asOf: "2020-03-12T10:00:00+08:00" }],
    ["epoch instant", { ...good, asOf: T0 }],
    ["impossible day", { ...good, asOf: "2020-02-30T10:00:00Z" }],
    ["id with a separator", { ...good, instrumentId: "BTC:PERP" }],
    ["field that nobody knows", { ...good, quality: "GOOD" }],
  ])("a tick with a %s is refused by itself, its neighbours are read (S21)", (_, tick) => {
    expect(markTick.safeParse(tick).success).toBe(false);
    const neighbours = parseMessage(marksEnvelope, JSON.stringify({ schemaVersion: 1, marks: [good, tick] })).marks;
    expect(neighbours.map((one) => markTick.safeParse(one).success)).toEqual([true, false]);
  });

  test("0 and negative prices are for judgeMark to refuse or take (S20)", () => {
    expect(markTick.parse({ ...good, totalDeposits: "1500.5" })).toMatchObject({ totalDeposits: quantity("1500.5") });
    const told = { confidencePpm: 950_000, funding: { rate: "-0.0001", intervalMs: 28_800_000, nextAt: "2020-03-12T16:00:00.000Z" } };
    const read = markTick.parse({ ...good, ...told });
    expect(read.funding).toEqual({ rate: price("-0.0001"), intervalMs: 28_800_000, nextAt: Date.UTC(2020, 2, 12, 16) });
    expect(JSON.parse(encodeMarks([read, markTick.parse(good)]))).toMatchObject({ marks: [{ ...good, ...told }, good] });
    const open = markTick.parse({ ...good, openInterest: "12.5" });
    expect(open.openInterest).toBe(quantity("12.5"));
    expect(JSON.parse(encodeMarks([open]))).toMatchObject({ marks: [{ openInterest: "12.5" }] });
    for (const wrong of [
      { openInterest: "-0.1" },
      { totalDeposits: "-1" },
      { confidencePpm: 1_000_001 },
      { funding: { ...told.funding, rate: "1.00000001" } },
      { funding: { ...told.funding, intervalMs: 0 } },
      { funding: { rate: "0.1" } },
    ]) {
      expect(markTick.safeParse({ ...good, ...wrong }).success).toBe(false);
    }
    for (const text of ["0", "-36.98"]) expect(markTick.parse({ ...good, price: text }).price).toBe(price(text));
  });
});

describe("a message that is not of its form is malformed (I26, S43)", () => {
  test.each<[string, z.ZodType, string, RegExp]>([
    ["no JSON", marksMessage, "{", /^not JSON$/],
    ["another schema version", marksMessage, marksOf(good).replace(':1,"marks"', ':2,"marks"'), /^schemaVersion: /],
    ["no schema version", marksMessage, JSON.stringify({ marks: [good] }), /^schemaVersion: /],
    ["no marks", marksMessage, JSON.stringify({ schemaVersion: 1, marks: [] }), /^marks: /],
    ["a text", sweepMessage, '"schedule"', /expected object/],
    ["a reason of another version", sweepMessage, '{"schemaVersion":1,"reason":"whim"}', /^reason: /],
    ["a negative hop count", shardGroup, '{"schemaVersion":1,"snapshotId":"S1","group":0,"shards":[0],"cursor":null,"hops":-1}', /^hops: /],
    [
      "a call id of another form",
      expiryMessage,
      '{"schemaVersion":1,"accountId":"A-1","callId":"MC-A-1","deadlineVersion":1}',
      /^callId: /,
    ],
    ["deep nesting", marksMessage, `${'{"a":'.repeat(50_000 / 6)}1${"}".repeat(50_000 / 6)}`, /schemaVersion/],
    ["more than a message may be", marksMessage, `"${"x".repeat(MESSAGE_BYTES_MAX)}"`, /^longer than 262144/],
    ["keys of the prototype", sweepMessage, '{"__proto__":{"schemaVersion":1,"reason":"mark"}}', /^schemaVersion: /],
  ])("%s", (_, schema, body, words) => {
    expect(() => parseMessage(schema, body)).toThrow(Malformed);
    expect(() => parseMessage(schema, body)).toThrow(words);
  });

  test("its words name places, never values (I28)", () => {
    const body = marksOf({ ...good, price: "canary", source: "can ary" });
    expect(() => parseMessage(marksMessage, body)).toThrow(/^(?!.*canary)(?!.*can ary).*marks\.0\.price.*marks\.0\.source/);
  });

  test("random JSON never crashes a reader", () => {
    const schemas = [marksMessage, feedMessage, sweepMessage, shardGroup, expiryMessage, noticeAccepted];
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(...schemas), (body, schema) => {
        expect(() => parseMessage(schema as z.ZodType, body)).toThrow(Malformed);
      }),
      { numRuns: 300 },
    );
  });
});

describe("facts of the book feed (R16)", () => {
  const base = { externalId: "x-1", sequence: 1, occurredAt: "2020-03-12T10:00:00.000Z" };
  const callId = call({ accountId: "A-1" }).callId;

  test.each([
    { kind: "deposit", ...base, asset: "USDT", amount: "100.00000001" },
    { kind: "deposit_pending", ...base, asset: "BTC", amount: "0.25" },
    { kind: "withdrawal", ...base, asset: "BTC", amount: "0.5" },
    { kind: "fill", ...base, instrumentId: "BTC-PERP", quantity: "-0.5", price: "-36.98", fee: "-0.01", orderId: null },
    { kind: "fill", ...base, instrumentId: "BTC-PERP", quantity: "1", price: "5000", fee: "2.5", orderId: `${callId}-1-BTC-PERP` },
    { kind: "pool_transfer", ...base, instrumentId: "BTC-PERP", amount: "-0.00000001" },
    { kind: "open_orders", ...base, instrumentId: "BTC-PERP", buys: "0", sells: "2.5" },
    { kind: "leverage", ...base, instrumentId: "BTC-PERP", leverage: "1" },
    { kind: "leverage", ...base, instrumentId: "BTC-PERP", leverage: null },
    {
      kind: "reconciliation",
      ...base,
      balances: {},
      positions: [{ instrumentId: "BTC-PERP", quantity: "-2", entryPrice: "7935" }],
      pools: [{ instrumentId: "BTC-PERP", cash: "-0.5" }],
      orders: [{ instrumentId: "BTC-PERP", buys: "0.5", sells: "0" }],
      leverage: [{ instrumentId: "ETH-PERP", leverage: "12.5" }],
    },
    { kind: "order_closed", ...base, orderId: `${callId}-1-BTC-PERP`, filled: "0" },
    {
      kind: "snapshot",
      ...base,
      balances: { BTC: "-0.1", USDT: "5" },
      positions: [{ instrumentId: "BTC-PERP", quantity: "-2", entryPrice: "7935" }],
    },
  ])("a $kind reads and writes back", (wire) => {
    const read = fact.parse(wire);
    expect(encodeFact(read)).toEqual(wire);
    const postings = [
      { asset: "USDT", amount: money("-1.5") },
      { asset: "USDT", amount: money("1.5"), scope: "ISO#BTC-PERP" as const },
    ];
    const applied = { fact: read, postings };
    expect(entry.parse(JSON.parse(JSON.stringify(encodeEntry(applied))))).toEqual(applied);
  });

  test.each<[string, object]>([
    ["deposit of 0", { kind: "deposit", ...base, asset: "USDT", amount: "0" }],
    ["negative deposit", { kind: "deposit", ...base, asset: "USDT", amount: "-5" }],
    ["confirming deposit of 0", { kind: "deposit_pending", ...base, asset: "USDT", amount: "0" }],
    ["negative withdrawal", { kind: "withdrawal", ...base, asset: "USDT", amount: "-5" }],
    ["amount as a number (S43)", { kind: "deposit", ...base, asset: "USDT", amount: 100 }],
    ["leverage below 1", { kind: "leverage", ...base, instrumentId: "BTC-PERP", leverage: "0.99999999" }],
    ["orders below 0", { kind: "open_orders", ...base, instrumentId: "BTC-PERP", buys: "0", sells: "-1" }],
    [
      "orders of an instrument twice",
      {
        ...{ kind: "snapshot", ...base, balances: {}, positions: [] },
        orders: ["1", "2"].map((buys) => ({ instrumentId: "A", buys, sells: "0" })),
      },
    ],
    ["transfer of 0", { kind: "pool_transfer", ...base, instrumentId: "BTC-PERP", amount: "0" }],
    ["pool twice", { kind: "snapshot", ...base, balances: {}, positions: [], pools: [1, 2].map(() => ({ instrumentId: "A", cash: "1" })) }],
    ["fill of nothing", { kind: "fill", ...base, instrumentId: "BTC-PERP", quantity: "0", price: "1", fee: "0", orderId: null }],
    ["sequence of 0", { kind: "deposit", ...base, sequence: 0, asset: "USDT", amount: "1" }],
    ["kind of another version", { kind: "airdrop", ...base, asset: "USDT", amount: "1" }],
    ["external id with a line break", { kind: "deposit", ...base, externalId: "a\nb", asset: "USDT", amount: "1" }],
    ["position of 0", { kind: "snapshot", ...base, balances: {}, positions: [{ instrumentId: "A", quantity: "0", entryPrice: "1" }] }],
    [
      "instrument twice",
      { kind: "snapshot", ...base, balances: {}, positions: [1, 2].map(() => ({ instrumentId: "A", quantity: "1", entryPrice: "1" })) },
    ],
  ])("a %s is refused", (_, wire) => expect(fact.safeParse(wire).success).toBe(false));

  test("balances and positions are read sorted, whatever their order on the wire", () => {
    expect([...balances.parse({ USDT: "1", BTC: "2" }).keys()]).toEqual(["BTC", "USDT"]);
    const held = ["ETH-PERP", "BTC-PERP"].map((instrumentId) => ({ instrumentId, quantity: "1", entryPrice: "1" }));
    expect(positions.parse(held).map((one) => one.instrumentId)).toEqual(["BTC-PERP", "ETH-PERP"]);
  });

  test("a message may open its account, and holds at most twenty facts", () => {
    const terms = { brokerId: "B1", clientClass: "retail", policyId: "standard" };
    const message = { schemaVersion: 1 as const, accountId: "A-1", account: terms, entries: [deposit("x-1", 1)] };
    expect(parseMessage(feedMessage, encodeFeed(message))).toEqual(message);
    const many = { ...message, entries: Array.from({ length: 21 }, (_, index) => deposit(`x-${index}`, index + 1)) };
    expect(() => encodeFeed(many)).toThrow();
  });
});

test("calls and orders are stored and shown without a loss", () => {
  const one = call({ accountId: "A-1", deadlineAt: null, badMarksSince: T0 });
  expect(marginCall.parse(JSON.parse(JSON.stringify(encodeCall(one))))).toEqual(one);
  expect(encodeCall(one)).toMatchObject({ amountDue: "1250.5", issuedAt: "2020-03-12T10:00:00.000Z", deadlineAt: null });
  const sold = order(one, 2, { filled: quantity("0.1"), status: "SENT", sentAt: T0 + 1 });
  expect(liquidationOrder.parse(JSON.parse(JSON.stringify(encodeOrder(sold))))).toEqual(sold);
});

describe("events", () => {
  test.each(
    EVENT_TYPES.map((type) => [
      type,
      /^liquidation\.|\.(issued|updated|deadline_changed|extended|expired)$/.test(type) ? "urgent" : "normal",
    ]),
  )("%s is %s (N4)", (type, severity) => expect(severityOf(type as EventMessage["type"])).toBe(severity));

  test("subscriptions filter on type, severity and broker", () => {
    const message = { type: "margin_call.met", brokerId: "B1" } as EventMessage;
    expect(attributesOf(message)).toEqual({ type: "margin_call.met", severity: "normal", broker: "B1" });
  });
});

describe("bodies of the API", () => {
  test.each<[string, object, boolean]>([
    ["a contact", {}, true],
    ["a name with a line break (C8)", { name: "Ada\r\nBcc: x" }, false],
    ["a name that turns the line around (C8)", { name: "Ada\u202e" }, false],
    ["no name", { name: null }, true],
    ["no such zone", { timeZone: "Mars/Olympus" }, false],
    ["no email", { email: "ada" }, false],
    ["an email with a line break", { email: "ada@example.com\nBcc: x@example.com" }, false],
    ["a field that nobody knows (mass assignment)", { role: "operator" }, false],
  ])("%s", (_, over, fits) => {
    const body = { email: "ada@example.com", name: "Ada", timeZone: "Europe/London", locale: "en", antiPhishingCode: null, ...over };
    expect(contactBody.safeParse(body).success).toBe(fits);
  });

  test.each<[string, object, boolean]>([
    ["an endpoint", {}, true],
    ["chosen types", { types: ["margin_call.issued"] }, true],
    ["no types", { types: [] }, false],
    ["an unknown type", { types: ["margin_call.tweeted"] }, false],
    ["a file", { url: "file:///etc/passwd" }, false],
    ["no address", { url: "broker" }, false],
  ])("%s", (_, over, fits) => {
    expect(endpointBody.safeParse({ url: "https://broker.example/hooks", types: null, enabled: true, ...over }).success).toBe(fits);
  });
});

test("instants are written in UTC", () => expect(iso(T0)).toBe("2020-03-12T10:00:00.000Z"));
