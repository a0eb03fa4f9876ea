import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type FailedAttempt, hopDelayS, nextAttemptAt } from "../../../adapters/webhook/retry.ts";

const T0 = 1_700_000_000_000;
const failed = (over: Partial<FailedAttempt>): FailedAttempt => ({
  eventId: "evt_1",
  endpointId: "ep_1",
  severity: "urgent",
  attempts: 1,
  now: T0,
  deadlineAt: null,
  retryAfterS: null,
  ...over,
});
const waitS = (over: Partial<FailedAttempt>): number => ((nextAttemptAt(failed(over)) ?? Number.NaN) - T0) / 1_000;

describe("N4 schedules", () => {
  test.each([
    [1, 3, 7],
    [2, 12, 18],
    [3, 24, 36],
    [4, 48, 72],
    [5, 96, 144],
    [6, 192, 288],
    [7, 384, 576],
    [8, 720, 1_080],
    [9, 720, 1_080],
    [19, 720, 1_080],
  ])("N4 urgent, after attempt %i between %i and %i s", (attempts, least, most) => {
    for (let n = 0; n < 50; n += 1) {
      const wait = waitS({ attempts, eventId: `evt_${n}` });
      expect(wait).toBeGreaterThanOrEqual(least);
      expect(wait).toBeLessThanOrEqual(most);
    }
  });

  test.each([
    [1, 3, 7],
    [2, 240, 360],
    [3, 1_440, 2_160],
    [4, 5_760, 8_640],
    [5, 14_400, 21_600],
    [6, 28_800, 43_200],
    [7, 40_320, 60_480],
    [8, 57_600, 86_400],
    [9, 69_120, 103_680],
  ])("N4 normal, after attempt %i between %i and %i s", (attempts, least, most) => {
    const wait = waitS({ attempts, severity: "normal" });
    expect(wait).toBeGreaterThanOrEqual(least);
    expect(wait).toBeLessThanOrEqual(most);
  });

  test("N4 attempts end: urgent after 20 or 60 minutes past the deadline, normal after 10", () => {
    expect(nextAttemptAt(failed({ attempts: 20 }))).toBeNull();
    expect(nextAttemptAt(failed({ attempts: 10, severity: "normal" }))).toBeNull();
    expect(nextAttemptAt(failed({ attempts: 9, deadlineAt: T0 - 3_000_000 }))).toBeNull();
    expect(nextAttemptAt(failed({ attempts: 9, deadlineAt: T0 - 2_000_000 }))).not.toBeNull();
  });

  test("N4 the same attempt waits the same time, other endpoints wait another", () => {
    expect(waitS({ attempts: 4 })).toBe(waitS({ attempts: 4 }));
    expect(new Set(Array.from({ length: 20 }, (_, n) => waitS({ attempts: 4, endpointId: `ep_${n}` }))).size).toBeGreaterThan(15);
  });
});

describe("N1 Retry-After", () => {
  test("N1 is honoured up to twice the schedule", () => {
    expect(waitS({ attempts: 4, retryAfterS: 100 })).toBe(100);
    expect(waitS({ attempts: 4, retryAfterS: 9_999_999_999 })).toBe(120);
  });
  test("N1 never asks for more than a third of the time left, and never for less than the schedule", () => {
    expect(waitS({ attempts: 4, retryAfterS: 115, deadlineAt: T0 + 300_000 })).toBe(100);
    expect(waitS({ attempts: 4, retryAfterS: 1 })).toBeGreaterThanOrEqual(48);
  });
});

describe("R29 the last attempt before a deadline", () => {
  test("R29 an attempt that would fall into the last 15 s is made at deadline − 20 s", () => {
    // Attempt 4 waits 48-72 s; with 70 s left that is between deadline − 22 s and deadline + 2 s.
    for (let n = 0; n < 100; n += 1) {
      const deadlineAt = T0 + 70_000;
      const at = nextAttemptAt(failed({ attempts: 4, eventId: `evt_${n}`, deadlineAt })) ?? 0;
      expect(at < deadlineAt - 15_000 || at >= deadlineAt).toBe(true);
    }
    expect(nextAttemptAt(failed({ attempts: 4, deadlineAt: T0 + Math.round(waitS({ attempts: 4 }) * 1_000) + 5_000 }))).toBe(
      T0 + Math.round(waitS({ attempts: 4 }) * 1_000) - 15_000,
    );
  });
  test("R29 after the one at deadline − 20 s they continue at the deadline", () => {
    expect(nextAttemptAt(failed({ attempts: 1, deadlineAt: T0 + 9_000 }))).toBe(T0 + 9_000);
  });
  test("R29 normal events know no deadline", () => {
    expect(waitS({ attempts: 2, severity: "normal", deadlineAt: T0 + 300_000 })).toBe(waitS({ attempts: 2, severity: "normal" }));
  });

  test("R29 whatever the attempt, none falls into the last 15 s, and none is in the past", async () => {
    await fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 19 }),
        fc.integer({ min: -3_600_000, max: 3_600_000 }),
        fc.option(fc.nat(100_000), { nil: null }),
        fc.string(),
        (attempts, leftMs, retryAfterS, eventId) => {
          const deadlineAt = T0 + leftMs;
          const at = nextAttemptAt(failed({ attempts, deadlineAt, retryAfterS, eventId }));
          return at === null || (at > T0 && (at < deadlineAt - 15_000 || at >= deadlineAt) && at <= deadlineAt + 3_600_000);
        },
      ),
    );
  });
});

test.each([
  [T0, 0],
  [T0 - 5_000, 0],
  [T0 + 1, 1],
  [T0 + 4_200, 5],
  [T0 + 900_000, 900],
  [T0 + 86_400_000, 900],
])("N4 a hop is at most 15 minutes and rounds up: due %i", (dueAt, delayS) => expect(hopDelayS(dueAt, T0)).toBe(delayS));
