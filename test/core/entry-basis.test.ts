import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { columnsOf } from "../../core/columns/linear-book.ts";
import { waysToCure } from "../../core/cure.ts";
import type { Instrument } from "../../core/instrument.ts";
import { planLiquidation } from "../../core/liquidation-plan.ts";
import { adverseRoot, liquidationRoots } from "../../core/liquidation-price.ts";
import { decimal, type Money, money, type Price, type Quantity, quantity } from "../../core/money.ts";
import { ratio, ratioPrice } from "../../core/ratio.ts";
import { isSurelyQuiet } from "../../core/screen.ts";
import { withStanding } from "../../core/standing.ts";
import { assess } from "../../core/statement.ts";
import { entryMargin, isolatedLiquidationPrice, type ProfiledPosition } from "../../core/venue-profile.ts";
import "../seed.ts";
import { accountOf, bare, contract, leg, NOW, policyWith, snapshotOf } from "./margin-fixtures.ts";
import { modelTable } from "./models-page.ts";

const policy = policyWith([bare("USDT")]);
const onEntry = contract("BTC-PERP", { basis: "entry" });
const account = accountOf({ USDT: "10" }, [leg("BTC-PERP", "1", "100")]);
const at = (price: string, instrument: Instrument = onEntry) => snapshotOf([instrument], { "BTC-PERP": price });

describe("M3 requirements on the entry", () => {
  test("the table of position-margin.md", () => {
    const rows = modelTable("position-margin.md", "basis");
    expect(rows).toHaveLength(3);
    for (const [basis, mark = "", equity, initial, maintenance, root, sold] of rows) {
      const instrument = basis === "entry" ? onEntry : contract("BTC-PERP");
      const snapshot = at(mark, instrument);
      const { low, legs, components } = assess(account, snapshot, policy, NOW);
      expect([decimal(low.equityMaintenance), decimal(low.initial), decimal(low.maintenance)]).toEqual([equity, initial, maintenance]);
      expect([legs[0]?.initial, legs[0]?.maintenance]).toEqual([low.initial, low.maintenance]);
      expect(components).toEqual([{ name: "BTC-PERP: bracket 1", initial: low.initial, maintenance: low.maintenance }]);
      const liquidation = adverseRoot(liquidationRoots(account, "BTC-PERP", snapshot, policy, NOW), 1n);
      expect(decimal(liquidation ?? money("0"))).toBe(root);
      const breached = at("90.4", instrument);
      const plan = { account, statement: assess(account, breached, policy, NOW), snapshot: breached, policy, now: NOW };
      expect(planLiquidation({ ...plan, target: "closeOut" }).map((order) => decimal(order.quantity))).toEqual([sold]);
    }
  });

  test("cures are sized on it, and orders ask at the mark", () => {
    const snapshot = at("95");
    const { amountDue, cures } = waysToCure(account, assess(account, snapshot, policy, NOW), snapshot, policy);
    expect(amountDue).toBe(money("5"));
    // Half of 10 is what equity of 5 covers.
    expect(cures).toContainEqual({ kind: "reduce", instrumentId: "BTC-PERP", side: "sell", quantity: quantity("0.5") });
    const ordered = withStanding(account, "BTC-PERP", { buys: quantity("2") });
    expect(decimal(assess(ordered, snapshot, policy, NOW).low.initial)).toBe("29");
  });

  test("fast passes leave it to the exact pass", () => {
    expect(isSurelyQuiet(accountOf({ USDT: "1000" }, [leg("BTC-PERP", "1", "100")]), at("100"), policy, NOW)).toBe(false);
    expect(columnsOf([account], policy, at("100").instruments).admitted).toBe(0);
  });

  test("the liquidation price is the venues' closed form, long and short, linear and inverse", () => {
    const cases = fc.record({
      kind: fc.constantFrom("linear" as const, "inverse" as const),
      lots: fc.integer({ min: -5_000, max: 5_000 }).filter((lots) => lots !== 0),
      entry: fc.integer({ min: 1_000, max: 90_000 }),
      times: fc.integer({ min: 3, max: 50 }),
      fee: fc.constantFrom(0, 500),
    });
    fc.assert(
      fc.property(cases, ({ kind, lots, entry, times, fee }) => {
        const inverse = kind === "inverse";
        const settleAsset = inverse ? "BTC" : "USDT";
        const multiplier = quantity(inverse ? "100" : "0.001");
        const instrument = contract("BTC-PERP", { basis: "entry", kind, settleAsset, multiplier, feePpm: fee });
        const held = leg("BTC-PERP", String(lots), String(entry));
        const { quantity: size, entryPrice } = held;
        const profiled: ProfiledPosition = {
          ...{ kind, basis: "entry", quantity: size as Quantity, multiplier, entryPrice: entryPrice as Price },
          ...{ rateMm: 5_000, feePpm: fee, amount: 0n as Money },
        };
        const margin = entryMargin(profiled, ratio(1n, BigInt(times)));
        const cash = ratioPrice(margin, "down") as bigint as Money;
        const own = accountOf({ [settleAsset]: decimal(cash) }, [held]);
        const terms = policyWith([bare(settleAsset)]);
        const root = adverseRoot(liquidationRoots(own, "BTC-PERP", at(String(entry), instrument), terms, NOW), size);
        const expected = isolatedLiquidationPrice(profiled, ratio(cash));
        if (expected === null || root === null) {
          expect([root, expected]).toEqual([null, null]);
          return;
        }
        const exact = Number(expected.numerator) / Number(expected.denominator);
        // Cash and requirement are whole units of 1e-8: in coin each is P² / worth of price.
        const unit = inverse ? (exact * exact) / Math.abs(lots) / 100 / 1e16 : 1e3 / Math.abs(lots);
        expect(Math.abs(Number(root) - exact)).toBeLessThanOrEqual(4 + 4 * unit);
      }),
      { numRuns: 200 },
    );
  });
});
