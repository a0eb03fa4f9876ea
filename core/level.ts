import type { MarginAccount } from "./account.ts";
import type { MarginCall } from "./call.ts";
import { type Money, PPM } from "./money.ts";
import type { LevelTerms } from "./policy.ts";
import type { MarginStatement, Sided } from "./statement.ts";

/** The levels of R1, from safe to lost. Warning, call and close-out are three things. */
export const LEVELS = ["HEALTHY", "WARNING", "CALL", "RESTRICTED", "CLOSE_OUT", "BACKSTOP", "DEFAULT"] as const;
export type Level = (typeof LEVELS)[number];

/** What a level lets the account do (M10), from most to least. */
export type Allowed = "all" | "no_increase" | "reduce_only" | "none";

/** The margin that a level judges: what is needed to read it off a statement. */
type Judged = Pick<MarginStatement, "low" | "high">;
type Held = Pick<MarginAccount, "positions" | "balances">;

const DEPTH: Readonly<Record<Level, number>> = {
  HEALTHY: 0,
  WARNING: 1,
  CALL: 2,
  RESTRICTED: 3,
  CLOSE_OUT: 4,
  BACKSTOP: 5,
  DEFAULT: 6,
};

const FROM_THE_DEEPEST = [...LEVELS].reverse().filter((level) => level !== "HEALTHY");

/** True where `level` is as deep as `than`, or deeper. */
export const isAtLeast = (level: Level, than: Level): boolean => DEPTH[level] >= DEPTH[than];

/** Entry of a level as an equity, in 1e-8 of the valuation asset times one million (so that ratios stay whole). */
const entryOf = (level: Level, { initial, maintenance }: Sided, terms: LevelTerms): bigint => {
  const span = initial - maintenance;
  switch (level) {
    case "WARNING":
      return maintenance * PPM + BigInt(terms.warning) * span;
    case "CALL":
      return maintenance * PPM + BigInt(terms.call) * span;
    case "RESTRICTED":
      return maintenance * PPM + BigInt(terms.restricted) * span;
    case "CLOSE_OUT":
      return maintenance * PPM;
    case "BACKSTOP":
      return maintenance * BigInt(terms.backstop);
    default:
      return 0n;
  }
};

/** The equity that a level judges, on the side that it judges (R2, R3). */
const judgedBy = (level: Level, statement: Judged): { readonly equity: Money; readonly side: Sided } => {
  if (level === "WARNING" || level === "CALL") return { equity: statement.low.equityInitial, side: statement.low };
  const side = level === "RESTRICTED" ? statement.low : statement.high;
  return { equity: side.equityMaintenance, side };
};

/** What a threshold adds for an account that is to leave the level, not to enter it (R1). */
type Edge = "entry" | "exit";

const isBelow = (equity: Money, level: Level, side: Sided, { terms, edge }: { terms: LevelTerms; edge: Edge }): boolean => {
  const threshold = entryOf(level, side, terms) + (edge === "exit" ? BigInt(terms.hysteresis) * (side.initial - side.maintenance) : 0n);
  // An account without a requirement has no headroom to be level with, and no equity of 0 is a default (R7).
  const inclusive = terms.inclusive && level !== "DEFAULT" && side.maintenance > 0n;
  return inclusive ? equity * PPM <= threshold : equity * PPM < threshold;
};

/** True for an account without position and without debt: never liquidatable, always HEALTHY (R7). */
export const isBare = (account: Held): boolean => {
  if (account.positions.length > 0) return false;
  for (const balance of account.balances.values()) if (balance < 0n) return false;
  return true;
};

/** True for a flat account that is worth less than nothing: DEFAULT, and no reduction has paid for it (R8). */
export const isDeficit = (account: Held, { low }: Judged): boolean => account.positions.length === 0 && low.equityMaintenance < 0n;

/**
 * The level of an account: the deepest that holds (R1), each on its own equity (R2) and side (R3).
 *
 * WARNING, CALL and RESTRICTED judge the conservative value. CLOSE_OUT and deeper hand the account to
 * the venue, so they judge the last accepted marks: a doubt about a price liquidates nobody. Where all
 * marks are GOOD both values are one. A level that the account is in, or is deeper than, holds until x
 * is `hysteresis` above its entry.
 */
export const levelOf = (account: Held, statement: Judged, terms: LevelTerms, previous: Level): Level => {
  if (isBare(account)) return "HEALTHY";
  for (const level of FROM_THE_DEEPEST) {
    const { equity, side } = judgedBy(level, statement);
    if (isBelow(equity, level, side, { terms, edge: isAtLeast(previous, level) ? "exit" : "entry" })) return level;
  }
  return "HEALTHY";
};

/** True where `E_i` on this side of the value is under the call level (R1); false for a bare account (R7). */
export const isBelowCall = (account: Held, side: Sided, terms: LevelTerms): boolean =>
  !isBare(account) && isBelow(side.equityInitial, "CALL", side, { terms, edge: "entry" });

/** True where `E_i` on this side is back above where the call level is left (R1), the target of R14. */
export const hasLeftCall = (account: Held, side: Sided, terms: LevelTerms): boolean =>
  isBare(account) || !isBelow(side.equityInitial, "CALL", side, { terms, edge: "exit" });

/** True where even the last accepted marks put `E_m` under the requirement: the trigger of a close-out (R1, R3, R7). */
export const isCloseOut = (account: Held, statement: Judged, terms: LevelTerms): boolean =>
  !isBare(account) && isBelow(statement.high.equityMaintenance, "CLOSE_OUT", statement.high, { terms, edge: "entry" });

const ALLOWED: Readonly<Record<Level, Allowed>> = {
  HEALTHY: "all",
  WARNING: "all",
  CALL: "no_increase",
  RESTRICTED: "reduce_only",
  CLOSE_OUT: "none",
  BACKSTOP: "none",
  DEFAULT: "none",
};

/** What an account may do now (M10). A call that is overdue under `restrict` leaves it reduce-only at best (R14). */
export const allowedAt = (level: Level, call: MarginCall | null): Allowed => {
  const restricted = call !== null && call.overdueAt !== null && call.onUnmet === "restrict" && !call.onBadMarks;
  return restricted && !isAtLeast(level, "RESTRICTED") ? "reduce_only" : ALLOWED[level];
};
