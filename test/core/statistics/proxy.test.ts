import { describe, expect, test } from "vitest";
import { type ProxyTerms, withProxy } from "../../../core/statistics/proxy.ts";
import { type JointReturns, measuredReturns } from "../../../core/statistics/returns.ts";
import { faultOf, figureOf } from "../answers.ts";

const long = figureOf(measuredReturns("log", [1, 2, 3, 4], { BTC: [0.1, -0.2, 0.1, -0.1], ETH: [0, 0, 0, 0] }));
const short = figureOf(measuredReturns("log", [3, 4], { BTC: [0.1, -0.1], SUI: [0.25, -0.15] }));
const PAIR = { young: "SUI", proxy: "BTC" };
// Draws the second common date, then the first.
const terms = (): ProxyTerms => {
  const draws = [0.9, 0.1];
  return { leastReturns: 2, random: () => draws.shift() ?? 0 };
};

describe("withProxy (M7)", () => {
  test("its own returns where it has them, else β times the proxy's and a residual that it had", () => {
    // β = (0.025 + 0.015) / 0.02 = 2; residuals 0.05 and 0.05.
    const { joint, ...rest } = figureOf(withProxy(long, short, PAIR, terms()));
    expect(rest).toEqual({ beta: expect.closeTo(2, 12), own: 2, proxied: 2 });
    expect(joint.names).toEqual(["BTC", "ETH", "SUI"]);
    expect([...(joint.columns[2] ?? [])]).toEqual([0.25, -0.35, 0.25, -0.15].map((each) => expect.closeTo(each, 12)));
  });

  test("residuals are drawn by the generator", () => {
    // β = (0.03 + 0.01) / 0.02 = 2; residuals 0.1 and −0.1, of which the second is drawn first.
    const other = figureOf(measuredReturns("log", [3, 4], { BTC: [0.1, 0.1], SUI: [0.3, 0.1] }));
    const { joint } = figureOf(withProxy(long, other, PAIR, terms()));
    expect([...(joint.columns[2] ?? [])].slice(0, 2)).toEqual([0.1, -0.3].map((each) => expect.closeTo(each, 12)));
  });

  const flat = figureOf(measuredReturns("log", [3, 4], { BTC: [0, 0], SUI: [0.3, 0.1] }));
  test.each<[string, JointReturns, JointReturns, typeof PAIR, number, string]>([
    ["too short a common history", long, short, PAIR, 3, "NO_HISTORY"],
    ["no least history", long, short, PAIR, 1, "BAD_TERMS"],
    ["a proxy that never moves", long, flat, PAIR, 2, "ZERO_VOLATILITY"],
    ["returns of another kind", { ...long, kind: "simple" }, short, PAIR, 2, "DISORDER"],
    ["another horizon", { ...long, horizon: 2 }, short, PAIR, 2, "DISORDER"],
    ["a proxy that is not there", long, short, { young: "SUI", proxy: "SOL" }, 2, "DISORDER"],
    ["a factor that has its history", long, short, { young: "BTC", proxy: "BTC" }, 2, "DISORDER"],
  ])("refuses %s", (_, ...[from, common, pair, leastReturns, fault]) => {
    expect(faultOf(withProxy(from, common, pair, { leastReturns, random: () => 0 })).fault).toBe(fault);
  });
});
