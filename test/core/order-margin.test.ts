import fc from "fast-check";
import { expect, test } from "vitest";
import { decimal, money, price, quantity } from "../../core/money.ts";
import { orderCost, requirementWithOrders, worstExposure } from "../../core/order-margin.ts";
import { ratio } from "../../core/ratio.ts";
import { pointAt } from "../../core/valuation.ts";
import { contract } from "./margin-fixtures.ts";
import { modelTable } from "./models-page.ts";
import "../seed.ts";

const none = money("0");
const pointOf = (rateMm: number, at = "144") =>
  pointAt(contract("P", { tiers: [{ floor: none, rateIm: 500_000, rateMm, amountIm: none, amountMm: none }] }), price(at));
const SIDES = { long: pointOf(350_000), short: pointOf(360_000) };

test("the worked example of the page (M3)", () => {
  const rows = modelTable("order-margin.md", "open");
  expect(rows).toHaveLength(5);
  for (const [open = "", buys = "", sells = "", ...expected] of rows) {
    const { long, short } = worstExposure(quantity(open), quantity(buys), quantity(sells));
    const orders = { buys: quantity(buys), sells: quantity(sells) };
    const { required, ofOrders } = requirementWithOrders(SIDES, quantity(open), orders, "maintenance");
    expect([long, short, required, ofOrders].map(decimal)).toEqual(expected);
  }
});

test("sells count in either sign; orders never lower a requirement, and more of them never do", () => {
  const size = fc.integer({ min: -50, max: 50 }).map((whole) => quantity(`${whole}`));
  const count = fc.integer({ min: 0, max: 50 }).map((whole) => quantity(`${whole}`));
  fc.assert(
    fc.property(size, count, count, count, (open, buys, sells, more) => {
      expect(worstExposure(open, buys, quantity(decimal(-sells as typeof sells)))).toEqual(worstExposure(open, buys, sells));
      const at = (orders: { buys: typeof buys; sells: typeof sells }) => requirementWithOrders(SIDES, open, orders, "maintenance");
      const given = at({ buys, sells });
      expect(given.ofOrders >= 0n && given.required >= given.ofOrders).toBe(true);
      expect(at({ buys: (buys + more) as typeof buys, sells }).required >= given.required).toBe(true);
      expect(at({ buys, sells: (sells + more) as typeof sells }).required >= given.required).toBe(true);
    }),
  );
});

test.each([
  ["buys above the mark", "1", "60000", "6000", "5000", "11000"],
  ["buys below it", "1", "50000", "5000", "0", "5000"],
  ["sells below it", "-1", "50000", "5000", "5000", "10000"],
  ["sells above it", "-1", "60000", "6000", "0", "6000"],
])("an order that %s", (_, size, at, ...expected) => {
  const cost = orderCost(contract("P"), { quantity: quantity(size), price: price(at) }, price("55000"), ratio(1n, 10n));
  expect([cost.margin, cost.openLoss, cost.total].map(decimal)).toEqual(expected);
});
