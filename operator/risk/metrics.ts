import { decimal, type Money, max, plus, ZERO } from "../../core/money.ts";
import { type Figure, figure, missing } from "../validate/figure.ts";
import { grossOf, type RiskBook, type RiskScope } from "./book.ts";

/** A metric of M15: a share, a ratio or a count, or why the book cannot tell it. */
export interface RiskMetric {
  readonly name: string;
  readonly figure: Figure;
}

/** Open interest of one instrument: its longs, or its shorts where the book has more of them. */
export interface OpenInterest {
  readonly instrumentId: string;
  readonly notional: Money;
}

/** By instrument, in the valuation asset. */
export const openInterestOf = (scopes: readonly RiskScope[]): readonly OpenInterest[] => {
  const sides = new Map<string, [long: Money, short: Money]>();
  for (const { notional } of scopes) {
    for (const [id, amount] of notional) {
      const [long, short] = sides.get(id) ?? [ZERO, ZERO];
      sides.set(id, amount > 0n ? [plus(long, amount), short] : [long, plus(short, -amount as Money)]);
    }
  }
  return [...sides]
    .map(([instrumentId, [long, short]]) => ({ instrumentId, notional: max(long, short) }))
    .sort((a, b) => (a.instrumentId < b.instrumentId ? -1 : 1));
};

const sum = (amounts: readonly Money[]): Money => amounts.reduce(plus, ZERO);
const over = (part: Money, whole: Money, none: string): Figure => (whole <= 0n ? missing(none) : figure(Number(part) / Number(whole)));

/** The smallest value that at least this share of the list does not exceed; k = ⌈n·share⌉ by integers. */
const quantile = (sorted: readonly number[], ppm: number): Figure =>
  sorted.length === 0
    ? missing("no account has a maintenance requirement")
    : figure(sorted[Math.max(0, Math.ceil((sorted.length * ppm) / 1_000_000) - 1)] as number);

const NO_INTEREST = "the book has no open interest";
const UNTOLD: readonly (readonly [string, string])[] = [
  ["insurance fund over cover-2", "the book holds no insurance fund: compare with the cover below"],
  ["time in RESTRICTED, calls cured, slippage, losses shared", "the journal tells these, not the book as it stands"],
  ["queue lag and age of snapshots", "measured where it runs: the alarms and the dashboard tell them"],
];

/** The metrics of M15 that the book as it stands allows; the others with the reason. */
export const metricsOf = ({ leftOut }: RiskBook, scopes: readonly RiskScope[]): readonly RiskMetric[] => {
  const interest = sum(openInterestOf(scopes).map(({ notional }) => notional));
  const gross = sum(scopes.map(grossOf));
  const held = scopes.filter(({ standing }) => standing.maintenance > 0n);
  const ratios = held.map(({ standing }) => Number(standing.equity) / Number(standing.maintenance)).sort((a, b) => a - b);
  const weak = scopes.filter(({ standing: { equity, maintenance } }) => maintenance > 0n && equity * 10n < maintenance * 12n);
  const initial = sum(scopes.map(({ standing }) => standing.initial));
  const largest = scopes.map(grossOf).reduce((one, other) => max(one, other), ZERO);
  const count = (of: (scope: RiskScope) => boolean): Figure => figure(scopes.filter(of).length);
  const rows: [string, Figure][] = [
    ["initial requirement over open interest", over(initial, interest, NO_INTEREST)],
    ...[0, 10_000, 100_000, 500_000, 900_000].map((ppm): [string, Figure] => [
      `equity over maintenance: ${ppm === 0 ? "least" : `${ppm / 10_000} %`}`,
      quantile(ratios, ppm),
    ]),
    ["share of positions at less than 1.2 times maintenance", over(sum(weak.map(grossOf)), gross, NO_INTEREST)],
    ["share of positions of the largest account", over(largest, gross, NO_INTEREST)],
    ["below the initial requirement", count(({ standing }) => standing.equity < standing.initial)],
    ["below the maintenance requirement", count(({ standing }) => standing.equity < standing.maintenance)],
    ["accounts that cannot be valued", figure(leftOut.length)],
    ...UNTOLD.map(([name, reason]): [string, Figure] => [name, missing(reason)]),
  ];
  return rows.map(([name, value]) => ({ name, figure: value }));
};

/** Open interest as it is told. */
export const toldInterest = (scopes: readonly RiskScope[]): readonly { readonly instrumentId: string; readonly notional: string }[] =>
  openInterestOf(scopes).map(({ instrumentId, notional }) => ({ instrumentId, notional: decimal(notional) }));
