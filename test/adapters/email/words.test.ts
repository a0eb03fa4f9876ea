import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { amount, duration, grouped, isoInstant, masked, zonedInstant } from "../../../adapters/email/words.ts";

test.each([
  ["0", "0.00"],
  ["12400", "12,400.00"],
  ["-36.98", "-36.98"],
  ["999", "999.00"],
  ["1000", "1,000.00"],
  ["1234567.5", "1,234,567.50"],
  ["0.00000001", "0.00000001"],
  ["12345678901234567890.12345678", "12,345,678,901,234,567,890.12345678"],
])("amounts: %s reads %s", (decimal, expected) => expect(grouped(decimal, 2)).toBe(expected));

test("amounts: grouping changes no digit", async () => {
  await fc.assert(
    fc.property(fc.stringMatching(/^-?(0|[1-9]\d{0,19})(\.\d{0,7}[1-9])?$/), (decimal) => {
      const back = grouped(decimal, 0).replaceAll(",", "");
      expect(back).toBe(decimal);
    }),
  );
});

test("amounts carry their asset", () => expect(amount("-0.5", "BTC")).toBe("-0.50 BTC"));

test.each([
  ["acct-77124821", "…4821"],
  ["A1", "…1"],
  ["ABCDE", "…DE"],
  ["x", "…"],
])("N13 account %s is shown as %s", (id, shown) => expect(masked(id)).toBe(shown));

const at = (text: string): number => Date.parse(text);

describe("N13 deadlines in the reader's zone", () => {
  test.each([
    ["2020-03-12T09:30:00Z", "Asia/Singapore", "2020-03-12T08:48:00Z", "Today 17:30 Singapore time (09:30 UTC)"],
    ["2020-03-12T09:30:00Z", "UTC", "2020-03-12T08:48:00Z", "Today 09:30 UTC"],
    ["2020-03-12T09:30:15Z", "UTC", "2020-03-12T08:48:00Z", "Today 09:30:15 UTC"],
    ["2020-03-12T23:30:00Z", "Asia/Singapore", "2020-03-12T08:48:00Z", "Tomorrow 07:30 Singapore time (12 March 23:30 UTC)"],
    ["2020-03-16T12:00:00Z", "America/New_York", "2020-03-12T08:48:00Z", "Monday 16 March 2020 08:00 New York time (12:00 UTC)"],
    ["2020-03-12T09:30:00Z", "Not/A_Zone", "2020-03-12T08:48:00Z", "Today 09:30 UTC"],
    ["2020-03-11T12:00:00Z", "Europe/London", "2020-03-12T08:48:00Z", "Wednesday 11 March 2020 12:00 London time (12:00 UTC)"],
    ["2020-12-31T23:59:00Z", "Pacific/Auckland", "2020-12-31T23:00:00Z", "Today 12:59 Auckland time (31 December 23:59 UTC)"],
  ])("N13 %s in %s seen at %s", (deadline, zone, now, expected) => expect(zonedInstant(at(deadline), zone, at(now))).toBe(expected));

  test("S53 the hour that comes twice is told apart by UTC", () => {
    const now = at("2025-11-02T04:00:00Z");
    expect(zonedInstant(at("2025-11-02T05:30:00Z"), "America/New_York", now)).toBe("Today 01:30 New York time (05:30 UTC)");
    expect(zonedInstant(at("2025-11-02T06:30:00Z"), "America/New_York", now)).toBe("Today 01:30 New York time (06:30 UTC)");
  });
});

test("an instant without doubt", () => {
  expect(isoInstant(at("2020-03-12T09:30:00Z"))).toBe("2020-03-12T09:30:00Z");
  expect(isoInstant(at("2020-03-12T09:30:00.250Z"))).toBe("2020-03-12T09:30:00.250Z");
});

test.each([
  [59_999, "less than a minute"],
  [60_000, "1 minute"],
  [2_520_000, "42 minutes"],
  [3_600_000, "1 hour"],
  [90_000_000, "25 hours"],
  [5_460_000, "1 hour 31 minutes"],
])("durations round down: %i ms is %s", (ms, words) => expect(duration(ms)).toBe(words));
