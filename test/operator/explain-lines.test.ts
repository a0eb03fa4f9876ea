import { expect, test } from "vitest";
import type * as z from "zod";

import type { whatIfReply } from "../../adapters/wire/api.ts";
import { linesOfWhatIf } from "../../operator/explain-lines.ts";

type Reply = z.input<typeof whatIfReply>;

const sided = { equityInitial: "20000", equityMaintenance: "20000", initial: "12480", maintenance: "9600" };
const side: Reply["before"] = {
  level: "HEALTHY",
  headroomPpm: "3611111",
  boundBy: "BTC: price −16 %, volatility down",
  amountDue: "0",
  cures: [],
  statement: {
    at: "2026-01-05T12:00:00.000Z",
    valuationAsset: "USDT",
    quality: "GOOD",
    allGood: true,
    low: sided,
    high: sided,
    legs: [],
    collateral: [],
    components: [{ name: "BTC: price −16 %, volatility down", initial: "12480", maintenance: "9600" }],
    scenarios: [
      {
        kind: "grid",
        unit: "BTC",
        binding: "price −16 %, volatility down",
        rows: [
          { name: "price −16 %, volatility down", profit: "-9600" },
          { name: "price +4 %, volatility up", profit: "2400" },
        ],
        parts: [
          { instrumentId: "BTC-FUT", profit: "9600" },
          { instrumentId: "BTC-PERP", profit: "-19200" },
        ],
      },
    ],
  },
};
const reply: Reply = {
  accountId: "A-1",
  policyId: "desk",
  policyVersion: 2,
  versions: { snapshotId: "NEWEST#1", release: "0.1.0", instruments: { "BTC-PERP": 1 } },
  before: side,
  after: side,
  pools: [{ instrumentId: "ETH-PERP", before: { ...side, level: "CALL" }, after: side }],
};

test("M6 an account under a portfolio's model is told every scenario, the one that loses most, and whose it is", () => {
  const lines = linesOfWhatIf(reply, false);
  const at = lines.indexOf("scenarios of BTC: profit or loss in USDT");
  expect(lines.slice(at, at + 9)).toEqual([
    "scenarios of BTC: profit or loss in USDT",
    "  scenario                      profit",
    "  price −16 %, volatility down   -9600  loses most",
    "  price +4 %, volatility up       2400",
    "",
    "of it by instrument, in price −16 %, volatility down",
    "  instrument  profit",
    "  BTC-FUT       9600",
    "  BTC-PERP    -19200",
  ]);
});

test("R9 an isolated pool stands below with a table of its own", () => {
  const lines = linesOfWhatIf(reply, true);
  const at = lines.indexOf("isolated pool of ETH-PERP");
  expect(lines.slice(at + 1, at + 4)).toEqual([
    "",
    "                           as it is   what if",
    "  level                        CALL   HEALTHY",
  ]);
});
