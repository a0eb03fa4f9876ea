import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createAgenda, type Due } from "../../../local/time/agenda.ts";
import { createSteppedTime } from "../../../local/time/stepped.ts";

const MINUTE = 60_000;
const nothing = () => Promise.resolve();

const play = (instants: readonly number[], until?: number) => {
  const time = createSteppedTime(0);
  time.every(MINUTE, "sweep", nothing);
  for (const instant of instants) time.at(instant, "tick", nothing);
  const seen: [string, number][] = [];
  for (let due = time.step(until); due !== null; due = time.step(until)) for (const { label } of due) seen.push([label, time.now()]);
  return { seen, end: time.now() };
};

describe("stepped time", () => {
  it("fires a steady rate once for all the times that it was due, with the next other event and after it", () => {
    expect(play([15 * MINUTE, 30 * MINUTE]).seen).toEqual([
      ["tick", 15 * MINUTE],
      ["sweep", 15 * MINUTE],
      ["tick", 30 * MINUTE],
      ["sweep", 30 * MINUTE],
    ]);
  });

  it("does not fire it before it is due", () => {
    expect(play([59_999, MINUTE, 90_000, 119_000, 121_000]).seen).toEqual([
      ["tick", 59_999],
      ["tick", MINUTE],
      ["sweep", MINUTE],
      ["tick", 90_000],
      ["tick", 119_000],
      ["tick", 121_000],
      ["sweep", 121_000],
    ]);
  });

  it("ends when only steady rates are left, or at the instant that it is given", () => {
    expect(play([MINUTE / 2]).end).toBe(MINUTE / 2);
    expect(play([MINUTE / 2, 9 * MINUTE], 5 * MINUTE)).toEqual({
      seen: [
        ["tick", MINUTE / 2],
        ["sweep", 5 * MINUTE],
      ],
      end: 5 * MINUTE,
    });
  });

  it("takes back what was to come, and makes due at once what has passed", () => {
    const time = createSteppedTime(1_000);
    const cancel = time.at(2_000, "cancelled", nothing);
    time.at(500, "late", nothing);
    cancel();
    expect(time.step(undefined)?.map(({ label }) => label)).toEqual(["late"]);
    expect(time.now()).toBe(1_000);
    expect(time.step(undefined)).toBeNull();
  });
});

describe("the agenda", () => {
  it("gives out in order of instants, and at one instant in order of entry", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 })), (instants) => {
        const agenda = createAgenda();
        const entered: Due[] = instants.map((at, index) => ({ at, label: String(index), act: nothing }));
        for (const due of entered) agenda.add(due);
        const expected = entered.toSorted((a, b) => a.at - b.at);
        expect(agenda.nextAt()).toBe(expected[0]?.at ?? null);
        expect([...agenda.takeUntil(10), ...agenda.takeUntil(20)]).toEqual(expected);
        expect(agenda.nextAt()).toBeNull();
      }),
    );
  });
});
