import type { Ppm } from "../money.ts";
import type { Answer } from "./answer.ts";
import { given, isCount, isPpm, refused } from "./answer.ts";

/** Γ(d/2) for whole d ≥ 1: from Γ(1/2) = √π or Γ(1) = 1 by recursion. */
const gammaOfHalf = (degrees: number): number => {
  let value = degrees % 2 === 1 ? Math.sqrt(Math.PI) : 1;
  for (let at = degrees % 2 === 1 ? 0.5 : 1; at < degrees / 2; at += 1) value *= at;
  return value;
};

/** Lower part P(a, x) by its series: quick where x < a + 1. */
const lowerSeries = (a: number, x: number, front: number): number => {
  let term = 1 / a;
  let sum = term;
  for (let step = 1; step < 1_000 && term > sum * 1e-17; step += 1) {
    term *= x / (a + step);
    sum += term;
  }
  return front * sum;
};

/** Upper part Q(a, x) by its continued fraction (Lentz): quick where x ≥ a + 1. */
const upperFraction = (a: number, x: number, front: number): number => {
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let h = d;
  for (let step = 1; step < 1_000; step += 1) {
    const factor = -step * (step - a);
    b += 2;
    d = 1 / (factor * d + b);
    c = b + factor / c;
    h *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return front * h;
};

/**
 * P(X > x) for X of chi-square with 1 to 100 degrees of freedom, to a relative 1e-12 until it
 * underflows. x ≤ 0 answers 1, infinity 0. Answers BAD_NUMBER for NaN and BAD_TERMS for other degrees.
 */
export const chiSquareTail = (x: number, degrees: number): Answer<number> => {
  if (Number.isNaN(x)) return refused("BAD_NUMBER", "the statistic is no number. Compute it from whole counts");
  if (!isCount(degrees, 1) || degrees > 100)
    return refused("BAD_TERMS", `${degrees} degrees of freedom: give a whole number from 1 to 100`);
  if (x <= 0) return given(1);
  if (x === Number.POSITIVE_INFINITY) return given(0);
  const [a, half] = [degrees / 2, x / 2];
  const front = (Math.exp(-half) * half ** a) / gammaOfHalf(degrees);
  return given(half < a + 1 ? 1 - lowerSeries(a, half, front) : upperFraction(a, half, front));
};

/**
 * P(X ≤ k) for X binomial with n trials of probability p, p in ppm. Terms are summed as logarithms, so
 * that a large n does not underflow. Answers BAD_TERMS unless 0 ≤ k, 1 ≤ n ≤ 10,000,000 and 0 < p < 1,000,000 ppm.
 */
export const binomialCumulative = (trials: number, most: number, probability: Ppm): Answer<number> => {
  if (!isCount(trials, 1) || trials > 10_000_000 || !isCount(most)) {
    return refused("BAD_TERMS", `at most ${most} of ${trials}: give whole numbers, at least 0 of 1 to 10,000,000`);
  }
  if (!isPpm(probability, 1, 999_999)) return refused("BAD_TERMS", `probability ${probability}: give whole ppm between 0 and 1,000,000`);
  if (most >= trials) return given(1);
  const p = probability / 1_000_000;
  const odds = Math.log(p) - Math.log1p(-p);
  let term = trials * Math.log1p(-p);
  let sum = Math.exp(term);
  for (let count = 1; count <= most; count += 1) {
    term += Math.log((trials - count + 1) / count) + odds;
    sum += Math.exp(term);
  }
  return given(Math.min(1, sum));
};
