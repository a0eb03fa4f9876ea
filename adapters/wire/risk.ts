import * as z from "zod";

import { accountId, asset, brokerId, count, decimalText, instant, instantText, instrumentId, ppm } from "./scalars.ts";

/** A figure that may be missing: never NaN, and always with the reason where it is not there. */
const figure = z.union([z.object({ value: z.number(), reason: z.null() }), z.object({ value: z.null(), reason: z.string() })]);
const list = <Row extends z.ZodType>(row: Row) => z.array(row).readonly();
const cover = z.object({ cover1: decimalText, cover2: decimalText });

const stress = z.object({
  scenariosId: z.string(),
  name: z.string(),
  breached: count,
  /** The largest one and two losses of an account beyond its initial requirement, and beyond its equity. */
  overInitial: cover,
  overEquity: cover,
  largest: list(z.object({ name: z.string(), loss: decimalText, overInitial: decimalText })),
});

const defaults = z.object({
  scenariosId: z.string(),
  horizonDays: count,
  lossGivenDefaultPpm: ppm,
  largest: list(
    z.object({
      name: z.string(),
      brokerId,
      probabilityPpm: ppm,
      exposure: decimalText,
      expectedLoss: decimalText,
      multiplierPpm: ppm,
    }),
  ),
  expectedLoss: decimalText,
});

const contagion = z.object({
  asset,
  direction: z.enum(["fall", "rise"]),
  breached: count,
  safe: count,
  /** Accounts in the order in which they breach: at which move, and the net units that they hold until then. */
  turns: list(z.object({ name: z.string(), move: figure, liquidated: figure })),
});

const exposure = z.object({
  brokerId,
  accounts: count,
  notional: decimalText,
  shortfall: decimalText,
  stress: decimalText.nullable(),
  potential: decimalText.nullable(),
  expectedLoss: decimalText.nullable(),
  collateralisation: figure,
  binding: z.object({ name: z.string(), room: decimalText }).nullable(),
  exceeded: list(z.object({ name: z.string(), limit: decimalText, used: decimalText })),
});

const section = z.object({
  valuationAsset: asset,
  scopes: count,
  metrics: list(z.object({ name: z.string(), figure })),
  openInterest: list(z.object({ instrumentId, notional: decimalText })),
  stresses: list(stress),
  defaults: defaults.nullable(),
  noStresses: z.string().nullable(),
  contagion: list(contagion),
  exposures: list(exposure),
});

const correlation = z.object({ left: z.string(), right: z.string(), whole: figure, recent: figure, stressed: figure });

const prices = z.object({
  volatilities: list(
    z.object({
      symbol: z.string(),
      realised: list(z.object({ name: z.string(), volatility: figure })),
      ewma: figure,
      implied: figure,
      impliedOverEwma: figure,
    }),
  ),
  correlations: list(correlation),
  macro: list(correlation),
});

/** The risk of a whole book on one set of marks (M15, M16), as `npm run risk` works it out: docs/reference/models/risk.md. Money is in each section's valuation asset. */
export const riskReport = z.object({
  marksAt: instantText,
  accounts: count,
  leftOut: list(z.object({ accountId, reason: z.string() })),
  sections: list(section),
  implied: list(z.object({ underlyingId: instrumentId, baseAsset: asset, volatility: figure })),
  prices: prices.nullable(),
  /** Price files that were read, each with its hash. */
  files: list(z.object({ file: z.string(), sha256: z.string(), symbol: z.string(), firstDay: z.string(), lastDay: z.string() })),
  funding: z.object({ available: decimalText, required: decimalText, ratio: z.number(), isMet: z.boolean() }).nullable(),
});
export type RiskReportText = z.input<typeof riskReport>;

export const riskReply = z.object({
  publishedAt: instant,
  /** Release that worked it out. */
  release: z.string(),
  /** Between the instant of its marks and now. */
  ageMs: count,
  report: riskReport,
});
