import { describe, expect, it } from "vitest";

import { kindOf } from "../../local/book.ts";
import { readStatements } from "../../local/explained.ts";
import { openCrash } from "./crash.ts";

const ACCOUNTS = 48;

describe("a mixed book in a crash", () => {
  it("ends with every invariant true, and every call explains itself", { timeout: 600_000 }, async () => {
    const play = await openCrash(ACCOUNTS, 7, "--mixed");
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
      Object.fromEntries([...Map.groupBy(rows, ({ accountId }) => kinds.get(accountId))].map(([kind, { length }]) => [kind, length]));
    expect(perKind(script.accounts)).toEqual({});
    expect(perKind(tables.calls)).toEqual({});
    expect(perKind(tables.orders)).toEqual({});
    expect([...new Set(tables.calls.map(({ scope }) => scope))].sort()).toEqual(["CROSS", "ISO#BTC-PERP"]);
    // What bound: brackets, sold options, and under portfolio margin the worst of the grid.
    const bounds = new Set(play.events.flatMap(({ call }) => (call?.boundBy ? [call.boundBy] : [])));
    expect([...bounds].sort()).toEqual([]);
    const filled = tables.orders.filter((order) => order.filled > 0n).map(({ instrumentId }) => instrumentId);
    expect([...new Set(filled)].sort()).toEqual([]);
    await play.stop();
  });
});
