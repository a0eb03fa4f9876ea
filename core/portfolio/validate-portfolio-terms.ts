import type { Ppm } from "../money.ts";
import { TermsError } from "../terms-error.ts";
import type { Charge, CloseOutValue, CorrelationGroup, PortfolioTerms, UnitTerms } from "./portfolio-terms.ts";

const WHOLE = 1_000_000;
const isRate = (ppm: Ppm): boolean => Number.isSafeInteger(ppm) && ppm >= 0;
const isShare = (ppm: Ppm): boolean => isRate(ppm) && ppm <= WHOLE;
const isMove = (ppm: Ppm): boolean => Number.isSafeInteger(ppm) && ppm > -WHOLE;
const isCount = (count: number): boolean => Number.isInteger(count) && count >= 1 && count <= 100;

type Refuse = (place: string, fault: string, mend: string) => TermsError;

const checkRates = (place: string, rates: Readonly<Record<string, Ppm>>, refuse: Refuse): void => {
  for (const [name, ppm] of Object.entries(rates)) {
    if (!isRate(ppm)) throw refuse(`${place} ${name}`, `${ppm} is not a whole number of ppm from 0`, "5 % is 50000");
  }
};

/** @param equal whether the two may be equal: a venue's own rule has charges that it takes for both alike. */
const checkCharge = (place: string, { imPpm, mmPpm }: Charge, equal: boolean, refuse: Refuse): void => {
  checkRates(place, { imPpm, mmPpm }, refuse);
  if (imPpm < mmPpm || (imPpm === mmPpm && mmPpm !== 0 && !equal)) {
    const fault = `the charge for IM, ${imPpm}, is not above the one for MM, ${mmPpm}`;
    throw refuse(place, fault, "Raise imPpm: a call comes before close-out");
  }
};

const checkGrid = (place: string, unit: UnitTerms, refuse: Refuse): void => {
  const { priceRangePpm, priceSteps, tails, scenarios } = unit;
  if (!isRate(priceRangePpm) || priceRangePpm === 0 || priceRangePpm >= WHOLE) {
    throw refuse(`${place} priceRangePpm`, `${priceRangePpm} is not between 0 and 1,000,000`, "16 % is 160000");
  }
  if (!isCount(priceSteps)) throw refuse(`${place} priceSteps`, `${priceSteps} is no count from 1 to 100`, "M6 has 4");
  if (!tails.movesPpm.every((ppm) => isMove(ppm) && Math.abs(ppm) > priceRangePpm)) {
    throw refuse(
      `${place} tails`,
      "a move is inside the range, or the price would not stay above 0",
      "−66 % is -660000; +500 % is 5000000",
    );
  }
  checkRates(`${place} tails`, { dampingPpm: tails.dampingPpm }, refuse);
  if (scenarios?.length === 0) throw refuse(`${place} scenarios`, "the list is empty", "Give at least one scenario, or null for the grid");
  for (const [index, { movePpm, volatility, weightPpm }] of (scenarios ?? []).entries()) {
    const at = `${place} scenario ${index + 1}`;
    if (!isMove(movePpm)) throw refuse(at, `a move of ${movePpm} leaves no price`, "Give whole ppm above -1000000");
    if (!isRate(weightPpm)) throw refuse(at, `weight ${weightPpm} is not a whole number of ppm from 0`, "All of it is 1000000");
    if (volatility !== "tilt" && volatility !== "smile") continue;
    if (movePpm !== 0) throw refuse(at, "the smile moves at an unmoved price", "Give movePpm 0");
    if (unit.skew === null) throw refuse(at, "no skew terms say how the smile moves", "Give skew terms");
  }
};

const checkVolatility = (place: string, { volatility, skew }: UnitTerms, refuse: Refuse): void => {
  const { timeFloorMs, ...rates } = volatility;
  checkRates(`${place} volatility`, rates, refuse);
  if (!Number.isSafeInteger(timeFloorMs) || timeFloorMs <= 0) {
    throw refuse(
      `${place} volatility timeFloorMs`,
      `${timeFloorMs} is no time above 0`,
      "One day is 86400000: the shock has no size at 0 days",
    );
  }
  if (skew === null) return;
  const { tilt, smile, kStarMinPpm, widthPpm, staticPpm, perRootYearPpm } = skew;
  checkRates(`${place} skew`, { tiltCap: tilt.capPpm, smileCap: smile.capPpm, kStarMinPpm, widthPpm, staticPpm }, refuse);
  if (kStarMinPpm === 0) throw refuse(`${place} skew kStarMinPpm`, "it is 0", "Above 0: the tilt divides by it");
  if (![tilt.capPerRootYearPpm, smile.capPerRootYearPpm, perRootYearPpm].every(Number.isSafeInteger)) {
    throw refuse(`${place} skew`, "a slope by time is not a whole number of ppm", "−5 % is -50000");
  }
};

const checkCloseOut = (place: string, { closeOut }: UnitTerms, refuse: Refuse): void => {
  if (closeOut === null) return;
  const rates = ({ basePpm, rateMultiplePpm, rateAddPpm }: CloseOutValue) => ({ basePpm, rateMultiplePpm, rateAddPpm });
  checkRates(`${place} closeOut long`, rates(closeOut.long), refuse);
  checkRates(`${place} closeOut short`, rates(closeOut.short), refuse);
  if (closeOut.long.basePpm > WHOLE || closeOut.short.basePpm < WHOLE) {
    throw refuse(
      `${place} closeOut`,
      "closing out would bring more than the value",
      "long basePpm at most 1,000,000, short basePpm at least: what is held is sold for less and bought back for more",
    );
  }
};

const checkUnit = (place: string, unit: UnitTerms, equal: boolean, refuse: Refuse): void => {
  checkGrid(place, unit, refuse);
  checkVolatility(place, unit, refuse);
  checkCloseOut(place, unit, refuse);
  const { roll, confidence, depeg, termMismatchPpm, hedged, priceRangePpm, minimumChargePpm, deltaFloor } = unit;
  if (roll !== null) {
    checkRates(`${place} roll`, { upPpm: roll.upPpm, fixedPpm: roll.fixedPpm, perYearPpm: roll.perYearPpm }, refuse);
    if (!isMove(roll.downPpm) || roll.downPpm >= 0 || roll.upPpm === 0) {
      throw refuse(`${place} roll`, "its moves are not one up and one down", "Give upPpm above 0 and downPpm between -1000000 and 0");
    }
  }
  if (!isShare(termMismatchPpm)) throw refuse(`${place} termMismatchPpm`, `${termMismatchPpm} is no share`, "10 % is 100000");
  for (const [name, charge] of Object.entries({ shortOption: unit.shortOption, hedged, futures: unit.futures })) {
    checkCharge(`${place} ${name}`, charge, equal, refuse);
  }
  if (hedged.imPpm > priceRangePpm) {
    throw refuse(`${place} hedged`, "a hedge would cost more than it saves", "Give imPpm of at most priceRangePpm");
  }
  for (const [name, terms] of Object.entries({ confidence, depeg })) {
    if (terms !== null) checkRates(`${place} ${name}`, { thresholdPpm: terms.thresholdPpm, factorPpm: terms.factorPpm }, refuse);
  }
  checkRates(place, { minimumChargePpm, deltaFloorNet: deltaFloor.netPpm, deltaFloorHedged: deltaFloor.hedgedPpm }, refuse);
  if (deltaFloor.hedgedPpm > 2 * deltaFloor.netPpm) {
    throw refuse(`${place} deltaFloor`, "a hedge would raise the floor above the two sides", "Give hedgedPpm of at most twice netPpm");
  }
};

const checkGroup = (group: CorrelationGroup, taken: Set<string>, refuse: Refuse): void => {
  const place = `group ${group.groupId}`;
  const { stressCorrelationPpm, lambdaPpm, members } = group;
  if (group.reason.trim() === "") throw refuse(place, "no reason", "Say why its members move together");
  if (!isShare(stressCorrelationPpm) || stressCorrelationPpm < 700_000) {
    throw refuse(place, `correlation in stress ${stressCorrelationPpm} is below 700,000`, "Group only what moves together in stress (M6)");
  }
  if (!isShare(lambdaPpm) || lambdaPpm > 800_000) {
    throw refuse(place, `lambda ${lambdaPpm} is above 800,000`, "At most 80 % of the difference is given (EMIR Art. 27)");
  }
  if (lambdaPpm > stressCorrelationPpm) {
    throw refuse(place, `lambda ${lambdaPpm} is above the correlation ${stressCorrelationPpm}`, "Lower lambda to what stress backs (M6)");
  }
  if (!isRate(group.priceRangePpm) || group.priceRangePpm === 0 || !isCount(group.priceSteps)) {
    throw refuse(place, "its joint move has no range or no steps", "priceRangePpm 160000 and priceSteps 4 are those of M6");
  }
  if (members.length < 2) throw refuse(place, "fewer than two members", "A group offsets between units");
  for (const { unitId, betaPpm } of members) {
    if (taken.has(unitId)) throw refuse(place, `${unitId} is in a group already`, "A unit is in one group at most, once");
    taken.add(unitId);
    const reach = (Math.abs(betaPpm) * group.priceRangePpm) / WHOLE;
    if (!Number.isSafeInteger(betaPpm) || betaPpm === 0 || reach >= WHOLE) {
      throw refuse(place, `beta ${betaPpm} of ${unitId} moves its price by nothing or below 0`, "One for one is 1000000");
    }
  }
};

/**
 * Checks terms of portfolio margin when they are loaded (M6, R26) and gives them back.
 *
 * @throws TermsError that names the terms, the place and the mend.
 */
export const validatePortfolioTerms = (terms: PortfolioTerms): PortfolioTerms => {
  const refuse: Refuse = (place, fault, mend) => new TermsError(`portfolio terms ${terms.termsId} v${terms.version}`, place, fault, mend);
  const { fMmPpm, fImPpm } = terms;
  if (!isRate(fMmPpm) || fMmPpm === 0 || (terms.venueRule === null && fMmPpm !== WHOLE)) {
    throw refuse(
      "fMmPpm",
      `${fMmPpm} is not 1,000,000`,
      "MM is the scan loss itself (R26); a venue's own factor needs venueRule to name the venue",
    );
  }
  if (!isRate(fImPpm) || fImPpm <= fMmPpm) throw refuse("fImPpm", `${fImPpm} is not above fMmPpm ${fMmPpm}`, "M6 has 1300000");
  const equal = terms.venueRule !== null;
  checkUnit("default unit:", terms.defaultUnit, equal, refuse);
  for (const [unitId, unit] of Object.entries(terms.units)) checkUnit(`unit ${unitId}:`, unit, equal, refuse);
  for (const [asset, { haircut }] of Object.entries(terms.spot)) checkCharge(`spot ${asset} haircut`, haircut, equal, refuse);
  const taken = new Set<string>();
  for (const group of terms.groups) checkGroup(group, taken, refuse);
  return terms;
};
