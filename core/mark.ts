import type { Instruments } from "./instrument.ts";
import type { Ppm, Price, Quantity } from "./money.ts";
import type { SlowPrice } from "./slow-average.ts";

/**
 * What a mark is good for at an instant; `ACTIONS` says what each quality allows (R3). `MODEL`: the option's own mark
 * is old or missing, and its value comes from the volatility of its neighbours (S15).
 */
export type MarkQuality = "GOOD" | "MODEL" | "STALE" | "SUSPECT" | "MISSING";

/** What a perpetual's sides will pay each other at its next settlement, as the venue tells it (M1). */
export interface Funding {
  /** Share of the notional that the long side pays, in 1e-8; negative where the short side does. */
  readonly rate: Price;
  /** Time from one settlement to the next, above 0. */
  readonly intervalMs: number;
  /** Instant of the next settlement. */
  readonly nextAt: number;
}

/** The newest accepted mark of an instrument, with a jump that waits for confirmation. */
export interface Mark {
  readonly instrumentId: string;
  /** Last accepted price. */
  readonly price: Price;
  /** Instant of the price at its source, epoch milliseconds. */
  readonly asOf: number;
  readonly source: string;
  /** A tick beyond the jump guard that no second tick has confirmed or refuted; null when none. */
  readonly candidate: { readonly price: Price; readonly asOf: number } | null;
  /** Slow average of the accepted prices until `asOf` (M2); absent where the instrument's rule asks for none. */
  readonly slow?: SlowPrice;
  /** How sure the feed is of this price; absent where it does not say, which counts as sure (M2). */
  readonly confidencePpm?: Ppm;
  /** Of a perpetual, as last told; absent where no tick told it. */
  readonly funding?: Funding;
  /** What is open of a contract in the market, in the unit of its terms, as last told (M3); absent where no tick told it. */
  readonly interest?: { readonly total: Quantity; readonly asOf: number };
  /** What everybody deposited of a spot pair's base asset, as last told (M2); absent where no tick told it. */
  readonly deposits?: { readonly total: Quantity; readonly asOf: number };
}

/** The immutable set of marks and instruments that one decision is priced on. */
export interface MarketSnapshot {
  readonly snapshotId: string;
  readonly takenAt: number;
  readonly marks: ReadonlyMap<string, Mark>;
  readonly instruments: Instruments;
}
