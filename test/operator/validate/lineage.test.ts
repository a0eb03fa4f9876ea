import { existsSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { decimal } from "../../../core/money.ts";
import { readPrices } from "../../../operator/validate/lineage.ts";
import { RECORDED, written } from "./files.ts";

const DAYS = Array.from({ length: 29 }, (_, index) => `2024-02-${String(index + 1).padStart(2, "0")}`);
const lines = (skip: readonly number[] = []): string[] =>
  DAYS.flatMap((day, index) => (skip.includes(index) ? [] : [`${day},${100 + index}`]));
const file = (rows: readonly string[], name = "BTCUSDT_1d.csv"): string => written({ [name]: `date,price\n${rows.join("\n")}\n` })(name);
const pricesOf = (path: string): string[] => readPrices("prices", path).closes.map(({ price }) => decimal(price));

describe("a price file that is used is told as it is", () => {
  it("by hash, span and rows", () => {
    const path = file(["2024-02-01,100", "2024-02-02,101.5"]);
    expect(readPrices("prices", path).lineage).toEqual({
      file: "BTCUSDT_1d.csv",
      sha256: "a6c2368b8e755b442fa6d575cecde1a48fd2050add7cf08304e8f8c2540900ac",
      ...{ symbol: "BTCUSDT", role: "asset", firstDay: "2024-02-01", lastDay: "2024-02-02", rows: 2 },
      ...{ gaps: [], disordered: 0, refused: [], refusedCount: 0 },
    });
    expect(pricesOf(path)).toEqual(["100", "101.5"]);
  });

  it("a gap by its days", () => {
    expect(readPrices("prices", file(lines([14]))).lineage.gaps).toEqual([{ from: "2024-02-15", to: "2024-02-15", days: 1 }]);
  });

  it("lines out of order are counted and put in order", () => {
    const path = file(lines().toReversed());
    expect(readPrices("prices", path).lineage.disordered).toBe(28);
    expect(pricesOf(path)[0]).toBe("100");
  });

  it.each([
    ["a day twice with the same price", [...lines(), "2024-02-29,128"], 31, "repeats line 30"],
    ["a price that is no decimal", [...lines(), "2024-03-01,1e3"], 31, 'open "1e3" is no plain decimal with at most 8 decimals'],
    ["a price of 0", [...lines(), "2024-03-01,0"], 31, "open 0 is not above 0"],
  ])("%s is refused by its line", (_, rows, line, reason) => {
    const { lineage } = readPrices("prices", file(rows));
    expect(lineage.rows).toBe(29);
    expect(lineage.refused).toEqual([{ line, reason }]);
  });

  it("a macro series keeps its weekends, and loses the day without a return", () => {
    const { lineage } = readPrices("macro", file(["2020-04-17,18.3", "2020-04-20,-36.98", "2020-04-21,8.9", "2020-04-22,13.6"], "WTI.csv"));
    expect(lineage).toMatchObject({ symbol: "WTI", role: "macro", rows: 3, gaps: [{ from: "2020-04-18", to: "2020-04-20", days: 3 }] });
    expect(lineage.refused).toEqual([{ line: 3, reason: "the close of 2020-04-20 is not above 0: it has no return, the day is left out" }]);
  });
});

describe("a price file that cannot be used is refused by name", () => {
  it.each([
    [
      "days that are missing",
      file(lines([5, 6, 7])),
      "3 of 29 days are missing: no sample of the market\n  2024-02-06 to 2024-02-08: 3 days",
    ],
    ["days twice with two prices", file([...lines([26, 27]), "2024-02-27,90", "2024-02-27,91"]), "2 of 29 days"],
    ["an asset below 0", file(["2020-04-17,18", "2020-04-18,-36.98"], "WTI.csv"), "line 3: the close of 2020-04-18 is not above 0"],
    ["one day", file(["2024-02-01,1"]), "fewer than two days have a price"],
    [
      "hours",
      written({ "BTCUSDT.csv": "timestamp,open,high,low,close\n2024-02-01T00:00:00Z,1,1,1,1\n2024-02-01T01:00:00Z,1,1,1,1\n" })(
        "BTCUSDT.csv",
      ),
      "bars of 60 minutes where the margin period is a day: give daily bars",
    ],
    [
      "two symbols",
      written({ "m.csv": "date,asset,price\n2024-02-01,BTC,1\n2024-02-01,ETH,1\n" })("m.csv"),
      "holds BTCUSDT, ETHUSDT: give one file",
    ],
    ["no layout", written({ "BTCUSDT.csv": "a,b\n1,2\n" })("BTCUSDT.csv"), "is no known layout"],
    ["no file", "/no/such/BTCUSDT.csv", "--prices /no/such/BTCUSDT.csv: cannot be read (ENOENT)"],
  ])("%s", (_, path, words) => {
    expect(() => readPrices("prices", path)).toThrow(words);
  });

  it.runIf(existsSync(RECORDED))("the recorded dirty feed, with its lines", () => {
    const read = (): unknown => readPrices("prices", join(RECORDED, "dirty_feed_BTCUSDT_1h_2020-11.csv"));
    expect(read).toThrow("bars of 60 minutes where the margin period is a day");
    expect(read).toThrow("It also holds 20 lines that cannot be used:\n  line 33: date");
  });
});
