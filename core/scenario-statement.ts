import type { ModelLeg } from "./equity.ts";
import type { PortfolioModel } from "./margin-model.ts";
import type { PricedMarket } from "./market.ts";
import { portfolioBook } from "./model-requirement.ts";
import { estimated, type Money } from "./money.ts";
import { type PortfolioLeg, portfolioMargin, type UnitRequirement } from "./portfolio/portfolio-margin.ts";
import { historyParts, statisticalMargin } from "./statistical-model.ts";

/** A profit, or a loss below 0, in the valuation asset; an estimate, rounded down. */
export interface NamedProfit {
  readonly name: string;
  readonly profit: Money;
}

/**
 * The scenarios that a requirement rests on (M6, M7): what the account would gain or lose in each, which one bound, and
 * what each instrument has in that.
 */
export interface ScenarioStatement {
  /** `grid`: a risk unit's own scenarios (M6). `history`: joint scenarios of all units (M7). */
  readonly kind: "grid" | "history";
  /** Base asset of the risk unit; null for all together. */
  readonly unit: string | null;
  /** Of a grid the scenario that loses most, which may be the roll of the expiries; of the history what sets its margin. Null where nothing loses. */
  readonly binding: string | null;
  /** Of a grid every scenario, in its order. Of the history the tail, the worst first, and every stress. */
  readonly rows: readonly NamedProfit[];
  /** By instrument: its profit in what bound, before weights and offsets. They add up to minus the loss there, but for their rounding. */
  readonly parts: readonly { readonly instrumentId: string; readonly profit: Money }[];
}

/** A loss is rounded as the requirement that it makes is. */
const profitOf = (value: number): Money => -estimated(-value) as Money;

const gridOf = ({ unitId, names, pnl, scanLoss, binding, parts }: UnitRequirement): ScenarioStatement => ({
  kind: "grid",
  unit: unitId,
  binding: binding?.name ?? null,
  rows: [
    ...Array.from(pnl, (profit, index) => ({ name: names[index] ?? "", profit: profitOf(profit) })),
    // The roll of the expiries is no row of the grid.
    ...(binding === null || binding.index < pnl.length ? [] : [{ name: binding.name, profit: profitOf(-scanLoss) }]),
  ],
  parts: parts.map(({ instrumentId, pnl: profit }) => ({ instrumentId, profit: profitOf(profit) })),
});

const BINDING = {
  HISTORY: "expected shortfall of the history",
  STRESS_BLEND: "expected shortfall with the stress",
} as const;

const historyOf = (kept: readonly PortfolioLeg[], model: PortfolioModel, market: PricedMarket): readonly ScenarioStatement[] => {
  const terms = model.statistical;
  if (terms === null || kept.length === 0) return [];
  const figure = statisticalMargin(kept, market, model, terms);
  const { margin } = figure;
  if (!margin.ok) return [];
  const { binding, stress, tail } = margin.value;
  const rows = [...terms.history, ...terms.stress];
  const shown = [...tail.worst, ...terms.stress.map((_, index) => terms.history.length + index)];
  const isBound = binding === "HISTORY" || binding === "STRESS_BLEND";
  return [
    {
      kind: "history",
      unit: null,
      binding: isBound ? `${BINDING[binding]}${binding === "STRESS_BLEND" ? ` ${stress.name}` : ""}` : null,
      rows: shown.map((row) => ({ name: rows[row]?.name ?? "", profit: profitOf(figure.profits[row] as number) })),
      parts: isBound
        ? historyParts(figure, margin.value, terms).map(({ instrumentId, profit }) => ({ instrumentId, profit: profitOf(profit) }))
        : [],
    },
  ];
};

/** The scenarios behind an account's requirement; none where its policy's model has none, or has no figure for its legs. */
export const scenarioStatements = (legs: readonly ModelLeg[], market: PricedMarket): readonly ScenarioStatement[] => {
  const { model } = market.policy;
  if (model.kind !== "portfolio" || legs.length === 0) return [];
  const { kept } = portfolioBook(legs, model, market);
  const margin = portfolioMargin(kept, model.terms);
  return margin.ok ? [...margin.units.map(gridOf), ...historyOf(kept, model, market)] : [];
};
