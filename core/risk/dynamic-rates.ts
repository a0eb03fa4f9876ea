import type { Ppm } from "../money.ts";
import { normalQuantile } from "../pricing/normal.ts";
import type { Answer } from "../statistics/answer.ts";
import { given, isCount, isPpm, notAtLeast, refused } from "../statistics/answer.ts";

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

/** A rate as it was published: from when it holds, and why it came without notice, if it did. */
export interface PublishedRate {
  readonly rate: Ppm;
  readonly effectiveAt: number;
  readonly emergency: string | null;
}
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

/**
 * When a new rate may hold (M3): at once, or after the notice where it is more than `largeRise` above
 * the lowest rate that held within the last notice period, so that small rises in a row are one large rise. An
 * emergency with its reason holds at once; the reason stands in the answer.
 *
 * @param published rates so far, in the order of `effectiveAt`; the first holds since ever.
 * Answers NO_HISTORY without a published rate, DISORDER where they are not in order, BAD_TERMS for rates
 * that are no whole ppm, instants that are no whole milliseconds, and an emergency without words.
 */
export const publishedRate = (
  published: readonly PublishedRate[],
  rate: Ppm,
  now: number,
  emergency: string | null = null,
  { largeRise, noticeMs }: NoticeTerms = NOTICE,
): Answer<PublishedRate> => {
  if (published.length === 0) return refused("NO_HISTORY", "no published rate to compare with. Publish the first one with the terms");
  if (!isPpm(rate, 1) || !isCount(now) || !isCount(largeRise) || !isCount(noticeMs)) {
    return refused("BAD_TERMS", `rate ${rate} at ${now}: give whole ppm from 1 to 1,000,000 and whole milliseconds`);
  }
  if (emergency !== null && emergency.trim() === "") return refused("BAD_TERMS", "an emergency needs its reason in words. Say why");
  const late = published.findIndex(
    ({ effectiveAt }, index) => index > 0 && effectiveAt < (published[index - 1] as PublishedRate).effectiveAt,
  );
  if (late >= 0) return refused("DISORDER", `published rate ${late} holds before the one before it. Sort them by when they hold`);
  const terms = { largeRise, noticeMs };
  const least = heldWithin(published, now, terms).reduce((lowest, each) => Math.min(lowest, each.rate), PPM);
  const isLarge = isLargeRise(least, rate, terms);
  return given({ rate, effectiveAt: isLarge && emergency === null ? now + noticeMs : now, emergency: isLarge ? emergency : null });
};
