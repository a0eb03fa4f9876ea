/**
 * Exact decimal arithmetic on fixed point integers.
 *
 * Every amount that is booked, moved or compared with a threshold is a `bigint` that counts
 * 1e-8 of its unit. The brands keep a price from being added to a quantity; they are not a
 * claim about currency: an amount's asset stands beside it in the record that holds it.
 */

declare const kind: unique symbol;
type Fixed<Kind extends string> = bigint & { readonly [kind]: Kind };

/** An amount of one asset, in 1e-8 of its unit. Negative is a debt. */
export type Money = Fixed<"money">;
/** A price in 1e-8 of the quote asset for one unit of the base. May be negative where the instrument allows it. */
export type Price = Fixed<"price">;
/** A number of contracts or of units of an asset, in 1e-8. Positive is long. */
export type Quantity = Fixed<"quantity">;
/** A rate in integer parts per million: 5,000 is 0.5 %. */
export type Ppm = number;

/** The direction in which a remainder goes: `up` to +infinity, `down` to -infinity. */
export type Rounding = "up" | "down";

/** 1 in fixed point: amounts, prices and quantities count 1e-8. */
export const ONE = 100_000_000n;
/** 100 % in parts per million. */
export const PPM = 1_000_000n;

const DECIMAL = /^(-?)(\d{1,20})(?:\.(\d{1,8})0*)?$/;

/**
 * Reads a plain decimal ("-36.98", "0.00000001") exactly.
 *
 * @throws RangeError for anything else: an exponent, a sign of plus, a space, more than eight
 *   significant decimals or more than twenty integer digits. Nothing is rounded silently.
 */
const parseFixed = (text: string): bigint => {
  const match = DECIMAL.exec(text);
  if (match === null) throw new RangeError("not a plain decimal with at most 8 decimals");
  const magnitude = BigInt(match[2] as string) * ONE + BigInt((match[3] ?? "").padEnd(8, "0"));
  return match[1] === "-" ? -magnitude : magnitude;
};

/** Reads an amount; see {@link parseFixed} for the form and the errors. */
export const money = (text: string): Money => parseFixed(text) as Money;
/** Reads a price; see {@link parseFixed} for the form and the errors. */
export const price = (text: string): Price => parseFixed(text) as Price;
/** Reads a quantity; see {@link parseFixed} for the form and the errors. */
export const quantity = (text: string): Quantity => parseFixed(text) as Quantity;

/** Writes the shortest plain decimal that reads back to the same integer: "-36.98", "0", "1". */
export const decimal = (value: Money | Price | Quantity): string => {
  const magnitude = value < 0n ? -value : value;
  const fraction = (magnitude % ONE).toString().padStart(8, "0").replace(/0+$/, "");
  const whole = (magnitude / ONE).toString();
  return `${value < 0n ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
};

/** Integer division with a named direction for the remainder. @throws RangeError when the divisor is 0. */
export const divide = (dividend: bigint, divisor: bigint, rounding: Rounding): bigint => {
  if (divisor === 0n) throw new RangeError("division by zero");
  const quotient = dividend / divisor;
  if (quotient * divisor === dividend) return quotient;
  const negative = dividend < 0n !== divisor < 0n;
  if (rounding === "up") return negative ? quotient : quotient + 1n;
  return negative ? quotient - 1n : quotient;
};

/** What float64 leaves of a figure that is exact on paper, as a share: it is not rounded up to a whole unit. */
const NOISE = 2 ** -48;

/** An estimate in whole units as money: rounded once, up, against the account (design of the numbers). */
export const estimated = (value: number): Money => {
  const units = value * Number(ONE);
  return BigInt(Math.ceil(units - Math.abs(units) * NOISE)) as Money;
};

/** Whole square root of a whole number above 0, rounded down. */
export const squareRoot = (value: bigint): bigint => {
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
};

export const ZERO = 0n as Money;
export const abs = <T extends bigint>(value: T): T => (value < 0n ? -value : value) as T;
export const min = <T extends bigint>(a: T, b: T): T => (a < b ? a : b);
export const max = <T extends bigint>(a: T, b: T): T => (a > b ? a : b);
/** Adds amounts of one asset. */
export const plus = (a: Money, b: Money): Money => (a + b) as Money;
/** Subtracts amounts of one asset. */
export const minus = (a: Money, b: Money): Money => (a - b) as Money;
