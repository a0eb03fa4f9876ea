import type { Figures } from "./venue-cases.ts";

/**
 * Fields that change no figure of any topic: the source's own intermediate figures (`k` to `abs_multiplier`), parameters
 * that an option's mark volatility or a profit already contains, and what stands beside the confidence threshold of all.
 */
const BESIDE = new Set([
  ...["dayCount", "discount", "ExiryTs", "SVIparam", "k", "linear_mult_cap", "abs_mult_cap", "k_star", "linear_multiplier"],
  ...["abs_multiplier", "ConfidenceFactor", "StableConfidence", "LastEntryPrice", "FundingIndex", "SystemFundingIndex"],
]);

const isFigures = (value: unknown): value is Figures => typeof value === "object" && value !== null;

/** The paths of the fields of a case; the rows of a list count as one. */
const pathsOf = (value: unknown, path: string): string[] => {
  if (Array.isArray(value) && value.some(isFigures)) return [...new Set(value.flatMap((each) => pathsOf(each, path)))];
  if (Array.isArray(value) || !isFigures(value)) return [path];
  const below = Object.entries(value).filter(([name]) => !BESIDE.has(name));
  return below.flatMap(([name, each]) => pathsOf(each, path === "" ? name : `${path}.${name}`));
};

/** The inputs of a case, and the paths in them that nobody has read by the time they are asked for. */
export const recorded = (inputs: Figures): { readonly figures: Figures; readonly unread: () => readonly string[] } => {
  const read = new Set<string>();
  const watched = <Value extends object>(value: Value, path: string): Value =>
    new Proxy(value, {
      get: (target, name) => {
        const found: unknown = Reflect.get(target, name);
        const isRow = Array.isArray(target);
        const at = isRow || typeof name === "symbol" ? path : path === "" ? name : `${path}.${name}`;
        if (!isRow || !isFigures(found)) read.add(at);
        return isFigures(found) && typeof found !== "function" ? watched(found, at) : found;
      },
    });
  return { figures: watched(inputs, ""), unread: () => pathsOf(inputs, "").filter((path) => path !== "" && !read.has(path)) };
};
