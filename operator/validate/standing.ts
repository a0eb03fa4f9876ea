import { abs, divide, type Money, max, ONE, type Price, plus, type Quantity } from "../../core/money.ts";
import type { AssetTerms, Book, BookAccount } from "./book.ts";
import type { History } from "./history.ts";

/** An account at the last close, exactly: what it has and what the book's flat rates ask for. */
export interface Standing {
  readonly account: BookAccount;
  readonly equity: Money;
  readonly initial: Money;
  readonly maintenance: Money;
  /** Gross notional value, rounded up. */
  readonly gross: Money;
}

/** Price of the last close, by symbol. */
export const lastPrices = ({ symbols, closes }: History): ReadonlyMap<string, Price> =>
  new Map(symbols.map((symbol, asset) => [symbol, closes[asset]?.at(-1) as Price]));

const notionalOf = (quantity: Quantity, price: Price): Money => divide(abs(quantity) * price, ONE, "up") as Money;
const shareOf = (notional: Money, ppm: number): Money => divide(notional * BigInt(ppm), 1_000_000n, "up") as Money;

/** Each account at the last close, in the order of the book. */
export const standingsOf = (book: Book, history: History): readonly Standing[] => {
  const prices = lastPrices(history);
  return book.accounts.map((account) => {
    let [initial, maintenance, gross] = [0n, 0n, 0n] as [Money, Money, Money];
    for (const [symbol, quantity] of account.positions) {
      const notional = notionalOf(quantity, prices.get(symbol) as Price);
      const { initialRatePpm, maintenanceRatePpm } = book.assets.get(symbol) as AssetTerms;
      gross = plus(gross, notional);
      initial = plus(initial, shareOf(notional, initialRatePpm));
      maintenance = plus(maintenance, shareOf(notional, maintenanceRatePpm));
    }
    return { account, equity: account.cash, initial, maintenance, gross };
  });
};

/** Open interest of a symbol as far as the book tells it: the longs, or the shorts where they are more. */
export interface OpenInterest {
  readonly symbol: string;
  readonly quantity: Quantity;
  readonly notional: Money;
}

/** Open interest by symbol. A book that holds both sides of every contract has as many longs as shorts. */
export const openInterestOf = (book: Book, history: History): readonly OpenInterest[] => {
  const prices = lastPrices(history);
  return history.symbols.map((symbol) => {
    const side = (isLong: boolean): bigint =>
      book.accounts.reduce((sum, { positions }) => {
        const quantity = positions.get(symbol) ?? 0n;
        return quantity > 0n === isLong ? sum + abs(quantity) : sum;
      }, 0n);
    const quantity = max(side(true), side(false)) as Quantity;
    return { symbol, quantity, notional: notionalOf(quantity, prices.get(symbol) as Price) };
  });
};
