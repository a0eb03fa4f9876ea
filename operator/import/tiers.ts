import type { Instrument, RiskTier } from "../../core/instrument.ts";
import { decimal, type Money, money, type Ppm } from "../../core/money.ts";
import { TermsError } from "../../core/terms-error.ts";
import { loadTiers, type RawTier } from "../../core/tiers.ts";
import { readEntries, type SourceFile, textIn } from "./entries.ts";
import type { Findings, Place } from "./finding.ts";
import { placeOf } from "./table.ts";

/** A bracket of a tier file, in notional of the settlement asset. A part that did not read is null, with a finding. */
export interface TierLine {
  readonly place: (column: string) => Place;
  readonly floor: Money | null;
  /** Where the bracket ends; undefined where the file does not tell. */
  readonly cap?: Money | null | undefined;
  readonly rateIm: Ppm | null;
  readonly rateMm: Ppm | null;
  /** The venue's deduction from the maintenance requirement, checked against continuity (M3). */
  readonly amountMm?: Money | undefined;
}

/** The brackets of one instrument, in the order of the file. */
export interface TierTable {
  /** The instrument, or the venue's symbol where the file is a venue's. */
  readonly name: string;
  readonly place: Place;
  /** What the table must be applied to: an asset of the notional in our own format, a kind of contract in a venue's. */
  readonly floorAssets: readonly { readonly asset: string; readonly place: Place }[];
  readonly kind: Instrument["kind"] | null;
  readonly lines: readonly TierLine[];
}

const moneyIn = (value: unknown): Money | null => (typeof value === "string" ? money(value) : null);
const ppmIn = (value: unknown): Ppm | null => (typeof value === "number" ? value : null);

/** Reads tier tables of the documented form: a row a bracket. */
export const readTierRows = (source: SourceFile, findings: Findings): TierTable[] => {
  const entries = readEntries(source, "tiers", findings);
  return [...Map.groupBy(entries, (entry) => textIn(entry, "instrumentId"))].map(([name, own]) => ({
    name,
    place: placeOf((own[0] as (typeof own)[0]).row),
    kind: null,
    floorAssets: own.map((entry) => ({ asset: textIn(entry, "floorAsset"), place: placeOf(entry.row, "floorAsset") })),
    lines: own.map(({ row, value }) => ({
      place: (column) => placeOf(row, column),
      floor: moneyIn(value["floor"]),
      cap: row.cells.has("cap") ? moneyIn(value["cap"]) : undefined,
      rateIm: ppmIn(value["initialRate"]),
      rateMm: ppmIn(value["maintenanceRate"]),
    })),
  }));
};

/** A floor this many times the one before is in another unit: venues' own tables rise by ten at most. */
const UNIT_FACTOR = 1_000n;

/** Holes, overlaps and jumps of unit between two neighbours; their order is the loader's to judge. */
const judgeNeighbours = (before: TierLine, line: TierLine, findings: Findings): void => {
  if (before.floor === null || line.floor === null || line.floor <= before.floor) return;
  const place = line.place("floor");
  if (before.floor > 0n && line.floor >= before.floor * UNIT_FACTOR) {
    const what = `floor ${decimal(line.floor)} is ${line.floor / before.floor} times the floor before it: the column mixes units`;
    findings.fault(place, what, "Write every floor in whole units of the settlement asset, none in thousands, millions or contracts");
  }
  if (before.cap === undefined || before.cap === null || before.cap === line.floor) return;
  const what = before.cap < line.floor ? "a hole" : "an overlap";
  findings.fault(
    place,
    `${what}: the bracket before ends at ${decimal(before.cap)}, this one starts at ${decimal(line.floor)}`,
    "Let each bracket start where the one before ends",
  );
};

/** What a refusal of the loader says, without the name and the number of the bracket: the line has both. */
export const faultOf = (error: TermsError): string => {
  const start = `${error.subject}, ${error.place}: `.length;
  return error.message.slice(start, error.message.length - error.mend.length - 2);
};

/**
 * Loads one table by the rules of the core (M3, R24). Each bracket that they refuse is a finding at its line and is
 * left out, so that those after it are judged too.
 */
export const loadTable = ({ name, place, lines }: TierTable, feePpm: Ppm, findings: Findings): readonly RiskTier[] => {
  let good: RawTier[] = [];
  let isWhole = true;
  for (const [index, line] of lines.entries()) {
    const before = lines[index - 1];
    if (before !== undefined) judgeNeighbours(before, line, findings);
    const { floor, rateIm, rateMm, amountMm } = line;
    if (floor === null || rateIm === null || rateMm === null) {
      isWhole = false;
      continue;
    }
    // Deductions follow from every bracket before: they say nothing once one of those is left out.
    const next: RawTier = { floor, rateIm, rateMm, ...(isWhole && amountMm !== undefined && { amountMm }) };
    try {
      loadTiers(name, [...good, next], feePpm);
      good = [...good, next];
    } catch (error) {
      if (!(error instanceof TermsError)) throw error;
      findings.fault(line.place("floor"), faultOf(error), error.mend);
      isWhole = false;
      if (good.length === 0) good = firstOf(name, next, feePpm);
    }
  }
  if (lines.length === 0) findings.fault(place, `no bracket of ${name}`, "Give at least one, from notional 0");
  return isWhole && good.length > 0 ? loadTiers(name, good, feePpm) : [];
};

/** The first bracket as it should have been, so that those after it are not found faulty for its fault. */
const firstOf = (name: string, { rateIm, rateMm }: RawTier, feePpm: Ppm): RawTier[] => {
  const mended = { floor: 0n as Money, rateIm, rateMm };
  try {
    loadTiers(name, [mended], feePpm);
    return [mended];
  } catch {
    return [];
  }
};
