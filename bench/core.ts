import { decodePage, encodeAccount } from "../adapters/dynamodb/account-codec.ts";
import type { Item } from "../adapters/dynamodb/items.ts";
import type { MarginAccount } from "../core/account.ts";
import { decide } from "../core/decide.ts";
import { type Draw, pareto } from "../local/random.ts";
import { type BenchMarket, benchAccounts, benchMarket } from "./book.ts";
import { type ColumnFigures, measureColumns } from "./columns.ts";
import { accountsPerS } from "./measure.ts";
import { yardstickAccount, yardstickLevel, yardstickMarket } from "./yardstick.ts";

const ACCOUNTS = 20_000;
const YARDSTICK_ACCOUNTS = 2_000;
const SEED = 7;
/** Noon of a day that does not matter. */
const NOW = Date.UTC(2026, 0, 5, 12);
/** Accounts in a result page of 1 MB at the size of these items. */
const PAGE = 1_800;
/** Stands for the hash of an envelope: its length is what counts. */
const HASH = "bF0pQbJ0VqfJ8cVg0rZ0VQx2m3n4o5p6q7r8s9t0u1w";

/** One in twenty accounts stands at its warning level, the others above it with a heavy tail. */
const inBook = (draw: Draw): number => (draw() < 0.05 ? 0.55 + draw() * 0.15 : pareto(draw, 0.85, 1.2));
/** At the warning level: near enough to the call that no estimate is believed, and the exact pass decides each. */
const atWarning = (draw: Draw): number => 0.55 + draw() * 0.15;

/** Result pages of the book's table as they come over the wire. */
const pagesOf = (accounts: readonly MarginAccount[]): string[] => {
  const pages: string[] = [];
  for (let from = 0; from < accounts.length; from += PAGE) {
    const Items = accounts.slice(from, from + PAGE).map((account) => encodeAccount(account, HASH, 256));
    pages.push(JSON.stringify({ Count: Items.length, Items, ScannedCount: Items.length }));
  }
  return pages;
};

const decideAll = (accounts: readonly MarginAccount[], { snapshot, policy, now }: BenchMarket): number => {
  for (const account of accounts) {
    if (decide(account, snapshot, policy, now) !== null) throw new Error(`${account.accountId} was settled and changed`);
  }
  return accounts.length;
};

const decidePages = (pages: readonly string[], market: BenchMarket): number => {
  let count = 0;
  for (const page of pages) {
    const { Items } = JSON.parse(page) as { readonly Items: readonly Item[] };
    const { accounts, unreadable } = decodePage(Items);
    if (unreadable.length > 0) throw new Error(`unreadable: ${unreadable[0]?.error}`);
    count += decideAll(accounts, market);
  }
  return count;
};

/** Accounts of ten linear positions a second on one core, and how many times the yardstick that is. */
export interface CoreFigures extends ColumnFigures {
  /** Every account decided by the exact pass. */
  readonly decideExactPerS: number;
  /** A book as a sweep finds it, where the fast pass clears most accounts. */
  readonly decidePerS: number;
  /** The same book from result pages: parsed, decoded, decided. */
  readonly fromPagesPerS: number;
  /** The same decision with decimal.js. */
  readonly yardstickPerS: number;
  /** Against decimal.js; those of the scenarios against the plain loops. */
  readonly ratios: Readonly<Record<"decideExact" | "decide" | "fromPages" | "linear" | "worstOf16" | "worstOf1000", number>>;
}

/** Measures the decision alone, without any engine. @throws Error when the yardstick judges an account otherwise. */
export const measureCore = (): CoreFigures => {
  const market = benchMarket(SEED, NOW);
  const exact = benchAccounts(market, { count: ACCOUNTS, seed: SEED, headroom: atWarning });
  const book = benchAccounts(market, { count: ACCOUNTS, seed: SEED, headroom: inBook });
  const pages = pagesOf(book);
  const yardstick = yardstickMarket(market);
  const yardsticks = exact.slice(0, YARDSTICK_ACCOUNTS).map(yardstickAccount);
  const judge = (): number => {
    for (const account of yardsticks) {
      const level = yardstickLevel(account, yardstick);
      if (level !== account.level) throw new Error(`the yardstick says ${level}, the decision ${account.level}`);
    }
    return yardsticks.length;
  };
  const decideExactPerS = accountsPerS(() => decideAll(exact, market));
  const decidePerS = accountsPerS(() => decideAll(book, market));
  const fromPagesPerS = accountsPerS(() => decidePages(pages, market));
  const yardstickPerS = accountsPerS(judge);
  const columns = measureColumns(book, market);
  const ratio = (perS: number, plainPerS = yardstickPerS): number => Math.round((perS / plainPerS) * 10) / 10;
  const ratios = {
    decideExact: ratio(decideExactPerS),
    decide: ratio(decidePerS),
    fromPages: ratio(fromPagesPerS),
    linear: ratio(columns.linearPerS),
    worstOf16: ratio(columns.worstOf16PerS, columns.plainOf16PerS),
    worstOf1000: ratio(columns.worstOf1000PerS, columns.plainOf1000PerS),
  };
  return { decideExactPerS, decidePerS, fromPagesPerS, yardstickPerS, ...columns, ratios };
};
