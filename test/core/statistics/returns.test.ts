import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type JointReturns, jointReturns, measuredReturns, type PriceSeries, type ReturnTerms } from "../../../core/statistics/returns.ts";
import { faultOf, figureOf } from "../answers.ts";

const DAY = 86_400_000;
const series = (name: string, prices: readonly (number | null)[], from = 0): PriceSeries => ({
  name,
  points: prices.flatMap((price, index) => (price === null ? [] : [{ at: (from + index) * DAY, price }])),
});
const TERMS: ReturnTerms = { kind: "simple", horizon: 1, intervalMs: DAY, gaps: "refuse", scaling: "overlapping", leastReturns: 1 };
const columns = ({ columns: all }: JointReturns): number[][] => all.map((column) => [...column]);

describe("jointReturns (M7)", () => {
  test("the span is the one that all series share; vectors are of one date", () => {
    const joint = figureOf(jointReturns([series("A", [100, 110, 99, 99]), series("B", [50, 100, 50], 1)], TERMS));
    expect(joint.names).toEqual(["A", "B"]);
    expect(joint.endsAt).toEqual([2 * DAY, 3 * DAY]);
    expect(columns(joint)).toEqual([[-0.1, 0].map((each) => expect.closeTo(each, 12)), [1, -0.5]]);
  });

  test.each<[string, Partial<ReturnTerms>, number[], number[]]>([
    ["simple returns over 2 overlapping days", { horizon: 2 }, [2 * DAY, 3 * DAY], [0.21, -0.1]],
    ["log returns", { kind: "log" }, [DAY, 2 * DAY, 3 * DAY], [0.0953101798, 0.0953101798, -0.2006706955]],
    ["differences", { kind: "difference", horizon: 3 }, [3 * DAY], [-1]],
    ["one-day returns times the root of 4", { horizon: 4, scaling: "sqrt" }, [DAY, 2 * DAY, 3 * DAY], [0.2, 0.2, -0.3636363636]],
  ])("%s", (_, patch, ends, expected) => {
    const joint = figureOf(jointReturns([series("A", [100, 110, 121, 99])], { ...TERMS, ...patch }));
    expect(joint.endsAt).toEqual(ends);
    expect(columns(joint)[0]).toEqual(expected.map((each) => expect.closeTo(each, 9)));
    expect(joint.isScaled).toBe(patch.scaling === "sqrt");
  });

  test("a gap is refused with its series and instant", () => {
    const gap = faultOf(jointReturns([series("A", [100, 110, 121, 99]), series("B", [1, 2, null, 4])], TERMS));
    expect(gap.fault).toBe("GAP");
    expect(gap.detail).toContain(`B has no price at instant ${2 * DAY}`);
  });

  test("or left out by name: both returns that touch it go, for every series", () => {
    const joint = figureOf(
      jointReturns([series("A", [100, 110, 121, 99, 99]), series("B", [1, 2, null, 4, 2])], { ...TERMS, gaps: "leave-out" }),
    );
    expect(joint.gaps).toEqual([{ name: "B", at: 2 * DAY }]);
    expect(joint.endsAt).toEqual([DAY, 4 * DAY]);
    expect(columns(joint)[1]).toEqual([1, -0.5]);
  });

  test("a date that all series lack is a gap too when the interval is known, and none without it", () => {
    const weekend = [series("A", [100, null, 120]), series("B", [1, null, 2])];
    expect(faultOf(jointReturns(weekend, TERMS)).fault).toBe("GAP");
    expect(columns(figureOf(jointReturns(weekend, { ...TERMS, intervalMs: null })))).toEqual([[expect.closeTo(0.2, 12)], [1]]);
  });

  test("WTI below 0 has differences, and no relative return", () => {
    const wti = series("WTI", [18.31, -36.98]);
    expect(columns(figureOf(jointReturns([wti], { ...TERMS, kind: "difference" })))[0]).toEqual([expect.closeTo(-55.29, 10)]);
    const fault = faultOf(jointReturns([wti], TERMS));
    expect([fault.fault, fault.detail]).toEqual(["BAD_NUMBER", expect.stringContaining("WTI, row 2: price -36.98")]);
  });

  const twice: PriceSeries = {
    name: "A",
    points: [
      { at: 0, price: 1 },
      { at: 0, price: 2 },
    ],
  };
  test.each<[string, readonly PriceSeries[], Partial<ReturnTerms>, string]>([
    ["no series", [], {}, "NO_HISTORY"],
    ["an empty series", [series("A", [])], {}, "NO_HISTORY"],
    ["spans that do not meet", [series("A", [1, 2]), series("B", [1, 2], 5)], {}, "NO_HISTORY"],
    ["too few returns", [series("A", [1, 2, 3])], { leastReturns: 3 }, "NO_HISTORY"],
    ["a repeated instant", [twice], {}, "DISORDER"],
    ["one name twice", [series("A", [1, 2]), series("A", [1, 2])], {}, "DISORDER"],
    ["a price that is NaN", [series("A", [1, Number.NaN])], {}, "BAD_NUMBER"],
    ["an instant that is NaN", [{ name: "A", points: [{ at: Number.NaN, price: 1 }] }], {}, "BAD_NUMBER"],
    ["a horizon of 0", [series("A", [1, 2])], { horizon: 0 }, "BAD_TERMS"],
    ["half a step", [series("A", [1, 2])], { horizon: 1.5 }, "BAD_TERMS"],
    ["an interval of 0", [series("A", [1, 2])], { intervalMs: 0 }, "BAD_TERMS"],
    ["an interval far below the files' step", [series("A", [1, 2])], { intervalMs: 1 }, "BAD_TERMS"],
    ["no least history", [series("A", [1, 2])], { leastReturns: 0 }, "BAD_TERMS"],
  ])("refuses %s by name", (_, all, patch, fault) => {
    expect(faultOf(jointReturns(all, { ...TERMS, ...patch })).fault).toBe(fault);
  });

  test("log returns of one day add up to those of h days, whatever the prices", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 1e6, noNaN: true }), { minLength: 6, maxLength: 40 }),
        fc.integer({ min: 1, max: 5 }),
        (prices, horizon) => {
          const terms = { ...TERMS, kind: "log" } as const;
          const [ones] = columns(figureOf(jointReturns([series("A", prices)], terms)));
          const [many] = columns(figureOf(jointReturns([series("A", prices)], { ...terms, horizon })));
          for (const [index, value] of (many ?? []).entries()) {
            const sum = (ones ?? []).slice(index, index + horizon).reduce((total, each) => total + each, 0);
            expect(value).toBeCloseTo(sum, 9);
          }
        },
      ),
    );
  });
});

describe("measuredReturns", () => {
  test("takes columns as they are", () => {
    expect(columns(figureOf(measuredReturns("simple", [1, 2], { A: [0.1, -0.1], V: [0, 0.5] })))).toEqual([
      [0.1, -0.1],
      [0, 0.5],
    ]);
  });
  test.each<[string, number[], Record<string, number[]>, string]>([
    ["no column", [1], {}, "NO_HISTORY"],
    ["no date", [], { A: [] }, "NO_HISTORY"],
    ["dates that fall", [2, 1], { A: [0, 0] }, "DISORDER"],
    ["a column too short", [1, 2], { A: [0] }, "DISORDER"],
    ["an entry that is NaN", [1, 2], { A: [0, Number.NaN] }, "BAD_NUMBER"],
  ])("refuses %s", (_, dates, all, fault) => {
    expect(faultOf(measuredReturns("simple", dates, all)).fault).toBe(fault);
  });
});
