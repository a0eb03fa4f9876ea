import { decimal, type Price, type Quantity } from "../../core/money.ts";
import { type ContagionAccount, type ContagionShock, contagion, type MarketDepth } from "../../core/risk/contagion.ts";
import { ewmaVolatility } from "../../core/statistics/filter.ts";
import type { AssetTerms, Book } from "./book.ts";
import { type Figure, figure, missing } from "./figure.ts";
import { type History, wholeOf } from "./history.ts";
import { lastPrices, openInterestOf } from "./standing.ts";
import type { ValidationTerms } from "./terms.ts";

/** Steps that the report lists; the plot and the counts know all. */
const LISTED = 50;

/** One account's turn under a shock. */
export interface ContagionRow {
  readonly accountId: string;
  /** Size of the move that breaches it: 0.1 is 10 %. */
  readonly move: number;
  /** Of each shocked symbol: net units to sell (above 0) or to buy by then, and its share of the open interest. */
  readonly liquidated: readonly { readonly symbol: string; readonly quantity: string; readonly share: Figure }[];
  readonly moveAfterImpact: Figure;
}

/** Who breaches next under one shock. */
export interface ContagionTable {
  readonly shock: string;
  readonly direction: ContagionShock["direction"];
  readonly breached: number;
  readonly safe: number;
  readonly rows: readonly ContagionRow[];
}

const depthOf = (book: Book, history: History, symbol: string, terms: ValidationTerms): MarketDepth | string => {
  const volume = book.assets.get(symbol)?.dailyVolume ?? null;
  if (volume === null) return "the book's file gives no daily volume";
  const volatility = ewmaVolatility(history.returns[history.symbols.indexOf(symbol)] as Float64Array, terms.filter);
  if (!volatility.ok) return `${volatility.fault}: ${volatility.detail}`;
  return { symbol, dailyVolume: Number(volume) / 1e8, dailyVolatility: volatility.value.next };
};

/** Contagion of each asset's fall and rise alone, and of all together. */
export const contagionsOf = (book: Book, history: History, terms: ValidationTerms): readonly ContagionTable[] => {
  const prices = lastPrices(history);
  const interest = new Map(openInterestOf(book, history).map(({ symbol, quantity }) => [symbol, Number(quantity) / 1e8]));
  const accounts = book.accounts.map(
    ({ accountId, cash, positions }): ContagionAccount => ({
      ...{ accountId, equity: Number(cash) / 1e8 },
      holdings: [...positions].map(([symbol, quantity]) => ({
        ...{ symbol, quantity: Number(quantity) / 1e8, price: wholeOf(prices.get(symbol) as Price) },
        maintenanceRate: (book.assets.get(symbol) as AssetTerms).maintenanceRatePpm / 1_000_000,
      })),
    }),
  );
  const shocks = [...history.symbols.map((symbol) => [symbol]), ...(history.symbols.length > 1 ? [history.symbols] : [])];
  return shocks.flatMap((symbols) =>
    (["fall", "rise"] as const).map((direction): ContagionTable => {
      const depth =
        symbols.length === 1 ? depthOf(book, history, symbols[0] as string, terms) : "several prices move: impact is told of one";
      const { steps, safe } = contagion(accounts, { symbols: new Set(symbols), direction }, typeof depth === "string" ? null : depth);
      return {
        ...{ shock: symbols.length === 1 ? (symbols[0] as string) : "all assets together", direction },
        ...{ breached: steps.length, safe: safe.length },
        rows: steps.slice(0, LISTED).map(({ accountId, move, liquidated, moveAfterImpact }) => ({
          ...{ accountId, move },
          liquidated: [...liquidated].map(([symbol, quantity]) => ({
            ...{ symbol, quantity: decimal(BigInt(Math.round(quantity * 1e8)) as Quantity) },
            share: figure(Math.abs(quantity) / (interest.get(symbol) ?? 0), "the symbol has no open interest"),
          })),
          moveAfterImpact:
            moveAfterImpact === null ? missing(typeof depth === "string" ? depth : "unknown depth") : figure(moveAfterImpact),
        })),
      };
    }),
  );
};
