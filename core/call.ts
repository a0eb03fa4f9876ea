import type { Scope } from "./account.ts";
import type { Asset } from "./instrument.ts";
import type { Money, Quantity } from "./money.ts";

export const CALL_STATUSES = ["OPEN", "MET", "CANCELLED", "CLOSED_FLAT", "LIQUIDATING", "LIQUIDATED", "LIQUIDATION_FAILED"] as const;
/** The one state machine (R8). */
export type CallStatus = (typeof CALL_STATUSES)[number];

/** One way to cure a call (R4). Amounts are rounded up: paying exactly this much is enough. */
export type Cure =
  | { readonly kind: "deposit"; readonly asset: Asset; readonly amount: Money }
  | { readonly kind: "reduce"; readonly instrumentId: string; readonly side: "buy" | "sell"; readonly quantity: Quantity };

/** A demand on one account to restore its margin by a deadline. */
export interface MarginCall {
  readonly callId: string;
  readonly accountId: string;
  readonly brokerId: string;
  readonly scope: Scope;
  readonly episodeId: string;
  readonly previousCallId: string | null;
  readonly status: CallStatus;
  /** Counts the writes of this call; starts at 1. */
  readonly version: number;
  readonly policyId: string;
  readonly policyVersion: number;
  /** What the policy does with the call if it is unmet at its deadline (R14), fixed at issue. */
  readonly onUnmet: "reduce" | "restrict";
  readonly snapshotId: string;
  /** Amount due to return to IM (R4), its equity and requirements, as last issued or topped up, in `asset`. */
  readonly asset: Asset;
  readonly amountDue: Money;
  readonly equity: Money;
  readonly initialRequirement: Money;
  readonly maintenanceRequirement: Money;
  readonly cures: readonly Cure[];
  /** The part of the requirement that was the largest when the call was issued or last topped up, or the debts of a flat account; null where none was told. */
  readonly boundBy: string | null;
  /** Credited deposits and reductions since the issue, at IM value (R10 a). */
  readonly metAmount: Money;
  /** Deposits that still confirm, as they would be credited, in `asset`; less what was credited since, never under 0 (R15). */
  readonly confirmingAmount: Money;
  /** True while the breach shows only on E_low (R3); the clock waits, `deadlineAt` is null. */
  readonly onBadMarks: boolean;
  readonly badMarksSince: number | null;
  readonly issuedAt: number;
  /** Grace fixed at issue (R13). */
  readonly graceMs: number;
  /** Never moves earlier (I05). Null while the clock waits for a GOOD mark. */
  readonly deadlineAt: number | null;
  readonly deadlineVersion: number;
  readonly topUps: number;
  /** First acceptance of a notice by a channel; null before it. */
  readonly noticeAcceptedAt: number | null;
  /** True once a late acceptance has moved the deadline (R12: once). */
  readonly deadlineMovedForNotice: boolean;
  /** When the deadline was moved for a deposit that still confirms (R15: once); null before. */
  readonly extendedAt: number | null;
  readonly acknowledgedAt: number | null;
  readonly acknowledgedBy: string | null;
  /** Set when the deadline passed and the call stays open (R14 `restrict`, modes without orders, bad marks). */
  readonly overdueAt: number | null;
  /** Since when E_i ≥ IM holds on GOOD marks (R10 b). */
  readonly curedSince: number | null;
  readonly metBy: "payment" | "market" | null;
  /** Why it left OPEN for LIQUIDATING; null before. */
  readonly liquidationReason: "deadline" | "closeOut" | null;
  /** Attempts planned so far. */
  readonly attempt: number;
  /** Orders planned over all attempts: the next order's index. */
  readonly ordersPlanned: number;
  readonly liquidatingAt: number | null;
  readonly endedAt: number | null;
}

/** True while a call is live: it holds its scope (I01), and no other may be opened in it. */
export const isLiveCall = (call: Pick<MarginCall, "status">): boolean => call.status === "OPEN" || call.status === "LIQUIDATING";
