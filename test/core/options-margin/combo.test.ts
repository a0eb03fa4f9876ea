import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decimal, type Money, money, price, quantity } from "../../../core/money.ts";
import { planComboClose } from "../../../core/options-margin/combo.ts";
import type { OptionLeg } from "../../../core/options-margin/leg.ts";
import { standardOptionMargin } from "../../../core/options-margin/standard.ts";
import { EXCHANGE, EXPIRY, option } from "./fixtures.ts";
import "../../seed.ts";

const market = { spot: price("1500"), forwards: new Map([[EXPIRY, price("1500")]]) };
const maintenanceOf = (legs: readonly OptionLeg[]): Money => {
  const margin = standardOptionMargin(legs, market, EXCHANGE);
  if (!margin.ok) throw new Error(margin.fault);
  return margin.maintenance;
};
const plan = (legs: readonly OptionLeg[], need: string, patch: { buffer?: number; cost?: string } = {}) =>
  planComboClose(legs, {
    maintenance: maintenanceOf(legs),
    need: money(need),
    buffer: patch.buffer ?? 0,
    cost: money(patch.cost ?? "0"),
    lotSize: quantity("1"),
  });
const SPREAD = [option("-10 call 1400", "150"), option("10 call 1500", "80")];

describe("strategies are closed as combos (M5, M12, R19)", () => {
  test.each<[string, OptionLeg[], string, object, string, boolean]>([
    // Ten spreads need 1000 and cost 700 to close: 30 are freed by each.
    ["a tenth of a spread", SPREAD, "30", {}, "-10 call 1400 +1, 10 call 1500 -1", true],
    ["in whole lots: short ones up, long ones down", SPREAD, "31", {}, "-10 call 1400 +2, 10 call 1500 -1", true],
    ["a buffer frees more, so less is closed", SPREAD, "80", { buffer: 100_000 }, "-10 call 1400 +2, 10 call 1500 -2", true],
    ["a cost frees less, so more is closed", SPREAD, "30", { cost: "150" }, "-10 call 1400 +2, 10 call 1500 -2", true],
    ["all, where it does not suffice", SPREAD, "301", {}, "-10 call 1400 +10, 10 call 1500 -10", false],
    ["all, where closing costs more than it frees", SPREAD, "1", { cost: "300" }, "-10 call 1400 +10, 10 call 1500 -10", false],
    // A short call alone needs 112.5 beside its value.
    ["options alone", [option("-4 call 1500", "80")], "200", {}, "-4 call 1500 +2", true],
    [
      "a value that equity holds is not paid again",
      [option("-4 call 1500", "80", { style: "futures" })],
      "200",
      {},
      "-4 call 1500 +2",
      true,
    ],
  ])("%s", (_, legs, need, ...[patch, trades, covers]) => {
    const close = plan(legs, need, patch);
    const text = close.trades.map((trade) => `${trade.instrumentId} ${trade.quantity > 0n ? "+" : ""}${decimal(trade.quantity)}`);
    expect([text.join(", "), close.covers]).toEqual([trades, covers]);
  });

  test("no step needs more than the start, none flips a leg, and the share closed is freed", () => {
    const sizes = fc.array(
      fc.record({
        right: fc.constantFrom("call", "put"),
        strike: fc.integer({ min: 500, max: 3_000 }),
        lots: fc.integer({ min: -9, max: 9 }).filter((lots) => lots !== 0),
        value: fc.integer({ min: 0, max: 900 }),
      }),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 5_000 }), (rows, need) => {
        const held = rows.map(({ right, strike, lots, value }, index) =>
          option(`${lots} ${right} ${strike}`, `${value}`, { instrumentId: `${index}` }),
        );
        const start = maintenanceOf(held);
        fc.pre(start > 0n);
        const { share, trades } = plan(held, `${need}`);
        let legs = held;
        for (const { instrumentId, quantity: traded } of trades) {
          legs = legs.map((leg) =>
            leg.instrumentId === instrumentId ? { ...leg, quantity: (leg.quantity + traded) as OptionLeg["quantity"] } : leg,
          );
          expect(maintenanceOf(legs) <= start).toBe(true);
        }
        // Ten units of 1e-8 for what rounds up leg by leg.
        expect(maintenanceOf(legs) * share.denominator <= start * (share.denominator - share.numerator) + 10n * share.denominator).toBe(
          true,
        );
        rows.forEach(({ lots }, index) => {
          const left = legs[index]?.quantity ?? 0n;
          expect(left === 0n || left > 0n === lots > 0).toBe(true);
        });
      }),
    );
  });
});
