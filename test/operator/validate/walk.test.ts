import { describe, expect, it } from "vitest";

import type { Price, Quantity } from "../../../core/money.ts";
import type { History } from "../../../operator/validate/history.ts";
import { TERMS, type ValidationTerms } from "../../../operator/validate/terms.ts";
import { lossOf, MODELS, stressesAt, type WalkForward, walkForward } from "../../../operator/validate/walk.ts";

const DAY_MS = 86_400_000;
const FIRST = Date.UTC(2020, 0, 1);
const SHORT: ValidationTerms = { ...TERMS, leastDays: 100 };

/** Closes by asset; entry 0 is the day before the first return. */
const historyOf = (prices: readonly (readonly bigint[])[]): History => {
  const openAt = (prices[0] as readonly bigint[]).slice(1).map((_, day) => FIRST + day * DAY_MS);
  return {
    ...{ symbols: prices.map((_, asset) => `S${asset}USDT`), openAt, days: openAt.map((at) => new Date(at).toISOString().slice(0, 10)) },
    closes: prices.map((list) => list.slice(1) as Price[]),
    opens: prices.map((list) => list.slice(0, -1) as Price[]),
    returns: prices.map((list) => Float64Array.from(list.slice(1), (price, day) => Math.log(Number(price) / Number(list[day])))),
  };
};

/** A price that goes round in a circle of 37 days, with a fall at the end of `fallAt`. */
const wave = (days: number, fallAt: number): bigint[] =>
  Array.from({ length: days + 1 }, (_, day) => BigInt(10_000 + ((day * 7_919) % 37) * 20) * (day > fallAt ? 60_000_000n : 100_000_000n));

const LONG = { name: "long", kind: "asset", quantities: [100_000_000n as Quantity] } as const;
const walk = (prices: readonly bigint[]): WalkForward => walkForward(historyOf([prices]), [LONG], [0.16], SHORT, () => {});

describe("a walk forward", () => {
  it("sees nothing of the day that it margins, nor of later ones", () => {
    const [calm, fallen] = [walk(wave(150, 999)), walk(wave(150, 120))];
    expect(calm.days[20]).toBe("2020-04-30");
    for (const model of MODELS) {
      const [one, other] = [calm.walks[0]?.margins[model], fallen.walks[0]?.margins[model]];
      // The fall comes on tested day 20: its own margin is still the calm one, the next day's is not.
      expect(one?.slice(0, 21)).toEqual(other?.slice(0, 21));
      expect(one?.[21]).not.toEqual(other?.[21]);
    }
    expect(fallen.walks[0]?.losses[20]).toBeGreaterThan(fallen.walks[0]?.margins.statistical[20] as bigint);
  });

  it("asks for the grid's range of the notional value, and never less than nothing", () => {
    const { walks } = walk(wave(150, 999));
    // 10,000 + 20 * ((100 * 7,919) % 37) is the close before the first tested day.
    expect(walks[0]?.margins.grid[0]).toBe(BigInt(10_000 + ((100 * 7_919) % 37) * 20) * 16_000_000n);
    expect(walks[0]?.notional[0]).toBe(10_000 + ((100 * 7_919) % 37) * 20);
    for (const model of MODELS) expect(walks[0]?.margins[model].every((margin) => margin > 0n)).toBe(true);
  });

  it.each([
    // 0.00000001 of a price that falls by 0.00000001 is 1e-16: a loss rounds up, a gain down.
    ["a loss below the unit", [1n], [[200_000_000n, 199_999_999n]], 1n],
    ["a gain below the unit", [1n], [[199_999_999n, 200_000_000n]], 0n],
    ["a loss", [150_000_000n], [[10_000_000_000n, 9_000_000_000n]], 1_500_000_000n],
    ["a short's gain", [-150_000_000n], [[10_000_000_000n, 9_000_000_000n]], -1_500_000_000n],
    [
      "two legs",
      [100_000_000n, -200_000_000n],
      [
        [100n, 90n],
        [50n, 40n],
      ],
      -10n,
    ],
  ] as const)("counts %s exactly", (_, quantities, prices, loss) => {
    expect(lossOf(quantities as unknown as Quantity[], historyOf(prices), 0)).toBe(loss);
  });
});

describe("stresses that are known", () => {
  it("are those of days that have ended", () => {
    const history = historyOf([wave(150, 999)]);
    const named = (day: number): string[] => stressesAt(history, day, SHORT, [0.02]).map(({ name }) => name);
    expect(named(67)).toEqual(["volatility x2, all fall", "volatility x2, all rise", "correlation 1, all fall", "correlation 1, all rise"]);
    expect(named(69).slice(0, 3)).toEqual(["Mar-2020, 2020-03-08", "Mar-2020, 2020-03-09", "volatility x2, all fall"]);
    expect(named(150).filter((name) => name.startsWith("Mar-2020"))).toHaveLength(9);
  });
});
