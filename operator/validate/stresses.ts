import { decimal, minus } from "../../core/money.ts";
import { type Cover, coverOf, type StressScenario, stressLoss } from "../../core/risk/stress.ts";
import type { Book } from "./book.ts";
import { type Figure, figure, missing, moneyOf } from "./figure.ts";
import { type History, wholeOf } from "./history.ts";
import { quantitiesOf } from "./portfolios.ts";
import { lastPrices, type Standing } from "./standing.ts";
import type { ValidationTerms } from "./terms.ts";
import { estimate, type Market, marketAt } from "./walk.ts";

/** Cover of one named stress with amounts as decimal strings. */
export interface CoverRow {
  readonly scenario: string;
  readonly cover1: string;
  readonly cover2: string;
  readonly largest: readonly { readonly accountId: string; readonly uncovered: string }[];
}

/** One named stress on today's book: of a window, the worst of its days. */
export interface StressRow {
  readonly name: string;
  /** Why there is none; null where there is. */
  readonly reason: string | null;
  /** The day or the hypothesis that makes the book's loss the worst, its moves by symbol, and the loss of the book's net position. */
  readonly binding: string | null;
  readonly moves: readonly { readonly symbol: string; readonly move: number }[];
  readonly bookLoss: string | null;
  /** The largest of any scenario of the stress: losses beyond the statistical margin, and beyond the equity that is there. */
  readonly overMargin: CoverRow | null;
  readonly overEquity: CoverRow | null;
}

export interface Stresses {
  readonly rows: readonly StressRow[];
  /** The largest of all rows. */
  readonly cover1: string;
  readonly cover2: string;
  /** The scenario with the largest losses beyond the statistical margin. */
  readonly worstOverMargin: CoverRow;
  readonly insuranceFund: string | null;
  /** Insurance fund over cover-2 beyond equity. */
  readonly fundOverCover2: Figure;
  readonly accounts: readonly {
    readonly accountId: string;
    readonly equity: string;
    readonly initialRequirement: string;
    readonly statisticalMargin: string;
    /** Equity less the initial requirement of the book's rates. */
    readonly headroom: string;
    readonly binding: string;
    readonly worstStress: string;
    readonly worstStressLoss: string;
  }[];
}

interface Exposed {
  readonly accountId: string;
  readonly exposures: readonly number[];
  readonly margin: number;
  readonly equity: number;
}

const coverRow = ({ scenario, cover1, cover2, largest }: Cover): CoverRow => ({
  ...{ scenario, cover1: moneyOf(cover1, "up"), cover2: moneyOf(cover2, "up") },
  largest: largest.map(({ accountId, uncovered }) => ({ accountId, uncovered: moneyOf(uncovered, "up") })),
});

/** The scenario with the largest cover-2, the first of several as large. */
const worstCover = (accounts: readonly Exposed[], scenarios: readonly StressScenario[], against: "margin" | "equity"): Cover =>
  scenarios
    .map((scenario) =>
      coverOf(
        accounts.map((account) => ({ ...account, resources: account[against] })),
        scenario,
      ),
    )
    .reduce((worst, cover) => (cover.cover2 > worst.cover2 ? cover : worst));

const rowOf = (name: string, scenarios: readonly StressScenario[], accounts: readonly Exposed[], symbols: readonly string[]): StressRow => {
  const net = symbols.map((_, asset) => accounts.reduce((sum, { exposures }) => sum + (exposures[asset] as number), 0));
  const binding = scenarios.reduce((worst, scenario) => (stressLoss(net, scenario) > stressLoss(net, worst) ? scenario : worst));
  return {
    ...{ name, reason: null, binding: binding.name },
    moves: symbols.map((symbol, asset) => ({ symbol, move: binding.moves[asset] as number })),
    bookLoss: moneyOf(stressLoss(net, binding), "up"),
    overMargin: coverRow(worstCover(accounts, scenarios, "margin")),
    overEquity: coverRow(worstCover(accounts, scenarios, "equity")),
  };
};

const exposedOf = (standings: readonly Standing[], history: History, market: Market, terms: ValidationTerms) => {
  const prices = [...lastPrices(history).values()].map(wholeOf);
  const ranges = history.symbols.map(() => 0);
  return standings.map((standing) => {
    const { account, equity } = standing;
    const exposures = quantitiesOf(account.positions, history).map(
      (quantity, asset) => (Number(quantity) / 1e8) * (prices[asset] as number),
    );
    const { margins, binding, stress } = estimate(exposures, ranges, market, terms);
    return {
      accountId: account.accountId,
      exposures,
      margin: margins.statistical,
      equity: Number(equity) / 1e8,
      standing,
      binding,
      stress,
    };
  });
};

/** Named stresses on today's book, with cover-1 and cover-2 over its accounts (M7, M15). */
export const stressesOf = (book: Book, history: History, standings: readonly Standing[], terms: ValidationTerms): Stresses => {
  const market = marketAt(history, history.days.length, terms);
  const accounts = exposedOf(standings, history, market, terms);
  const named = terms.windows.map(({ name }) => name);
  const groups = new Map<string, StressScenario[]>(named.map((name) => [name, []]));
  for (const scenario of market.stresses) {
    const group = scenario.name.split(",")[0] as string;
    groups.set(group, [...(groups.get(group) ?? []), scenario]);
  }
  const rows = [...groups].map(
    ([name, scenarios]): StressRow =>
      scenarios.length > 0
        ? rowOf(name, scenarios, accounts, history.symbols)
        : {
            ...{ name, reason: `no day of it is in the price files, which end on ${history.days.at(-1)}` },
            ...{ binding: null, moves: [], bookLoss: null, overMargin: null, overEquity: null },
          },
  );
  const all = worstCover(accounts, market.stresses, "equity");
  const fund = book.insuranceFund;
  return {
    ...{ rows, cover1: moneyOf(Math.max(...market.stresses.map((one) => worstCover(accounts, [one], "equity").cover1)), "up") },
    cover2: moneyOf(all.cover2, "up"),
    worstOverMargin: coverRow(worstCover(accounts, market.stresses, "margin")),
    insuranceFund: fund === null ? null : decimal(fund),
    fundOverCover2:
      fund === null
        ? missing("the book's file gives no insurance fund")
        : figure(Number(fund) / 1e8 / all.cover2, "no stress loses more than the equity of its account: there is nothing to cover"),
    accounts: accounts.map(({ accountId, standing: { equity, initial }, margin, binding, stress }) => ({
      accountId,
      equity: decimal(equity),
      initialRequirement: decimal(initial),
      statisticalMargin: moneyOf(margin, "up"),
      headroom: decimal(minus(equity, initial)),
      ...{ binding, worstStress: stress.name, worstStressLoss: moneyOf(Math.max(0, stress.loss), "up") },
    })),
  };
};
