import "../../seed.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PortfolioTerms, UnitTerms } from "../../../core/portfolio/portfolio-terms.ts";
import { STANDARD_UNIT } from "../../../core/portfolio/portfolio-terms.ts";
import type { Leg } from "../../../core/portfolio/scenario-vector.ts";
import { future, held, majors, option, priced, required, termsOf, unitAt } from "./portfolio-fixtures.ts";

/** A leg as plain figures, so that one draw can be priced under several terms. */
interface Drawn {
  readonly id: string;
  readonly unitId: "BTC" | "ETH";
  readonly quantity: number;
  readonly leg: Leg;
}

const SPOT = { BTC: 50_000, ETH: 2_500 } as const;
const quantity = fc.integer({ min: -50, max: 50 }).filter((each) => each !== 0);
const drawn: fc.Arbitrary<Drawn> = fc
  .record({
    unitId: fc.constantFrom("BTC" as const, "ETH" as const),
    quantity,
    kind: fc.constantFrom("perpetual", "dated", "call", "put"),
    strike: fc.integer({ min: 5, max: 20 }),
    days: fc.constantFrom(1, 7, 30, 90, 365),
    volatility: fc.integer({ min: 2, max: 15 }),
  })
  .map(({ unitId, quantity, kind, strike, days, volatility }) => {
    const spot = SPOT[unitId];
    const isOption = kind === "call" || kind === "put";
    const leg = isOption
      ? option(kind === "call", (spot * strike) / 10, days, { forward: spot, volatility: volatility / 10 })
      : future(spot, kind === "dated" ? days * 86_400_000 : null);
    return {
      id: `${unitId} ${kind} ${isOption ? `${strike} ${days} ${volatility}` : kind === "dated" ? days : ""}`,
      unitId,
      quantity,
      leg,
    };
  });
const account = fc.array(drawn, { minLength: 1, maxLength: 8 });

const margin = (legs: readonly Drawn[], terms: PortfolioTerms) => {
  const units = { BTC: unitAt(terms, "BTC", SPOT.BTC), ETH: unitAt(terms, "ETH", SPOT.ETH) };
  return required(
    legs.map(({ id, unitId, quantity, leg }) => held(quantity, priced(id, leg, units[unitId]))),
    terms,
  );
};
const slack = (figure: number): number => 1e-6 + 1e-9 * Math.abs(figure);

describe("M6: properties", () => {
  test("figures are numbers, IM is above MM, and MM is at least every floor", () => {
    fc.assert(
      fc.property(account, (legs) => {
        const { initial, maintenance, units } = margin(legs, majors(800_000));
        const floors = units.reduce((sum, { floor }) => sum + floor.maintenance, 0);
        expect(Number.isFinite(initial) && Number.isFinite(maintenance)).toBe(true);
        expect(maintenance).toBeGreaterThanOrEqual(floors - slack(floors));
        if (maintenance > 0) expect(initial).toBeGreaterThan(maintenance);
      }),
    );
  });

  test("the order of legs, and splitting one, changes no figure", () => {
    fc.assert(
      fc.property(account, fc.nat(), (legs, turn) => {
        const terms = majors(800_000);
        const at = turn % legs.length;
        const turned = [...legs.slice(at), ...legs.slice(0, at)].reverse();
        expect(margin(turned, terms)).toEqual(margin(legs, terms));
        const halves = legs.flatMap((leg) => [
          { ...leg, quantity: leg.quantity / 2 },
          { ...leg, quantity: leg.quantity / 2 },
        ]);
        expect(margin(halves, terms)).toEqual(margin(legs, terms));
      }),
    );
  });

  test("a hedge never asks more than its parts, each instrument alone", () => {
    fc.assert(
      fc.property(account, (legs) => {
        const terms = majors(800_000);
        const apart = legs.map((leg) => margin([leg], terms));
        const together = margin(legs, terms);
        for (const figure of ["maintenance", "initial"] as const) {
          const sum = apart.reduce((total, each) => total + each[figure], 0);
          expect(together[figure]).toBeLessThanOrEqual(sum + slack(sum));
        }
      }),
    );
  });

  test("the parts at the binding scenario add up to the scan loss", () => {
    fc.assert(
      fc.property(account, (legs) => {
        for (const { scanLoss, parts } of margin(legs, majors(800_000)).units) {
          const sum = parts.reduce((total, { pnl }) => total + pnl, 0);
          const gross = parts.reduce((total, { pnl }) => total + Math.abs(pnl), 0);
          expect(Math.abs(sum + scanLoss)).toBeLessThanOrEqual(slack(gross));
        }
      }),
    );
  });

  test("an offset lies between nothing and 80 % of the difference, and falls with λ", () => {
    fc.assert(
      fc.property(account, fc.integer({ min: 0, max: 800_000 }), (legs, lambdaPpm) => {
        const given = margin(legs, majors(lambdaPpm));
        const none = margin(legs, majors(0));
        const losses = given.units.reduce((sum, { scanLoss }) => sum + scanLoss, 0);
        for (const { lossTogether, lossApart, maintenance } of given.offsets) {
          expect(lossApart).toBeLessThanOrEqual(losses + slack(losses));
          expect(maintenance).toBeGreaterThanOrEqual(0);
          expect(maintenance).toBeLessThanOrEqual(0.8 * Math.max(0, lossApart - lossTogether) + slack(losses));
        }
        expect(given.maintenance).toBeLessThanOrEqual(none.maintenance + slack(losses));
      }),
    );
  });

  test("the requirement of one instrument rises with each shock's size", () => {
    const larger: readonly ((by: number) => Partial<UnitTerms>)[] = [
      (by) => ({ priceRangePpm: 160_000 + by, tails: STANDARD_UNIT.tails }),
      (by) => ({ volatility: { ...STANDARD_UNIT.volatility, upPpm: 450_000 + by } }),
      (by) => ({ volatility: { ...STANDARD_UNIT.volatility, downPpm: 250_000 + by } }),
      (by) => ({ tails: { ...STANDARD_UNIT.tails, dampingPpm: 160_000 + by } }),
    ];
    fc.assert(
      fc.property(drawn, fc.nat({ max: 150_000 }), fc.nat({ max: larger.length - 1 }), (leg, by, which) => {
        const patched = { ...STANDARD_UNIT, ...larger[which]?.(by) };
        const [less, more] = [margin([leg], termsOf(STANDARD_UNIT)), margin([leg], termsOf(patched))];
        expect(more.maintenance).toBeGreaterThanOrEqual(less.maintenance - slack(less.maintenance));
      }),
    );
  });

  test("any account: one scenario more, or more of a tail, never asks less", () => {
    fc.assert(
      fc.property(account, fc.integer({ min: 161_000, max: 5_000_000 }), (legs, movePpm) => {
        const { tails } = STANDARD_UNIT;
        const wider = { ...STANDARD_UNIT, termMismatchPpm: 0, tails: { movesPpm: [...tails.movesPpm, movePpm], dampingPpm: 200_000 } };
        const [less, more] = [margin(legs, termsOf({ ...STANDARD_UNIT, termMismatchPpm: 0 })), margin(legs, termsOf(wider))];
        expect(more.maintenance).toBeGreaterThanOrEqual(less.maintenance - slack(less.maintenance));
      }),
    );
  });
});
