import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { describe, expect, it, vi } from "vitest";

import { runCommand } from "../../../operator/command-line.ts";
import { VALIDATE } from "../../../operator/validate.ts";
import { EXAMPLE, RECORDED, written } from "./files.ts";

interface Published {
  readonly days: readonly string[];
  readonly leadTimes: {
    readonly portfolio: string;
    readonly rows: readonly {
      readonly distancePpm: number;
      readonly forecasts: number;
      readonly told: number;
      readonly happened: number;
      readonly climatology: number;
    }[];
  };
  readonly coverage: readonly {
    readonly name: string;
    readonly quantities: Readonly<Record<string, string>>;
    readonly margins: Readonly<Record<string, readonly string[]>>;
    readonly models: readonly { readonly model: string; readonly breaches: number; readonly breachDays: readonly string[] }[];
  }[];
}

const published = async (args: readonly string[]): Promise<Published> => {
  const out = mkdtempSync(join(tmpdir(), "validate-count-"));
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  expect(await runCommand(VALIDATE, [...args, "--out", out])).toBe(0);
  return JSON.parse(readFileSync(join(out, "report.json"), "utf8"));
};

/** The column that holds the close: the last of a file of two, the fifth of bars. */
const closeOf = (cells: readonly string[]): string => cells[cells.length === 2 ? 1 : 4] as string;

/** Prices out of the files themselves, and what a portfolio holds. */
const tablesOf = (report: Published, files: Readonly<Record<string, string>>, name: string) => {
  const database = new DatabaseSync(":memory:");
  database.exec(
    "CREATE TABLE price (symbol TEXT, day TEXT, close REAL); CREATE TABLE margin (day TEXT, amount REAL); CREATE TABLE held (symbol TEXT, quantity REAL)",
  );
  const price = database.prepare("INSERT INTO price VALUES (?, ?, CAST(? AS REAL))");
  for (const [symbol, path] of Object.entries(files)) {
    for (const line of readFileSync(path, "utf8").trim().split("\n").slice(1)) {
      const cells = line.split(",");
      price.run(symbol, cells[0] as string, closeOf(cells));
    }
  }
  const portfolio = report.coverage.find((each) => each.name === name);
  const held = database.prepare("INSERT INTO held VALUES (?, CAST(? AS REAL))");
  for (const [symbol, quantity] of Object.entries(portfolio?.quantities ?? {})) held.run(symbol, quantity);
  return { database, portfolio };
};

/** On how many days of a report a share of the notional was lost at a close within five days, in SQL. */
const lostWithinFive = (report: Published, files: Readonly<Record<string, string>>, share: number): number => {
  const { database } = tablesOf(report, files, report.leadTimes.portfolio);
  const day = database.prepare("INSERT INTO margin VALUES (?, 0)");
  // The last four days have no five days after them.
  for (const each of report.days.slice(0, -4)) day.run(each);
  const row = database
    .prepare(
      `WITH worth AS (SELECT day, SUM(quantity * close) AS amount, SUM(ABS(quantity) * close) AS notional FROM price JOIN held USING (symbol) GROUP BY day),
            ahead AS (SELECT day, LAG(amount) OVER (ORDER BY day) AS base, LAG(notional) OVER (ORDER BY day) AS notional,
                      MIN(amount) OVER (ORDER BY day ROWS BETWEEN CURRENT ROW AND 4 FOLLOWING) AS low FROM worth)
       SELECT COUNT(*) AS days FROM ahead JOIN margin USING (day) WHERE base - low > ? * notional`,
    )
    .get(share);
  database.close();
  return Number(row?.["days"]);
};

/**
 * Counts the breaches of one series again, in SQL: prices out of the file itself, the day's change by a window over dates,
 * margins as the report publishes them. Nothing of the product's own counting is used.
 */
const recount = (report: Published, files: Readonly<Record<string, string>>, name: string, model: string): string[] => {
  const { database, portfolio } = tablesOf(report, files, name);
  const margin = database.prepare("INSERT INTO margin VALUES (?, CAST(? AS REAL))");
  for (const [index, day] of report.days.entries()) margin.run(day, portfolio?.margins[model]?.[index] as string);
  const rows = database
    .prepare(
      `WITH change AS (SELECT symbol, day, close - LAG(close) OVER (PARTITION BY symbol ORDER BY day) AS amount FROM price),
            loss AS (SELECT day, -SUM(quantity * change.amount) AS amount FROM change JOIN held USING (symbol) GROUP BY day)
       SELECT day FROM loss JOIN margin USING (day) WHERE loss.amount > margin.amount ORDER BY day`,
    )
    .all();
  database.close();
  return rows.map((row) => String(row["day"]));
};

/** Every series of a report, told and counted again. @returns how many breaches there were in all. */
const compareAll = (report: Published, files: Readonly<Record<string, string>>): number => {
  let all = 0;
  for (const { name, models } of report.coverage) {
    for (const { model, breaches, breachDays } of models) {
      const again = recount(report, files, name, model);
      expect([name, model, breachDays]).toEqual([name, model, again]);
      expect(breaches).toBe(again.length);
      all += again.length;
    }
  }
  return all;
};

/** What happened after each forecast of a lead time, counted again; the score to beat is its share times the rest. */
const compareLead = (report: Published, files: Readonly<Record<string, string>>): void => {
  for (const { distancePpm, forecasts, happened, climatology } of report.leadTimes.rows) {
    const lost = lostWithinFive(report, files, distancePpm / 1_000_000);
    expect([distancePpm, Math.round(happened * forecasts)]).toEqual([distancePpm, lost]);
    expect(climatology).toBeCloseTo((lost / forecasts) * (1 - lost / forecasts), 12);
  }
};

const counts = (report: Published, name: string): number[] | undefined =>
  report.coverage.find((each) => each.name === name)?.models.map(({ breaches }) => breaches);

describe("breaches are what another count finds", () => {
  it("in the example", { timeout: 120_000 }, async () => {
    const files = { BTCUSDT: join(EXAMPLE, "made-up_BTCUSDT_1d.csv"), ETHUSDT: join(EXAMPLE, "made-up_ETHUSDT_1d.csv") };
    const report = await published(["--prices", files.BTCUSDT, "--prices", files.ETHUSDT, "--book", join(EXAMPLE, "book.json")]);
    expect(report.days).toHaveLength(400);
    expect(counts(report, "BTCUSDT, long")).toEqual([1, 3, 2, 1]);
    expect(counts(report, "account desk-short")).toEqual([0, 0, 7, 0]);
    expect(compareAll(report, files)).toBe(70);
    compareLead(report, files);
  });

  it.runIf(existsSync(RECORDED))("in five years of recorded BTC", { timeout: 120_000 }, async () => {
    const book = {
      name: "one long",
      quoteAsset: "USDT",
      assets: { BTCUSDT: { initialRatePpm: 100_000, maintenanceRatePpm: 50_000, rangePpm: 160_000 } },
      accounts: [{ accountId: "a", cash: "10000", positions: { BTCUSDT: "1" } }],
    };
    const files = { BTCUSDT: join(RECORDED, "1d_BTCUSDT_binance_2017-08-18_2023-12-31.csv") };
    const report = await published(["--prices", files.BTCUSDT, "--book", written({ "book.json": JSON.stringify(book) })("book.json")]);
    expect([report.days.length, report.days[0], report.days.at(-1)]).toEqual([1_826, "2019-01-01", "2023-12-31"]);
    // Statistical, historical, normal, grid.
    expect(counts(report, "BTCUSDT, long")).toEqual([1, 9, 30, 1]);
    expect(counts(report, "BTCUSDT, short")).toEqual([3, 7, 38, 4]);
    expect(report.coverage.find(({ name }) => name === "BTCUSDT, long")?.models[0]?.breachDays).toEqual(["2020-03-12"]);
    compareAll(report, files);
    expect(report.leadTimes.rows.map(({ forecasts }) => forecasts)).toEqual([1_822, 1_822, 1_822]);
    compareLead(report, files);
  });
});
