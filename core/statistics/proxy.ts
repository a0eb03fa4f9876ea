import type { Answer } from "./answer.ts";
import { given, isCount, refused } from "./answer.ts";
import type { JointReturns } from "./returns.ts";

export interface ProxyTerms {
  /** Fewer common returns than this do not tell what the two have to do with each other. */
  readonly leastReturns: number;
  /** Uniform numbers in [0, 1), which draw the residuals: a seeded generator gives the same history again. */
  readonly random: () => number;
}

/** A history in which a young factor stands beside the others, and how much of it is made up. */
export interface Proxied {
  readonly joint: JointReturns;
  /** β of the young factor on its proxy over their common returns. */
  readonly beta: number;
  /** How many dates are its own, and how many are `β · proxy + residual`. */
  readonly own: number;
  readonly proxied: number;
}

/**
 * Gives a young factor the history of a proxy (M7): on dates of its own its return, on older ones
 * `β · proxy + residual`, the residual drawn from those of the common dates. Without the residual a
 * young coin would look like a perfect hedge of its proxy.
 *
 * @param long the history to extend; it holds the proxy.
 * @param short the young factor and the proxy over their common span, of the same kind and horizon.
 *
 * Answers NO_HISTORY below `leastReturns`, ZERO_VOLATILITY for a proxy that never moves, DISORDER for
 * factors or periods that do not belong together, BAD_TERMS.
 */
export const withProxy = (
  long: JointReturns,
  short: JointReturns,
  { young, proxy }: { readonly young: string; readonly proxy: string },
  { leastReturns, random }: ProxyTerms,
): Answer<Proxied> => {
  if (!isCount(leastReturns, 2)) return refused("BAD_TERMS", `least history ${leastReturns}: give a whole number, at least 2`);
  if (long.kind !== short.kind || long.horizon !== short.horizon || long.isScaled !== short.isScaled) {
    return refused("DISORDER", `${young} has returns of another kind or horizon. Make both histories with the same terms`);
  }
  const own = short.columns[short.names.indexOf(young)];
  const common = short.columns[short.names.indexOf(proxy)];
  const whole = long.columns[long.names.indexOf(proxy)];
  if (own === undefined || common === undefined || whole === undefined || long.names.includes(young)) {
    return refused(
      "DISORDER",
      `${young} by ${proxy}: both stand in the short history, and only the proxy in the long one. Name them right`,
    );
  }
  if (own.length < leastReturns) {
    return refused(
      "NO_HISTORY",
      `${own.length} common returns of ${young} and ${proxy}, ${leastReturns} needed. Margin it by its terms until then`,
    );
  }
  const square = common.reduce((sum, value) => sum + value * value, 0);
  if (square === 0) return refused("ZERO_VOLATILITY", `${proxy} never moves beside ${young}. Choose another proxy`);
  const beta = own.reduce((sum, value, index) => sum + value * (common[index] as number), 0) / square;
  const residuals = own.map((value, index) => value - beta * (common[index] as number));
  const ownAt = new Map(short.endsAt.map((at, index) => [at, own[index] as number]));
  const drawn = (): number => residuals[Math.min(residuals.length - 1, Math.floor(random() * residuals.length))] as number;
  const column = Float64Array.from(long.endsAt, (at, index) => ownAt.get(at) ?? beta * (whole[index] as number) + drawn());
  const kept = long.endsAt.filter((at) => ownAt.has(at)).length;
  return given({
    joint: { ...long, names: [...long.names, young], columns: [...long.columns, column] },
    beta,
    own: kept,
    proxied: long.endsAt.length - kept,
  });
};
