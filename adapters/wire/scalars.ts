import * as z from "zod";

import type { Asset } from "../../core/instrument.ts";
import { decimal, type Money, money, type Price, price, type Quantity, quantity } from "../../core/money.ts";

/**
 * The scalars of every wire format. Amounts are plain decimal strings, never JSON numbers (a number
 * loses digits silently, S43); instants are ISO 8601 in UTC. Each codec reads to the domain's type
 * and writes back with `z.encode`.
 */

/** The one version of every message and item; a reader refuses any other, so that it is parked and not guessed (I26). */
export const schemaVersion = z.literal(1);
export const SCHEMA_VERSION = 1 as const;

/** A plain decimal as text: no exponent, no plus sign, at most 20 integer digits and 8 significant decimals. */
export const decimalText = z
  .string()
  .max(60)
  .regex(/^-?\d{1,20}(\.\d{1,8}0*)?$/, "not a plain decimal with at most 8 decimals");

const isBigint = (value: unknown): boolean => typeof value === "bigint";

export const moneyText = z.codec(decimalText, z.custom<Money>(isBigint), {
  decode: (text) => money(text),
  encode: (value) => decimal(value),
});
export const priceText = z.codec(decimalText, z.custom<Price>(isBigint), {
  decode: (text) => price(text),
  encode: (value) => decimal(value),
});
export const quantityText = z.codec(decimalText, z.custom<Quantity>(isBigint), {
  decode: (text) => quantity(text),
  encode: (value) => decimal(value),
});

/** A quantity that is not negative. */
export const unsignedQuantityText = z.codec(decimalText.regex(/^[^-]/, "must not be negative"), z.custom<Quantity>(isBigint), {
  decode: (text) => quantity(text),
  encode: (value) => decimal(value),
});

/** Writes an instant of epoch milliseconds: "2020-03-12T10:00:00.000Z". @throws RangeError outside the calendar. */
export const iso = (instant: number): string => new Date(instant).toISOString();

/** An instant as text, for messages that are passed on as they are. */
export const instantText = z.iso.datetime();
/** An instant, read to epoch milliseconds. */
export const instant = z.codec(z.iso.datetime(), z.number().int(), { decode: (text) => Date.parse(text), encode: iso });

/** Characters that cannot break a key, a packed attribute, a header or a log line. */
export const accountId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "1-64 characters of A-Z a-z 0-9 . _ -");
export const brokerId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/, "1-32 characters of A-Z a-z 0-9 . _ -");
export const clientClass = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, "1-32 characters of a-z 0-9 _ -");
export const policyId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "1-64 characters of A-Z a-z 0-9 . _ -");
export const instrumentId = z.string().regex(/^[A-Z0-9][A-Z0-9._-]{0,39}$/, "1-40 characters of A-Z 0-9 . _ -");
export const asset: z.ZodType<Asset, string> = z.string().regex(/^[A-Z0-9]{1,20}$/, "1-20 characters of A-Z 0-9");
export const source = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/, "1-32 characters of A-Z a-z 0-9 . _ -");
/** The venue's own id of a fact: printable ASCII without spaces. */
export const externalId = z.string().regex(/^[!-~]{1,128}$/, "1-128 printable ASCII characters without spaces");
export const callId = z.string().regex(/^MC-[A-Z2-7]{12}-\d{1,9}$/, "not a call id");
export const orderId = z.string().regex(/^MC-[A-Z2-7]{12}-\d{1,9}-\d{1,4}-[A-Z0-9][A-Z0-9._-]{0,39}$/, "not an order id");
export const eventId = z.string().regex(/^evt_[A-Za-z0-9_-]{16,64}$/, "not an event id");
export const endpointId = z.string().regex(/^ep_[A-Za-z0-9_-]{4,40}$/, "ep_ and 4-40 characters of A-Z a-z 0-9 _ -");

/** A rate in integer parts per million. */
export const ppm = z.number().int().min(0).max(1_000_000_000);
/** A duration in milliseconds. */
export const durationMs = z.number().int().min(0).max(31_536_000_000);
export const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
