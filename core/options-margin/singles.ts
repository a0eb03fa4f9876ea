import { max, min, ONE, PPM, type Price } from "../money.ts";
import { addRatio, compareRatio, multiplyRatio, type Ratio, ratio } from "../ratio.ts";
import type { OptionLeg } from "./leg.ts";
import { unitsOf } from "./leg.ts";
import type { OptionMarginTerms } from "./terms.ts";

/** Which of the two requirements. */
export type Schedule = "initial" | "maintenance";

/** Figures of one unit over a common divisor: an inverse option is the linear one with a price of 1 coin (M5). */
interface Unit {
  readonly spot: bigint;
  readonly out: bigint;
  readonly value: bigint;
  readonly strike: bigint;
  readonly divisor: bigint;
}

const unitOf = (leg: OptionLeg, spot: Price): Unit => {
  const out = max(leg.right === "call" ? leg.strike - spot : spot - leg.strike, 0n);
  return leg.kind === "linear"
    ? { spot, out, value: leg.value, strike: leg.strike, divisor: 1n }
    : { spot: ONE * spot, out: ONE * out, value: leg.value * spot, strike: ONE * leg.strike, divisor: spot };
};

/** `max(rate·S − o, least·S)`, at scale 1e-6. */
const besideValue = (unit: Unit, leg: OptionLeg, terms: OptionMarginTerms, schedule: Schedule): bigint => {
  const leastOn = leg.right === "put" && terms.putLeastOn === "strike" ? unit.strike : unit.spot;
  return max(BigInt(terms.rate[schedule]) * unit.spot - unit.out * PPM, BigInt(terms.least[schedule]) * leastOn);
};

/**
 * Requirement of one unit of an option sold (M5), its value included, in 1e-8 of the settlement asset, exact.
 * Short call `max(a − o/S, b)·S + v`; short put the same with the put's least on value and κ.
 */
export const shortUnit = (leg: OptionLeg, spot: Price, terms: OptionMarginTerms, schedule: Schedule): Ratio => {
  const unit = unitOf(leg, spot);
  const value = unit.value * PPM;
  if (leg.right === "call") return ratio(besideValue(unit, leg, terms, schedule) + value, PPM * unit.divisor);
  const maintenance = max(besideValue(unit, leg, terms, "maintenance"), BigInt(terms.putValueMaintenance) * unit.value) + value;
  if (schedule === "maintenance") return ratio(maintenance, PPM * unit.divisor);
  const initial = besideValue(unit, leg, terms, "initial") + value;
  return ratio(max(initial * PPM, BigInt(terms.putInitialOverMaintenance) * maintenance), PPM * PPM * unit.divisor);
};

/** A side of a straddle: units at scale 1e-16, and what one needs, its value included. */
interface ShortSide {
  units: bigint;
  readonly required: Ratio;
  readonly value: Ratio;
}

const shortSides = (legs: readonly OptionLeg[], right: "call" | "put", of: (leg: OptionLeg) => Ratio): ShortSide[] =>
  legs
    .filter((leg) => leg.right === right && leg.quantity < 0n)
    .map((leg) => ({ units: -unitsOf(leg), required: of(leg), value: ratio(leg.value) }))
    .sort((a, b) => compareRatio(b.required, a.required));

/**
 * What short straddles and strangles of one expiry need less than their sides alone (Reg T): of each pair
 * the lesser side counts with its value only. Pairs are made largest with largest.
 *
 * @returns the saving in 1e-8 of the settlement asset, exact.
 */
export const straddleSaving = (legs: readonly OptionLeg[], of: (leg: OptionLeg) => Ratio): Ratio => {
  const [calls, puts] = [shortSides(legs, "call", of), shortSides(legs, "put", of)];
  let saving = ratio(0n);
  for (let call = calls.shift(), put = puts.shift(); call !== undefined && put !== undefined; ) {
    const paired = min(call.units, put.units);
    const lesser = compareRatio(call.required, put.required) < 0 ? call : put;
    const beside = addRatio(lesser.required, multiplyRatio(lesser.value, ratio(-1n)));
    saving = addRatio(saving, multiplyRatio(beside, ratio(paired, ONE * ONE)));
    call.units -= paired;
    put.units -= paired;
    if (call.units === 0n) call = calls.shift();
    if (put.units === 0n) put = puts.shift();
  }
  return saving;
};
