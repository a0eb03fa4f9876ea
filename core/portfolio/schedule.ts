import type { Ppm } from "../money.ts";

const PPM = 1_000_000;

/** Asset classes of the standardised schedule for uncleared derivatives. */
export type ScheduleClass = "credit" | "commodity" | "equity" | "foreign-exchange" | "interest-rate" | "other";

/** Rates by remaining years: to 2, to 5, beyond (BCBS-IOSCO, margin for non-centrally cleared derivatives, Appendix A). */
const RATES: Readonly<Record<ScheduleClass, readonly [to2: Ppm, to5: Ppm, beyond: Ppm]>> = {
  credit: [20_000, 50_000, 100_000],
  commodity: [150_000, 150_000, 150_000],
  equity: [150_000, 150_000, 150_000],
  "foreign-exchange": [60_000, 60_000, 60_000],
  "interest-rate": [10_000, 20_000, 40_000],
  other: [150_000, 150_000, 150_000],
};

/** A trade of a netting set. */
export interface ScheduleTrade {
  readonly assetClass: ScheduleClass;
  /** Its sign does not matter. */
  readonly notional: number;
  readonly years: number;
  /** Present value to the holder. */
  readonly value: number;
}

/** The gross margin of a netting set: `Σ |notional| · rate`. */
export const scheduleGross = (trades: readonly ScheduleTrade[]): number =>
  trades.reduce((sum, { assetClass, notional, years }) => {
    const [to2, to5, beyond] = RATES[assetClass];
    return sum + (Math.abs(notional) * (years <= 2 ? to2 : years <= 5 ? to5 : beyond)) / PPM;
  }, 0);

/** Net by gross replacement cost, from 0 to 1: 1, which gives no relief, where no trade has a value above 0. */
export const netToGross = (trades: readonly ScheduleTrade[]): number => {
  const gross = trades.reduce((sum, { value }) => sum + Math.max(0, value), 0);
  const net = Math.max(
    0,
    trades.reduce((sum, { value }) => sum + value, 0),
  );
  return gross > 0 ? Math.min(1, net / gross) : 1;
};

/** Initial margin by the schedule: `0.4 · gross + 0.6 · NGR · gross`. A ratio that is no number from 0 to 1 gives no relief. */
export const scheduleMargin = (gross: number, ngr: number): number => gross * (0.4 + 0.6 * (ngr >= 0 && ngr <= 1 ? ngr : 1));
