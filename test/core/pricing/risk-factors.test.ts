import { expect, test } from "vitest";
import { logNormalRiskFactors, type RiskFactorTerms } from "../../../core/pricing/risk-factors.ts";

const terms = (patch: Partial<RiskFactorTerms>): RiskFactorTerms => ({ tailPpm: 1, years: 0.1, volatility: 1, drift: 0, ...patch });

test("the tail of one in a million, to the digits that an inaccurate normal loses", () => {
  const factors = logNormalRiskFactors(terms({}));
  expect(factors.ok && factors.long).toBeCloseTo(0.8007282079844147, 11);
  expect(factors.ok && factors.short).toBeCloseTo(3.556903591482704, 10);
});

test("without volatility both factors are the drift", () => {
  expect(logNormalRiskFactors(terms({ volatility: 0, tailPpm: 10_000 }))).toMatchObject({ ok: true });
  const still = logNormalRiskFactors(terms({ volatility: 0, tailPpm: 10_000 }));
  expect(still.ok && Math.max(Math.abs(still.long), Math.abs(still.short))).toBeLessThan(1e-13);
});

test.each<[Partial<RiskFactorTerms>, string]>([
  [{ volatility: Number.NaN }, "NOT_A_NUMBER"],
  [{ drift: Number.POSITIVE_INFINITY }, "NOT_A_NUMBER"],
  [{ drift: 1e9 }, "NOT_A_NUMBER"],
  [{ tailPpm: 0 }, "TAIL_OUT_OF_RANGE"],
  [{ tailPpm: 1_000_000 }, "TAIL_OUT_OF_RANGE"],
  [{ tailPpm: 0.5 }, "TAIL_OUT_OF_RANGE"],
  [{ years: 0 }, "TIME_NOT_POSITIVE"],
  [{ volatility: -1 }, "VOLATILITY_NEGATIVE"],
])("%j is answered by name: %s", (patch, fault) => {
  expect(logNormalRiskFactors(terms(patch))).toEqual({ ok: false, fault });
});
