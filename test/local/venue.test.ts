import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { VenueOrder } from "../../adapters/wire/venue.ts";
import { decimal, type Money, money, type Price, price, type Quantity, quantity } from "../../core/money.ts";
import type { BookAccount } from "../../local/book.ts";
import { blackThursday } from "../../local/feed/black-thursday.ts";
import { ticksOf } from "../../local/feed/ticks.ts";
import { withOptions } from "../../local/listed-options.ts";
import { marketOf } from "../../local/market.ts";
import { createVenue } from "../../local/venue.ts";

const NOW = Date.UTC(2020, 2, 12, 10, 15);
const market = marketOf(blackThursday().series);
const CALL = "MC-ABCDEFGHIJKL-1";

const account = (positions: BookAccount["positions"]): BookAccount => ({
  accountId: "A1",
  brokerId: "meridian",
  clientClass: "retail",
  policyId: "standard",
  balances: new Map([["USDT", money("1000")]]),
  positions,
  contact: { email: "a1@meridian.example", name: null, timeZone: "UTC", locale: "en", antiPhishingCode: null },
});

const order = (changes: Partial<VenueOrder> = {}): VenueOrder => ({
  schemaVersion: 1,
  orderId: `${CALL}-1-BTC-PERP`,
  callId: CALL,
  attempt: 1,
  accountId: "A1",
  brokerId: "meridian",
  instrumentId: "BTC-PERP",
  side: "sell",
  quantity: "1",
  limitPrice: "5300",
  reduceOnly: true,
  timeInForce: "IOC",
  createdAt: "2020-03-12T10:15:00Z",
  sentAt: "2020-03-12T10:15:00Z",
  ...changes,
});

const open = (held: string, instrumentId = "BTC-PERP", seed = 1) => {
  const venue = createVenue(market, seed);
  venue.show(new Map([[instrumentId, price("5587")]]) as ReadonlyMap<string, Price>);
  venue.open(account([{ instrumentId, quantity: quantity(held), entryPrice: price("7935") }]), NOW);
  return venue;
};

const cashOf = (venue: ReturnType<typeof createVenue>) =>
  Object.fromEntries([...venue.cash("A1")].map(([key, amount]) => [key, decimal(amount)]));

/** A small order, which always finds its whole quantity, in one fill. */
const SMALL = "0.005";

describe("the simulated venue", () => {
  it("fills an order a little worse than the mark, with its fee, and closes it: two facts in the account's sequence", () => {
    const facts = open("2").accept(order({ quantity: SMALL }), NOW);
    expect(facts?.entries).toHaveLength(2);
    const [fill, closed] = facts?.entries ?? [];
    expect(fill).toMatchObject({
      kind: "fill",
      sequence: 2,
      occurredAt: NOW,
      quantity: quantity(`-${SMALL}`),
      orderId: `${CALL}-1-BTC-PERP`,
    });
    expect(closed).toMatchObject({ kind: "order_closed", sequence: 3, filled: quantity(SMALL) });
    if (fill?.kind !== "fill") throw new Error("no fill");
    expect(fill.price).toBeLessThan(price("5587"));
    expect(fill.price).toBeGreaterThan(price("5581"));
    // 0.05 % of 0.005 x about 5,582.
    expect(Number(fill.fee) / 1e8).toBeCloseTo(0.01396, 4);
  });

  it("takes an order id once, for ever (I09)", () => {
    const venue = open("2");
    expect(venue.accept(order(), NOW)).not.toBeNull();
    expect(venue.accept(order(), NOW + 86_400_000)).toBeNull();
    expect(venue.record.orders.get(`${CALL}-1-BTC-PERP`)?.times).toBe(2);
  });

  it.each([
    ["a seller below the limit", order({ quantity: SMALL, limitPrice: "5587" }), "2"],
    ["a buyer above the limit", order({ quantity: SMALL, side: "buy", limitPrice: "5587" }), "-2"],
    ["an instrument without a price", order({ quantity: SMALL, instrumentId: "ETH-PERP" }), "2"],
    ["an order that would open a position", order({ quantity: SMALL, side: "buy", limitPrice: "9000" }), "2"],
  ])("returns unfilled: %s", (_, one, held) => {
    const venue = open(held);
    expect(venue.accept(one, NOW)?.entries).toMatchObject([{ kind: "order_closed", filled: 0n }]);
    expect(venue.holding("A1").get("BTC-PERP")).toBe(quantity(held));
  });

  it("charges the fee of an inverse contract in its coin", () => {
    const venue = open("100", "BTCUSD-PERP");
    const [fill] = venue.accept(order({ instrumentId: "BTCUSD-PERP", quantity: "5" }), NOW)?.entries ?? [];
    // 0.05 % of 5 contracts of 100 USD at about 5,582: 0.0000448 BTC.
    expect(fill?.kind === "fill" && decimal(fill.fee)).toMatch(/^0\.0000447|^0\.0000448/);
  });

  it("never fills more than the position and never turns it round (I10), and fills plus the remainder are the order (I11)", () => {
    const lots = fc.integer({ min: 1, max: 5_000 });
    fc.assert(
      fc.property(lots, lots, fc.boolean(), fc.integer({ min: 0, max: 1_000 }), (held, ordered, long, seed) => {
        const position = (BigInt(long ? held : -held) * quantity("0.001")) as Quantity;
        const size = (BigInt(ordered) * quantity("0.001")) as Quantity;
        const venue = open(decimal(position), "BTC-PERP", seed);
        const side = long ? "sell" : "buy";
        const facts = venue.accept(order({ side, quantity: decimal(size), limitPrice: long ? "1" : "99999" }), NOW)?.entries ?? [];
        const filled = facts.reduce((sum, fact) => sum + (fact.kind === "fill" ? fact.quantity : 0n), 0n);
        const left = venue.holding("A1").get("BTC-PERP") ?? 0n;
        expect(left).toBe(position + filled);
        expect(left === 0n || left > 0n === long).toBe(true);
        const magnitude = filled < 0n ? -filled : filled;
        expect(magnitude <= size && magnitude > 0n).toBe(true);
        expect(facts.at(-1)).toMatchObject({ kind: "order_closed", filled: magnitude });
      }),
    );
  });

  it("fills only part of some orders", () => {
    const filled = Array.from({ length: 200 }, (_, seed) =>
      open("10", "BTC-PERP", seed)
        .accept(order({ quantity: "5" }), NOW)
        ?.entries.at(-1),
    );
    const partial = filled.filter((fact) => fact?.kind === "order_closed" && fact.filled < quantity("5"));
    expect(partial.length).toBeGreaterThan(20);
    expect(partial.length).toBeLessThan(80);
  });

  it("pays the premium of an option that it buys back, and keeps its own books of cash", () => {
    const [id, coin] = ["BTC-27MAR20-7900-P", "BTCUSD-27MAR20-7900-P"];
    const path = blackThursday();
    const mixed = withOptions(marketOf(path.series), ticksOf(path.series), 1).market;
    const venue = createVenue(mixed, 1);
    venue.show(
      new Map([
        [id, price("400")],
        [coin, price("0.05")],
        ["BTC-PERP", price("7000")],
        ["BTCUSD-PERP", price("5000")],
      ]),
    );
    const positions = [
      { instrumentId: "BTC-PERP", quantity: quantity("2"), entryPrice: price("7935") },
      { instrumentId: id, quantity: quantity("-1"), entryPrice: price("370") },
      { instrumentId: coin, quantity: quantity("-2"), entryPrice: price("0.04") },
      { instrumentId: "BTCUSD-PERP", quantity: quantity("100"), entryPrice: price("8000") },
    ];
    const pools = new Map([["BTC-PERP", money("3000")]]);
    venue.open({ ...account(positions), balances: new Map([["USDT", money("1000")]]), pools }, NOW);
    // 0.4 bought back at 400.2, for a fee of 0.05 % of the premium.
    venue.close("A1", id, quantity("0.4"), NOW);
    expect(cashOf(venue)).toEqual({ USDT: "839.83996", "ISO#BTC-PERP USDT": "3000" });
    // In the coin: 1 bought back at 0.05003, the tick above 0.050025.
    venue.close("A1", coin, quantity("1"), NOW);
    expect(cashOf(venue)).toMatchObject({ BTC: "-0.05005502" });
    // Out of its pool: 2 sold at 6996.5, 938.5 lost on each, and a fee of 6.9965.
    venue.close("A1", "BTC-PERP", quantity("2"), NOW);
    expect(cashOf(venue)).toMatchObject({ USDT: "839.83996", "ISO#BTC-PERP USDT": "1116.0035" });
    // 100 contracts of 100 USD sold at 4997.5: 1.25 BTC at the entry, 2.00100050 then, and a fee of 0.00100051.
    venue.close("A1", "BTCUSD-PERP", quantity("100"), NOW);
    expect(cashOf(venue)).toMatchObject({ BTC: "-0.80205604" });
    expect(venue.transfer("A1", "BTC-PERP", money("100"), NOW)?.entries).toMatchObject([
      { kind: "pool_transfer", instrumentId: "BTC-PERP", amount: money("100") },
    ]);
    expect(cashOf(venue)).toMatchObject({ USDT: "739.83996", "ISO#BTC-PERP USDT": "1216.0035" });
    expect(venue.transfer("A1", "SOL-PERP", money("1"), NOW)).toBeNull();
  });

  it("books deposits and trades of the holder in one sequence", () => {
    const venue = open("2");
    expect(venue.deposit("A1", "USDT", money("50") as Money, NOW).entries).toMatchObject([
      { kind: "deposit", sequence: 2, amount: money("50") },
    ]);
    expect(venue.close("A1", "BTC-PERP", quantity("5"), NOW)?.entries).toMatchObject([
      { kind: "fill", sequence: 3, quantity: quantity("-2"), orderId: null },
    ]);
    expect(venue.close("A1", "BTC-PERP", quantity("1"), NOW)).toBeNull();
    expect(venue.record.facts.get("A1")).toEqual(["open-A1", "deposit-A1-2", "trade-A1-3"]);
  });
});
