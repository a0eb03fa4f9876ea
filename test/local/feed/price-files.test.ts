import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { decimal } from "../../../core/money.ts";
import { UnusablePrices } from "../../../local/feed/layout.ts";
import { readPriceFiles, readPriceText } from "../../../local/feed/price-files.ts";

const NOW = Date.UTC(2026, 0, 1);
const HEADER = "timestamp,open,high,low,close";
const hour = (at: number): number => Date.UTC(2020, 2, 12, at);

const read = (file: string, lines: readonly string[]) => readPriceText(file, `${lines.join("\n")}\n`, NOW);
const reasons = (lines: readonly string[], file = "BTCUSDT.csv") =>
  read(file, lines).refused.map(({ line, reason }) => `${line}: ${reason}`);
const opens = (lines: readonly string[], file = "BTCUSDT.csv") =>
  read(file, lines).series.map(({ symbol, barMs, rows }) => [symbol, barMs, rows.map((row) => [row.openAt, decimal(row.open)])]);

describe("layouts of price files", () => {
  const bars = [
    [hour(0), "7935"],
    [hour(1), "7881.5"],
  ];

  it.each([
    ["timestamp", "BTCUSDT.csv", [HEADER, "2020-03-12T00:00:00Z,7935,7982,7857,7881.5", "2020-03-12T01:00:00Z,7881.5,7905,7780,7828"]],
    [
      "unix, date and symbol",
      "gemini.csv",
      [
        "unix,date,symbol,open,high,low,close,Volume BTC,Volume USDT,tradecount",
        "1583971200000,2020-03-12 00:00:00,BTC/USDT,7935.00000000,7982,7857,7881.5,1,2,3",
        "1583974800000,2020-03-12 01:00:00,BTC/USDT,7881.5,7905,7780,7828,1,2,3",
      ],
    ],
    [
      "kline without header, milliseconds",
      "BTCUSDT-1h-2020-03.csv",
      [
        "1583971200000,7935,7982,7857,7881.5,10,1583974799999,79350,5,1,2,0",
        "1583974800000,7881.5,7905,7780,7828,10,1583978399999,79350,5,1,2,0",
      ],
    ],
    [
      "kline without header, microseconds",
      "BTCUSDT-1h-2025-01.csv",
      [
        "1583971200000000,7935,7982,7857,7881.5,10,1583974799999999,79350,5,1,2,0",
        "1583974800000000,7881.5,7905,7780,7828,10,1583978399999999,79350,5,1,2,0",
      ],
    ],
    [
      "kline with header",
      "BTCUSDT-1h-2020-03.csv",
      [
        "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore",
        "1583971200000,7935,7982,7857,7881.5,10,1583974799999,79350,5,1,2,0",
        "1583974800000,7881.5,7905,7780,7828,10,1583978399999,79350,5,1,2,0",
      ],
    ],
    [
      "newest first",
      "1h_BTCUSDT_x.csv",
      [HEADER, "2020-03-12T01:00:00Z,7881.5,7905,7780,7828", "2020-03-12T00:00:00Z,7935,7982,7857,7881.5"],
    ],
  ])("reads %s", (_, file, lines) => {
    expect(opens(lines, file)).toEqual([["BTCUSDT", 3_600_000, bars]]);
    expect(reasons(lines, file)).toEqual([]);
  });

  it("reads several assets of one file as USDT pairs", () => {
    const lines = [
      "timestamp,asset,open,high,low,close",
      "2022-11-05T00:00:00Z,BTC,21137.6,21450,21071.1,21426.5",
      "2022-11-05T00:00:00Z,ETH,1600,1610,1590,1605",
    ];
    expect(read("multi.csv", lines).series.map(({ symbol }) => symbol)).toEqual(["BTCUSDT", "ETHUSDT"]);
  });

  it("reads a single daily price as open, high, low and close, negative where the instrument allows it (S20)", () => {
    const lines = ["date,price", "2020-04-17,18.31", "2020-04-20,-36.98", "2020-04-21,8.91"];
    const { series } = read("1d_WTI_spot.csv", lines);
    expect(series[0]?.barMs).toBe(86_400_000);
    expect(series[0]?.rows.map((row) => [row.open, row.high, row.low, row.close].map(decimal))).toEqual([
      ["18.31", "18.31", "18.31", "18.31"],
      ["-36.98", "-36.98", "-36.98", "-36.98"],
      ["8.91", "8.91", "8.91", "8.91"],
    ]);
  });

  it("keeps a short day in the middle and refuses a short last one", () => {
    const header = "date,open,high,low,close,hours";
    const lines = [header, "2018-02-08,1,2,1,2,10", "2018-02-09,1,2,1,2,24", "2018-02-10,1,2,1,2,7"];
    expect(reasons(lines)).toEqual(["4: partial last candle: built of 7 of 24 hours"]);
    expect(opens(lines)[0]?.[2]).toHaveLength(2);
  });
});

describe("strict reading, line by line (S25)", () => {
  const good = "2020-03-12T05:00:00Z,7667,7690,7568,7614";

  it.each([
    ["an empty price", "2020-03-12T00:00:00Z,,7982,7857,7881", "open is empty"],
    ["null", "2020-03-12T00:00:00Z,null,7982,7857,7881", 'open "null" is no plain decimal with at most 8 decimals'],
    ["NaN", "2020-03-12T00:00:00Z,7935,NaN,7857,7881", 'high "NaN" is no plain decimal with at most 8 decimals'],
    ["an exponent", "2020-03-12T00:00:00Z,1e-18,7982,7857,7881", 'open "1e-18" is no plain decimal with at most 8 decimals'],
    ["zero (S21)", "2020-03-12T00:00:00Z,7935,7982,0.00,7881", "low 0.00 is not above 0"],
    ["a negative price", "2020-03-12T00:00:00Z,7935,7982,-1,7881", "low -1 is not above 0"],
    ["a high below the close", "2020-03-12T00:00:00Z,7935,7940,7857,7950", "high is below another price of its bar"],
    ["a low above the open", "2020-03-12T00:00:00Z,7935,8000,7940,7950", "low is above another price of its bar"],
    ["a missing column", "2020-03-12T00:00:00Z,7935,8000,7940", "4 columns where the layout has 5"],
    ["no day of the calendar", "2020-02-30T00:00:00Z,7935,7982,7857,7881", '"2020-02-30T00:00:00Z" is no day of the calendar'],
    [
      "a second date form",
      "2020-03-12 00:00:00,7935,7982,7857,7881",
      "its time counts YYYY-MM-DD hh:mm:ss, the file's YYYY-MM-DDThh:mm:ssZ",
    ],
    ["a form of no name", "12/03/2020,7935,7982,7857,7881", 'date "12/03/2020" is in no known form'],
  ])("refuses %s by its line and uses the rest", (_, line, reason) => {
    const lines = [HEADER, good, line, "2020-03-12T06:00:00Z,7614,7659,7537,7560"];
    expect(reasons(lines)).toEqual([`3: ${reason}`]);
    expect(opens(lines)[0]?.[2]).toHaveLength(2);
  });

  it("judges the unit of an epoch time by its range and refuses the one that the file does not keep", () => {
    const kline = (open: string, close: string): string => `${open},1,2,1,2,10,${close},1,1,1,1,0`;
    const lines = [kline("1583971200000", "1583974799999"), kline("1583974800", "1583978399"), kline("1583978400000", "1583981999999")];
    expect(reasons(lines)).toEqual(["2: its time counts seconds, the file's milliseconds"]);
    expect(opens(lines)[0]?.[2]).toHaveLength(2);
  });

  it("refuses a kline that ends before its bar does", () => {
    const lines = [
      "1583971200000,1,2,1,2,10,1583974799999,1,1,1,1,0",
      "1583974800000,1,2,1,2,10,1583978399999,1,1,1,1,0",
      "1583978400000,1,2,1,2,3,1583980199999,1,1,1,1,0",
    ];
    expect(reasons(lines)).toEqual(["3: partial candle: 30 of 60 minutes"]);
  });

  it("refuses both rows of an hour with conflicting prices, and the second of two equal ones", () => {
    const lines = [HEADER, good, "2020-03-12T06:00:00Z,1,2,1,2", "2020-03-12T06:00:00Z,1,2,1,1.5", good];
    expect(reasons(lines)).toEqual([
      "3: the same instant with conflicting prices on lines 3, 4: none is used",
      "4: the same instant with conflicting prices on lines 3, 4: none is used",
      "5: repeats line 2",
    ]);
  });

  it("refuses a bar that has not ended", () => {
    const lines = [HEADER, "2025-12-31T22:00:00Z,1,2,1,2", "2025-12-31T23:00:00Z,1,2,1,2", "2026-01-01T00:00:00Z,1,2,1,2"];
    expect(reasons(lines)).toEqual(["4: partial candle: its end has not come yet"]);
  });

  it("keeps a gap a gap (S24)", () => {
    const lines = [HEADER, ...[11, 12, 14, 15].map((at) => `2023-03-24T${at}:00:00Z,1,2,1,2`)];
    expect(opens(lines)[0]?.[2]).toHaveLength(4);
    expect(reasons(lines)).toEqual([]);
  });
});

describe("files that cannot be used", () => {
  it.each([
    ["an unknown layout", "BTCUSDT.csv", ["a,b,c", "1,2,3"], "its first line is no known layout"],
    ["no instrument in the name", "prices.csv", [HEADER, "2020-03-12T00:00:00Z,1,2,1,2"], "its name tells no instrument"],
    ["an empty file", "BTCUSDT.csv", [""], "it holds no line"],
    ["no usable line", "BTCUSDT.csv", [HEADER, "2020-03-12T00:00:00Z,x,2,1,2"], "no line of it can be used"],
  ])("refuses %s in one line with the way out", (_, file, lines, words) => {
    expect(() => read(file, lines)).toThrow(UnusablePrices);
    expect(() => read(file, lines)).toThrow(words);
  });

  it("names a file that is not there", () => {
    expect(() => readPriceFiles(["no/such.csv"], NOW)).toThrow(
      "no/such.csv: cannot be read (no such file); give --prices the path of a CSV file",
    );
  });

  it("joins two files of one symbol and refuses what the later one tells otherwise", () => {
    const folder = mkdtempSync(join(tmpdir(), "prices-"));
    const [first, second] = [join(folder, "a_BTCUSDT.csv"), join(folder, "b_BTCUSDT.csv")];
    writeFileSync(first, `${HEADER}\n2020-03-12T00:00:00Z,1,2,1,2\n2020-03-12T01:00:00Z,2,3,2,3\n`);
    writeFileSync(second, `${HEADER}\n2020-03-12T01:00:00Z,2,9,2,3\n2020-03-12T02:00:00Z,3,4,3,4\n`);
    const path = readPriceFiles([first, second], NOW);
    expect(path.series[0]?.bars.map((bar) => decimal(bar.high))).toEqual(["2", "3", "4"]);
    expect(path.refused).toEqual([{ file: second, line: 2, reason: `${first}:3 gave this instant first, with other prices` }]);
  });
});

const DIRTY = new URL("../../../../shared/data/dirty_feed_BTCUSDT_1h_2020-11.csv", import.meta.url).pathname;

describe.runIf(existsSync(DIRTY))("the real dirty feed (S25)", () => {
  it("uses its one clean source and refuses each line of the other, by name", () => {
    const { series, refused } = readPriceFiles([DIRTY], NOW);
    expect(series.map(({ symbol, bars }) => [symbol, bars.length])).toEqual([["BTCUSDT", 51]]);
    expect(refused).toHaveLength(20);
    expect(refused[0]).toMatchObject({ line: 33, reason: expect.stringContaining("its time counts seconds, the file's milliseconds") });
    expect(refused[0]?.reason).toContain('date "2020-11-20 07-AM" is in no known form');
    expect(refused[0]?.reason).toContain("partial candle of the hour that line 32 tells in full");
    expect(refused[2]?.reason).toContain("conflicts with line 36");
  });
});
