import type { Money, Ppm, Price, Quantity } from "./money.ts";

/** The symbol of an asset, upper case: "USDT", "BTC". */
export type Asset = string;

/**
 * One bracket of a margin tier table (M3). The requirement of a notional N in this bracket is
 * `N · rate − amount`; `amount` is derived at load so that the requirement is continuous.
 */
export interface RiskTier {
  /** Notional from which the bracket holds, in the instrument's settlement asset. The first is 0. */
  readonly floor: Money;
  readonly rateIm: Ppm;
  readonly rateMm: Ppm;
  readonly amountIm: Money;
  readonly amountMm: Money;
}

/** How marks of an instrument are judged; see `judgeMark`. */
export interface MarkRule {
  /** A mark older than this is STALE. */
  readonly ageMaxMs: number;
  /** Largest move against the last accepted mark per minute elapsed (at least one minute counts). */
  readonly jumpPpmPerMinute: Ppm;
  /** Ceiling of the above, however much time went by. */
  readonly jumpPpmMax: Ppm;
  /** Two unconfirmed ticks within this distance of each other agree, and lift the guard. */
  readonly agreePpm: Ppm;
  /** A jump that nothing confirmed or refuted for this long makes the mark SUSPECT. */
  readonly suspectAfterMs: number;
  /** What the source answers when it knows no less and no more (S05): a price at or beyond either is SUSPECT. Absent: no bound. */
  readonly minAnswer?: Price;
  readonly maxAnswer?: Price;
  /** Half-life of the slow average that E_i prices collateral with (M2): of spot pairs only. Absent or 0: none. */
  readonly slowHalfLifeMs?: number;
}

/** What makes an instrument a European option (M1). */
export interface OptionTerms {
  /** The instrument whose mark is the forward to the expiry: a dated future, a perpetual or the index pair. */
  readonly underlyingId: string;
  /** In the quote asset, positive. */
  readonly strike: Price;
  readonly right: "call" | "put";
  /** `premium`: paid when bought, its value is an asset. `futures`: margined like a future against its entry price. */
  readonly style: "premium" | "futures";
  /** `linear`: priced and settled in the quote asset. `inverse`: priced and settled in the base asset, the value over the forward. */
  readonly settlement: "linear" | "inverse";
  /** Window before the expiry over which the settlement price is averaged; 0 for none. */
  readonly averagingMs: number;
}

/** How the initial rate rises with the open interest of the market (M3): the table's up to `lower`, 100 % from `upper` on. */
export interface OpenInterestTerms {
  /** In the unit that ticks tell the figure in: contracts, or value in any asset. */
  readonly lower: Quantity;
  readonly upper: Quantity;
  /** A figure that is older counts at its upper cap for withdrawals, and as it was for calls. */
  readonly ageMaxMs: number;
}

/**
 * A contract that accounts hold, or a spot pair that prices collateral.
 *
 * - `linear`: profit `q·m·(P − P0)` in the settlement asset: the quote asset, or for a quanto another one, with the
 *   fixed conversion X inside the multiplier (M1).
 * - `inverse`: a contract worth `m` of the quote asset, profit `q·m·(1/P0 − 1/P)` in the coin.
 * - `option`: a European option on the mark of another instrument; `multiplier` units of the base asset a contract.
 * - `spot`: no position is held in it; its mark is the index price of `baseAsset` in `quoteAsset`.
 */
export interface Instrument {
  readonly instrumentId: string;
  readonly version: number;
  readonly kind: "linear" | "inverse" | "option" | "spot";
  /** Instant of expiry of a dated future or an option, in epoch milliseconds; null for a perpetual and for spot. */
  readonly expiryAt: number | null;
  readonly baseAsset: Asset;
  readonly quoteAsset: Asset;
  /** Asset of profit, loss and notional: the quote asset, or another for a quanto (linear), or the base asset (inverse). */
  readonly settleAsset: Asset;
  /** Linear and option: base units per contract, times the fixed conversion of a quanto. Inverse: quote value per contract. */
  readonly multiplier: Quantity;
  /** Validated brackets (M3, R24); empty for spot and for options, which their policy's model margins. */
  readonly tiers: readonly RiskTier[];
  /** Taker fee of closing, part of the maintenance requirement (M3). */
  readonly feePpm: Ppm;
  /** Fee of the liquidation (f of R19) and of the insurance fund (g of R19). */
  readonly liquidationFeePpm: Ppm;
  readonly insuranceFeePpm: Ppm;
  /** True where prices of 0 and below are real (R5, S20). */
  readonly allowNonPositive: boolean;
  /** Least margin per contract, required where prices may be non-positive (R5); 0 elsewhere. */
  readonly marginMinPerUnit: Money;
  readonly lotSize: Quantity;
  readonly tickSize: Price;
  /** Half width of the price band around the mark: the adverse edge of R3 and the limit of R20. */
  readonly bandPpm: Ppm;
  readonly markRule: MarkRule;
  /**
   * Notional that brackets ask their rates of (M3): the mark's, or where a venue margins isolated positions so, the
   * entry's. Only of contracts with brackets; absent is the mark's.
   */
  readonly basis?: "entry";
  /** Only of contracts with brackets; absent where open interest raises nothing. */
  readonly openInterest?: OpenInterestTerms;
  /** Null for everything but an option. */
  readonly option: OptionTerms | null;
}

/** The instruments of a deployment by id. */
export type Instruments = ReadonlyMap<string, Instrument>;
