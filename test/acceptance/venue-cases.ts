import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { MarginAccount, Position } from "../../core/account.ts";
import type { Instrument } from "../../core/instrument.ts";
import type { MarketSnapshot } from "../../core/mark.ts";
import { type Money, money, type Ppm, type Price, price, type Quantity, quantity } from "../../core/money.ts";
import type { Policy } from "../../core/policy.ts";
import type { Ratio } from "../../core/ratio.ts";
import type { ProfiledPosition } from "../../core/venue-profile.ts";
import { accountOf, bare, contract, policyWith, snapshotOf } from "../core/margin-fixtures.ts";

/** Reading of the published figures: plain numbers into the types of core/ and back. No formula of margin is here. */
export type Figures = Readonly<Record<string, unknown>>;
export type Answer = Readonly<Record<string, unknown>>;

/** The worked cases are not part of the project: they are read where they are, if they are there; `MARGIN_CASES` names another file. */
const named = process.env["MARGIN_CASES"];
const path = resolve(import.meta.dirname, "../..", named ?? "../shared/cases/margin-cases.json");
if (named !== undefined && !existsSync(path)) throw new Error(`MARGIN_CASES names ${path}, and there is no such file`);
const file = existsSync(path)
  ? (JSON.parse(readFileSync(path, "utf8")) as { readonly cases: readonly Figures[]; readonly fixtures?: Figures })
  : { cases: [] };
export const CASES = { path, isThere: existsSync(path), cases: file.cases, fixtures: file.fixtures ?? {} };

export const num = (figures: Figures, name: string): number => {
  const value = figures[name];
  if (typeof value !== "number") throw new TypeError(`the case has no number ${name}`);
  return value;
};
/** Whether a case gives a field: the others of its topic may. */
export const has = (figures: Figures, name: string): boolean => figures[name] !== undefined;
export const optional = (figures: Figures, name: string): number => (has(figures, name) ? num(figures, name) : 0);
export const word = (figures: Figures, name: string): string => {
  const value = figures[name];
  if (typeof value !== "string") throw new TypeError(`the case has no word ${name}`);
  return value;
};
export const list = (figures: Figures, name: string): readonly Figures[] => {
  const value = figures[name];
  if (!Array.isArray(value)) throw new TypeError(`the case has no list ${name}`);
  return value as readonly Figures[];
};
export const numbers = (figures: Figures, name: string): readonly number[] =>
  list(figures, name).map((value: unknown, index) => {
    if (typeof value !== "number") throw new TypeError(`the case has no number ${name}[${index}]`);
    return value;
  });
export const part = (figures: Figures, name: string): Figures => {
  const value = figures[name];
  if (typeof value !== "object" || value === null) throw new TypeError(`the case has no part ${name}`);
  return value as Figures;
};

export const textOf = (value: number): string => value.toFixed(8);
export const moneyOf = (value: number): Money => money(textOf(value));
export const priceOf = (value: number): Price => price(textOf(value));
export const quantityOf = (value: number): Quantity => quantity(textOf(value));
export const ppmOf = (value: number): Ppm => Math.round(value * 1_000_000);
export const numberOf = (value: bigint): number => Number(value) / 1e8;
/** A fraction of 1e-8 as a number. */
export const ratioNumber = (value: Ratio | null): number | null =>
  value === null ? null : Number((value.numerator * 10n ** 12n) / value.denominator) / 1e20;

/** An exact share as a number. */
export const shareNumber = (value: Ratio): number => Number((value.numerator * 10n ** 20n) / value.denominator) / 1e20;

/** One bracket with the rates of the case; `amountMm` is the published deduction. */
export const bracket = (rateMm: Ppm, rateIm: Ppm = rateMm, amountMm: Money = 0n as Money): Pick<Instrument, "tiers"> => ({
  tiers: [{ floor: 0n as Money, rateIm, rateMm, amountIm: amountMm, amountMm }],
});

export const linear = (id: string, patch: Partial<Instrument>): Instrument =>
  contract(id, { baseAsset: id, quoteAsset: "USD", settleAsset: "USD", ...patch });
export const inverse = (patch: Partial<Instrument>): Instrument =>
  contract("INV", { kind: "inverse", baseAsset: "BTC", quoteAsset: "USD", settleAsset: "BTC", ...patch });

/** An account on a venue: what every function of core/ that decides it needs. */
export interface Venue {
  readonly account: MarginAccount;
  readonly snapshot: MarketSnapshot;
  readonly policy: Policy;
}

/** An account that holds `cash` of one asset without haircut and these legs, each `[instrument, position, mark]`. */
export const venue = (
  asset: string,
  cash: number,
  legs: readonly (readonly [instrument: Instrument, position: Position, mark: number])[],
  patch: Partial<Policy> = {},
): Venue => ({
  account: accountOf(
    { [asset]: textOf(cash) },
    legs.map(([, position]) => position),
  ),
  snapshot: snapshotOf(
    legs.map(([instrument]) => instrument),
    Object.fromEntries(legs.map(([instrument, , mark]) => [instrument.instrumentId, textOf(mark)])),
  ),
  policy: policyWith([bare(asset)], patch),
});

export const legOf = (instrumentId: string, size: number, entry: number): Position => ({
  instrumentId,
  quantity: quantityOf(size),
  entryPrice: priceOf(entry),
});

export const signed = (figures: Figures, size: number): number => (word(figures, "side") === "short" ? -size : size);

/** An isolated position on the venue's own terms. */
export const profiled = (figures: Figures, size: number, patch: Partial<ProfiledPosition> = {}): ProfiledPosition => ({
  kind: "linear",
  basis: "mark",
  quantity: quantityOf(size),
  multiplier: quantityOf(1),
  entryPrice: priceOf(num(figures, "entry")),
  rateMm: 0,
  feePpm: 0,
  amount: 0n as Money,
  ...patch,
});
