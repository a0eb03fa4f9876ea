import { describe, expect, test } from "vitest";
import { blackScholesGreeks } from "../../../core/pricing/black-scholes.ts";
import { black76Greeks } from "../../../core/pricing/black76.ts";
import type { OptionRight } from "../../../core/pricing/option-fault.ts";
import { draws } from "../../../local/random.ts";
import { askQuantLib, findQuantLib } from "./quantlib.ts";

const OPTIONS = 10_000;
const ON_SPOT = 3_000;

/** An option of any moneyness, volatility and time that a venue lists. */
const drawn = (seed: string, count: number, carries: boolean) => {
  const draw = draws(20_200_312, seed);
  return Array.from({ length: count }, () => {
    const spot = 10 ** (6 * draw() - 1);
    const [years, rate, volatility] = [0.0005 + 3 * draw() ** 2, 0.15 * draw() - 0.03, 0.02 + 2.5 * draw() ** 2];
    const carry = carries ? rate - 0.1 * draw() : 0;
    const strike = spot * Math.exp((draw() - 0.5) * 4 * Math.min(1, 3 * volatility * Math.sqrt(years)));
    return { spot, strike, volatility, years, rate, carry, call: draw() < 0.5 };
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

/** The figures that are neither within 1e-9 of QuantLib's nor within 1e-12 of what the spot makes of them. */
const apart = (options: readonly Drawn[], theirs: readonly (readonly number[])[], ours: (option: Drawn) => readonly number[]) =>
  options.flatMap((option, index) =>
    ours(option).flatMap((figure, place) => {
      const other = theirs[index]?.[place] ?? Number.NaN;
      const scale = place === 1 ? 1 : place === 2 ? 1 / option.spot : option.spot;
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
