import type { Ppm } from "../money.ts";
import { normalQuantile } from "../pricing/normal.ts";
import type { Answer } from "../statistics/answer.ts";
import { given, isPpm, notAtLeast, refused } from "../statistics/answer.ts";

export interface DynamicRateTerms {
  /** What the rate never falls below. */
  readonly floor: Ppm;
  /** z is its normal quantile; from 500,000 up. */
  readonly confidence: Ppm;
  /** h in days. */
  readonly horizonDays: number;
  /** What closing costs, as a share of notional: the cost share of M8. */
  readonly impact: number;
}

const PPM = 1_000_000;

/**
 * `r_dyn = max(r_floor, z·σ·√h + impact)` for σ of one day (M3), in whole ppm rounded up, at most 1,000,000.
 * Answers ZERO_VOLATILITY for σ = 0, which is a feed that stands and no reason for the floor; BAD_NUMBER, BAD_TERMS.
 */
export const dynamicRate = (volatility: number, { floor, confidence, horizonDays, impact }: DynamicRateTerms): Answer<Ppm> => {
  const fault = notAtLeast(0, { volatility, "horizon in days": horizonDays, impact });
  if (fault !== null) return fault;
  if (volatility === 0) return refused("ZERO_VOLATILITY", "volatility 0 gives no rate. Keep the published one until the feed moves");
  if (!isPpm(floor, 1) || !isPpm(confidence, 500_000, PPM - 1)) {
    return refused("BAD_TERMS", `floor ${floor}, confidence ${confidence}: give whole ppm, the confidence from 500,000 below 1,000,000`);
  }
  const rate = Math.ceil((normalQuantile(confidence / PPM) * volatility * Math.sqrt(horizonDays) + impact) * PPM);
  return given(Math.min(PPM, Math.max(floor, rate)));
};

export interface NoticeTerms {
  /** A rise above this share needs notice. */
  readonly largeRise: Ppm;
  readonly noticeMs: number;
}
/** 24 h of notice for a rise above 25 %. */
export const NOTICE: NoticeTerms = { largeRise: 250_000, noticeMs: 86_400_000 };

/** True for a rise above the share that needs notice. From 0 every rise is one. */
export const isLargeRise = (from: Ppm, to: Ppm, { largeRise }: NoticeTerms = NOTICE): boolean => to * PPM > from * (PPM + largeRise);

/**
 * What held within the notice period before `now`: each entry that no other took the place of before the period began.
 *
 * @param published in the order of `effectiveAt`; the first holds since ever.
 */
export const heldWithin = <Entry extends { readonly effectiveAt: number }>(
  published: readonly Entry[],
  now: number,
  { noticeMs }: NoticeTerms = NOTICE,
): readonly Entry[] =>
  published.filter(
    ({ effectiveAt }, index) =>
      (index === 0 || effectiveAt <= now) && (published[index + 1]?.effectiveAt ?? Number.POSITIVE_INFINITY) > now - noticeMs,
  );
