import { type Money, money } from "../../core/money.ts";
import type { SourceFile } from "./entries.ts";
import type { Findings } from "./finding.ts";
import type { TierLine, TierTable } from "./tiers.ts";
import { ppmOf } from "./values.ts";
import { decimalAt, itemsOf, membersOf, readVenueFile, type VenueFile } from "./venue-json.ts";

const WHOLE = 1_000_000;

/** Margin of the bracket's highest leverage in parts per million, rounded up: 75 times is 13,334. */
const rateOfLeverage = (file: VenueFile, path: string, findings: Findings): number | null => {
  const text = decimalAt(file, path, findings);
  if (text === null) return null;
  if (/^[1-9]\d{0,3}$/.test(text)) return Math.ceil(WHOLE / Number(text));
  findings.fault(file.place(path), `leverage ${text} is no whole number of at least 1`, "Save the venue's reply as it came");
  return null;
};

const lineAt = (file: VenueFile, path: string, findings: Findings): TierLine => {
  const read = (key: string): Money | null => {
    const text = decimalAt(file, `${path}.${key}`, findings);
    return text === null ? null : money(text);
  };
  const rate = decimalAt(file, `${path}.maintMarginRatio`, findings);
  const rateMm = rate === null ? null : ppmOf(rate);
  if (rate !== null && rateMm === null) {
    findings.fault(
      file.place(`${path}.maintMarginRatio`),
      `${rate} has more than 6 decimals`,
      "Rates are whole parts per million: this table cannot be kept exactly",
    );
  }
  const amountMm = read("cum");
  return {
    place: (column) => ({
      ...file.place(`${path}.${column === "floor" ? "notionalFloor" : column}`),
      column: `${path}.${column === "floor" ? "notionalFloor" : column}`,
    }),
    floor: read("notionalFloor"),
    cap: read("notionalCap"),
    rateIm: rateOfLeverage(file, `${path}.initialLeverage`, findings),
    rateMm,
    ...(amountMm !== null && { amountMm }),
  };
};

/** Why a symbol's brackets cannot be taken over, by name; null where they can. */
const unusable = (
  file: VenueFile,
  path: string,
  members: Readonly<Record<string, unknown>>,
): { path: string; what: string; mend: string } | null => {
  const coefficient = file.leaves.get(`${path}notionalCoef`)?.text;
  if (coefficient !== undefined && !/^1(\.0+)?$/.test(coefficient)) {
    return {
      path: `${path}notionalCoef`,
      what: `the brackets are one user's, multiplied by ${coefficient}`,
      mend: "Ask with an account whose brackets the venue did not change",
    };
  }
  const bracket = membersOf(itemsOf(members["brackets"])[0]);
  if ("qtyCap" in bracket || "qtyFloor" in bracket || "qtylFloor" in bracket) {
    return {
      path: `${path}brackets.0`,
      what: "COIN-M brackets count contracts (qtyFloor, qtyCap): their notional moves with the price, so no table of notionals is equal to them",
      mend: "Write the brackets in the coin by hand, as tiers.csv",
    };
  }
  return null;
};

/**
 * Reads the reply of Binance USD-M `GET /fapi/v1/leverageBracket`: one symbol, or a list of them.
 *
 * Notional is in the quote asset, as here. The maintenance rate is taken exactly, and `cum` must be what continuity
 * makes of it (M3). The initial rate is that of the bracket's highest leverage.
 */
export const readBinance = (source: SourceFile, findings: Findings): TierTable[] => {
  const file = readVenueFile(source, findings);
  if (file === null) return [];
  const isList = Array.isArray(file.content);
  const symbols = isList ? itemsOf(file.content) : [file.content];
  return symbols.flatMap((one, index) => {
    const path = isList ? `${index}.` : "";
    const members = membersOf(one);
    const name = members["symbol"];
    const brackets = itemsOf(members["brackets"]);
    const place = { ...file.place(`${path}symbol`), column: "" };
    if (typeof name !== "string" || brackets.length === 0) {
      findings.fault(place, "no symbol with brackets", "Give the reply of GET /fapi/v1/leverageBracket: [ { symbol, brackets: [...] } ]");
      return [];
    }
    const refusal = unusable(file, path, members);
    if (refusal !== null) {
      findings.fault(file.place(refusal.path), refusal.what, refusal.mend);
      return [];
    }
    const lines = brackets.map((_, at) => lineAt(file, `${path}brackets.${at}`, findings));
    return [{ name, place, kind: "linear" as const, floorAssets: [], lines }];
  });
};
