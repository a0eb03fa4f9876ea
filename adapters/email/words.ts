import { Temporal } from "temporal-polyfill";

const TEXT_MAX = 200;
/** Characters that end a line, steer a terminal or turn the direction of writing: none may come from outside (C8). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is stripped
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+/g;

/** Text of others made fit for a header or one line: no CR or LF, no direction marks, at most 200 characters (C8). */
export const oneLine = (text: string): string => {
  const line = text.replace(UNSAFE, " ").trim().toWellFormed();
  return line.length <= TEXT_MAX ? line : `${line.slice(0, TEXT_MAX - 1).toWellFormed()}…`;
};

/** An account id as an email shows it: its last four characters, of short ids at most half (N13). */
export const masked = (accountId: string): string => {
  const line = oneLine(accountId);
  return `…${line.slice(line.length - Math.min(4, Math.floor(line.length / 2)))}`;
};

/**
 * A decimal string with grouped thousands, and zeros up to `decimalsMin` decimals: "12400" is "12,400.00".
 * Digit for digit, never through a float: whoever pays the figure shown has paid enough (R4).
 */
export const grouped = (decimal: string, decimalsMin: 0 | 2): string => {
  const [whole = "0", fraction = ""] = decimal.replace("-", "").split(".");
  const sign = decimal.startsWith("-") ? "-" : "";
  const decimals = fraction.padEnd(decimalsMin, "0");
  return `${sign}${whole.replace(/\B(?=(\d{3})+$)/g, ",")}${decimals === "" ? "" : `.${decimals}`}`;
};

/** An amount with its asset's code: "12,400.00 USDT". */
export const amount = (decimal: string, asset: string): string => `${grouped(decimal, 2)} ${oneLine(asset)}`;

const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

const clockTime = (at: Temporal.ZonedDateTime): string =>
  at.toPlainTime().toString({ smallestUnit: at.second === 0 ? "minute" : "second" });
const calendarDay = (at: Temporal.ZonedDateTime): string => `${at.day} ${MONTHS[at.month - 1] ?? ""}`;

/** The zone's own instant, or UTC where the zone is unknown: a misspelt zone must not cost a notice. */
const inZone = (at: number, zone: string): Temporal.ZonedDateTime => {
  const instant = Temporal.Instant.fromEpochMilliseconds(at);
  try {
    return instant.toZonedDateTimeISO(zone);
  } catch (error) {
    if (error instanceof RangeError) return instant.toZonedDateTimeISO("UTC");
    throw error;
  }
};

const zoneName = (zone: string): string => `${(zone.split("/").at(-1) ?? zone).replaceAll("_", " ")} time`;
const isUtc = (zone: string): boolean => ["UTC", "Etc/UTC", "GMT", "Etc/GMT"].includes(zone);

/**
 * An instant in the reader's zone and in UTC: "Today 17:30 Singapore time (09:30 UTC)" (N13). The day is
 * named in the reader's zone; the UTC day is added where it is another one. UTC settles a repeated hour.
 *
 * @param zone IANA name; an unknown one reads as UTC.
 */
export const zonedInstant = (at: number, zone: string, now: number): string => {
  const local = inZone(at, zone);
  const days = inZone(now, zone).toPlainDate().until(local.toPlainDate(), { largestUnit: "days" }).days;
  const weekday = WEEKDAYS[local.dayOfWeek - 1] ?? "";
  const day = days === 0 ? "Today" : days === 1 ? "Tomorrow" : `${weekday} ${calendarDay(local)} ${local.year}`;
  if (isUtc(local.timeZoneId)) return `${day} ${clockTime(local)} UTC`;
  const utc = inZone(at, "UTC");
  const utcDay = utc.toPlainDate().equals(local.toPlainDate()) ? "" : `${calendarDay(utc)} `;
  return `${day} ${clockTime(local)} ${zoneName(local.timeZoneId)} (${utcDay}${clockTime(utc)} UTC)`;
};

/** An instant without doubt: "2020-03-12T09:30:00Z". */
export const isoInstant = (at: number): string => new Date(at).toISOString().replace(/\.000Z$/, "Z");

/** A duration in words, rounded down: nobody is promised time that is not there. */
export const duration = (ms: number): string => {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return "less than a minute";
  const parts = [
    [Math.floor(minutes / 60), "hour"],
    [minutes % 60, "minute"],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}${count === 1 ? "" : "s"}`)
    .join(" ");
};
