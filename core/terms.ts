import { validateModel } from "./margin-model.ts";
import type { Ppm } from "./money.ts";
import { decimal } from "./money.ts";
import type { CollateralTerms, Policy } from "./policy.ts";
import { TermsError } from "./terms-error.ts";
import { validateLiquidity } from "./unit-liquidity.ts";

const WHOLE = 1_000_000;
const isShare = (ppm: Ppm): boolean => Number.isInteger(ppm) && ppm >= 0 && ppm <= WHOLE;
const isTime = (ms: number): boolean => Number.isSafeInteger(ms) && ms >= 0;

type Refuse = (place: string, fault: string, mend: string) => TermsError;

const checkCollateral = (terms: CollateralTerms, valuationAsset: string, refuse: Refuse): void => {
  const place = `collateral ${terms.asset}`;
  if ((terms.priceId === null) !== (terms.asset === valuationAsset)) {
    throw refuse(
      place,
      terms.priceId === null ? "no price" : "the valuation asset has a price",
      "Every asset but the valuation asset names the spot instrument that prices it",
    );
  }
  if (!Number.isInteger(terms.liabilityWeight) || terms.liabilityWeight < WHOLE) {
    throw refuse(place, `liability weight ${terms.liabilityWeight} is below 1,000,000`, "A debt counts at least at its value (M2)");
  }
  if (terms.deposits !== undefined) {
    const { scaleStart, ageMaxMs } = terms.deposits;
    if (terms.priceId === null) {
      throw refuse(
        `${place}, deposits`,
        "the valuation asset is scaled",
        "Only an asset with a price has a mark that tells its deposits (M2)",
      );
    }
    if (scaleStart <= 0n)
      throw refuse(
        `${place}, deposits`,
        `scaleStart ${decimal(scaleStart)} is not above 0`,
        "Give the deposits up to which the weight is whole (M2)",
      );
    if (!isTime(ageMaxMs) || ageMaxMs === 0) throw refuse(`${place}, deposits`, `ageMaxMs ${ageMaxMs} is no time`, "An hour is 3600000");
  }
  if (terms.peg !== undefined) {
    const { threshold, factor } = terms.peg;
    if (!isShare(threshold) || threshold === 0) {
      throw refuse(`${place}, peg`, `threshold ${threshold} is not from 1 to 1,000,000`, "0.98 of the peg is 980000 (M2)");
    }
    if (!Number.isInteger(factor) || factor < 0)
      throw refuse(`${place}, peg`, `factor ${factor} is no ppm`, "Twice the gap is 2000000 (M2)");
  }
  if (terms.tiers.length === 0) throw refuse(place, "no haircut slice", "Give at least one, from value 0");
  for (const [index, { floor, haircutIm, haircutMm }] of terms.tiers.entries()) {
    const slice = `${place}, slice ${index + 1}`;
    const previous = terms.tiers[index - 1];
    if (previous === undefined ? floor !== 0n : floor <= previous.floor) {
      throw refuse(slice, `floor ${decimal(floor)} is out of order`, "The first floor is 0, the others rise");
    }
    if (!isShare(haircutIm) || !isShare(haircutMm)) {
      throw refuse(slice, "a haircut is not a whole number of ppm from 0 to 1,000,000", "5 % is 50000");
    }
    if (haircutIm < haircutMm) {
      throw refuse(
        slice,
        `initial haircut ${haircutIm} is below maintenance haircut ${haircutMm}`,
        "Raise the initial haircut: E_i may not exceed E_m (R2)",
      );
    }
    if (previous !== undefined && (haircutIm < previous.haircutIm || haircutMm < previous.haircutMm)) {
      throw refuse(slice, "a haircut is below the one of the slice before", "More of an asset is never worth more a unit (M2)");
    }
  }
};

const checkLevels = ({ levels }: Policy, refuse: Refuse): void => {
  const { warning, call, restricted, backstop, hysteresis } = levels;
  if (![warning, call, restricted, backstop, hysteresis].every((ppm) => Number.isInteger(ppm) && ppm >= 0)) {
    throw refuse("levels", "a threshold is not a whole number of ppm", "x < 0.5 is 500000");
  }
  if (!(warning >= call && call > restricted && restricted > 0)) {
    throw refuse(
      "levels",
      "thresholds do not fall from warning over call to restricted",
      "Order them warning ≥ call > restricted > 0 (R1)",
    );
  }
  if (call > WHOLE) throw refuse("levels", `call threshold ${call} is above IM`, "A call asks for IM: call at x of at most 1,000,000 (R4)");
  if (backstop === 0 || backstop >= WHOLE) {
    throw refuse("levels", `backstop ${backstop} is not below MM`, "Give a share of MM between 0 and 1,000,000 (R1)");
  }
};

/**
 * Checks a policy when it is loaded (R1, R2, M2) and gives it back.
 *
 * @throws TermsError that names the policy, the place and the mend.
 */
export const validatePolicy = <P extends Policy>(policy: P): P => {
  const refuse: Refuse = (place, fault, mend) => new TermsError(`policy ${policy.policyId} v${policy.version}`, place, fault, mend);
  checkLevels(policy, refuse);
  if (!policy.collateral.has(policy.valuationAsset)) {
    throw refuse(`collateral ${policy.valuationAsset}`, "the valuation asset has no terms", "Add its collateral terms");
  }
  for (const [asset, terms] of policy.collateral) {
    if (asset !== terms.asset) throw refuse(`collateral ${asset}`, `its terms are of ${terms.asset}`, "File terms under their own asset");
    checkCollateral(terms, policy.valuationAsset, refuse);
  }
  const { unrealisedProfitIm, unrealisedProfitWithdrawal, closeOutBuffer } = policy;
  if (!isShare(unrealisedProfitIm) || !isShare(unrealisedProfitWithdrawal) || !isShare(closeOutBuffer)) {
    throw refuse("shares", "a share is not a whole number of ppm from 0 to 1,000,000", "Half is 500000");
  }
  const { fundingFactor, confidence } = policy;
  if (fundingFactor !== undefined && !isShare(fundingFactor)) {
    throw refuse("fundingFactor", `${fundingFactor} is not from 0 to 1,000,000`, "Half of the next payment is 500000 (M1)");
  }
  if (confidence !== undefined && !(isShare(confidence.threshold) && Number.isInteger(confidence.factor) && confidence.factor >= 0)) {
    throw refuse("confidence", "the threshold is no share or the factor no ppm", "Below 0.55 the whole doubt: 550000 and 1000000 (M2)");
  }
  const times = [
    policy.graceMs,
    policy.graceMinMs,
    policy.topUpGraceMs,
    policy.noticeAllowanceMs,
    policy.noticeWaitMaxMs,
    policy.coolDownMs,
    policy.episodeEndMs,
    policy.cureDwellMs,
    policy.badMarkWaitMs,
  ];
  if (!times.every(isTime)) throw refuse("times", "a time is not a whole number of milliseconds", "One minute is 60000");
  if (policy.graceMs < policy.graceMinMs)
    throw refuse("times", "the grace is shorter than the least grace", "Raise graceMs or lower graceMinMs (R13)");
  if (!(Number.isInteger(policy.topUpsMax) && policy.topUpsMax >= 0 && Number.isInteger(policy.attemptsMax) && policy.attemptsMax >= 1)) {
    throw refuse("counts", "top-ups or attempts are no count", "At least 0 top-ups and 1 attempt (R11, R14)");
  }
  if (policy.liquidity !== undefined) validateLiquidity(`policy ${policy.policyId} v${policy.version}`, policy.liquidity);
  validateModel(`policy ${policy.policyId} v${policy.version}`, policy.model);
  if (policy.minimumTransfer < 0n) throw refuse("minimumTransfer", "it is negative", "Give 0 or more (R1)");
  return policy;
};
