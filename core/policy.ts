import type { Asset } from "./instrument.ts";
import type { MarginModel } from "./margin-model.ts";
import type { Money, Ppm } from "./money.ts";
import type { ConfidenceTerms } from "./options-margin/add-ons.ts";
import type { UnitLiquidity } from "./unit-liquidity.ts";

/** One slice of a collateral haircut schedule (M2); haircuts apply to the value within the slice. */
export interface HaircutTier {
  /** Value in the valuation asset from which the slice holds. The first is 0. */
  readonly floor: Money;
  readonly haircutIm: Ppm;
  readonly haircutMm: Ppm;
}

/** What is needed of positions that settle in a stable asset while it trades below its peg (M2). */
export interface PegTerms {
  /** Spot instrument whose price is 1 at the peg: the asset's own, or another where the asset is the valuation asset. */
  readonly priceId: string;
  /** s*: below this price, in ppm of the peg, it counts as lost. */
  readonly threshold: Ppm;
  /** f: share of the exposure that a whole loss of the peg costs. */
  readonly factor: Ppm;
}

/** Where an asset's weight in E_i falls as what everybody deposited grows: to `min(1, D0/D)` of it (M2). */
export interface DepositTerms {
  /** D0, in units of the asset: up to it the weight is whole. */
  readonly scaleStart: Money;
  /** A figure of the deposits older than this is STALE. */
  readonly ageMaxMs: number;
}

/** The terms on which one asset counts in equity. */
export interface CollateralTerms {
  readonly asset: Asset;
  /** Spot instrument whose mark prices the asset; null for the valuation asset itself. */
  readonly priceId: string | null;
  readonly tiers: readonly HaircutTier[];
  /** Weight of a debt in this asset, at least 1,000,000. */
  readonly liabilityWeight: Ppm;
  /** Absent for an asset without a peg. */
  readonly peg?: PegTerms;
  /** Absent where the asset counts alike however much of it was deposited. */
  readonly deposits?: DepositTerms;
}

/** Entry thresholds of the levels (R1). WARNING, CALL and RESTRICTED are headroom x; BACKSTOP is a share of MM. */
export interface LevelTerms {
  readonly warning: Ppm;
  readonly call: Ppm;
  readonly restricted: Ppm;
  readonly backstop: Ppm;
  /** A level is left this much of x above its entry. */
  readonly hysteresis: Ppm;
  /** True for a venue that triggers at equality; strict by default (M0, R1). */
  readonly inclusive: boolean;
}

/** A version of a margin policy. Immutable; a call keeps the version it was opened under (R11). */
export interface Policy {
  readonly policyId: string;
  readonly version: number;
  readonly valuationAsset: Asset;
  /** What positions require. Collateral, levels and clocks are the same for every model. */
  readonly model: MarginModel;
  readonly levels: LevelTerms;
  readonly collateral: ReadonlyMap<Asset, CollateralTerms>;
  /** Share of unrealised profit that counts in E_i (M2). */
  readonly unrealisedProfitIm: Ppm;
  /** Share of unrealised profit that counts for a withdrawal (M2); 0 by default. */
  readonly unrealisedProfitWithdrawal: Ppm;
  /** φ: share of a perpetual's expected next payment that is required (M1). Absent: 500,000. */
  readonly fundingFactor?: Ppm;
  /** What a price in doubt costs in IM under the standard model (M2); a portfolio's model has its own. Absent: nothing. */
  readonly confidence?: ConfidenceTerms;
  /** What the liquidity of its market costs a net exposure, by base asset, under every model (M8). Absent, as for an asset without terms: nothing. */
  readonly liquidity?: Readonly<Record<Asset, UnitLiquidity>>;
  /** Grace of the policy, G_policy of R13. */
  readonly graceMs: number;
  readonly graceMinMs: number;
  readonly topUpGraceMs: number;
  readonly topUpsMax: number;
  readonly noticeAllowanceMs: number;
  readonly noticeWaitMaxMs: number;
  readonly coolDownMs: number;
  readonly episodeEndMs: number;
  /** How long E_i ≥ IM must hold on GOOD marks before the market meets a call (R10 b). */
  readonly cureDwellMs: number;
  /** How long a call that exists only on E_low waits for a GOOD mark (R3). */
  readonly badMarkWaitMs: number;
  readonly onUnmet: "reduce" | "restrict";
  /** b of R14 and R19: a close-out restores E_m to MM·(1+b). */
  readonly closeOutBuffer: Ppm;
  /** A shortfall below this opens no call (R1, N8). */
  readonly minimumTransfer: Money;
  readonly attemptsMax: number;
}
