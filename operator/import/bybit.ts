import { type Money, money } from "../../core/money.ts";
import type { SourceFile } from "./entries.ts";
import type { Findings } from "./finding.ts";
import type { TierLine, TierTable } from "./tiers.ts";
import { ppmOf } from "./values.ts";
import { decimalAt, itemsOf, membersOf, readVenueFile, type VenueFile } from "./venue-json.ts";

/** Units in which the venue has published rates: its documentation shows percent, its replies fractions. */
type RateUnit = "fractions" | "percent";

/**
 * The unit of a row's rates, told by its leverage: rate times leverage is 1 for fractions and 100 for percent, but for
 * the digits that the venue rounds off. Null where it is neither.
 */
const unitOf = (initialMargin: string, maxLeverage: string): RateUnit | null => {
  const product = (money(initialMargin) * money(maxLeverage)) / 100_000_000n;
  const near = (whole: bigint): boolean => product * 10n >= whole * 9n && product * 10n <= whole * 11n;
  return near(100_000_000n) ? "fractions" : near(10_000_000_000n) ? "percent" : null;
};

/** A rate of the row in parts per million. Of a percentage two more decimals fit. */
const rateOf = (text: string, unit: RateUnit, rounding: "exact" | "up"): number | null => {
  if (unit === "fractions") return ppmOf(text, rounding);
  const ppm = money(text) / 10_000n;
  if (money(text) % 10_000n === 0n) return Number(ppm);
  return rounding === "up" ? Number(ppm) + 1 : null;
};

interface ReadLine extends TierLine {
  readonly unit: RateUnit | null;
}

const lineAt = (file: VenueFile, path: string, floorPath: string | null, findings: Findings): ReadLine => {
  const at = (key: string): string | null => decimalAt(file, `${path}.${key}`, findings);
  const [cap, maintenance, initial, leverage] = [at("riskLimitValue"), at("maintenanceMargin"), at("initialMargin"), at("maxLeverage")];
  const unit = initial === null || leverage === null ? null : unitOf(initial, leverage);
  if (initial !== null && leverage !== null && unit === null) {
    const what = `initial margin ${initial} at leverage ${leverage} is neither a fraction nor percent`;
    findings.fault(
      file.place(`${path}.initialMargin`),
      what,
      "Save the venue's reply as it came: rate times leverage is 1, or 100 in percent",
    );
  }
  const rateMm = maintenance === null || unit === null ? null : rateOf(maintenance, unit, "exact");
  if (maintenance !== null && unit !== null && rateMm === null) {
    findings.fault(
      file.place(`${path}.maintenanceMargin`),
      `${maintenance} has more than 6 decimals as a fraction`,
      "Rates are whole parts per million: this table cannot be kept exactly",
    );
  }
  // The venue leaves the deduction empty in the lowest tier, and for symbols that it does not compute it for.
  const deduction = (file.leaves.get(`${path}.mmDeduction`)?.text ?? "") === "" ? null : at("mmDeduction");
  const floor = floorPath === null ? "0" : (file.leaves.get(`${floorPath}.riskLimitValue`)?.text ?? "");
  return {
    unit,
    place: (column) => {
      const own = `${path}.${column === "floor" ? "riskLimitValue" : column}`;
      return { ...file.place(own), column: own };
    },
    floor: /^\d{1,20}(\.\d{1,8}0*)?$/.test(floor) ? money(floor) : null,
    cap: cap === null ? null : (money(cap) as Money),
    rateIm: initial === null || unit === null ? null : rateOf(initial, unit, "up"),
    rateMm,
    ...(deduction !== null && { amountMm: money(deduction) }),
  };
};

/** Rows of one symbol whose rates are in another unit than the first one's. */
const judgeUnits = (lines: readonly ReadLine[], findings: Findings): void => {
  const first = lines.find(({ unit }) => unit !== null)?.unit;
  for (const line of lines.filter(({ unit }) => unit !== null && unit !== first)) {
    findings.fault(
      line.place("initialMargin"),
      `rates in ${line.unit} beside rates in ${first}: the table mixes units`,
      "Save the venue's reply as it came",
    );
  }
};

/**
 * Reads the reply of Bybit `GET /v5/market/risk-limit` of the category linear (limits in the quote asset) or inverse
 * (limits in the coin): in both the settlement asset, as here. A row's limit is where its bracket ends; it starts where
 * the symbol's row before ends. `mmDeduction` must be what continuity makes of the rates (M3), where it is given.
 */
export const readBybit = (source: SourceFile, findings: Findings): TierTable[] => {
  const file = readVenueFile(source, findings);
  if (file === null) return [];
  const result = membersOf(membersOf(file.content)["result"]);
  const rows = itemsOf(result["list"]);
  const whole = { file: file.file, line: 1, column: "" };
  const category = result["category"];
  if ((category !== "linear" && category !== "inverse") || rows.length === 0) {
    findings.fault(
      whole,
      "no risk limits of the category linear or inverse",
      "Give the reply of GET /v5/market/risk-limit: { result: { category, list: [...] } }",
    );
    return [];
  }
  const cursor = result["nextPageCursor"];
  if (typeof cursor === "string" && cursor !== "") {
    findings.fault(
      file.place("result.nextPageCursor"),
      "one page of several: the last symbol may be cut off",
      "Ask for one symbol, or join the lists of all pages and empty nextPageCursor",
    );
  }
  const numbered = rows.map((row, index) => ({ symbol: membersOf(row)["symbol"], path: `result.list.${index}` }));
  return [...Map.groupBy(numbered, ({ symbol }) => (typeof symbol === "string" ? symbol : ""))].map(([name, own]) => {
    const lines = own.map(({ path }, index) => lineAt(file, path, own[index - 1]?.path ?? null, findings));
    judgeUnits(lines, findings);
    const place = { ...file.place(`${own[0]?.path}.symbol`), column: "" };
    return { name, place, kind: category, floorAssets: [], lines };
  });
};
