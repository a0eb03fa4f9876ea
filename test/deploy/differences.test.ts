import { expect, test } from "vitest";

import { byCause, describeDifferences, differencesOf } from "./differences.ts";
import { KNOWN } from "./known-differences.ts";

const outcome = (...lines: [string, string][]): Map<string, string> => new Map(lines);

test("what is the same is no difference; what is on one side only or otherwise is one", () => {
  const local = outcome(["calls/a/MC-1", "MET"], ["orders/b/O-1", "sell 2"], ["emails/a", "1"]);
  const independent = outcome(["calls/a/MC-1", "MET"], ["orders/b/O-1", "sell 3"], ["dead letters/x", "1"]);
  expect(differencesOf(local, independent)).toEqual([
    { where: "dead letters/x", local: null, independent: "1" },
    { where: "emails/a", local: "1", independent: null },
    { where: "orders/b/O-1", local: "sell 2", independent: "sell 3" },
  ]);
});

test("a difference goes to the first cause that covers it, and to none otherwise", () => {
  const differences = differencesOf(outcome(["a/1", "x"], ["b/1", "x"]), outcome(["a/1", "y"], ["b/1", "y"]));
  const causes = byCause(differences, [
    { cause: "first", covers: ({ where }) => where === "a/1" },
    { cause: "second", covers: ({ where }) => where === "a/1" },
  ]);
  expect([...causes].map(([cause, covered]) => [cause, covered.map(({ where }) => where)])).toEqual([
    ["first", ["a/1"]],
    [null, ["b/1"]],
  ]);
  expect(describeDifferences(causes.get(null) ?? [])).toBe("b/1\n  local cloud: x\n  MiniStack:   y");
});

test.each([
  ["a call that ended otherwise", "calls/silent/MC-AAAAAAAAAAAA-1", "LIQUIDATED", "MET"],
  ["an order of another quantity", "orders/silent/MC-AAAAAAAAAAAA-1-1-BTC-PERP", "sell 3.471", "sell 3.472"],
  ["an event that is not there", "events/silent/03", "margin_call.updated", null],
  ["cash of another amount", "accounts/silent", "1", "2"],
  ["an email too many", "emails/silent@harbour.example", "5", "6"],
  ["a webhook that was refused", "webhooks/refused", "0", "1"],
  ["a parked message", "dead letters/plimsoll-local-orders-dead", "0", "1"],
  ["a broken invariant", "invariants/I09", "holds", "sent twice"],
])("no cause on the list covers %s", (_, where, local, independent) => {
  expect(KNOWN.filter(({ covers }) => covers({ where, local, independent }))).toEqual([]);
});

test.each([
  ["4.7 s later", { promisedMs: 154_700 }, ["a busy machine, in real time"]],
  ["earlier", { promisedMs: 149_999 }, []],
  ["a minute later", { promisedMs: 210_000 }, []],
  ["later, and of another end", { promisedMs: 154_700, status: "MET" }, []],
])("I05: a promise %s", (_words, changed, causes) => {
  const call = { promisedMs: 150_000, status: "LIQUIDATED" };
  const difference = {
    where: "calls/silent/MC-AAAAAAAAAAAA-1",
    local: JSON.stringify(call),
    independent: JSON.stringify({ ...call, ...changed }),
  };
  expect(KNOWN.filter(({ covers }) => covers(difference)).map(({ cause }) => cause)).toEqual(causes);
});
