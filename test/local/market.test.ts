import { describe, expect, it } from "vitest";

import { instrumentTerms, policyTerms as policyTermsBody } from "../../adapters/wire/api.ts";
import { decimal, price } from "../../core/money.ts";
import type { PriceSeries } from "../../local/feed/bar.ts";
import { symbolOf } from "../../local/feed/bar.ts";
import { blackThursday } from "../../local/feed/black-thursday.ts";
import { marketOf, marksOf } from "../../local/market.ts";
import { instrumentTermsOf, markAgeMaxMs, policyTerms, STEPPED_CLOCKS } from "../../local/terms.ts";

const seriesOf = (symbol: string, open: string, barMs = 3_600_000): PriceSeries => {
  const named = symbolOf(symbol);
  if (named === null) throw new Error(symbol);
  const at = price(open);
  return { ...named, barMs, bars: [{ openAt: Date.UTC(2020, 2, 12), open: at, high: at, low: at, close: at }] };
};

describe("the venue that prices allow", () => {
  it("lists perpetuals, inverse contracts, a dated future and the indices of coin collateral", () => {
    const market = marketOf(blackThursday().series);
    expect(market.listings.map(({ instrumentId, kind, settleAsset }) => [instrumentId, kind, settleAsset])).toEqual([
      ["BTC-PERP", "linear", "USDT"],
      ["BTCUSD-PERP", "inverse", "BTC"],
      ["BTC-26JUN20", "linear", "USDT"],
      ["BTC-INDEX", "spot", "USDT"],
      ["ETH-PERP", "linear", "USDT"],
      ["ETHUSD-PERP", "inverse", "ETH"],
      ["ETH-INDEX", "spot", "USDT"],
    ]);
    expect(market.collateral).toEqual([
      { asset: "BTC", priceId: "BTC-INDEX" },
      { asset: "ETH", priceId: "ETH-INDEX" },
    ]);
  });

  it.each([
    ["USDT when any series is quoted in it", ["BTCUSD", "ETHUSDT"], "USDT"],
    ["the first quote otherwise", ["WTI"], "USD"],
  ])("values in %s", (_, symbols, asset) => {
    expect(marketOf(symbols.map((symbol) => seriesOf(symbol, "100"))).valuationAsset).toBe(asset);
  });

  it("follows the first of two venues of one asset", () => {
    const market = marketOf([seriesOf("BTCUSDT", "7935"), seriesOf("BTCUSD", "7920")]);
    expect(new Set(market.listings.map(({ symbol }) => symbol))).toEqual(new Set(["BTCUSDT"]));
  });

  it("marks a dated future with its basis on the tick and everything else exactly as read", () => {
    const market = marketOf([seriesOf("BTCUSDT", "7935")]);
    const marks = marksOf(market, { at: 5, prices: new Map([["BTCUSDT", price("3782.13")]]) });
    expect(marks.map(({ instrumentId, price: value, asOf }) => [instrumentId, decimal(value), asOf])).toEqual([
      ["BTC-PERP", "3782.13", 5],
      ["BTCUSD-PERP", "3782.13", 5],
      ["BTC-26JUN20", "3789.69", 5],
      ["BTC-INDEX", "3782.13", 5],
    ]);
  });

  it("marks nothing for a symbol that did not tick", () => {
    expect(marksOf(marketOf(blackThursday().series), { at: 5, prices: new Map([["ETHUSDT", price("100")]]) })).toHaveLength(3);
  });
});

describe("the terms of the replay are bodies that the API takes", () => {
  const opens: readonly (readonly [string, string])[] = [
    ["BTCUSDT", "7935"],
    ["ETHUSDT", "194.61"],
    ["DOGEUSDT", "0.1234"],
    ["WTI", "16.6"],
  ];
  const bodies = opens.flatMap(([symbol, open]) =>
    marketOf([seriesOf(symbol, open)]).listings.map(
      (listing) => [listing.instrumentId, instrumentTermsOf(listing, price(open), STEPPED_CLOCKS)] as const,
    ),
  );

  it.each(bodies)("instrument %s (M3, R5, R24)", (_, body) => {
    expect(instrumentTerms.safeParse(body).error?.issues ?? []).toEqual([]);
  });

  it("allows non-positive prices for WTI alone, with a margin per unit (R5, S20)", () => {
    expect(bodies.filter(([, body]) => body.allowNonPositive).map(([id, body]) => [id, body.marginMinPerUnit])).toEqual([
      ["WTI-PERP", "2"],
    ]);
  });

  it("policies (M2, R13)", () => {
    const policies = policyTerms(marketOf(blackThursday().series), STEPPED_CLOCKS);
    expect([...policies.keys()]).toEqual(["standard", "coin-btc"]);
    for (const body of policies.values()) expect(policyTermsBody.safeParse(body).error?.issues ?? []).toEqual([]);
  });

  it("sets the age of marks to twice the time between two ticks", () => {
    const [listing] = marketOf([seriesOf("BTCUSDT", "7935")]).listings;
    expect(listing?.spacingMs).toBe(1_200_000);
    expect(markAgeMaxMs(1_200_000)).toBe(2_400_000);
  });
});
