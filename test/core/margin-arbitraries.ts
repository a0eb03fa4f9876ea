import fc from "fast-check";
import type { MarginAccount, Position } from "../../core/account.ts";
import type { Instrument } from "../../core/instrument.ts";
import type { Mark, MarketSnapshot } from "../../core/mark.ts";
import { type Money, money, type Price, price, type Quantity, quantity } from "../../core/money.ts";
import type { Policy } from "../../core/policy.ts";
import type { SlowPrice } from "../../core/slow-average.ts";
import type { Sided } from "../../core/statement.ts";
import { validatePolicy } from "../../core/terms.ts";
import { loadTiers } from "../../core/tiers.ts";
import { accountOf, bare, contract, NOW, policyWith, slices, snapshotOf, spot } from "./margin-fixtures.ts";

const bracketed = (id: string, fee: number, floors: readonly string[]): Pick<Instrument, "tiers" | "feePpm"> => ({
  feePpm: fee,
  tiers: loadTiers(
    id,
    floors.map((floor, index) => ({ floor: money(floor), rateIm: 20_000 * (index + 1), rateMm: 8_000 * (index + 1) })),
    fee,
  ),
});
const cost = { liquidationFeePpm: 2_000, insuranceFeePpm: 1_000 };

/** One of each kind: brackets, fees, a contract of a hundredth, an inverse perpetual and future, prices of 0 and below. */
export const VENUE: readonly Instrument[] = [
  contract("BTC-PERP", {
    ...bracketed("BTC-PERP", 500, ["0", "50000", "250000", "1000000"]),
    ...cost,
    lotSize: quantity("0.001"),
    tickSize: price("0.1"),
  }),
  contract("ETH-PERP", {
    ...bracketed("ETH-PERP", 500, ["0", "20000", "100000"]),
    ...cost,
    baseAsset: "ETH",
    lotSize: quantity("0.01"),
    tickSize: price("0.01"),
  }),
  contract("CENT-PERP", {
    ...bracketed("CENT-PERP", 0, ["0", "1000"]),
    ...cost,
    baseAsset: "CENT",
    multiplier: quantity("0.01"),
    lotSize: quantity("1"),
  }),
  contract("BTC-INV", {
    ...bracketed("BTC-INV", 500, ["0", "1", "10"]),
    ...cost,
    kind: "inverse",
    quoteAsset: "USD",
    settleAsset: "BTC",
    multiplier: quantity("100"),
    lotSize: quantity("1"),
    tickSize: price("0.5"),
  }),
  contract("OIL-FUT", {
    ...bracketed("OIL-FUT", 500, ["0", "100000"]),
    ...cost,
    baseAsset: "OIL",
    allowNonPositive: true,
    marginMinPerUnit: money("5"),
    lotSize: quantity("1"),
    tickSize: price("0.01"),
  }),
  spot("BTC-USDT", "BTC"),
  spot("ETH-USDT", "ETH"),
];
export const CONTRACTS = VENUE.filter(({ kind }) => kind !== "spot").map(({ instrumentId }) => instrumentId);

const PRICES: Readonly<Record<string, readonly [least: number, most: number]>> = {
  "BTC-PERP": [20_000, 60_000],
  "ETH-PERP": [1_000, 4_000],
  "CENT-PERP": [0.5, 3],
  "BTC-INV": [20_000, 60_000],
  "OIL-FUT": [-40, 60],
  "BTC-USDT": [20_000, 60_000],
  "ETH-USDT": [1_000, 4_000],
};

export const policies: fc.Arbitrary<Policy> = fc
  .record({
    share: fc.constantFrom(0, 500_000, 1_000_000),
    buffer: fc.constantFrom(0, 100_000),
    weight: fc.constantFrom(1_000_000, 1_100_000),
  })
  .map(({ share, buffer, weight }) =>
    validatePolicy(
      policyWith(
        [
          bare("USDT"),
          bare("BTC", "BTC-USDT", {
            liabilityWeight: weight,
            tiers: slices(["0", 50_000, 20_000], ["100000", 100_000, 50_000], ["1000000", 1_000_000, 500_000]),
          }),
          bare("ETH", "ETH-USDT", { liabilityWeight: weight, tiers: slices(["0", 100_000, 50_000]) }),
        ],
        { unrealisedProfitIm: share, closeOutBuffer: buffer },
      ),
    ),
  );

const between = (least: number, most: number, step: number): fc.Arbitrary<number> =>
  fc.integer({ min: Math.round(least / step), max: Math.round(most / step) }).map((n) => n * step);
const decimals = (n: number): string => n.toFixed(8);

/** A snapshot in which each mark is of one of the given qualities. */
export const snapshots = (qualities: readonly ("GOOD" | "STALE" | "SUSPECT" | "MISSING")[]): fc.Arbitrary<MarketSnapshot> =>
  fc
    .tuple(
      ...VENUE.map(({ instrumentId }) => {
        const [least, most] = PRICES[instrumentId] ?? [1, 2];
        return fc.tuple(fc.constant(instrumentId), between(least, most, 0.01), fc.constantFrom(...qualities));
      }),
    )
    .map((drawn) =>
      snapshotOf(
        VENUE,
        Object.fromEntries(
          drawn.map(([id, at, quality]): [string, Partial<Mark> | null] => {
            const mark = { instrumentId: id, price: price(decimals(at)), asOf: quality === "STALE" ? NOW - 120_000 : NOW };
            if (quality === "MISSING") return [id, null];
            return [id, quality === "SUSPECT" ? { ...mark, candidate: { price: mark.price, asOf: NOW - 40_000 } } : mark];
          }),
        ),
      ),
    );

/** A snapshot whose spot pairs carry a slow average between half and twice their price, some of them. */
export const slowly = (of: fc.Arbitrary<MarketSnapshot>): fc.Arbitrary<MarketSnapshot> =>
  fc.tuple(of, fc.infiniteStream(fc.option(fc.integer({ min: 50, max: 200 }), { nil: null }))).map(([snapshot, shares]) => ({
    ...snapshot,
    marks: new Map(
      [...snapshot.marks].map(([id, mark]): [string, Mark] => {
        const share = shares.next().value as number | null;
        if (share === null || snapshot.instruments.get(id)?.kind !== "spot") return [id, mark];
        return [id, { ...mark, slow: (mark.price * BigInt(share) * 1_000_000n) as SlowPrice }];
      }),
    ),
  }));

const SIZES: Readonly<Record<string, number>> = {
  "BTC-PERP": 30,
  "ETH-PERP": 200,
  "CENT-PERP": 100_000,
  "BTC-INV": 5_000,
  "OIL-FUT": 3_000,
};

const positionIn = (instrumentId: string): fc.Arbitrary<Position> => {
  const [least, most] = PRICES[instrumentId] ?? [1, 2];
  const size = SIZES[instrumentId] ?? 1;
  return fc
    .record({ size: between(-size, size, 0.001).filter((n) => Math.abs(n) >= 0.001), entry: between(least, most, 0.01) })
    .map(({ size, entry }) => ({
      instrumentId,
      quantity: quantity(decimals(size)) as Quantity,
      entryPrice: price(decimals(entry)) as Price,
    }));
};

export const accounts: fc.Arbitrary<MarginAccount> = fc
  .record({
    held: fc.subarray(CONTRACTS).chain((ids) => fc.tuple(...ids.map(positionIn))),
    usdt: between(-50_000, 500_000, 0.01),
    btc: fc.option(between(-1, 20, 0.0001), { nil: null }),
    eth: fc.option(between(-5, 100, 0.001), { nil: null }),
    reserved: fc.constantFrom("0", "0", "1000.5"),
  })
  .map(({ held, usdt, btc, eth, reserved }) => ({
    ...accountOf(
      {
        ...(btc === null ? {} : { BTC: decimals(btc) }),
        ...(eth === null ? {} : { ETH: decimals(eth) }),
        USDT: decimals(usdt),
      },
      [...held].sort((a, b) => (a.instrumentId < b.instrumentId ? -1 : 1)),
    ),
    reserved: reserved === "0" ? new Map() : new Map([["USDT", money(reserved)]]),
  }));

/** The same account with cash added: 1e-8 of the valuation asset each, which counts without a haircut. */
export const withCash = (account: MarginAccount, added: bigint): MarginAccount => ({
  ...account,
  balances: new Map(account.balances).set("USDT", ((account.balances.get("USDT") ?? 0n) + added) as Money),
});

/** The same account with its cash moved so that E_i is `headroom` ppm of the way from MM to IM, and `units` of 1e-8 above. */
export const atHeadroom = (account: MarginAccount, sided: Sided, headroomPpm: number, units = 0n): MarginAccount => {
  const wanted = sided.maintenance + ((sided.initial - sided.maintenance) * BigInt(headroomPpm)) / 1_000_000n + units;
  return withCash(account, wanted - sided.equityInitial);
};
