import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { readBook } from "../../../operator/validate/book.ts";
import { EXAMPLE, written } from "./files.ts";

const TERMS = { initialRatePpm: 100_000, maintenanceRatePpm: 50_000, rangePpm: 160_000 };
const BOOK = {
  name: "small",
  quoteAsset: "USDT",
  assets: { BTCUSDT: TERMS },
  accounts: [{ accountId: "a", cash: "10", positions: { BTCUSDT: "0.1" } }],
};
const read = (book: unknown): unknown =>
  readBook(written({ "book.json": typeof book === "string" ? book : JSON.stringify(book) })("book.json"));
const account = (more: object): unknown => ({ ...BOOK, accounts: [{ ...BOOK.accounts[0], ...more }] });

describe("the book's file", () => {
  it("is read exactly", () => {
    const { accounts, assets, insuranceFund } = readBook(join(EXAMPLE, "book.json"));
    expect(accounts).toHaveLength(5);
    expect(accounts[4]).toEqual({
      ...{ accountId: "holder-small", cash: 310_000_000_000n },
      positions: new Map([
        ["BTCUSDT", 50_000_000n],
        ["ETHUSDT", 200_000_000n],
      ]),
    });
    expect(assets.get("ETHUSDT")).toMatchObject({ rangePpm: 200_000, dailyVolume: 40_000_000_000_000n });
    expect(insuranceFund).toBe(6_000_000_000_000n);
  });

  it.each([
    ["no JSON", "{", "is no JSON"],
    ["money as a number", account({ cash: 10 }), "accounts.0.cash"],
    ["a quantity with an exponent", account({ positions: { BTCUSDT: "1e3" } }), "not a plain decimal with at most 8 decimals"],
    ["an unknown field", { ...BOOK, extra: 1 }, "unknown fields: extra"],
    ["an account twice", { ...BOOK, accounts: [...BOOK.accounts, ...BOOK.accounts] }, "account a is there twice: keep one of them"],
    ["a position without terms", account({ positions: { ETHUSDT: "1" } }), 'account a holds ETHUSDT, which "assets" does not have'],
    ["no position", account({ positions: { BTCUSDT: "0" } }), "no account holds a position"],
    ["another quote asset", { ...BOOK, quoteAsset: "EUR" }, "BTCUSDT is not quoted in EUR"],
    [
      "a maintenance rate above the initial one",
      { ...BOOK, assets: { BTCUSDT: { ...TERMS, maintenanceRatePpm: 100_001 } } },
      "initial rate is below",
    ],
    ["a volatility of 0", { ...BOOK, assets: { BTCUSDT: { ...TERMS, impliedVolatilityPpm: 0 } } }, "impliedVolatilityPpm"],
    ["a volume of 0", { ...BOOK, assets: { BTCUSDT: { ...TERMS, dailyVolume: "0" } } }, "not above 0"],
  ])("is refused with its place: %s", (_, book, words) => {
    expect(() => read(book)).toThrow(words);
  });
});
