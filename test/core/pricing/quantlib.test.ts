import { describe, expect, test } from "vitest";
import { blackScholesGreeks } from "../../../core/pricing/black-scholes.ts";
import { black76Greeks } from "../../../core/pricing/black76.ts";
import type { OptionRight } from "../../../core/pricing/option-fault.ts";
import { draws } from "../../../local/random.ts";
import { askQuantLib, findQuantLib } from "./quantlib/ask.ts";

const OPTIONS = 10_000;
const ON_SPOT = 3_000;

const SECOND = 1 / (365 * 86_400);
/** Years, volatility and standard deviations from the forward to the strike: each kind is drawn from its own edges, evenly in the logarithm. */
const KINDS = {
  listed: { years: [1 / 365, 3], volatility: [0.1, 2.5], deviations: 3 },
  "last hour": { years: [SECOND, 3600 * SECOND], volatility: [0.1, 5], deviations: 4 },
  long: { years: [3, 30], volatility: [0.05, 1], deviations: 3 },
  still: { years: [1 / 365, 3], volatility: [0.0001, 0.02], deviations: 4 },
  wild: { years: [1 / 365, 1], volatility: [2.5, 6], deviations: 2 },
  "deep tail": { years: [1 / 365, 3], volatility: [0.1, 2.5], deviations: 12 },
} as const;
type Kind = keyof typeof KINDS;

/** Options of every kind in turn. */
const drawn = (seed: string, count: number, carries: boolean) => {
  const draw = draws(20_200_312, seed);
  const between = ([low, high]: readonly [number, number]): number => low * (high / low) ** draw();
  const kinds = Object.keys(KINDS) as Kind[];
  return Array.from({ length: count }, (_, index) => {
    const kind = kinds[index % kinds.length] as Kind;
    const { deviations, ...edges } = KINDS[kind];
    const [spot, years, volatility] = [10 ** (8 * draw() - 3), between(edges.years), between(edges.volatility)];
    const rate = 0.35 * draw() - 0.05;
    const carry = carries ? rate - 0.1 * draw() : 0;
    // QuantLib's Φ is exact to 1e-15 of 1, not of itself: beyond 50 times the forward that is more than 1e-12 of it.
    const reach = Math.min(4, deviations * volatility * Math.sqrt(years));
    const strike = spot * Math.exp(carry * years + (2 * draw() - 1) * reach);
    return { kind, spot, strike, volatility, years, rate, carry, call: draw() < 0.5 };
  });
};
type Drawn = ReturnType<typeof drawn>[number];

const asked = (python: string, options: readonly Drawn[]) =>
  askQuantLib(
    python,
    options.map(({ call, spot, strike, volatility, years, rate, carry }) => ({
      call,
      spot,
      strike,
      years,
      forward: spot * Math.exp(carry * years),
      stdDev: volatility * Math.sqrt(years),
      discount: Math.exp(-rate * years),
    })),
  );

const THETA = 4;
/**
 * QuantLib takes the carry for theta back out of ln(F/S), which holds it to 2e-16: of less than 1e-5 too few digits are
 * left. Against 50 digits ours is right there to 1e-10, QuantLib's to 1e-8.
 */
const isBlurred = ({ carry, years }: Drawn): boolean => carry !== 0 && Math.abs(carry * years) < 1e-5;

/** The figures that are neither within 1e-9 of QuantLib's nor within 1e-12 of what the spot makes of them. */
const apart = (options: readonly Drawn[], theirs: readonly (readonly number[])[], ours: (option: Drawn) => readonly number[]) =>
  options.flatMap((option, index) =>
    ours(option).flatMap((figure, place) => {
      const other = theirs[index]?.[place] ?? Number.NaN;
      const scale = place === 1 ? 1 : place === 2 ? 1 / option.spot : option.spot;
      if (place === THETA && isBlurred(option)) return [];
      const near = Math.abs(figure - other) <= Math.max(1e-9 * Math.abs(other), 1e-12 * scale);
      return near ? [] : [{ ...option, place, figure, other }];
    }),
  );

const there = findQuantLib();
const rightOf = ({ call }: Drawn): OptionRight => (call ? "call" : "put");

const compared = (python: string): void => {
  test(`${OPTIONS} options on a forward: value, delta, gamma, vega, theta`, () => {
    const options = drawn("options on a forward", OPTIONS, false);
    const wrong = apart(options, asked(python, options), (option) => {
      const { spot: forward, strike, volatility, years, rate } = option;
      const g = black76Greeks({ forward, strike, volatility, years, discount: Math.exp(-rate * years) }, rightOf(option));
      return [g.value, g.delta, g.gamma, g.vega, g.theta];
    });
    expect(wrong.slice(0, 3)).toEqual([]);
  });

  test(`${ON_SPOT} options on a spot that carries: the same, rho and dividend rho`, () => {
    const options = drawn("options on a spot", ON_SPOT, true);
    const wrong = apart(options, asked(python, options), (option) => {
      const g = blackScholesGreeks(option, rightOf(option));
      return [g.value, g.delta, g.gamma, g.vega, g.theta, g.rho, g.dividendRho];
    });
    expect(wrong.slice(0, 3)).toEqual([]);
  });
};

if (there === null) process.stdout.write("no Python with QuantLib here: option values were not compared with it\n");
else describe(`against QuantLib ${there.version}`, () => compared(there.python));

/** What QuantLib 1.44 said of one option: kept for hosts that have none. */
test("one option as QuantLib 1.44 answered it", () => {
  const g = black76Greeks({ forward: 28_000, strike: 27_000, volatility: 0.6, years: 0.25, discount: 0.99 }, "put");
  expect(g.value).toBeCloseTo(2774.8251208735564, 8);
  expect(g.delta).toBeCloseTo(-0.38917772019903535, 12);
  expect(g.gamma).toBeCloseTo(4.5320210161100904e-5, 15);
  expect(g.vega).toBeCloseTo(5329.656714945468, 8);
  expect(g.theta).toBeCloseTo(-6284.036360336511, 7);
});
