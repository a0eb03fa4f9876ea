import type { Asset } from "./instrument.ts";
import type { OptionMarginTerms } from "./options-margin/terms.ts";
import { loadOptionMarginTerms } from "./options-margin/terms.ts";
import type { PortfolioTerms } from "./portfolio/portfolio-terms.ts";
import { validatePortfolioTerms } from "./portfolio/validate-portfolio-terms.ts";
import type { StatisticalTerms } from "./statistical-model.ts";
import { validateStatisticalTerms } from "./statistical-model.ts";

/**
 * How a policy margins positions.
 *
 * - `standard`: each contract alone by its brackets (M3), options by standard option margin (M5).
 * - `portfolio`: all positions of a risk unit together, by a grid of price and volatility (M6), and where the policy
 *   holds joint scenarios at least by their expected shortfall (M7).
 */
export type MarginModel = StandardModel | PortfolioModel;

export interface StandardModel {
  readonly kind: "standard";
  /** Terms of options whose underlying has none of its own. */
  readonly options: OptionMarginTerms;
  /** Terms by base asset of the options. */
  readonly optionsOf: Readonly<Record<Asset, OptionMarginTerms>>;
}

export interface PortfolioModel {
  readonly kind: "portfolio";
  readonly terms: PortfolioTerms;
  /** Joint scenarios whose expected shortfall the requirement is never below (M7): max(grid, ES). Null: the grid alone. */
  readonly statistical: StatisticalTerms | null;
}

/** M5 for bitcoin and ether, as option exchanges publish it; the put's κ is 1. */
const STANDARD_OPTIONS: OptionMarginTerms = {
  rate: { initial: 150_000, maintenance: 75_000 },
  least: { initial: 100_000, maintenance: 75_000 },
  putLeastOn: "spot",
  putValueMaintenance: 75_000,
  putInitialOverMaintenance: 1_000_000,
  unpairedCall: { initial: 1_200_000, maintenance: 1_100_000 },
  straddle: false,
};

/** The model of a policy that names none. */
export const STANDARD_MODEL: StandardModel = { kind: "standard", options: STANDARD_OPTIONS, optionsOf: {} };

/** Checks a model when its policy is loaded. @throws TermsError that names the table, the place and the mend. */
export const validateModel = (name: string, model: MarginModel): void => {
  if (model.kind === "portfolio") {
    validatePortfolioTerms(model.terms);
    if (model.statistical !== null) validateStatisticalTerms(name, model.statistical);
    return;
  }
  loadOptionMarginTerms(`${name}: option margin`, model.options);
  for (const [asset, terms] of Object.entries(model.optionsOf)) loadOptionMarginTerms(`${name}: option margin of ${asset}`, terms);
};

/** True for the model of a policy that names none. */
export const isStandard = (model: MarginModel): boolean => model === STANDARD_MODEL;
