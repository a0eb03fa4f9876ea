import type { MarginAccount, Position } from "./account.ts";
import type { BookDifference, Fact } from "./ledger.ts";
import { LIMITS } from "./limits.ts";
import { abs, decimal, type Money, type Price, type Quantity, ZERO } from "./money.ts";
import { allPositions, isFunded } from "./scope.ts";
import { hasOrders } from "./standing.ts";

/** The venue's own statement of an account, as of the last fact that it has told of: a check, which changes no balance. */
export type Reconciliation = Fact & { readonly kind: "reconciliation" };

const SLACK = BigInt(LIMITS.reconciliationSlackUnits);

const isApart = (a: Money | Price, b: Money | Price): boolean => abs<bigint>(a - b) > SLACK;

const balanceDifferences = (account: MarginAccount, { balances }: Reconciliation): readonly BookDifference[] =>
  [...new Set([...account.balances.keys(), ...balances.keys()])].sort().flatMap((asset) => {
    const [book, venue] = [account.balances.get(asset) ?? ZERO, balances.get(asset) ?? ZERO];
    return isApart(book, venue) ? [{ what: `balance ${asset}`, book: decimal(book), venue: decimal(venue) }] : [];
  });

const wordsOf = (position: Position | undefined): string =>
  position === undefined ? "none" : `${decimal(position.quantity)} at ${decimal(position.entryPrice)}`;

const positionDifferences = (account: MarginAccount, fact: Reconciliation): readonly BookDifference[] =>
  [...new Set([...allPositions(account), ...fact.positions].map(({ instrumentId }) => instrumentId))].sort().flatMap((instrumentId) => {
    const book = allPositions(account).find((held) => held.instrumentId === instrumentId);
    const venue = fact.positions.find((held) => held.instrumentId === instrumentId);
    const isSame = book?.quantity === venue?.quantity && !isApart(book?.entryPrice ?? (0n as Price), venue?.entryPrice ?? (0n as Price));
    return isSame ? [] : [{ what: `position ${instrumentId}`, book: wordsOf(book), venue: wordsOf(venue) }];
  });

const poolDifferences = ({ pools }: MarginAccount, fact: Reconciliation): readonly BookDifference[] => {
  const held = new Map([...pools.values()].filter(isFunded).map(({ instrumentId, cash }) => [instrumentId, cash]));
  const stated = new Map((fact.pools ?? []).map(({ instrumentId, cash }) => [instrumentId, cash]));
  return [...new Set([...held.keys(), ...stated.keys()])].sort().flatMap((instrumentId) => {
    const [book, venue] = [held.get(instrumentId), stated.get(instrumentId)];
    if (book !== undefined && venue !== undefined && !isApart(book, venue)) return [];
    const words = (cash: Money | undefined): string => (cash === undefined ? "none" : decimal(cash));
    return [{ what: `pool ${instrumentId}`, book: words(book), venue: words(venue) }];
  });
};

const ordersDifferences = ({ standing }: MarginAccount, { orders = [] }: Reconciliation): readonly BookDifference[] => {
  const stated = new Map(orders.map((each) => [each.instrumentId, each]));
  const words = (of: { buys: Quantity; sells: Quantity } | undefined): string =>
    of === undefined || !hasOrders(of) ? "none" : `${decimal(of.buys)} to buy, ${decimal(of.sells)} to sell`;
  return [...new Set([...standing.keys(), ...stated.keys()])].sort().flatMap((instrumentId) => {
    const [book, venue] = [words(standing.get(instrumentId)), words(stated.get(instrumentId))];
    return book === venue ? [] : [{ what: `orders ${instrumentId}`, book, venue }];
  });
};

const leverageDifferences = ({ standing }: MarginAccount, { leverage = [] }: Reconciliation): readonly BookDifference[] => {
  const stated = new Map(leverage.map((each) => [each.instrumentId, each.leverage]));
  const words = (chosen: Quantity | null | undefined): string => (chosen === undefined || chosen === null ? "none" : decimal(chosen));
  return [...new Set([...standing.keys(), ...stated.keys()])].sort().flatMap((instrumentId) => {
    const [book, venue] = [words(standing.get(instrumentId)?.leverage), words(stated.get(instrumentId))];
    return book === venue ? [] : [{ what: `leverage ${instrumentId}`, book, venue }];
  });
};

/**
 * In what the book differs from the venue's statement (R16); nothing where it agrees, and where the statement is
 * older than the book and so proves nothing.
 *
 * A book that has not seen all that the statement counts has lost the rest. A book that has seen more, all of it
 * from before the statement, holds what the venue does not know: a venue that was set back, or another's facts.
 * Amounts may differ by the rounding of many fills, quantities not at all.
 */
export const differencesOf = (account: MarginAccount, fact: Reconciliation): readonly BookDifference[] => {
  const { sourceSequence, sourceAt } = account;
  const numbers: BookDifference = { what: "sequence", book: `${sourceSequence}`, venue: `${fact.sequence}` };
  if (fact.sequence < sourceSequence) return sourceAt > 0 && fact.occurredAt > sourceAt ? [numbers] : [];
  const held = [
    ...balanceDifferences(account, fact),
    ...positionDifferences(account, fact),
    ...poolDifferences(account, fact),
    ...ordersDifferences(account, fact),
    ...leverageDifferences(account, fact),
  ];
  return fact.sequence > sourceSequence ? [numbers, ...held] : held;
};
