import { describe, expect, it } from "vitest";

import { KINDS, kindOf } from "../../local/book.ts";
import { readStatements } from "../../local/explained.ts";
import { openCrash } from "./crash.ts";

const ACCOUNTS = 20;

describe("a mixed book in a crash", () => {
  it("ends with every invariant true, and every call explains itself", { timeout: 600_000 }, async () => {
    const play = await openCrash(ACCOUNTS, 15, "--mixed");
    const { script } = play;
    expect(play.replay.tally.levels().get("HEALTHY")).toBe(ACCOUNTS);
    await play.replay.play(() => undefined);
    const tables = await play.tables();
    const statements = await readStatements(
      play.cloud,
      tables.accounts.map(({ accountId }) => accountId),
    );
    const verdicts = play.verdicts(tables, statements);
    expect(Object.entries(verdicts).flatMap(([id, { faults }]) => faults.map((fault) => `${id} ${fault}`))).toEqual([]);
    expect(Object.values(verdicts).every(({ checked }) => checked > 0)).toBe(true);
    const kinds = new Map(script.accounts.map((account) => [account.accountId, kindOf(account, script.market)]));
    const perKind = (rows: readonly { readonly accountId: string }[]) =>
      Object.fromEntries(KINDS.map((kind) => [kind, rows.filter(({ accountId }) => kinds.get(accountId) === kind).length]));
    const filled = tables.orders.filter((order) => order.filled > 0n);
    expect({
      accounts: perKind(script.accounts),
      calls: perKind(tables.calls),
      filled: perKind(filled),
      scopes: [...new Set(tables.calls.map(({ scope }) => scope))].sort(),
      failed: tables.calls.filter(({ status }) => status === "LIQUIDATION_FAILED").length,
      // What bound: brackets, sold options, and under portfolio margin the worst of the grid.
      bounds: [...new Set(play.events.flatMap(({ call }) => (call === null ? [] : [call.boundBy])))].sort(),
      instruments: [...new Set(filled.map(({ instrumentId }) => instrumentId))].sort(),
    }).toEqual({
      accounts: { perpetuals: 4, options: 6, portfolio: 7, isolated: 3 },
      calls: { perpetuals: 0, options: 40, portfolio: 23, isolated: 16 },
      filled: { perpetuals: 0, options: 35, portfolio: 21, isolated: 11 },
      scopes: ["CROSS", "ISO#BTC-PERP"],
      failed: 0,
      bounds: [
        "BTC-26JUN20: bracket 1",
        "BTC-PERP: bracket 1",
        "BTC: price +500 %, volatility up",
        "BTC: price −16 %, volatility up",
        "options of BTC, expiry of BTC-20MAR20-8000-P: singles",
        "options of BTC, expiry of BTC-26JUN20-7200-P: singles",
      ],
      instruments: ["BTC-20MAR20-7200-P", "BTC-20MAR20-8000-P", "BTC-26JUN20", "BTC-26JUN20-7200-P", "BTC-PERP"],
    });
    await play.stop();
  });
});
