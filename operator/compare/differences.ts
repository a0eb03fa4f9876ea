import type { Position } from "../../core/account.ts";
import type { Asset } from "../../core/instrument.ts";
import type { Money, Ppm, Price } from "../../core/money.ts";
import type { HaircutTier } from "../../core/policy.ts";
import type { RawTier } from "../../core/tiers.ts";

/** What both sides do to an account that runs low. */
export type ActKind = "call" | "liquidation";

/** What the other system says of its own terms and holdings; a field that it does not give is not known. */
export interface TheirTerms {
  readonly marks: ReadonlyMap<string, Price>;
  /** Which price they judge by. "mark" where they do not say. */
  readonly priceType: "mark" | "index" | "last";
  readonly balances: ReadonlyMap<Asset, Money> | null;
  readonly positions: readonly Position[] | null;
  readonly tiers: ReadonlyMap<string, readonly RawTier[]>;
  readonly fees: ReadonlyMap<string, Ppm>;
  readonly haircuts: ReadonlyMap<Asset, readonly HaircutTier[]>;
  /** Whether they trigger at equality; null where they do not say. */
  readonly inclusive: boolean | null;
  /** Headroom at which they call, in ppm (R1); null where they do not say. */
  readonly callLevel: Ppm | null;
  readonly deadlineAt: number | null;
}

/** Figures of a margin statement, as far as a side gives them. In the account's valuation asset. */
export interface Figures {
  readonly amountDue: Money | null;
  readonly equity: Money | null;
  readonly initialRequirement: Money | null;
  readonly maintenanceRequirement: Money | null;
}
export const FIGURES = ["amountDue", "equity", "initialRequirement", "maintenanceRequirement"] as const satisfies (keyof Figures)[];

/**
 * One row of the other system: what it did; how it saw an account at an instant at which it did nothing
 * (`statement`); or that it has the account (`account`). A file with one `account` row lists all that they have.
 */
export interface TheirRow {
  /** Where it stands in the file, for people: "line 7" or "row 7". */
  readonly place: string;
  readonly accountId: string;
  readonly kind: ActKind | "statement" | "account";
  readonly at: number;
  readonly figures: Figures;
  readonly terms: TheirTerms;
}

/** What we did, or would have done in a mode that sends nothing (R28). */
export interface OurAct {
  readonly accountId: string;
  readonly kind: ActKind;
  readonly at: number;
  /** Number of the envelope that says it. */
  readonly seq: number;
  readonly snapshotId: string | null;
  readonly callId: string | null;
  readonly figures: Figures;
  readonly reason: string;
}

/** Why the two sides differ: a closed set. Each is named on evidence only; see docs/reference/compare.md. */
export const CAUSES = [
  "mark",
  "book",
  "tier",
  "fee",
  "haircut",
  "trigger",
  "deadline",
  "out of sync",
  "missing account",
  "rounding",
  "timing",
  "several",
  "unexplained",
] as const;
export type Cause = (typeof CAUSES)[number];

/** How a pair, or an act without a counterpart, differs. */
export type Aspect = "only ours" | "only theirs" | "time" | "figures";

export interface Difference {
  readonly accountId: string;
  readonly kind: ActKind;
  readonly aspect: Aspect;
  readonly ours: OurAct | null;
  readonly theirs: TheirRow | null;
  readonly cause: Cause;
  /** What showed it, in words and figures. */
  readonly evidence: string;
}
