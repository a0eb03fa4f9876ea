import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";
import { encodeFeed, feedMessage } from "../../adapters/wire/feed.ts";
import { contactBody } from "../../adapters/wire/parties.ts";
import { type BookAccount, BROKERS, generateBook } from "../../local/book.ts";
import { readBook } from "../../local/book-file.ts";
import { blackThursday } from "../../local/feed/black-thursday.ts";
import { type TickStep, ticksOf } from "../../local/feed/ticks.ts";
import { marketOf, marksOf } from "../../local/market.ts";
import { Refusal } from "../../local/options.ts";
import { createVenue } from "../../local/venue.ts";

const path = blackThursday();
const market = marketOf(path.series);
const prices = new Map(marksOf(market, ticksOf(path.series)[0] as TickStep).map((mark) => [mark.instrumentId, mark.price]));
const ACCOUNTS = 1_000;
const book = generateBook({ market, prices }, 1, ACCOUNTS);

/** Gross notional over gross balance, both in USDT at the opening prices: an independent, rough leverage. */
const leverageOf = (account: BookAccount): number => {
  const gross = account.positions.reduce((sum, { instrumentId, quantity }) => {
    const size = Math.abs(Number(quantity)) / 1e8;
    const inverse = instrumentId.endsWith("USD-PERP") ? (instrumentId.startsWith("BTC") ? 100 : 10) : null;
    return sum + (inverse === null ? size * (Number(prices.get(instrumentId)) / 1e8) : size * inverse);
  }, 0);
  const equity = [...account.balances].reduce((sum, [asset, held]) => {
    const index = prices.get(`${asset}-INDEX`);
    return sum + (Number(held) / 1e8) * (index === undefined ? 1 : Number(index) / 1e8);
  }, 0);
  return gross / equity;
};

describe("the generated book", () => {
  it("is the same for the same seed, and another for another", () => {
    expect(generateBook({ market, prices }, 1, ACCOUNTS)).toEqual(book);
    expect(generateBook({ market, prices }, 2, ACCOUNTS)).not.toEqual(book);
  });

  it("does not change an account when more are made", () => {
    expect(generateBook({ market, prices }, 1, 10)).toEqual(book.slice(0, 10));
  });

  it("has heavy-tailed leverage below the venue's cap", () => {
    const leverages = book.map(leverageOf).sort((a, b) => a - b);
    const share = (above: number): number => leverages.filter((leverage) => leverage > above).length / ACCOUNTS;
    expect(leverages[ACCOUNTS / 2]).toBeLessThan(2);
    expect(share(3)).toBeGreaterThan(0.06);
    expect(share(10)).toBeGreaterThan(0.01);
    expect(leverages.at(-1)).toBeLessThan(20);
  });

  it("has several brokers, coin collateral, inverse contracts, short positions, a dated future and flat accounts", () => {
    expect(new Set(book.map(({ brokerId }) => brokerId))).toEqual(new Set(BROKERS.map(([brokerId]) => brokerId)));
    const held = new Set(book.flatMap(({ positions }) => positions.map(({ instrumentId }) => instrumentId)));
    expect([...held].sort()).toEqual(["BTC-26JUN20", "BTC-PERP", "BTCUSD-PERP", "ETH-PERP", "ETHUSD-PERP"]);
    expect(book.filter(({ balances }) => balances.has("ETH")).length).toBeGreaterThan(50);
    expect(book.filter(({ positions }) => positions.some(({ quantity }) => quantity < 0n)).length).toBeGreaterThan(100);
    expect(book.filter(({ policyId }) => policyId === "coin-btc").length).toBeGreaterThan(10);
    expect(book.filter(({ positions }) => positions.length === 0).length).toBeGreaterThan(20);
    expect(new Set(book.map(({ contact }) => contact.timeZone)).size).toBe(9);
  });

  it("enters by messages and bodies that the API takes", () => {
    const venue = createVenue(market, 1);
    for (const account of book) {
      expect(contactBody.safeParse(account.contact).success).toBe(true);
      const message = feedMessage.parse(JSON.parse(encodeFeed(venue.open(account, 1_583_971_200_000))));
      expect(message.entries[0]).toMatchObject({ kind: "snapshot", sequence: 1, balances: account.balances });
    }
  });
});

describe("--book FILE", () => {
  const fileWith = (content: string): string => {
    const file = join(mkdtempSync(join(tmpdir(), "book-")), "book.json");
    writeFileSync(file, content);
    return file;
  };
  const desk = {
    accountId: "desk-1",
    balances: { USDT: "25000" },
    positions: [{ instrumentId: "BTC-PERP", quantity: "12", entryPrice: "7935" }],
  };

  it("reads accounts with defaults for what they do not say", () => {
    const [account] = readBook(fileWith(JSON.stringify({ accounts: [desk] })), market);
    expect(account).toMatchObject({
      accountId: "desk-1",
      brokerId: "meridian",
      clientClass: "retail",
      policyId: "standard",
      contact: { email: "desk-1@meridian.example", timeZone: "UTC" },
      positions: [{ instrumentId: "BTC-PERP", quantity: 1_200_000_000n, entryPrice: 793_500_000_000n }],
    });
  });

  it("reads isolated pools with their cash", () => {
    const pools = [{ instrumentId: "BTC-PERP", cash: "5000" }];
    const [account] = readBook(fileWith(JSON.stringify({ accounts: [{ ...desk, pools }] })), market);
    expect(account?.pools).toEqual(new Map([["BTC-PERP", 500_000_000_000n]]));
  });

  it.each([
    ["no JSON", "{", /is no JSON/],
    ["another form", '{"accounts":[{"accountId":"a"}]}', /accounts\.0\.balances/],
    ["a number for an amount", '{"accounts":[{"accountId":"a","balances":{"USDT":5},"positions":[]}]}', /accounts\.0\.balances\.USDT/],
    ["an account twice", JSON.stringify({ accounts: [desk, desk] }), /account desk-1 is there twice; give each once/],
    [
      "an unknown policy",
      JSON.stringify({ accounts: [{ ...desk, policyId: "house" }] }),
      /policy house is unknown; known are standard, coin-btc/,
    ],
    [
      "an instrument without prices",
      JSON.stringify({ accounts: [{ ...desk, positions: [{ instrumentId: "SOL-PERP", quantity: "1", entryPrice: "1" }] }] }),
      /instrument SOL-PERP has no prices; listed are BTC-PERP/,
    ],
    [
      "a pool of an instrument without prices",
      JSON.stringify({ accounts: [{ ...desk, pools: [{ instrumentId: "SOL-PERP", cash: "1" }] }] }),
      /instrument SOL-PERP has no prices/,
    ],
    [
      "an asset without a price",
      JSON.stringify({ accounts: [{ ...desk, balances: { SOL: "1" } }] }),
      /asset SOL has no price; priced are USDT, BTC, ETH/,
    ],
  ])("refuses %s in one line", (_, content, words) => {
    const file = fileWith(content);
    expect(() => readBook(file, market)).toThrow(Refusal);
    expect(() => readBook(file, market)).toThrow(words);
  });

  it("reads the shipped example", () => {
    const example = new URL("../../examples/books/three-desks.json", import.meta.url).pathname;
    const desks = readBook(example, market);
    expect(desks).toHaveLength(3);
    expect(desks.every(({ balances, positions }) => balances.size > 0 && positions.length > 0)).toBe(true);
  });

  it("names a file that is not there", () => {
    expect(() => readBook("no/such.json", market)).toThrow("no/such.json: cannot be read (ENOENT); give --book the path of a JSON file");
  });
});
