import { faultOfSvi, type SviFault, type SviParameters, sviVariance } from "./svi.ts";

/** One listed strike of an expiry, in total variance `σ²T`: of the mid, of the bid and of the ask. */
export interface SurfaceNode {
  /** ln(K/F). */
  readonly logMoneyness: number;
  readonly variance: number;
  /** At most `variance`. */
  readonly low: number;
  /** At least `variance`. */
  readonly high: number;
  /** QUOTED: a good bid and a good ask. MODEL: the strike is listed and has no such pair, its variance is interpolated. */
  readonly quality: "QUOTED" | "MODEL";
}

/** An expiry of a surface: `years` are its time to expiry, above 0; nodes ascend in log-moneyness, at least one. */
export type SurfaceSlice =
  | { readonly kind: "SVI"; readonly years: number; readonly parameters: SviParameters }
  | { readonly kind: "NODES"; readonly years: number; readonly nodes: readonly SurfaceNode[] };

/** The volatilities of one underlying, slices by ascending time. Made by `volatilitySurface`, never by hand. */
export interface VolatilitySurface {
  readonly slices: readonly SurfaceSlice[];
}

/** What is wrong with a surface, with its expiry. `dropped` slices are not in it; the others are, and are told. */
export type SurfaceFault = { readonly years: number; readonly dropped: boolean } & (
  | SviFault
  | { readonly fault: "TIME_NOT_POSITIVE" | "DUPLICATE_EXPIRY" | "NO_NODES" | "NODES_OUT_OF_ORDER" | "VARIANCE_NOT_POSITIVE" }
  /** Total variance falls from the expiry before: a calendar spread with a negative price at this log-moneyness. */
  | { readonly fault: "CALENDAR_ARBITRAGE"; readonly logMoneyness: number }
);

/** What a surface answers: volatilities a year, `low ≤ volatility ≤ high` (the sides of the market, S15). */
export type SurfaceAnswer =
  | {
      readonly ok: true;
      /** QUOTED: between good quotes. MODEL: across a hole, beyond the last quote, or from parameters. */
      readonly quality: "QUOTED" | "MODEL";
      readonly volatility: number;
      readonly low: number;
      readonly high: number;
    }
  | {
      readonly ok: false;
      readonly quality: "NONE";
      readonly fault: "EMPTY_SURFACE" | "NOT_A_NUMBER" | "FORWARD_NOT_POSITIVE" | "STRIKE_NOT_POSITIVE" | "TIME_NOT_POSITIVE";
    };

/** Log-moneyness at which two expiries are compared besides their nodes. */
const CALENDAR_GRID = Array.from({ length: 41 }, (_, point) => (point - 20) / 20);
/** A fall of total variance within this share is rounding. */
const ROUNDING = 1e-9;

type Reading = Omit<SurfaceNode, "logMoneyness">;

const blend = (from: Reading, to: Reading, share: number): Reading => ({
  variance: from.variance + (to.variance - from.variance) * share,
  low: from.low + (to.low - from.low) * share,
  high: from.high + (to.high - from.high) * share,
  quality: from.quality === "QUOTED" && to.quality === "QUOTED" ? "QUOTED" : "MODEL",
});

/** Total variance between nodes, linear in log-moneyness; beyond the last node that of the node. */
export const readNodes = (nodes: readonly SurfaceNode[], k: number): Reading => {
  const above = nodes.findIndex(({ logMoneyness }) => logMoneyness >= k);
  const next = nodes[above];
  const last = nodes[above - 1];
  if (next === undefined) return { ...(nodes[nodes.length - 1] as SurfaceNode), quality: "MODEL" };
  if (next.logMoneyness === k) return next;
  if (last === undefined) return { ...next, quality: "MODEL" };
  return blend(last, next, (k - last.logMoneyness) / (next.logMoneyness - last.logMoneyness));
};

const readSlice = (slice: SurfaceSlice, k: number): Reading => {
  if (slice.kind === "NODES") return readNodes(slice.nodes, k);
  const variance = sviVariance(slice.parameters, k);
  return { variance, low: variance, high: variance, quality: "MODEL" };
};

const nodesFault = (nodes: readonly SurfaceNode[]): "NO_NODES" | "NODES_OUT_OF_ORDER" | "VARIANCE_NOT_POSITIVE" | "NOT_A_NUMBER" | null => {
  if (nodes.length === 0) return "NO_NODES";
  if (nodes.some((node) => !Number.isFinite(node.logMoneyness + node.variance + node.low + node.high))) return "NOT_A_NUMBER";
  if (nodes.some(({ low, variance, high }) => !(low >= 0 && low <= variance && variance <= high && variance > 0))) {
    return "VARIANCE_NOT_POSITIVE";
  }
  const falls = nodes.some(({ logMoneyness }, index) => index > 0 && logMoneyness <= (nodes[index - 1] as SurfaceNode).logMoneyness);
  return falls ? "NODES_OUT_OF_ORDER" : null;
};

const sliceFault = (slice: SurfaceSlice): SurfaceFault | null => {
  const at = { years: slice.years, dropped: true } as const;
  if (!Number.isFinite(slice.years)) return { ...at, fault: "NOT_A_NUMBER" };
  if (slice.years <= 0) return { ...at, fault: "TIME_NOT_POSITIVE" };
  if (slice.kind === "SVI") {
    const fault = faultOfSvi(slice.parameters);
    return fault === null ? null : { ...at, ...fault };
  }
  const fault = nodesFault(slice.nodes);
  return fault === null ? null : { ...at, fault };
};

const calendarFault = (before: SurfaceSlice, after: SurfaceSlice): SurfaceFault | null => {
  const own = [before, after].flatMap((slice) => (slice.kind === "NODES" ? slice.nodes.map(({ logMoneyness }) => logMoneyness) : []));
  // Nodes say nothing beyond their ends: there the surface is flat by rule, not by the market.
  const ends = [before, after].map((slice) => (slice.kind === "NODES" ? [slice.nodes[0], slice.nodes.at(-1)] : []));
  const from = Math.max(...ends.map(([first]) => first?.logMoneyness ?? Number.NEGATIVE_INFINITY));
  const to = Math.min(...ends.map(([, last]) => last?.logMoneyness ?? Number.POSITIVE_INFINITY));
  const crossing = [...CALENDAR_GRID, ...own]
    .sort((a, b) => a - b)
    .find((k) => k >= from && k <= to && readSlice(after, k).variance < readSlice(before, k).variance * (1 - ROUNDING));
  if (crossing === undefined) return null;
  return { years: after.years, dropped: false, fault: "CALENDAR_ARBITRAGE", logMoneyness: crossing };
};

/**
 * A surface from slices in any order (M1). Slices that cannot be used are left out, each reported by name;
 * a calendar arbitrage is reported and both slices stay: which of them is wrong nobody here knows.
 */
export const volatilitySurface = (
  slices: readonly SurfaceSlice[],
): { readonly surface: VolatilitySurface; readonly faults: readonly SurfaceFault[] } => {
  const faults = slices.map(sliceFault).filter((fault) => fault !== null);
  const good: SurfaceSlice[] = [];
  for (const slice of slices.filter((each) => sliceFault(each) === null).sort((a, b) => a.years - b.years)) {
    if (good.at(-1)?.years === slice.years) faults.push({ years: slice.years, dropped: true, fault: "DUPLICATE_EXPIRY" });
    else good.push(slice);
  }
  const calendar = good.slice(1).map((after, index) => calendarFault(good[index] as SurfaceSlice, after));
  return { surface: { slices: good }, faults: [...faults, ...calendar.filter((fault) => fault !== null)] };
};

/** Total variance at a time between, before or after the slices. */
const readAt = (slices: readonly SurfaceSlice[], k: number, years: number): Reading => {
  const above = slices.findIndex((slice) => slice.years >= years);
  const [last, next] = [slices[above - 1], slices[above]];
  if (next?.years === years) return readSlice(next, k);
  if (last !== undefined && next !== undefined) {
    return blend(readSlice(last, k), readSlice(next, k), (years - last.years) / (next.years - last.years));
  }
  // Flat in volatility before the first expiry and after the last one.
  const end = (next ?? slices[slices.length - 1]) as SurfaceSlice;
  const { variance, low, high } = readSlice(end, k);
  const share = years / end.years;
  return { variance: variance * share, low: low * share, high: high * share, quality: "MODEL" };
};

/**
 * The volatility of a strike at a time to expiry (M1, S15): linear in total variance by log-moneyness between
 * strikes and by time between expiries, flat in volatility beyond the last of either.
 *
 * A short option is valued conservatively at `high`, a long one at `low`.
 *
 * @param forward to that expiry, from the same market snapshot as the surface.
 * @returns the volatilities with their quality, or NONE with the fault by name.
 */
export const volatilityAt = (surface: VolatilitySurface, strike: number, forward: number, years: number): SurfaceAnswer => {
  const logMoneyness = Math.log(strike / forward);
  const none = (fault: Extract<SurfaceAnswer, { ok: false }>["fault"]): SurfaceAnswer => ({ ok: false, quality: "NONE", fault });
  if (!Number.isFinite(strike + forward + years)) return none("NOT_A_NUMBER");
  if (forward <= 0) return none("FORWARD_NOT_POSITIVE");
  if (strike <= 0) return none("STRIKE_NOT_POSITIVE");
  if (years <= 0) return none("TIME_NOT_POSITIVE");
  if (!Number.isFinite(logMoneyness)) return none("NOT_A_NUMBER");
  if (surface.slices.length === 0) return none("EMPTY_SURFACE");
  const { variance, low, high, quality } = readAt(surface.slices, logMoneyness, years);
  return {
    ok: true,
    quality,
    volatility: Math.sqrt(variance / years),
    low: Math.sqrt(low / years),
    high: Math.sqrt(high / years),
  };
};
