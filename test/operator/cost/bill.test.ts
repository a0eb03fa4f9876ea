import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { PRESETS } from "../../../lib/stages.ts";
import { billOf, sweepsAMinute, type Traffic } from "../../../operator/cost/bill.ts";
import { PRICE_LIST } from "../../../operator/cost/prices.ts";
import { rowBytes } from "../../../operator/cost/rows.ts";
import { thingsOf } from "../../../operator/cost/things.ts";

const STAGE = PRESETS.sandbox;
const THINGS = { alarms: 71, dashboards: 1, keys: 2, schedules: 2, polledQueues: 9, queues: 27, tables: 4, natGateways: 0 };
const IDLE: Traffic = { accounts: 1_000, ticks: 0, positions: 10, instruments: 40, facts: 0, calledPercent: 0 };

const units = (traffic: Traffic): Record<string, number> =>
  Object.fromEntries(billOf(STAGE, traffic, THINGS, PRICE_LIST).lines.map(({ name, units: count }) => [name, count]));
const amounts = (traffic: Traffic): Record<string, string> =>
  Object.fromEntries(billOf(STAGE, traffic, THINGS, PRICE_LIST).lines.map(({ name, amount }) => [name, amount.toFixed(4)]));

test("rows are those of the codecs", () => {
  expect(rowBytes(10, 40)).toEqual({ account: 498, marks: 2_680, instruments: 32_120, snapshot: 3_093, envelope: 974, entry: 63 });
  // A position more is "COINnnn-PERP:-123.456:7935.25;": 30 bytes.
  expect(rowBytes(11, 40).account).toBe(528);
});

test("a month of 1,000 accounts at rest: 43,800 sweeps, one a minute", () => {
  // A sweep: state 1, marks 1, 8 groups, 8 snapshots, 16 shards of 31,125 bytes (8 blocks at half price): 82 units.
  // The overdue: 48 queries of half a unit, marks 1, instruments 8: 33. Instruments again six times a minute: 48.
  expect(units(IDLE)["readUnits"]).toBe(43_800 * (82 + 33 + 48));
  expect(amounts(IDLE)["readUnits"]).toBe("0.8924");
  // Claim 1, snapshot 4, 8 groups, the end 1.
  expect(units(IDLE)["writeUnits"]).toBe(43_800 * 14);
  expect(amounts(IDLE)["writeUnits"]).toBe("0.3832");
  // Each minute: one sweep started, 8 groups, one sweep of the overdue.
  expect(units(IDLE)["invocations"]).toBe(43_800 * 10);
  // Sent: the schedule's and the groups' batch; received and deleted: 9 messages; asked of 9 idle queues: 15 times each.
  expect(units(IDLE)["queueRequests"]).toBe(43_800 * (2 + 18 + 135));
  expect(amounts(IDLE)).toMatchObject({ alarms: "7.1000", keys: "2.0000", dashboards: "3.0000", scheduled: "0.0876", emails: "0.0000" });
});

test("a fact is two reads and six write units; a call is told", () => {
  const facts = units({ ...IDLE, facts: 1 });
  const month = (1_000 * 43_800) / 1_440;
  expect(facts["writeUnits"]).toBeCloseTo(43_800 * 14 + month * 6, 3);
  expect(facts["fifoRequests"]).toBeCloseTo(month * 3, 3);
  const called = units({ ...IDLE, calledPercent: 1 });
  // Ten calls: 53 units each, nine paid with 32, one liquidated with 98.
  expect(called["writeUnits"]).toBeCloseTo(43_800 * 14 + 530 + 288 + 98, 3);
  // One email each when called, nine when paid, three for the one that was liquidated.
  expect(called["emails"]).toBeCloseTo(10 + 9 + 3, 6);
});

test("two fixed addresses are two gateways and two addresses, by the hour", () => {
  const { lines } = billOf(STAGE, IDLE, { ...THINGS, natGateways: 2 }, PRICE_LIST);
  // 2 · 730 h · 0.045, and 2 · 730 h · 0.005.
  expect(lines.filter(({ service }) => service === "VPC").map(({ amount }) => amount.toFixed(2))).toEqual(["65.70", "7.30"]);
});

test("the bill is the sum of its lines, and the largest service stands first", () => {
  const { lines, services, total } = billOf(STAGE, { ...IDLE, accounts: 1_000_000, facts: 2 }, THINGS, PRICE_LIST);
  expect(total).toBeCloseTo(
    lines.reduce((sum, { units: count, usd, per }) => sum + (count * usd) / per, 0),
    6,
  );
  expect(services[0]?.service).toBe("DynamoDB");
});

test.each([
  [0, 1],
  [1, 1],
  [6, 6],
  [12, 12],
  [600, 12],
])("%i prices a minute lead to %i sweeps: no more than one in five seconds", (ticks, sweeps) => {
  expect(sweepsAMinute(STAGE, ticks)).toBe(sweeps);
});

test("what costs by the month is counted in the template", () => {
  const things = thingsOf(STAGE);
  expect(things).toMatchObject({ keys: 2, schedules: 2, dashboards: 1, polledQueues: 9, tables: 4 });
  expect(things.alarms).toBeGreaterThan(50);
});

test("the three sizes on the page are what the command says, to a tenth", () => {
  const page = readFileSync(new URL("../../../docs/operating/cost.md", import.meta.url), "utf8");
  const number = (text = ""): number => Number(text.replaceAll(",", ""));
  const sizes = [...page.matchAll(/^\| ([\d,]+) \| (\d+) \| ([\d,]+) \|/gm)].map(([, accounts, ticks, month]) => [
    number(accounts),
    number(ticks),
    number(month),
  ]);
  expect(sizes).toHaveLength(3);
  for (const [accounts = 0, ticks = 0, month = 0] of sizes) {
    const { total } = billOf(PRESETS.production, { ...IDLE, accounts, ticks, facts: 2, calledPercent: 1 }, THINGS, PRICE_LIST);
    expect(Math.abs(total - month) / month).toBeLessThan(0.1);
  }
});
