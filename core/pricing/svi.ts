/**
 * Raw SVI parameters of one expiry (J. Gatheral, 2004): total variance at log-moneyness k = ln(K/F) is
 * `w(k) = a + b(ρ(k − m) + √((k − m)² + σ²))`.
 */
export interface SviParameters {
  readonly a: number;
  readonly b: number;
  readonly m: number;
  readonly rho: number;
  readonly sigma: number;
}

/** Why parameters are refused. */
export type SviFault =
  | { readonly fault: "NOT_A_NUMBER" }
  /** b below 0, ρ not within (−1, 1), or σ not above 0. */
  | { readonly fault: "PARAMETER_OUT_OF_RANGE" }
  /** The least total variance is not above 0. */
  | { readonly fault: "NEGATIVE_VARIANCE" }
  /** A wing rises faster than 2: no distribution has it (R. Lee, 2004). */
  | { readonly fault: "WING_TOO_STEEP" }
  /** A butterfly at this log-moneyness has a negative price. */
  | { readonly fault: "BUTTERFLY_ARBITRAGE"; readonly logMoneyness: number };

/** Points of the search for butterflies: as many on each side of the vertex, denser towards it. */
const GRID_HALF = 400;
/** Log-moneyness on each side of the vertex that is searched: strikes from 1/150 to 150 times the forward. */
const REACH = 5;
/** g of a flat slice at its own rounding. */
const ROUNDING = 1e-12;

/** Total variance `σ²T` at a log-moneyness. */
export const sviVariance = ({ a, b, m, rho, sigma }: SviParameters, k: number): number =>
  a + b * (rho * (k - m) + Math.sqrt((k - m) * (k - m) + sigma * sigma));

/**
 * Durrleman's g, which has the sign of the density of the underlying at k:
 * `g = (1 − k w'/(2w))² − (w'²/4)(1/w + 1/4) + w''/2`.
 */
const durrleman = (parameters: SviParameters, k: number): number => {
  const { b, m, rho, sigma } = parameters;
  const w = sviVariance(parameters, k);
  const root = Math.sqrt((k - m) * (k - m) + sigma * sigma);
  const slope = b * (rho + (k - m) / root);
  const bend = (b * sigma * sigma) / (root * root * root);
  const first = 1 - (k * slope) / (2 * w);
  return first * first - (slope * slope * (1 / w + 0.25)) / 4 + bend / 2;
};

/**
 * The first fault of SVI parameters, or null when the slice is free of arbitrage on the grid that is searched
 * (J. Gatheral, A. Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14, 2014).
 */
export const faultOfSvi = (parameters: SviParameters): SviFault | null => {
  const { a, b, m, rho, sigma } = parameters;
  if (!Number.isFinite(a + b + m + rho + sigma)) return { fault: "NOT_A_NUMBER" };
  if (b < 0 || Math.abs(rho) >= 1 || sigma <= 0) return { fault: "PARAMETER_OUT_OF_RANGE" };
  if (a + b * sigma * Math.sqrt(1 - rho * rho) <= 0) return { fault: "NEGATIVE_VARIANCE" };
  if (b * (1 + Math.abs(rho)) > 2) return { fault: "WING_TOO_STEEP" };
  const reach = Math.asinh(REACH / sigma);
  for (let point = -GRID_HALF; point <= GRID_HALF; point++) {
    const logMoneyness = m + sigma * Math.sinh((reach * point) / GRID_HALF);
    if (durrleman(parameters, logMoneyness) < -ROUNDING) return { fault: "BUTTERFLY_ARBITRAGE", logMoneyness };
  }
  return null;
};
