import { describe, expect, it } from "vitest";
import * as z from "zod";

import { instrumentTerms, policyTerms as policyTermsBody } from "../../adapters/wire/api.ts";
import { instrumentBody } from "../../adapters/wire/instrument.ts";
import { type PolicyBody, policyBody } from "../../adapters/wire/policy.ts";
import { newAccount } from "../../core/account.ts";
import { decimal, money, type Price, price, quantity } from "../../core/money.ts";
import { assess } from "../../core/statement.ts";
import { blackThursday } from "../../local/feed/black-thursday.ts";
import { type TickStep, ticksOf } from "../../local/feed/ticks.ts";
import { withOptions } from "../../local/listed-options.ts";
import { marketOf, marksOf } from "../../local/market.ts";
import { instrumentTermsOf, policyTerms, STEPPED_CLOCKS } from "../../local/terms.ts";

const path = blackThursday();
const bare = marketOf(path.series);
const ticks = ticksOf(path.series);
const { market, steps } = withOptions(bare, ticks, 1);
const options = market.listings.filter(({ kind }) => kind === "option");
const quote = (step: TickStep, instrumentId: string): string => decimal(step.prices.get(instrumentId) as Price);
const step = (index: number): TickStep => steps[index] as TickStep;

describe("the options of a mixed venue", () => {
  it("lists a few strikes around the opening price behind the path's end, on the index, on the dated future, and in the coin", () => {
    expect(options.filter(({ option }) => option?.right === "call").map(({ instrumentId }) => instrumentId)).toEqual([
      "BTC-27MAR20-6300-C",
      "BTC-27MAR20-7100-C",
      "BTC-27MAR20-7900-C",
      "BTC-27MAR20-8700-C",
      "BTC-27MAR20-9500-C",
      "BTC-26JUN20-6300-C",
      "BTC-26JUN20-7100-C",
      "BTC-26JUN20-7900-C",
      "BTC-26JUN20-8700-C",
      "BTC-26JUN20-9500-C",
      "BTCUSD-27MAR20-7100-C",
      "BTCUSD-27MAR20-7900-C",
      "BTCUSD-27MAR20-8700-C",
      "ETH-27MAR20-160-C",
      "ETH-27MAR20-180-C",
      "ETH-27MAR20-200-C",
      "ETH-27MAR20-210-C",
      "ETH-27MAR20-230-C",
    ]);
    expect(options).toHaveLength(36);
    const [near, far, inCoin] = ["BTC-27MAR20-7900-P", "BTC-26JUN20-7900-P", "BTCUSD-27MAR20-7900-P"].map((id) =>
      options.find(({ instrumentId }) => instrumentId === id),
    );
    expect(near).toMatchObject({ settleAsset: "USDT", expiryAt: Date.UTC(2020, 2, 27, 8), option: { underlyingId: "BTC-INDEX" } });
    expect(far).toMatchObject({ settleAsset: "USDT", expiryAt: Date.UTC(2020, 5, 26, 8), option: { underlyingId: "BTC-26JUN20" } });
    expect(inCoin).toMatchObject({ settleAsset: "BTC", option: { settlement: "inverse", style: "premium", right: "put" } });
  });

  it("lists none where neither coin has prices", () => {
    const wti = { symbol: "WTI", baseAsset: "WTI", quoteAsset: "USD", barMs: 3_600_000 };
    const at = price("16");
    const series = [{ ...wti, bars: [{ openAt: 0, open: at, high: at, low: at, close: at }] }];
    expect(withOptions(marketOf(series), ticksOf(series), 1).market.listings).toEqual(marketOf(series).listings);
  });

  it("has terms and a portfolio policy that the API takes, and none of it without options", () => {
    for (const listing of options) {
      const body = instrumentTermsOf(listing, step(0).prices.get(listing.symbol) ?? 0n, STEPPED_CLOCKS);
      expect(instrumentTerms.safeParse(body).error?.issues ?? []).toEqual([]);
    }
    const policies = policyTerms(market, STEPPED_CLOCKS);
    expect([...policies.keys()]).toEqual(["standard", "portfolio", "coin-btc"]);
    expect(policyTermsBody.safeParse(policies.get("portfolio")).error?.issues ?? []).toEqual([]);
    expect([...policyTerms(bare, STEPPED_CLOCKS).keys()]).toEqual(["standard", "coin-btc"]);
  });
});

describe("their quotes", () => {
  it("are Black-76 at 60 % on the opening price, on the tick, in the coin where they settle in it", () => {
    expect(["BTC-27MAR20-7900-C", "BTC-27MAR20-7900-P", "BTCUSD-27MAR20-7900-P"].map((id) => quote(step(0), id))).toEqual([
      "405.943",
      "370.943",
      "0.04675",
    ]);
    const marked = marksOf(market, step(0)).map(({ instrumentId }) => instrumentId);
    expect(marked).toEqual(market.listings.map(({ instrumentId }) => instrumentId));
  });

  it("rise in a fall: 30 % below the day's highest price the volatility is 131 %", () => {
    // 2020-03-12 10:40Z: 5587, from 7982.61. At 60 % it would be 0.50.
    expect([step(32).prices.get("BTCUSDT"), quote(step(32), "BTC-27MAR20-7900-C")]).toEqual([price("5587"), "78.802"]);
  });

  it("leave the path's own prices as they are", () => {
    for (const [index, { at, prices }] of ticks.entries()) {
      expect(step(index).at).toBe(at);
      for (const [symbol, value] of prices) expect(step(index).prices.get(symbol)).toBe(value);
    }
  });

  it("of a stretch without any leave an option's value to its neighbours: quality MODEL (S15)", () => {
    // Of BTC-27MAR20-8700-C nothing is quoted from tick 18 to 35.
    const qualityAt = (tick: number) => {
      const newest = new Map(
        steps.slice(0, tick + 1).flatMap((one) => marksOf(market, one).map((mark) => [mark.instrumentId, mark] as const)),
      );
      const marks = new Map([...newest].map(([id, mark]) => [id, { ...mark, source: "replay", candidate: null }] as const));
      const instruments = new Map(
        market.listings.map((listing) => {
          const terms = instrumentTermsOf(listing, step(0).prices.get(listing.symbol) ?? 0n, STEPPED_CLOCKS);
          return [listing.instrumentId, z.decode(instrumentBody, { ...terms, instrumentId: listing.instrumentId, version: 1 })] as const;
        }),
      );
      const policy = z.decode(policyBody, {
        ...policyTerms(market, STEPPED_CLOCKS).get("portfolio"),
        policyId: "portfolio",
        version: 1,
      } as PolicyBody);
      const none = newAccount({ accountId: "A1", key: "", brokerId: "", clientClass: "", policyId: "portfolio" });
      const sold = { instrumentId: "BTC-27MAR20-8700-C", quantity: quantity("-1"), entryPrice: price("150") };
      const account = { ...none, balances: new Map([["USDT", money("5000")]]), positions: [sold] };
      return assess(account, { snapshotId: "S", takenAt: step(tick).at, marks, instruments }, policy, step(tick).at).quality;
    };
    expect([17, 19, 20, 35, 36].map(qualityAt)).toEqual(["GOOD", "GOOD", "MODEL", "MODEL", "GOOD"]);
  });

  it("are missing for six hours now and then, by the seed, never at the opening", () => {
    const gaps = (seed: number): string[] => {
      const quoted = withOptions(bare, ticks, seed).steps;
      return options.flatMap(({ instrumentId }) => {
        const missing = quoted.flatMap(({ prices }, index) => (prices.has(instrumentId) ? [] : [index]));
        return missing.length === 0 ? [] : [`${instrumentId} ${missing[0]}+${missing.length}`];
      });
    };
    expect(gaps(1)).toEqual([
      "BTC-27MAR20-8700-C 18+36",
      "BTC-26JUN20-7100-P 36+18",
      "BTCUSD-27MAR20-7100-C 108+18",
      "BTCUSD-27MAR20-7900-P 36+18",
      "BTCUSD-27MAR20-8700-C 72+18",
      "ETH-27MAR20-160-P 126+18",
    ]);
    expect(gaps(1)).toEqual(gaps(1));
    expect(gaps(2)).not.toEqual(gaps(1));
  });
});
