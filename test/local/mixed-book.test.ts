import { describe, expect, it } from "vitest";

import { encodeFeed, feedMessage } from "../../adapters/wire/feed.ts";
import { KINDS, kindOf } from "../../local/book.ts";
import { type Options, readOptions } from "../../local/options.ts";
import { writeScript } from "../../local/script.ts";
import { createVenue } from "../../local/venue.ts";

const NOW = Date.UTC(2026, 0, 1);
const scriptOf = (...args: string[]) => writeScript(readOptions(["--mixed", ...args]) as Options, NOW);
const script = scriptOf("--accounts", "200");
const count = (kind: string): number => script.accounts.filter((account) => kindOf(account, script.market) === kind).length;

describe("the mixed book", () => {
  it("holds every kind of account, the same ones for the same seed, however many there are", () => {
    expect(KINDS.map((kind) => [kind, count(kind)])).toEqual([
      ["perpetuals", 78],
      ["options", 63],
      ["portfolio", 44],
      ["isolated", 15],
    ]);
    expect(scriptOf("--accounts", "20").accounts).toEqual(script.accounts.slice(0, 20));
    expect(scriptOf("--accounts", "20", "--seed", "2").accounts).not.toEqual(script.accounts.slice(0, 20));
  });

  it("leaves the plain book as it is", () => {
    const plain = writeScript(readOptions(["--accounts", "50"]) as Options, NOW);
    expect(plain.accounts.every(({ pools, policyId }) => pools === undefined && policyId !== "portfolio")).toBe(true);
    expect(plain.market.listings.every(({ option }) => option === null)).toBe(true);
  });

  it("sells options short and hedges them, posts coin against inverse ones, and isolates up to two pools of an account", () => {
    const short = script.accounts.flatMap(({ positions }) =>
      positions.filter(({ instrumentId, quantity }) => /-[CP]$/.test(instrumentId) && quantity < 0n),
    );
    expect(short.length).toBeGreaterThan(50);
    const inCoin = script.accounts.filter(({ positions }) => positions.some(({ instrumentId }) => /^BTCUSD-.*-[CP]$/.test(instrumentId)));
    expect(inCoin.length).toBeGreaterThan(3);
    expect(inCoin.every(({ balances }) => balances.has("BTC"))).toBe(true);
    const sizes = script.accounts.map(({ pools }) => pools?.size ?? 0);
    expect([...new Set(sizes)].sort()).toEqual([0, 1, 2]);
    for (const { positions } of script.accounts) expect(new Set(positions.map((held) => held.instrumentId)).size).toBe(positions.length);
  });

  it("enters by messages that the API takes, pools named with their cash", () => {
    const venue = createVenue(script.market, 1);
    for (const account of script.accounts) {
      const message = feedMessage.parse(JSON.parse(encodeFeed(venue.open(account, 1_583_971_200_000))));
      const pools = account.pools === undefined ? undefined : [...account.pools].map(([instrumentId, cash]) => ({ instrumentId, cash }));
      expect(message.entries[0]).toMatchObject({ kind: "snapshot", balances: account.balances, ...(pools !== undefined && { pools }) });
    }
  });
});
