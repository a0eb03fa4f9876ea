import { decimal, type Money, max, minus, plus, ZERO } from "../../core/money.ts";
import { movedSnapshot, standingOn } from "../../core/risk/shocked-account.ts";
import type { StatisticalTerms } from "../../core/statistical-model.ts";
import type { RiskBook, RiskScope } from "./book.ts";

/** An account in a stress: what it would lose, and what of that its own requirement or its equity does not cover. */
interface StressedScope {
  readonly name: string;
  readonly brokerId: string;
  readonly loss: Money;
  readonly overInitial: Money;
  readonly overEquity: Money;
}

/** One joint move on the whole book (M15). Money as decimal strings; losses are never netted between accounts. */
export interface StressRow {
  readonly scenariosId: string;
  readonly name: string;
  /** Of accounts, how many fall below their maintenance requirement. */
  readonly breached: number;
  /** The largest one and two losses beyond the initial requirement, and beyond equity. */
  readonly overInitial: { readonly cover1: string; readonly cover2: string };
  readonly overEquity: { readonly cover1: string; readonly cover2: string };
  /** The five that lose most beyond their initial requirement. */
  readonly largest: readonly { readonly name: string; readonly loss: string; readonly overInitial: string }[];
}

export interface BookStresses {
  readonly rows: readonly StressRow[];
  /** By broker: the largest sum over one stress of what its accounts lose beyond their equity. */
  readonly byBroker: ReadonlyMap<string, Money>;
}

/** Every set of scenarios that a policy of the book holds, and those that are given beside them. */
export const scenariosIn = (book: RiskBook, given: StatisticalTerms | null): readonly StatisticalTerms[] => {
  const all = book.scopes.flatMap(({ policy: { model } }) =>
    model.kind === "portfolio" && model.statistical !== null ? [model.statistical] : [],
  );
  const byName = new Map([...all, ...(given === null ? [] : [given])].map((terms) => [`${terms.scenariosId} ${terms.version}`, terms]));
  return [...byName.values()];
};

const largestFirst = (amounts: readonly Money[]): readonly Money[] => [...amounts].sort((a, b) => (a < b ? 1 : a > b ? -1 : 0));

const coverOf = (amounts: readonly Money[]): { readonly cover1: string; readonly cover2: string } => {
  const [first = ZERO, second = ZERO] = largestFirst(amounts);
  return { cover1: decimal(first), cover2: decimal(plus(first, second)) };
};

const stressed = (scope: RiskScope, moved: RiskBook["snapshot"], now: number): StressedScope & { readonly isBreached: boolean } => {
  const { name, brokerId, standing, view, policy } = scope;
  const after = standingOn(view, { snapshot: moved, policy, now });
  // What is lost is of equity and, where options are paid for when bought, of the value that their requirement holds.
  const loss = max(ZERO, minus(minus(standing.equity, standing.maintenance), minus(after.equity, after.maintenance)));
  return {
    ...{ name, brokerId, loss, overInitial: max(ZERO, minus(loss, standing.initial)), overEquity: max(ZERO, minus(ZERO, after.equity)) },
    isBreached: after.equity < after.maintenance,
  };
};

/** Every stress of every scenario set, each on the whole book, each account by the rules that decide it. */
export const stressesOf = (book: RiskBook, scopes: readonly RiskScope[], sets: readonly StatisticalTerms[]): BookStresses => {
  const byBroker = new Map<string, Money>();
  const rows = sets.flatMap(({ scenariosId, units, stress }) =>
    stress.map(({ name, movesPpm }): StressRow => {
      const moves = new Map(units.map((unit, index) => [unit, movesPpm[index] as number]));
      const moved = movedSnapshot(book.snapshot, moves, `${scenariosId} ${name}`);
      const all = scopes.map((scope) => stressed(scope, moved, book.now));
      const ofBroker = new Map<string, Money>();
      for (const { brokerId, overEquity } of all) ofBroker.set(brokerId, plus(ofBroker.get(brokerId) ?? ZERO, overEquity));
      for (const [brokerId, sum] of ofBroker) byBroker.set(brokerId, max(byBroker.get(brokerId) ?? ZERO, sum));
      const largest = all
        .filter(({ overInitial }) => overInitial > 0n)
        .sort((a, b) => (a.overInitial === b.overInitial ? (a.name < b.name ? -1 : 1) : a.overInitial < b.overInitial ? 1 : -1))
        .slice(0, 5);
      return {
        ...{ scenariosId, name, breached: all.filter(({ isBreached }) => isBreached).length },
        overInitial: coverOf(all.map(({ overInitial }) => overInitial)),
        overEquity: coverOf(all.map(({ overEquity }) => overEquity)),
        largest: largest.map((one) => ({ name: one.name, loss: decimal(one.loss), overInitial: decimal(one.overInitial) })),
      };
    }),
  );
  return { rows, byBroker };
};
