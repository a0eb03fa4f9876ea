import type { SkewTerms } from "./portfolio-terms.ts";

const PPM = 1_000_000;

/**
 * What a move of the smile multiplies a volatility by (M6): 1 at the money and where the terms have no skew.
 *
 * @param k `ln(K/F)`; the smile takes it without its sign.
 * @param years time to expiry, from 0.
 */
export const skewFactor = (move: "tilt" | "smile", k: number, years: number, terms: SkewTerms | null): number => {
  if (terms === null) return 1;
  const root = Math.sqrt(years);
  const { capPpm, capPerRootYearPpm } = terms[move];
  const cap = Math.max(0, capPpm + capPerRootYearPpm * root) / PPM;
  const flat = (root * terms.widthPpm * (terms.staticPpm + root * terms.perRootYearPpm)) / PPM;
  const kStar = Math.max(terms.kStarMinPpm, flat) / PPM;
  const change = ((move === "tilt" ? k : Math.abs(k)) * cap) / kStar;
  return Math.max(0, 1 + Math.min(cap, Math.max(-cap, change)));
};
