import { type CsvError, parse } from "csv-parse/sync";
import * as z from "zod";

import { balances, positions } from "../../adapters/wire/feed.ts";
import { accountId, asset, decimalText, instant, instrumentId, moneyText, ppm, priceText } from "../../adapters/wire/scalars.ts";
import { type Money, money } from "../../core/money.ts";
import type { HaircutTier } from "../../core/policy.ts";
import { TermsError } from "../../core/terms-error.ts";
import { loadTiers, type RawTier } from "../../core/tiers.ts";
import { Refusal } from "../command-line.ts";
import { FIGURES, type TheirRow } from "./differences.ts";

/** The other system's file, as read: its rows, and the unit that its amounts are rounded to. */
export interface Theirs {
  readonly rows: readonly TheirRow[];
  /** The least unit that an amount of the file shows, in 1e-8: 1,000,000 for cents. */
  readonly unit: bigint;
}

const amount = decimalText.optional();

/** One row of the file, as JSON has it; a CSV row is read to the same form first. */
const row = z.strictObject({
  account: accountId,
  kind: z.enum(["call", "liquidation", "statement", "account"]),
  at: instant,
  amountDue: amount,
  equity: amount,
  initialRequirement: amount,
  maintenanceRequirement: amount,
  deadlineAt: instant.optional(),
  marks: z.record(instrumentId, priceText).optional(),
  priceType: z.enum(["mark", "index", "last"]).optional(),
  balances: balances.optional(),
  positions: positions.optional(),
  tiers: z.record(instrumentId, z.array(z.strictObject({ floor: moneyText, rateIm: ppm, rateMm: ppm })).min(1)).optional(),
  fees: z.record(instrumentId, ppm).optional(),
  haircuts: z.record(asset, z.array(z.strictObject({ floor: moneyText, haircutIm: ppm, haircutMm: ppm })).min(1)).optional(),
  trigger: z.enum(["strict", "inclusive"]).optional(),
  callLevel: ppm.optional(),
});
type Row = z.output<typeof row>;
const COLUMNS = Object.keys(row.shape);
const file = z.strictObject({ rows: z.array(z.unknown()) });

/** A cell that does not have the form of its column. */
class BadCell extends Error {}

/** `BTC-PERP=7000;ETH-PERP=150` as entries. */
const entriesOf = (cell: string): [string, string][] =>
  cell.split(";").map((part) => {
    const [name, value, ...rest] = part.split("=");
    if (!name || !value || rest.length > 0) throw new BadCell(`"${part}" is not NAME=VALUE`);
    return [name.trim(), value.trim()];
  });

/** `0:50000/25000|250000:100000/50000` as brackets or slices. */
const stepsOf = (value: string, names: readonly [string, string]): Record<string, unknown>[] =>
  value.split("|").map((step) => {
    const read = /^(-?[\d.]+):(\d+)\/(\d+)$/.exec(step.trim());
    if (read === null) throw new BadCell(`"${step}" is not FLOOR:RATE/RATE with rates in whole parts per million`);
    return { floor: read[1], [names[0]]: Number(read[2]), [names[1]]: Number(read[3]) };
  });

const mapped = (cell: string, read: (value: string) => unknown): Record<string, unknown> =>
  Object.fromEntries(entriesOf(cell).map(([name, value]) => [name, read(value)]));

const whole = (value: string): number => {
  if (!/^\d{1,15}$/.test(value)) throw new BadCell(`"${value}" is not a whole number`);
  return Number(value);
};

/** How cells that hold more than one value read. */
const CELLS: Readonly<Record<string, (cell: string) => unknown>> = {
  marks: (cell) => mapped(cell, (value) => value),
  balances: (cell) => mapped(cell, (value) => value),
  positions: (cell) =>
    entriesOf(cell).map(([id, value]) => {
      const [size, entryPrice] = value.split("@");
      return { instrumentId: id, quantity: size, entryPrice };
    }),
  tiers: (cell) => mapped(cell, (value) => stepsOf(value, ["rateIm", "rateMm"])),
  haircuts: (cell) => mapped(cell, (value) => stepsOf(value, ["haircutIm", "haircutMm"])),
  fees: (cell) => mapped(cell, whole),
  callLevel: whole,
};

interface Raw {
  readonly place: string;
  readonly content: unknown;
}

const jsonRows = (name: string, text: string): Raw[] => {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new Refusal(`${name}: is no JSON (${(error as Error).message.split("\n")[0]})`);
  }
  const read = file.safeParse(content);
  if (!read.success) throw new Refusal(`${name}: must be one object with one list, "rows"`);
  return read.data.rows.map((each, index) => ({ place: `row ${index + 1}`, content: each }));
};

interface Recorded {
  readonly record: string[];
  readonly info: { readonly lines: number };
}

const csvRows = (name: string, text: string, findings: string[]): Raw[] => {
  let records: Recorded[];
  try {
    records = parse(text, { bom: true, info: true, relax_column_count: true, skip_empty_lines: true, trim: true }) as unknown as Recorded[];
  } catch (error) {
    throw new Refusal(`${name}: line ${(error as CsvError)["lines"]}: ${(error as Error).message}`);
  }
  const [header, ...rest] = records;
  if (header === undefined) throw new Refusal(`${name}: is empty; its first line names the columns: ${COLUMNS.join(",")}`);
  const names = header.record;
  const unknown = names.filter((column, index) => !COLUMNS.includes(column) || names.indexOf(column) !== index);
  if (unknown.length > 0)
    throw new Refusal(`${name}: line 1: column ${unknown.join(", ")} is unknown or named twice; known are ${COLUMNS.join(", ")}`);
  return rest.flatMap(({ record, info }) => {
    const place = `line ${info.lines}`;
    if (record.length !== names.length) {
      findings.push(`${place}: has ${record.length} cells, the first line names ${names.length} columns`);
      return [];
    }
    try {
      const given = names.map((column, index) => [column, record[index] ?? ""] as const).filter(([, cell]) => cell !== "");
      return [{ place, content: Object.fromEntries(given.map(([column, cell]) => [column, CELLS[column]?.(cell) ?? cell])) }];
    } catch (error) {
      if (!(error instanceof BadCell)) throw error;
      findings.push(`${place}: ${error.message}`);
      return [];
    }
  });
};

const mapOf = <Value>(record: Readonly<Record<string, Value>> | undefined): ReadonlyMap<string, Value> =>
  new Map(Object.entries(record ?? {}));
const figureOf = (text: string | undefined): Money | null => (text === undefined ? null : money(text));

const rowOf = (place: string, read: Row): TheirRow => ({
  place,
  accountId: read.account,
  kind: read.kind,
  at: read.at,
  figures: {
    amountDue: figureOf(read.amountDue),
    equity: figureOf(read.equity),
    initialRequirement: figureOf(read.initialRequirement),
    maintenanceRequirement: figureOf(read.maintenanceRequirement),
  },
  terms: {
    marks: mapOf(read.marks),
    priceType: read.priceType ?? "mark",
    balances: read.balances ?? null,
    positions: read.positions ?? null,
    tiers: mapOf<readonly RawTier[]>(read.tiers),
    fees: mapOf(read.fees),
    haircuts: mapOf<readonly HaircutTier[]>(read.haircuts),
    inclusive: read.trigger === undefined ? null : read.trigger === "inclusive",
    callLevel: read.callLevel ?? null,
    deadlineAt: read.deadlineAt ?? null,
  },
});

/** A table that no requirement can be computed from is a finding of its row, not a failure later. */
const termFaults = ({ tiers }: TheirRow["terms"]): string[] =>
  [...tiers].flatMap(([id, raw]) => {
    try {
      loadTiers(`tiers of ${id}`, raw, 0);
      return [];
    } catch (error) {
      if (!(error instanceof TermsError)) throw error;
      return [error.message];
    }
  });

const decimalsOf = (text: string | undefined): number => (text === undefined ? 0 : (text.split(".")[1]?.replace(/0+$/, "").length ?? 0));

/**
 * Reads the other system's calls, liquidations and statements: CSV, or JSON where the name ends in .json.
 *
 * @throws Refusal with every finding by its line, where any row cannot be used: half a file compared is a
 *   comparison that nobody can trust.
 */
export const readTheirs = (name: string, text: string): Theirs => {
  const findings: string[] = [];
  const raw = name.endsWith(".json") ? jsonRows(name, text) : csvRows(name, text, findings);
  let decimals = 0;
  const rows = raw.flatMap(({ place, content }) => {
    const read = row.safeParse(content);
    if (!read.success) {
      findings.push(...read.error.issues.map(({ path, message }) => `${place}: ${path.map(String).join(".") || "the row"}: ${message}`));
      return [];
    }
    decimals = Math.max(decimals, ...FIGURES.map((figure) => decimalsOf(read.data[figure])));
    const one = rowOf(place, read.data);
    findings.push(...termFaults(one.terms).map((fault) => `${place}: ${fault}`));
    return [one];
  });
  if (findings.length > 0) {
    const lineOf = (finding: string): number => Number(/\d+/.exec(finding)?.[0]);
    throw new Refusal(
      `${name} cannot be used:\n${findings
        .sort((a, b) => lineOf(a) - lineOf(b))
        .map((each) => `  ${each}`)
        .join("\n")}`,
    );
  }
  return { rows: rows.sort((a, b) => a.at - b.at), unit: 10n ** BigInt(8 - decimals) };
};
