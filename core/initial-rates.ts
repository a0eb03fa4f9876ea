import type { Instrument, OpenInterestTerms, RiskTier } from "./instrument.ts";
import type { Mark, MarketSnapshot } from "./mark.ts";
import type { Ppm, Quantity } from "./money.ts";
import { divide, ONE, PPM } from "./money.ts";
import { withInitialRates } from "./tiers.ts";

/** What raises the initial rates of an instrument's brackets above its table (M3). None of it lowers one or touches MM. */

/**
 * An initial rate that rises with the open interest of the market (M3, dYdX): from its base at `lower` to 100 % at
 * `upper`, straight, rounded down to whole ppm as its source does. No caps (both 0) leave it as it is.
 */
export const openInterestRate = (basePpm: Ppm, openInterest: bigint, lower: bigint, upper: bigint): Ppm => {
  if (upper === 0n || openInterest <= lower) return basePpm;
  if (openInterest >= upper) return Number(PPM);
  return basePpm + Number(((PPM - BigInt(basePpm)) * (openInterest - lower)) / (upper - lower));
};

/** The least initial rate under a leverage: `1/L`, rounded up to whole ppm. */
const leveragePpm = (leverage: Quantity): Ppm => Number(divide(PPM * ONE, leverage, "up"));

/** The brackets at an open interest, which where nobody told it raises nothing. */
const atOpenInterest = (tiers: readonly RiskTier[], terms: OpenInterestTerms, told: Mark["interest"]): readonly RiskTier[] => {
  if (told === undefined || told.total <= terms.lower) return tiers;
  return withInitialRates(tiers, (rateIm) => openInterestRate(rateIm, told.total, terms.lower, terms.upper));
};

/**
 * An instrument as an account is margined in it: the initial rate of each bracket is `max(1/L, r)` (M3), where r rises
 * with the open interest. The same object where nothing raises them.
 *
 * @param leverage as the holder chose it; null for none.
 */
export const raisedInstrument = (instrument: Instrument, mark: Mark | undefined, leverage: Quantity | null): Instrument => {
  const { openInterest } = instrument;
  const open = openInterest === undefined ? instrument.tiers : atOpenInterest(instrument.tiers, openInterest, mark?.interest);
  const least = leverage === null ? 0 : leveragePpm(leverage);
  const tiers = least === 0 ? open : withInitialRates(open, (rateIm) => Math.max(rateIm, least));
  return tiers === instrument.tiers ? instrument : { ...instrument, tiers };
};

/**
 * The snapshot in which every open interest that is old or was never told is at its upper cap: what money that leaves is
 * judged on. A call is opened on what was last told: a figure that stays away is no margin that anybody owes.
 */
export const withCautiousOpenInterest = (snapshot: MarketSnapshot, now: number): MarketSnapshot => {
  const unsure = [...snapshot.marks].flatMap(([instrumentId, mark]): [string, Mark][] => {
    const terms = snapshot.instruments.get(instrumentId)?.openInterest;
    const told = mark.interest;
    if (terms === undefined || (told !== undefined && now - told.asOf <= terms.ageMaxMs)) return [];
    return [[instrumentId, { ...mark, interest: { total: terms.upper, asOf: now } }]];
  });
  return unsure.length === 0 ? snapshot : { ...snapshot, marks: new Map([...snapshot.marks, ...unsure]) };
};
