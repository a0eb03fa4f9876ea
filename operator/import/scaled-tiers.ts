import type { Money, Ppm } from "../../core/money.ts";
import { money } from "../../core/money.ts";
import { sizeScaledTiers } from "../../core/size-scaled-tiers.ts";
import { TermsError } from "../../core/terms-error.ts";
import { type Entry, readEntries, type SourceFile, textIn } from "./entries.ts";
import type { Findings } from "./finding.ts";
import { placeOf } from "./table.ts";
import { faultOf, type TierLine, type TierTable } from "./tiers.ts";

const rateIn = ({ value }: Entry, column: string): Ppm => (typeof value[column] === "number" ? (value[column] as Ppm) : 0);
const notionalIn = ({ value }: Entry, column: string): Money =>
  typeof value[column] === "string" ? money(value[column] as string) : (0n as Money);

const COLUMNS = ["initialRate", "maintenanceRate", "at", "initialRateAt", "maintenanceRateAt", "upTo"];

/** The brackets of a row; one that did not read where a fault was told, so that nothing is said twice. */
const linesOf = (entry: Entry, name: string, findings: Findings): readonly TierLine[] => {
  const place = () => placeOf(entry.row);
  const unread = [{ place, floor: null, rateIm: null, rateMm: null }];
  if (COLUMNS.some((column) => entry.value[column] === undefined)) return unread;
  const terms = {
    rateIm: rateIn(entry, "initialRate"),
    rateMm: rateIn(entry, "maintenanceRate"),
    rateImAt: rateIn(entry, "initialRateAt"),
    rateMmAt: rateIn(entry, "maintenanceRateAt"),
    at: notionalIn(entry, "at"),
    upTo: notionalIn(entry, "upTo"),
  };
  try {
    return sizeScaledTiers(name, terms).map((tier) => ({ ...tier, place }));
  } catch (error) {
    if (!(error instanceof TermsError)) throw error;
    findings.fault(place(), faultOf(error), error.mend);
    return unread;
  }
};

/** Reads rates that rise with the square root of a position (M3), a row an instrument, into the brackets that are never below them. */
export const readScaledTiers = (source: SourceFile, findings: Findings): TierTable[] =>
  readEntries(source, "scaledTiers", findings).map((entry) => {
    const name = textIn(entry, "instrumentId");
    const floorAssets = [{ asset: textIn(entry, "floorAsset"), place: placeOf(entry.row, "floorAsset") }];
    return { name, place: placeOf(entry.row), kind: null, floorAssets, lines: linesOf(entry, `tiers of ${name}`, findings) };
  });
