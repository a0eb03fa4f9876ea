import { createHash } from "node:crypto";

import { describe, expect, it } from "vitest";

import { type Money, money, type Quantity, quantity } from "../../core/money.ts";
import type { AccountRow, CallRow, Envelope, FinalTables, JournalRow, OrderRow } from "../../local/final-tables.ts";
import { type Evidence, type InvariantId, judgeInvariants } from "../../local/invariants.ts";
import { allHold, countCalls, summaryLines, summaryOf } from "../../local/summary.ts";

/**
 * One account's sound story: opened with 1,000 USDT and 1 BTC-PERP, called, 100 paid in, liquidated at its
 * deadline by one order that is filled in part. Each case below changes one thing in it.
 */
const ACCOUNT = "A1";
const CALL = "MC-ABCDEFGHIJKL-1";
const ORDER = `${CALL}-1-BTC-PERP`;
const ISSUED_AT = Date.parse("2020-03-12T06:00:00.000Z");
const DEADLINE = "2020-03-12T06:31:00.000Z";

type Body = { -readonly [Name in keyof Envelope]: Envelope[Name] };

const call = (version: number, status: string, deadlineAt: string | null = DEADLINE) => ({ callId: CALL, version, status, deadlineAt });
const started = (reason: "deadline" | "closeOut", equity: string) => ({
  type: "liquidation.started",
  figures: { equity, maintenanceRequirement: "100" },
  call: { callId: CALL, liquidationReason: reason, boundBy: "BTC-PERP: bracket 1" },
});
const fill = (externalId: string, size: string, orderId: string | null) => ({
  fact: { kind: "fill", externalId, instrumentId: "BTC-PERP", quantity: size, orderId },
  postings: [{ asset: "USDT", amount: "-210.5" }],
});

const story = (): Body[] =>
  [
    {
      at: "2020-03-12T00:00:00.000Z",
      entries: [
        {
          fact: { kind: "snapshot", externalId: "open", positions: [{ instrumentId: "BTC-PERP", quantity: "1" }] },
          postings: [{ asset: "USDT", amount: "1000" }],
        },
      ],
    },
    { at: "2020-03-12T06:00:00.000Z", calls: [call(1, "OPEN")] },
    {
      at: "2020-03-12T06:10:00.000Z",
      calls: [call(2, "OPEN")],
      entries: [
        { fact: { kind: "deposit", externalId: "dep", asset: "USDT", amount: "100" }, postings: [{ asset: "USDT", amount: "100" }] },
      ],
    },
    {
      at: "2020-03-12T06:31:10.000Z",
      calls: [call(3, "LIQUIDATING")],
      orders: [{ orderId: ORDER, status: "PENDING" }],
      events: [started("deadline", "120")],
    },
    { at: "2020-03-12T06:31:11.000Z", orders: [{ orderId: ORDER, status: "SENT" }] },
    {
      at: "2020-03-12T06:31:12.000Z",
      calls: [call(4, "LIQUIDATED")],
      orders: [{ orderId: ORDER, status: "CANCELLED" }],
      entries: [
        fill("fill", "-0.4", ORDER),
        { fact: { kind: "order_closed", externalId: "closed", orderId: ORDER, filled: "0.4" }, postings: [] },
      ],
    },
  ].map((part, index) => ({ accountId: ACCOUNT, seq: index + 1, prevHash: "", calls: [], orders: [], entries: [], events: [], ...part }));

const hashOf = (text: string): string => createHash("sha256").update(text).digest("base64url");

/** Chains and hashes envelopes as the journal stores them. */
const sealed = (bodies: readonly Body[]): JournalRow[] => {
  let prevHash = "";
  return bodies.map((body) => {
    const envelope = { ...body, prevHash };
    const text = JSON.stringify(envelope);
    prevHash = hashOf(text);
    return { key: body.seq, text, hash: prevHash, envelope };
  });
};

interface Parts {
  readonly journal: Body[];
  readonly calls: CallRow[];
  readonly orders: OrderRow[];
  readonly applied: FinalTables["applied"][number][];
  account: AccountRow;
  readonly facts: string[];
  readonly notices: Evidence["notices"][number][];
  venueFilled: Quantity;
  venueCash: Money;
  statement: Evidence["statements"][number];
}

const parts = (): Parts => ({
  journal: story(),
  calls: [
    {
      callId: CALL,
      accountId: ACCOUNT,
      scope: "CROSS",
      status: "LIQUIDATED",
      version: 4,
      attempt: 1,
      issuedAt: ISSUED_AT,
      graceMs: 1_800_000,
      deadlineAt: Date.parse(DEADLINE),
      liquidationReason: "deadline",
    },
  ],
  orders: [
    {
      orderId: ORDER,
      callId: CALL,
      accountId: ACCOUNT,
      attempt: 1,
      instrumentId: "BTC-PERP",
      side: "sell",
      quantity: quantity("0.5"),
      filled: quantity("0.4"),
      cancelled: quantity("0.1"),
      status: "CANCELLED",
    },
  ],
  applied: ["open", "dep", "fill", "closed"].map((externalId) => ({ accountId: ACCOUNT, externalId })),
  account: {
    accountId: ACCOUNT,
    version: 6,
    head: "",
    openCalls: new Map(),
    lives: [],
    cash: new Map([["USDT", money("889.5")]]),
    positions: new Map([["BTC-PERP", quantity("0.6")]]),
  },
  facts: ["open", "dep", "fill", "closed"],
  notices: [
    { channel: "email", callId: CALL },
    { channel: "webhook", callId: null },
  ],
  venueFilled: quantity("0.4"),
  venueCash: money("889.5"),
  statement: {
    accountId: ACCOUNT,
    scope: "CROSS",
    initial: money("30"),
    maintenance: money("15"),
    components: [
      { name: "BTC-PERP: bracket 1", initial: money("20"), maintenance: money("10.00000001") },
      { name: "ETH-PERP: bracket 1", initial: money("10"), maintenance: money("5") },
    ],
  },
});

/** The evidence of the story with one change; the chain is sealed after it, and `tamper` comes after that. */
const evidenceOf = (change: (story: Parts) => void = () => undefined, tamper: (rows: JournalRow[]) => void = () => undefined): Evidence => {
  const changed = parts();
  change(changed);
  const rows = sealed(changed.journal);
  const head = changed.account.head || (rows.at(-1)?.hash ?? "");
  tamper(rows);
  const ordered = quantity("0.5");
  return {
    tables: {
      accounts: [{ ...changed.account, head }],
      calls: changed.calls,
      orders: changed.orders,
      applied: changed.applied,
      journals: new Map([[ACCOUNT, rows]]),
    },
    venue: {
      orders: new Map([[ORDER, { ordered, filled: changed.venueFilled, times: 1 }]]),
      facts: new Map([[ACCOUNT, changed.facts]]),
      accounts: new Map([[ACCOUNT, { cash: new Map([["USDT", changed.venueCash]]) }]]),
      fills: 1,
      deposits: 1,
    },
    notices: changed.notices,
    statements: [changed.statement],
  };
};

const broken = (evidence: Evidence): string[] =>
  Object.entries(judgeInvariants(evidence))
    .filter(([, verdict]) => !verdict.holds)
    .map(([id]) => id);

const at = (story: Parts, seq: number): Body => story.journal[seq - 1] as Body;
const first = <T>(items: readonly T[]): T => items[0] as T;
const secondCall = (story: Parts): CallRow => ({ ...first(story.calls), callId: "MC-ABCDEFGHIJKL-2", version: 1, status: "OPEN" });

describe("invariants from the final tables", () => {
  it("hold for a sound story, each on more than 0 facts", () => {
    const verdicts = judgeInvariants(evidenceOf());
    expect(Object.values(verdicts).flatMap(({ faults }) => faults)).toEqual([]);
    expect(Object.values(verdicts).every(({ holds, checked }) => holds && checked > 0)).toBe(true);
    expect(Object.keys(verdicts)).toEqual(expect.arrayContaining(["I01", "I02", "I04", "I06", "I09", "I10", "I11", "I14", "I17", "I20"]));
  });

  const cases: readonly (readonly [InvariantId, string, (story: Parts) => void])[] = [
    [
      "I01",
      "two live calls of one scope",
      (story) => story.calls.push(secondCall(story), { ...secondCall(story), callId: "MC-ABCDEFGHIJKL-3" }),
    ],
    [
      "I01",
      "an account that names an ended call",
      (story) => Object.assign(story, { account: { ...story.account, openCalls: new Map([["CROSS", CALL]]) } }),
    ],
    ...["its call's version", "an order's fill"].map((what, index): readonly [InvariantId, string, (story: Parts) => void] => [
      "I01",
      `an account that holds its live call with another state than its rows have: ${what}`,
      (story) => {
        const call = secondCall(story);
        const row = { ...first(story.orders), callId: call.callId };
        story.calls.push(call);
        story.orders.push(row);
        const held = index === 0 ? { ...call, version: 2 } : call;
        const orders = [index === 1 ? { ...row, filled: quantity("0.1") } : row];
        Object.assign(story.account, { openCalls: new Map([["CROSS", call.callId]]), lives: [{ call: held, orders }] });
      },
    ]),
    [
      "I02",
      "a call that moves after it ended",
      (story) => story.journal.push({ ...at(story, 6), seq: 7, entries: [], orders: [], calls: [call(5, "OPEN")] }),
    ],
    ["I02", "a call that skips OPEN to LIQUIDATED", (story) => Object.assign(at(story, 4), { calls: [call(3, "LIQUIDATED")] })],
    [
      "I02",
      "a call whose row is not what the journal ends in",
      (story) => story.calls.splice(0, 1, { ...first(story.calls), status: "MET" }),
    ],
    ["I02", "a version written twice", (story) => Object.assign(at(story, 3), { calls: [call(1, "OPEN")] })],
    ["I04", "a liquidation before the promised deadline", (story) => Object.assign(at(story, 4), { at: "2020-03-12T06:30:59.000Z" })],
    ["I04", "a close-out above maintenance margin", (story) => Object.assign(at(story, 4), { events: [started("closeOut", "100")] })],
    [
      "I05",
      "a deadline that moves earlier",
      (story) => Object.assign(at(story, 3), { calls: [call(2, "OPEN", "2020-03-12T06:30:00.000Z")] }),
    ],
    [
      "I05",
      "a deadline that leaves less than the grace",
      (story) => story.calls.splice(0, 1, { ...first(story.calls), graceMs: 3_600_000 }),
    ],
    ["I06", "an order while the call is met", (story) => Object.assign(at(story, 4), { calls: [call(3, "MET")] })],
    ["I06", "an order that no entry decides", (story) => [4, 5, 6].map((seq) => Object.assign(at(story, seq), { orders: [] }))],
    [
      "I09",
      "an order id that is not made of call, attempt and instrument",
      (story) => story.orders.splice(0, 1, { ...first(story.orders), attempt: 2 }),
    ],
    ["I09", "an order that is sent twice", (story) => story.journal.splice(5, 0, { ...at(story, 5) })],
    ["I10", "an order above the position", (story) => story.orders.splice(0, 1, { ...first(story.orders), quantity: quantity("1.5") })],
    ["I10", "an order that would add to the position", (story) => story.orders.splice(0, 1, { ...first(story.orders), side: "buy" })],
    ["I10", "a fill that turns the position round", (story) => Object.assign(at(story, 6), { entries: [fill("fill", "-1.4", ORDER)] })],
    [
      "I10",
      "an account that holds another quantity",
      (story) => Object.assign(story, { account: { ...story.account, positions: new Map([["BTC-PERP", quantity("0.5")]]) } }),
    ],
    ["I11", "a remainder that is lost", (story) => story.orders.splice(0, 1, { ...first(story.orders), cancelled: quantity("0.05") })],
    [
      "I11",
      "a fill that the order does not count",
      (story) => story.orders.splice(0, 1, { ...first(story.orders), filled: quantity("0.3"), cancelled: quantity("0.2") }),
    ],
    ["I11", "a fill that the venue did not make", (story) => Object.assign(story, { venueFilled: quantity("0.3") })],
    [
      "I14",
      "a unit of cash from nowhere",
      (story) => Object.assign(story, { account: { ...story.account, cash: new Map([["USDT", money("889.50000001")]]) } }),
    ],
    ["I14", "cash that is not what the venue's own books have", (story) => Object.assign(story, { venueCash: money("889.49999999") })],
    [
      "explained",
      "a liquidation that does not say what bound it",
      (story) => {
        const event = started("deadline", "120");
        Object.assign(at(story, 4), { events: [{ ...event, call: { ...event.call, boundBy: null } }] });
      },
    ],
    [
      "explained",
      "parts that fall short of the requirement",
      (story) => Object.assign(story, { statement: { ...story.statement, initial: money("30.00000001") } }),
    ],
    [
      "explained",
      "parts above the requirement by more than their rounding",
      (story) => Object.assign(story, { statement: { ...story.statement, initial: money("29.99999997") } }),
    ],
    [
      "I14",
      "a deposit that posts another amount",
      (story) => {
        const [entry] = at(story, 3).entries;
        if (entry !== undefined) at(story, 3).entries = [{ ...entry, postings: [{ asset: "USDT", amount: "99" }] }];
        story.account = { ...story.account, cash: new Map([["USDT", money("888.5")]]) };
      },
    ],
    [
      "I17",
      "a fact that is journalled twice",
      (story) => Object.assign(at(story, 4), { entries: [{ ...first(at(story, 3).entries), postings: [] }] }),
    ],
    ["I17", "a fact that was sent and never applied", (story) => story.facts.push("lost")],
    ["I17", "a fact without its row", (story) => void story.applied.pop()],
    ["I20", "a missing entry", (story) => void story.journal.splice(4, 1)],
    ["I20", "an account ahead of its journal", (story) => Object.assign(story, { account: { ...story.account, version: 7 } })],
    ["I20", "a head that is not the last entry", (story) => Object.assign(story, { account: { ...story.account, head: hashOf("other") } })],
    ["I22", "a notice of a call that does not exist", (story) => story.notices.push({ channel: "email", callId: "MC-ABCDEFGHIJKL-9" })],
  ];

  it.each(cases)("%s finds %s", (id, _, change) => {
    expect(broken(evidenceOf(change))).toContain(id);
  });

  it.each([
    [
      "a changed amount",
      (rows: JournalRow[]) => rows.splice(2, 1, { ...(rows[2] as JournalRow), text: (rows[2] as JournalRow).text.replace("100", "900") }),
    ],
    ["two entries in the other order", (rows: JournalRow[]) => rows.splice(1, 2, rows[2] as JournalRow, rows[1] as JournalRow)],
    ["a cut end", (rows: JournalRow[]) => rows.pop()],
  ])("I20 finds %s", (_, tamper) => {
    expect(broken(evidenceOf(undefined, tamper))).toContain("I20");
  });
});

describe("the summary", () => {
  const ended = (status: string, liquidationReason: CallRow["liquidationReason"] = null): CallRow => ({
    ...first(parts().calls),
    status,
    liquidationReason,
  });

  it("counts calls by how they ended, and the sum is what was opened", () => {
    const calls = [
      ended("MET"),
      ended("MET", "deadline"),
      ended("LIQUIDATED", "deadline"),
      ended("LIQUIDATED", "closeOut"),
      ended("LIQUIDATION_FAILED", "closeOut"),
      ended("LIQUIDATING", "closeOut"),
      ended("OPEN"),
      ended("CLOSED_FLAT"),
      ended("CANCELLED"),
    ];
    expect(countCalls(calls)).toEqual({ opened: 9, met: 2, expired: 1, closedOut: 2, closedFlat: 1, cancelled: 1, open: 2 });
  });

  it("is one JSON object with the names that its readers rely on", () => {
    const evidence = evidenceOf((story) => story.facts.push("lost"));
    const verdicts = judgeInvariants(evidence);
    const summary = summaryOf({
      tables: evidence.tables,
      verdicts,
      notices: { email: 1, webhook: 2 },
      fills: 1,
      kinds: new Map([[ACCOUNT, "options"]]),
      durationMs: 5,
      seed: 1,
      ticks: 192,
      refused: [],
      deadLetters: { "email-dead": 1 },
      source: "a path",
    });
    expect(JSON.parse(JSON.stringify(summary))).toMatchObject({
      calls: { opened: 1, met: 0, expired: 1, closedOut: 0, closedFlat: 0, cancelled: 0, open: 0 },
      notices: { email: 1, webhook: 2 },
      orders: 1,
      fills: 1,
      kinds: {
        perpetuals: { accounts: 0, calls: 0, orders: 0, fills: 0 },
        options: { accounts: 1, calls: 1, orders: 1, fills: 1 },
      },
      invariants: { I01: true, I17: false, I20: true },
      checked: { I20: 7 },
      durationMs: 5,
      seed: 1,
      accounts: 1,
      ticks: 192,
      refusedLines: [],
      deadLetters: { "email-dead": 1 },
    });
    expect(allHold(summary)).toBe(false);
    const lines = summaryLines(summary, verdicts).join("\n");
    expect(lines).toContain("calls     1 opened = 0 met + 1 expired + 0 closed out + 0 closed flat + 0 cancelled + 0 open");
    expect(lines).toContain("I17  BROKEN");
    expect(lines).toContain("A1: lost was sent, not applied");
    expect(lines).toContain("email-dead 1");
  });
});
