import { decimal, divide, type Money } from "../../core/money.ts";
import { coverageOf } from "./coverage.ts";
import type { Figure } from "./figure.ts";
import type { History } from "./history.ts";
import type { ValidationTerms } from "./terms.ts";
import { type Model, type WalkForward, walkForward } from "./walk.ts";

/** One parameter at one value, everything else as it is. */
export interface SensitivityRow {
  readonly parameter: string;
  readonly value: string;
  readonly isHouse: boolean;
  readonly model: Model;
  readonly breaches: number;
  readonly pValue: Figure;
  readonly meanRate: Figure;
  /** Margin of the last tested day. */
  readonly lastMargin: string;
}

interface Variant {
  readonly parameter: string;
  readonly value: string;
  readonly isHouse: boolean;
  readonly model: Model;
  readonly terms: ValidationTerms;
  readonly rangePercent: number;
}

const DECAYS = [940_000, 970_000, 990_000] as const;
const LEVELS = [950_000, 975_000, 990_000] as const;
/** Per cent of the book's ranges. */
const RANGES = [50, 75, 100, 125, 150] as const;

const variantsOf = (terms: ValidationTerms): Variant[] => [
  ...DECAYS.map(
    (decay): Variant => ({
      ...{ parameter: "filter decay (lambda)", value: `${decay / 10_000} %`, isHouse: decay === terms.filter.decay },
      ...{ model: "statistical", terms: { ...terms, filter: { ...terms.filter, decay } }, rangePercent: 100 },
    }),
  ),
  ...LEVELS.map(
    (shortfallPpm): Variant => ({
      ...{ parameter: "shortfall level (alpha)", value: `${shortfallPpm / 10_000} %`, isHouse: shortfallPpm === terms.shortfallPpm },
      ...{ model: "statistical", terms: { ...terms, shortfallPpm }, rangePercent: 100 },
    }),
  ),
  ...RANGES.map(
    (rangePercent): Variant => ({
      ...{ parameter: "price range (rho)", value: `${rangePercent} % of the book's`, isHouse: rangePercent === 100 },
      ...{ model: "grid", terms, rangePercent },
    }),
  ),
];

/** Walks that {@link sensitivityOf} makes: what its progress counts. */
export const sensitivityWalks = (terms: ValidationTerms): number =>
  variantsOf(terms).filter(({ model, isHouse }) => model !== "grid" && !isHouse).length;

/** How the margin of the first portfolio answers to lambda, alpha and the range (M14 sensitivity). `base` is the walk with the house's terms. */
export const sensitivityOf = (
  history: History,
  base: WalkForward,
  ranges: readonly number[],
  terms: ValidationTerms,
  told: () => void,
): readonly SensitivityRow[] => {
  const own: WalkForward = { ...base, walks: base.walks.slice(0, 1) };
  return variantsOf(terms).map(({ parameter, value, isHouse, model, terms: varied, rangePercent }) => {
    const portfolios = own.walks.map(({ portfolio }) => portfolio);
    // The grid is linear in its range: the walk that is there tells all of them.
    const { days, walks } = model === "grid" || isHouse ? own : walkForward(history, portfolios, ranges, varied, told);
    const walk = walks[0] as (typeof walks)[number];
    const margins = walk.margins[model].map((margin) => divide(margin * BigInt(rangePercent), 100n, "up") as Money);
    const coverage = coverageOf({ ...walk, margins: { ...walk.margins, [model]: margins } }, days, model, varied);
    return {
      ...{ parameter, value, isHouse, model, breaches: coverage.breaches, pValue: coverage.kupiec.pValue, meanRate: coverage.meanRate },
      lastMargin: decimal(margins.at(-1) as Money),
    };
  });
};
