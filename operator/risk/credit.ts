import { type Money, plus, ZERO } from "../../core/money.ts";
import { counterpartyExposure, type DefaultRisk, defaultRisk, type EquityCurve, equityCurve } from "../../core/risk/default-risk.ts";
import type { StatisticalTerms } from "../../core/statistical-model.ts";
import { moneyOf } from "../validate/figure.ts";
import type { RiskBook, RiskScope } from "./book.ts";

/** Confidence of the potential exposure, ppm: that of the expected shortfall (M7). */
const CONFIDENCE = 975_000;
/** Accounts that are listed, the largest expected loss first. */
const LISTED = 20;
const WHOLE = 1_000_000;

/** One account's default risk as it is told. Money as decimal strings, rounded up. */
export interface ToldDefault {
  readonly name: string;
  readonly brokerId: string;
  /** That its equity falls below 0 within the period. */
  readonly probabilityPpm: number;
  /** Exposure at default, the mean over the stresses. */
  readonly exposure: string;
  readonly expectedLoss: string;
  /** What its margin would be multiplied by, by the band of its probability. No rule of the pipeline. */
  readonly multiplierPpm: number;
}

/** Default risk of a book over one period of its scenarios (M11, M16). */
export interface BookDefaults {
  readonly scenariosId: string;
  readonly horizonDays: number;
  readonly lossGivenDefaultPpm: number;
  /** Those with an expected loss, the largest first. */
  readonly largest: readonly ToldDefault[];
  readonly expectedLoss: string;
}

/** What a broker's accounts may come to owe. */
export interface BrokerCredit {
  readonly expectedLoss: Money;
  /** The 97.5 % quantile of what they owe beyond their equity after one period. */
  readonly potential: Money;
}

export interface BookCredit {
  readonly defaults: BookDefaults;
  readonly byBroker: ReadonlyMap<string, BrokerCredit>;
}

interface JudgedDefault {
  readonly scope: RiskScope;
  readonly curve: EquityCurve;
  readonly risk: DefaultRisk;
}

const up = (amount: number): Money => BigInt(Math.ceil(amount * 1e8)) as Money;

const told = ({ scope: { name, brokerId }, risk }: JudgedDefault): ToldDefault => ({
  ...{ name, brokerId, probabilityPpm: risk.probability, multiplierPpm: risk.multiplier },
  ...{ exposure: moneyOf(risk.exposure, "up"), expectedLoss: moneyOf(risk.expectedLoss, "up") },
});

/** Default risk of every account, and what each broker's may come to owe. */
export const creditOf = (
  book: RiskBook,
  scopes: readonly RiskScope[],
  scenarios: StatisticalTerms,
  lossGivenDefaultPpm: number,
): BookCredit => {
  const judged = scopes.map((scope): JudgedDefault => {
    const on = { snapshot: book.snapshot, policy: scope.policy, now: book.now };
    const curve = equityCurve(scope.view, on, scenarios);
    const risk = defaultRisk(curve, scenarios, lossGivenDefaultPpm / WHOLE);
    // Scenarios and share were read strictly and every account was valued: a fault is a bug.
    if (!risk.ok) throw new RangeError(`default risk of ${scope.name}, ${risk.fault}: ${risk.detail}`);
    return { scope, curve, risk: risk.value };
  });
  const byBroker = new Map<string, BrokerCredit>();
  for (const brokerId of new Set(scopes.map((scope) => scope.brokerId))) {
    const own = judged.filter(({ scope }) => scope.brokerId === brokerId);
    const profile = counterpartyExposure(
      own.map(({ curve }) => curve),
      scenarios,
      CONFIDENCE,
    );
    if (!profile.ok) throw new RangeError(`exposure of ${brokerId}, ${profile.fault}: ${profile.detail}`);
    const expectedLoss = own.reduce((sum, { risk }) => plus(sum, up(risk.expectedLoss)), ZERO);
    byBroker.set(brokerId, { expectedLoss, potential: up(profile.value.peak) });
  }
  const lossy = judged.filter(({ risk }) => risk.expectedLoss > 0);
  const largest = lossy.sort((a, b) => b.risk.expectedLoss - a.risk.expectedLoss || (a.scope.name < b.scope.name ? -1 : 1));
  const total = judged.reduce((sum, { risk }) => sum + risk.expectedLoss, 0);
  return {
    defaults: {
      ...{ scenariosId: scenarios.scenariosId, horizonDays: scenarios.horizonDays, lossGivenDefaultPpm },
      ...{ largest: largest.slice(0, LISTED).map(told), expectedLoss: moneyOf(total, "up") },
    },
    byBroker,
  };
};
