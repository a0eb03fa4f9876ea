import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { black76Greeks } from "../../../core/pricing/black76.ts";
import { type OptionContract, type OptionMarket, optionValue } from "../../../core/pricing/option-value.ts";
import { logNormalRiskFactors } from "../../../core/pricing/risk-factors.ts";
import { type SurfaceSlice, volatilityAt, volatilitySurface } from "../../../core/pricing/surface.ts";

/** The figures of a page's worked example by name, as they are written. */
const figuresOf = (page: string): ReadonlyMap<string, string> => {
  const text = readFileSync(resolve(import.meta.dirname, `../../../docs/reference/models/${page}.md`), "utf8");
  const example = text.slice(text.indexOf("## Worked example"));
  return new Map([...example.matchAll(/^\| ([^|]+) \| (-?[\d.]+) \|$/gm)].map(([, name, value]) => [name as string, value as string]));
};
/** A computed figure with as many decimals as the page gives. */
const asWritten = (page: ReadonlyMap<string, string>, computed: Readonly<Record<string, number>>): ReadonlyMap<string, string> =>
  new Map(Object.entries(computed).map(([name, value]) => [name, value.toFixed(page.get(name)?.split(".")[1]?.length ?? 0)]));

test("the worked example of docs/reference/models/option-pricing.md", () => {
  const put: OptionContract = { right: "put", strike: 27_000, multiplier: 1, settlement: "linear", style: "premium", averagingYears: 0 };
  const quarter: OptionMarket = { forward: 28_000, volatility: 0.6, years: 0.25, discount: 0.99, averageFixed: null };
  const halfHour = 0.5 / 24 / 365;
  const worth = (contract: OptionContract, market: OptionMarket) => {
    const answer = optionValue(contract, market);
    if (!answer.ok) throw new Error(answer.fault);
    return answer;
  };
  const averaging = worth(
    { ...put, right: "call", strike: 27_980, averagingYears: halfHour },
    { forward: 28_000, volatility: 0.8, years: halfHour / 2, discount: 1, averageFixed: 27_950 },
  );
  const factors = logNormalRiskFactors({ tailPpm: 1, years: 0.1, volatility: 1, drift: 0 });
  const greeks = black76Greeks({ ...quarter, strike: 27_000 }, "put");
  const page = figuresOf("option-pricing");
  const computed = {
    put: worth(put, quarter).value,
    "put, inverse, in coin": worth({ ...put, settlement: "inverse" }, quarter).value,
    "put, futures style": worth({ ...put, style: "futures" }, quarter).value,
    delta: greeks.delta,
    gamma: greeks.gamma,
    vega: greeks.vega,
    "call, averaging": averaging.value,
    "delta, averaging": averaging.delta,
    "long factor": factors.ok ? factors.long : 0,
    "short factor": factors.ok ? factors.short : 0,
  };
  expect(asWritten(page, computed)).toEqual(page);
});

test("the worked example of docs/reference/models/volatility-surface.md", () => {
  const nodes = (years: number, at: readonly (readonly [strike: number, volatility: number])[]): SurfaceSlice => ({
    kind: "NODES",
    years,
    nodes: at.map(([strike, volatility]) => {
      const variance = volatility * volatility * years;
      return { logMoneyness: Math.log(strike / 100), variance, low: variance, high: variance, quality: "QUOTED" };
    }),
  });
  const asked = (slices: readonly SurfaceSlice[], strike: number, years: number): number => {
    const answer = volatilityAt(volatilitySurface(slices).surface, strike, 100, years);
    return answer.ok ? answer.volatility : 0;
  };
  const page = figuresOf("volatility-surface");
  const computed = {
    "between expiries": asked([nodes(0.25, [[100, 0.8]]), nodes(1, [[100, 0.6]])], 100, 0.5),
    "between strikes": asked(
      [
        nodes(0.25, [
          [100, 0.6],
          [110, 0.61],
        ]),
      ],
      105,
      0.25,
    ),
    "from SVI parameters": asked([{ kind: "SVI", years: 0.5, parameters: { a: 0.04, b: 0.4, rho: -0.4, m: 0, sigma: 0.1 } }], 90, 0.5),
  };
  expect(asWritten(page, computed)).toEqual(page);
});
