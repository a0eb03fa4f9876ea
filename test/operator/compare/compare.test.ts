import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { decimal, money } from "../../../core/money.ts";
import { compare } from "../../../operator/compare/compare.ts";
import { FIGURES } from "../../../operator/compare/differences.ts";
import { actsOf, envelopesOf } from "../../../operator/compare/history.ts";
import { readOurs, writeOurs } from "../../../operator/compare/ours.ts";
import { readTheirs } from "../../../operator/compare/theirs.ts";
import { MINUTE, POLICY, position, T0 } from "../../core/call-fixtures.ts";
import { type OurHistory, ourHistory } from "./our-history.ts";

const ever = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, toleranceMs: 60_000 };
const LONG = [position("BTC-PERP", "1", "100")];
const PRICES = { "BTC-PERP": "95", "BTC-USDT": "95" };

/** One account with this cash that is one contract long from 100, swept at 95 ten minutes later, and after. */
const swept = (cash: Readonly<Record<string, string>>, minutes: readonly number[] = [10], policy = POLICY): OurHistory => {
  const history = ourHistory({ ...policy, mode: "observe" });
  history.sweep(T0, { "BTC-PERP": "100", "BTC-USDT": "100" });
  history.open("A-1", T0 + 1_000, cash, LONG);
  for (const minute of minutes) history.sweep(T0 + minute * MINUTE, PRICES);
  return history;
};

type Row = Readonly<Record<string, unknown>>;
const at = (seconds: number): string => new Date(T0 + 10 * MINUTE + seconds * 1_000).toISOString();
const row = (over: Row): Row => ({ account: "A-1", kind: "call", at: at(3), ...over });
const found = (history: OurHistory, rows: readonly Row[], scope = ever) =>
  compare(history.book(), readTheirs("theirs.json", JSON.stringify({ rows })), scope).differences;
const words = (history: OurHistory, rows: readonly Row[], scope = ever): string[] =>
  found(history, rows, scope).map(({ kind, aspect, cause }) => `${kind}, ${aspect}: ${cause}`);

/** They call and we do not, at an equity of 5 against 4.9875; we do and they do not, at 4.9. */
const QUIET = { USDT: "10" };
const CALLED = { USDT: "9.9" };
const statement = (over: Row): Row => row({ kind: "statement", ...over });

describe("the cause of a difference", () => {
  test.each<[string, Readonly<Record<string, string>>, Row[], string[]]>([
    ["both call, to the unit", CALLED, [row({ amountDue: "4.6", equity: "4.9" })], []],
    ["both call, they give no figures", CALLED, [row({})], []],
    ["both call, a minute apart", CALLED, [row({ at: at(60) })], []],
    ["both call, a second more apart", CALLED, [row({ at: at(61) })], ["call, time: timing"]],
    ["they call later, and their call level says why", CALLED, [row({ at: at(90), callLevel: 400_000 })], ["call, time: trigger"]],
    [
      "they call more than an hour later: another call",
      CALLED,
      [row({ at: at(3_700) })],
      ["call, only ours: unexplained", "call, only theirs: unexplained"],
    ],
    ["the amount, by their price", CALLED, [row({ amountDue: "4.69", marks: { "BTC-PERP": "94.9" } })], ["call, figures: mark"]],
    ["the amount, by their balance", CALLED, [row({ amountDue: "4.55", balances: { USDT: "9.95" } })], ["call, figures: book"]],
    [
      "the amount, by their position",
      { USDT: "19" },
      [row({ amountDue: "10", positions: [{ instrumentId: "BTC-PERP", quantity: "2", entryPrice: "100" }] })],
      ["call, only theirs: book"],
    ],
    [
      "the requirement, by their fee",
      CALLED,
      [row({ maintenanceRequirement: "0.57", fees: { "BTC-PERP": 1_000 } })],
      ["call, figures: fee"],
    ],
    [
      "the amount, by nothing that they give",
      CALLED,
      [row({ amountDue: "7.77", balances: { USDT: "10" } })],
      ["call, figures: unexplained"],
    ],
    ["the amount, by less than their unit", CALLED, [row({ amountDue: "5" })], ["call, figures: rounding"]],
    ["their last price", QUIET, [row({ marks: { "BTC-PERP": "94.9" }, priceType: "last" })], ["call, only theirs: trigger"]],
    ["their call level", QUIET, [row({ callLevel: 600_000 })], ["call, only theirs: trigger"]],
    ["only theirs, and they say nothing of why", QUIET, [row({})], ["call, only theirs: unexplained"]],
    ["only theirs, and what differs has no effect", QUIET, [row({ marks: { "BTC-PERP": "96" } })], ["call, only theirs: unexplained"]],
    ["only ours, and they say nothing at all", CALLED, [], ["call, only ours: unexplained"]],
    [
      "only ours, by the price that another account's row tells",
      CALLED,
      [statement({ account: "A-2", marks: { "BTC-PERP": "97" } })],
      ["call, only ours: mark"],
    ],
    [
      "only ours, by a price of another time",
      CALLED,
      [statement({ at: at(90), marks: { "BTC-PERP": "97" } })],
      ["call, only ours: unexplained"],
    ],
    [
      "two that suffice together, neither alone",
      QUIET,
      [row({ fees: { "BTC-PERP": 100 }, balances: { USDT: "9.99" } })],
      ["call, only theirs: several"],
    ],
    ["an account that we never had", CALLED, [row({}), row({ account: "X-1" })], ["call, only theirs: missing account"]],
    ["an account that their list does not have", CALLED, [row({ account: "A-2", kind: "account" })], ["call, only ours: missing account"]],
    ["a liquidation at the close-out level, on both sides", { USDT: "5.3" }, [row({ kind: "liquidation", equity: "0.3" })], []],
    [
      "a liquidation of theirs, by their rate",
      { USDT: "5.5" },
      [row({}), row({ kind: "liquidation", tiers: { "BTC-PERP": [{ floor: "0", rateIm: 100_000, rateMm: 6_000 }] } })],
      ["liquidation, only theirs: tier"],
    ],
  ])("%s", (_, cash, rows, expected) => {
    expect(words(swept(cash), rows)).toEqual(expected);
  });

  test("of two that suffice alone, the one whose statement is nearer to their figures", () => {
    const terms = { balances: { USDT: "9.9" }, marks: { "BTC-PERP": "94.9" } };
    expect(words(swept(QUIET), [row({ ...terms, amountDue: "4.6", equity: "4.9", initialRequirement: "9.5" })])).toEqual([
      "call, only theirs: book",
    ]);
    expect(words(swept(QUIET), [row({ ...terms, amountDue: "4.59", equity: "4.9", initialRequirement: "9.49" })])).toEqual([
      "call, only theirs: mark",
    ]);
  });

  test("the evidence shows whose figure was put in whose place, and what came out", () => {
    const [difference] = found(swept(QUIET), [row({ marks: { "BTC-PERP": "94.9" } })]);
    expect(difference?.evidence).toBe(
      "with their mark price of BTC-PERP 94.9 for our 95: equity 4.9, IM 9.49, MM 0.4745, due 4.59, and our rules do as they do",
    );
  });

  // Ours would be liquidated when the deadline of 12:26:10 has passed on every clock: the sweep of 12:27.
  const minutes = [10, 15, 20, 22, 27];
  const before = at(12 * 60);
  const after = at(17 * 60);
  test.each<[string, Row[], string[]]>([
    ["both at the deadline", [row({}), row({ kind: "liquidation", at: after })], []],
    ["theirs before our deadline", [row({}), row({ kind: "liquidation", at: before })], ["liquidation, time: deadline"]],
    ["theirs never, their deadline is later", [row({ deadlineAt: at(3_600) })], ["liquidation, only ours: deadline"]],
    ["theirs never, and they do not say by when", [row({})], ["liquidation, only ours: unexplained"]],
  ])("a liquidation unmet at the deadline: %s", (_, rows, expected) => {
    expect(words(swept(CALLED, minutes), rows)).toEqual(expected);
  });

  test("an act of ours whose figures do not come out again is never explained", () => {
    const history = swept(CALLED);
    const book = history.book();
    const [policy] = book.policies;
    const other = { ...book, policies: [{ ...(policy as typeof POLICY), unrealisedProfitIm: 0, minimumTransfer: money("5") }] };
    const theirs = readTheirs("theirs.json", JSON.stringify({ rows: [statement({ balances: { USDT: "12" } })] }));
    expect(compare(other, theirs, ever).differences[0]).toMatchObject({
      cause: "unexplained",
      evidence: "our own figures do not come out again: on the stored marks and terms",
    });
  });

  test("acts outside --from and --to are left out on both sides", () => {
    const rows = [row({ kind: "liquidation" })];
    expect(words(swept(CALLED), rows, { ...ever, to: T0 + 9 * MINUTE })).toEqual([]);
    expect(words(swept(CALLED), rows, { ...ever, from: T0 + 11 * MINUTE })).toEqual([]);
    expect(words(swept(CALLED), rows)).toHaveLength(2);
  });

  test("a pair at the edge of the scope is paired before it is cut, and belongs where its first act lies", () => {
    const rows = [row({})];
    const compared = (scope: Partial<typeof ever>) =>
      compare(swept(CALLED).book(), readTheirs("theirs.json", JSON.stringify({ rows })), { ...ever, ...scope });
    expect(compared({ to: T0 + 10 * MINUTE })).toMatchObject({ ours: 1, theirs: 1, equal: 1, differences: [] });
    expect(compared({ from: T0 + 10 * MINUTE + 1 })).toMatchObject({ ours: 0, theirs: 0, equal: 0, differences: [] });
  });

  test("terms that nothing can be computed with leave their account unexplained, by the fault's words", () => {
    const [difference] = found(swept(QUIET), [row({ balances: { XRP: "-5" } })]);
    expect(difference).toMatchObject({ cause: "unexplained" });
    expect(difference?.evidence).toMatch(/^the margin cannot be computed again: .*collateral XRP/);
  });
});

describe("our export", () => {
  test("reads back to what was written", () => {
    const book = swept(CALLED).book();
    const text = writeOurs(book);
    expect(writeOurs(readOurs("ours.json", text))).toBe(text);
  });

  test.each([
    ["no JSON", () => "{", "ours.json: is no JSON"],
    ["another form", () => "{}", "ours.json: is no export of a journal: schemaVersion"],
    [
      "a journal that was changed",
      (text: string) => text.replace('"amountDue": "4.6"', '"amountDue": "4.5"'),
      "ours.json: the journal of A-1 is not as it was written: envelope 2",
    ],
    [
      "a snapshot of unknown instruments",
      (text: string) => text.replace('"BTC-PERP": 1', '"BTC-PERP": 2'),
      "names BTC-PERP version 2, which is not there",
    ],
  ])("%s is refused", (_, change, expected) => {
    expect(() => readOurs("ours.json", change(writeOurs(swept(CALLED).book())))).toThrow(expected);
  });
});

describe("a book without differences", () => {
  const cents = fc.integer({ min: 100, max: 4_000 }).map((amount) => (amount / 100).toFixed(2));
  const fall = fc.integer({ min: 90, max: 101 }).map(String);

  test("any accounts, any prices, told of by the other side as ours did them: none is found", () => {
    let acts = 0;
    fc.assert(
      fc.property(fc.array(cents, { minLength: 1, maxLength: 6 }), fc.array(fall, { minLength: 1, maxLength: 5 }), (accounts, falls) => {
        const history = ourHistory();
        history.sweep(T0, { "BTC-PERP": "100", "BTC-USDT": "100" });
        for (const [index, cash] of accounts.entries()) history.open(`A-${index}`, T0 + 1_000, { USDT: cash }, LONG);
        for (const [index, to] of falls.entries()) history.sweep(T0 + (index + 1) * 4 * MINUTE, { "BTC-PERP": to, "BTC-USDT": to });
        const book = readOurs("ours.json", writeOurs(history.book()));
        const rows = book.accounts
          .flatMap((our) => actsOf(our, envelopesOf(our), book.instruments))
          .map(({ accountId, kind, at: instant, figures }) => ({
            ...{ account: accountId, kind, at: new Date(instant + 5_000).toISOString() },
            ...Object.fromEntries(FIGURES.flatMap((name) => (figures[name] === null ? [] : [[name, decimal(figures[name])]]))),
          }));
        const { differences, equal, ours } = compare(book, readTheirs("theirs.json", JSON.stringify({ rows })), ever);
        expect(differences).toEqual([]);
        expect(equal).toBe(ours);
        acts += rows.length;
      }),
      { numRuns: 200 },
    );
    expect(acts).toBeGreaterThan(200);
  });
});
