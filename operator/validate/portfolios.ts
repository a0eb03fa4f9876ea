import { ONE, type Price, type Quantity } from "../../core/money.ts";
import type { Book } from "./book.ts";
import type { History } from "./history.ts";
import type { Portfolio } from "./walk.ts";

/** Holdings by asset of the history; 0 where an account holds none. */
export const quantitiesOf = (positions: ReadonlyMap<string, Quantity>, { symbols }: History): Quantity[] =>
  symbols.map((symbol) => positions.get(symbol) ?? (0n as Quantity));

/** Gross notional value at the last close, in 1e-16 of the quote asset: for comparisons. */
const grossOf = (quantities: readonly Quantity[], { closes }: History): bigint =>
  quantities.reduce((sum, quantity, asset) => {
    const value = quantity * ((closes[asset] as readonly Price[]).at(-1) as Price);
    return sum + (value < 0n ? -value : value);
  }, 0n);

/** What is tested, and what is left out with the reason. */
export interface Tested {
  readonly portfolios: readonly Portfolio[];
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * The portfolios that are tested: the book's net position and its opposite, one unit of each asset long and short, and the
 * accounts with the largest gross notional value.
 */
export const portfoliosOf = (book: Book, history: History, accountsTested: number): Tested => {
  const net = history.symbols.map((symbol) =>
    book.accounts.reduce((sum, { positions }) => sum + (positions.get(symbol) ?? 0n), 0n),
  ) as Quantity[];
  const opposite = (quantities: readonly Quantity[]): Quantity[] => quantities.map((quantity) => -quantity as Quantity);
  const isFlat = net.every((quantity) => quantity === 0n);
  const ofBook: Portfolio[] = isFlat
    ? []
    : [
        { name: "book, net", kind: "book", quantities: net },
        { name: "book, opposite", kind: "book", quantities: opposite(net) },
      ];
  const ofAssets = history.symbols.flatMap((symbol, asset): Portfolio[] => {
    const unit = history.symbols.map((_, index) => (index === asset ? ONE : 0n) as Quantity);
    return [
      { name: `${symbol}, long`, kind: "asset", quantities: unit },
      { name: `${symbol}, short`, kind: "asset", quantities: opposite(unit) },
    ];
  });
  const held = book.accounts
    .map(({ accountId, positions }) => ({ accountId, quantities: quantitiesOf(positions, history) }))
    .map((account) => ({ ...account, gross: grossOf(account.quantities, history) }))
    .filter(({ gross }) => gross > 0n)
    .sort((a, b) => (a.gross === b.gross ? (a.accountId < b.accountId ? -1 : 1) : a.gross > b.gross ? -1 : 1));
  const ofAccounts = held
    .slice(0, accountsTested)
    .map(({ accountId, quantities }): Portfolio => ({ name: `account ${accountId}`, kind: "account", quantities }));
  const rest = held.length - ofAccounts.length;
  const flat = book.accounts.length - held.length;
  return {
    portfolios: [...ofBook, ...ofAssets, ...ofAccounts],
    leftOut: [
      ...(isFlat
        ? [{ name: "book, net", reason: "the positions of all accounts net to 0 in every asset: there is no loss to cover" }]
        : []),
      ...(rest > 0 ? [{ name: `${rest} accounts`, reason: `smaller than the ${accountsTested} that are tested by themselves` }] : []),
      ...(flat > 0 ? [{ name: `${flat} accounts`, reason: "they hold no position" }] : []),
    ],
  };
};
