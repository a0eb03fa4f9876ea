import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { compare } from "../../../operator/compare/compare.ts";
import { actsOf, envelopesOf } from "../../../operator/compare/history.ts";
import { readOurs } from "../../../operator/compare/ours.ts";
import { readTheirs } from "../../../operator/compare/theirs.ts";

const ROOT = join(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "backfill-"));
const fileWith = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const backfill = (...args: string[]): Promise<{ code: number | string | null; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    execFile(join(ROOT, "node_modules/.bin/node"), ["operator/backfill.ts", ...args], { cwd: ROOT }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : (error.code ?? null), stdout, stderr }),
    );
  });

/** Eight hours of BTC: a slow fall of 6 %, then a tenth within an hour, and quiet. */
const PRICES = ["100", "100", "98", "96", "94", "90", "85", "85", "85"].map((share) => Number(share) * 80);
const prices = (): string => {
  const bars = PRICES.slice(0, -1).map((open, hour) => {
    const close = PRICES[hour + 1] as number;
    return `2020-03-12T0${hour}:00:00Z,${open},${Math.max(open, close)},${Math.min(open, close)},${close}`;
  });
  return fileWith("1h_BTCUSDT_made-up.csv", ["timestamp,open,high,low,close", ...bars, ""].join("\n"));
};

const LONG = [{ instrumentId: "BTC-PERP", quantity: "1", entryPrice: "8000" }];
const book = (): string => {
  const account = (accountId: string, USDT: string) => ({ accountId, balances: { USDT }, positions: LONG });
  return fileWith("book.json", JSON.stringify({ accounts: [account("held", "9000"), account("falls", "720"), account("paid", "720")] }));
};

const message = (accountId: string, over: object, more: object = {}): string =>
  JSON.stringify({ schemaVersion: 1, accountId, ...more, entries: [{ sequence: 8, occurredAt: "2020-03-12T02:30:00Z", ...over }] });
const DEPOSIT = { kind: "deposit", externalId: "wire-1", asset: "USDT", amount: "5000" };
const CHECK = { kind: "reconciliation", externalId: "check-1", balances: { USDT: "5901" }, positions: LONG };

describe("npm run backfill", () => {
  test("plays prices and facts in observe, at their own instants, and writes what compare reads", { timeout: 600_000 }, async () => {
    const history = fileWith(
      "facts.jsonl",
      `${message("paid", DEPOSIT)}\n\n${message("paid", { ...CHECK, occurredAt: "2020-03-12T03:00:00Z" })}\n`,
    );
    const out = join(folder, "ours.json");
    const { code, stdout, stderr } = await backfill("--prices", prices(), "--book", book(), "--facts", history, "--out", out);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toMatch(/3 accounts, 1 calls, 1 liquidations that would have been\n$/);

    const ours = readOurs(out, readFileSync(out, "utf8"));
    const envelopes = ours.accounts.flatMap((our) => envelopesOf(our));
    expect(new Set(envelopes.map(({ mode, publish }) => `${mode} ${publish}`))).toEqual(new Set(["observe false"]));
    // Number 8 was the first of its history: the book is what stood after number 7.
    const paid = envelopes.filter(({ accountId }) => accountId === "paid");
    expect(
      paid.map(({ at, entries }) => [at, entries[0]?.fact.kind, entries[0]?.fact.sequence, entries[0]?.differences?.[0]?.what]),
    ).toEqual([
      ["2020-03-12T00:00:00.000Z", "snapshot", 7, undefined],
      ["2020-03-12T02:30:00.000Z", "deposit", 8, undefined],
      ["2020-03-12T03:00:00.000Z", "reconciliation", 8, "balance USDT"],
    ]);
    expect(ours.snapshots.length).toBeGreaterThan(20);

    const acts = ours.accounts.flatMap((our) => actsOf(our, envelopesOf(our), ours.instruments));
    expect(acts.map(({ accountId, kind }) => `${accountId} ${kind}`)).toEqual(["falls call", "falls liquidation"]);
    const rows = acts.map(({ accountId, kind, at }) => ({ account: accountId, kind, at: new Date(at).toISOString() }));
    const scope = { from: 0, to: Number.POSITIVE_INFINITY, toleranceMs: 60_000 };
    expect(compare(ours, readTheirs("theirs.json", JSON.stringify({ rows })), scope)).toMatchObject({ equal: 2, differences: [] });
  });

  test.each<[string, () => string[], string]>([
    ["no book", () => ["--out", "o.json"], "--book is missing"],
    ["no file to write", () => ["--book", book()], "--out is missing"],
    ["a file that is there", () => ["--book", book(), "--out", book()], "exists already; name another file"],
    ["a book of another form", () => ["--book", prices(), "--out", join(folder, "no.json")], "is no JSON"],
    [
      "prices that are none",
      () => ["--book", book(), "--prices", "package.json", "--out", join(folder, "no.json")],
      "its first line is no known layout",
    ],
  ])("%s is exit code 2, and nothing is written", async (_, args, words) => {
    const { code, stderr } = await backfill(...args());
    expect(stderr).toContain(words);
    expect(code).toBe(2);
  });
});
