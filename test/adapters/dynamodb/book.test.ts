import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { accountItemKey, encodeAccount } from "../../../adapters/dynamodb/account-codec.ts";
import { createBook } from "../../../adapters/dynamodb/book.ts";
import type { Item } from "../../../adapters/dynamodb/items.ts";
import { createJournal } from "../../../adapters/dynamodb/journal.ts";
import { indexShardOf, shardOf } from "../../../adapters/dynamodb/keys.ts";
import type { World } from "../../../adapters/world.ts";
import type { MarginAccount } from "../../../core/account.ts";
import type { Change } from "../../../core/decision.ts";
import { money, price, quantity } from "../../../core/money.ts";
import type { LiquidationOrder } from "../../../core/order.ts";
import { startTables, type TestLog, type TestTables, testClock, testLog, testWorld } from "../../engine.ts";
import { account, deposit, deposited, ended, liquidating, opened, order, T0 } from "../samples.ts";

const meta = { causedBy: "message-1", snapshotId: "S1", mode: "enforce" } as const;

let tables: TestTables;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

const bookOf = (given: Parameters<typeof testWorld>[1] = {}) => {
  const world = testWorld(tables, { clock: testClock(T0), ...given });
  return { world, book: createBook(world), journal: createJournal(world) };
};

const loaded = async (accountId: string, from = bookOf().book): Promise<MarginAccount> => {
  const found = await from.load(accountId);
  if (found === null) throw new Error(`no account ${accountId}`);
  return found;
};

describe("an account and its journal are one transaction (I03, I20)", () => {
  test("what is committed is what is read back", async () => {
    const { book } = bookOf();
    const before = account("round-trip");
    const change = deposited(before, [deposit("rt-1", 1, "123.45600001")]);
    const rich: Change = {
      ...change,
      after: {
        ...change.after,
        level: "WARNING",
        reserved: new Map([["USDT", money("3.5")]]),
        positions: [
          { instrumentId: "BTC-PERP", quantity: quantity("-0.00000001"), entryPrice: price("7935.1") },
          { instrumentId: "WTI-2020K", quantity: quantity("12345678901234567890"), entryPrice: price("-36.98") },
        ],
        episode: {
          episodeId: "E-1",
          startedAt: T0,
          calls: 1,
          lastCallId: `MC-${before.key}-1`,
          lastEndedAt: null,
          graceLeftMs: 5,
          topUps: 1,
          handedOverAt: null,
          healthySince: T0 + 1,
        },
        outOfSync: true,
      },
    };
    expect(await book.commit(rich, meta)).toBe("committed");
    const read = await loaded("round-trip");
    expect(read).toEqual({ ...rich.after, headHash: read.headHash });
    expect(read.headHash).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  test("an account that does not exist is null", async () => {
    expect(await bookOf().book.load("nobody")).toBeNull();
  });

  test("two writers that read the same version: one commits, one conflicts, and nothing of the other is stored", async () => {
    const { book, journal } = bookOf();
    await book.commit(deposited(account("race"), [deposit("race-0", 1)]), meta);
    const read = await loaded("race");
    const outcomes = await Promise.all(
      ["race-a", "race-b"].map((id) =>
        book.commit(deposited(read, [deposit(id, 2, id === "race-a" ? "1" : "2")]), { ...meta, causedBy: id }),
      ),
    );
    expect([...outcomes].sort()).toEqual(["committed", "conflict"]);
    const winner = outcomes[0] === "committed" ? "race-a" : "race-b";
    expect(await book.appliedEntries("race", ["race-a", "race-b"])).toEqual(new Set([winner]));
    expect((await loaded("race")).balances.get("USDT")).toBe(money(winner === "race-a" ? "101" : "102"));
    expect((await journal.timeline("race")).map((envelope) => envelope.causedBy)).toEqual(["message-1", winner]);
  });

  test("two writers that open the same account: one of them does", async () => {
    const { book } = bookOf();
    const outcomes = await Promise.all(
      ["n1", "n2"].map((id) => book.commit(deposited(account("new"), [deposit(id, 1)]), { ...meta, causedBy: id })),
    );
    expect([...outcomes].sort()).toEqual(["committed", "conflict"]);
  });

  test("S35: a lost reply, and the same change committed again, at a later instant, is committed once", async () => {
    const clock = testClock(T0);
    const { world } = bookOf({ clock });
    let lose = true;
    const losing: World = {
      ...world,
      db: {
        ...world.db,
        transactWrite: async (input) => {
          const reply = await world.db.transactWrite(input);
          if (lose) throw new Error("the reply was lost");
          return reply;
        },
      },
    };
    const change = deposited(account("lost"), [deposit("lost-1", 1)]);
    await expect(createBook(losing).commit(change, meta)).rejects.toThrow("the reply was lost");
    lose = false;
    clock.set(T0 + 40_000);
    expect(await createBook(losing).commit(change, meta)).toBe("committed");
    expect((await loaded("lost")).version).toBe(1);
    expect(await createJournal(world).timeline("lost")).toHaveLength(1);
  });

  test("I17: a fact that was applied is a duplicate for ever, also within a later version", async () => {
    const clock = testClock(T0);
    const { book } = bookOf({ clock });
    await book.commit(deposited(account("twice"), [deposit("tw-1", 1)]), meta);
    for (const after of [0, 6 * 60_000, 11 * 60_000, 25 * 3_600_000, 400 * 86_400_000]) {
      clock.set(T0 + after);
      const read = await loaded("twice");
      expect(await book.commit(deposited(read, [deposit("tw-1", 2), deposit(`tw-${after}`, 3)]), { ...meta, causedBy: "again" })).toBe(
        "duplicate",
      );
    }
    expect((await loaded("twice")).balances.get("USDT")).toBe(money("100"));
  });

  test("applied entries are found among more than one batch of ids", async () => {
    const { book } = bookOf();
    await book.commit(deposited(account("many"), [deposit("m-7", 1), deposit("m-205", 2)]), meta);
    const ids = Array.from({ length: 230 }, (_, index) => `m-${index}`);
    expect(await book.appliedEntries("many", ids)).toEqual(new Set(["m-7", "m-205"]));
    expect(await book.appliedEntries("many", [])).toEqual(new Set());
  });

  test("throttling is an error, not an outcome", async () => {
    const { world } = bookOf();
    const throttled = Object.assign(new Error("cancelled"), {
      name: "TransactionCanceledException",
      CancellationReasons: [{ Code: "None" }, { Code: "ThrottlingError" }],
    });
    const failing = createBook({ ...world, db: { ...world.db, transactWrite: () => Promise.reject(throttled) } });
    await expect(failing.commit(deposited(account("thr"), [deposit("thr-1", 1)]), meta)).rejects.toBe(throttled);
  });

  test("another transaction on the same item at this moment is a conflict", async () => {
    const { world } = bookOf();
    const busy = Object.assign(new Error("cancelled"), {
      name: "TransactionCanceledException",
      CancellationReasons: [{ Code: "TransactionConflict" }, { Code: "None" }, { Code: "None" }],
    });
    const failing = createBook({ ...world, db: { ...world.db, transactWrite: () => Promise.reject(busy) } });
    expect(await failing.commit(deposited(account("busy"), [deposit("busy-1", 1)]), meta)).toBe("conflict");
  });

  test("a change that does not raise the version by one is a bug, and is refused", async () => {
    const change = deposited(account("bug"), [deposit("bug-1", 1)]);
    await expect(bookOf().book.commit({ ...change, after: { ...change.after, version: 2 } }, meta)).rejects.toThrow("raise the version");
  });

  test("more rows than a transaction holds are refused before anything is sent", async () => {
    const facts = Array.from({ length: 99 }, (_, index) => deposit(`big-${index}`, index + 1));
    await expect(bookOf().book.commit(deposited(account("big"), facts), meta)).rejects.toThrow("101 rows");
  });
});

describe("calls and orders", () => {
  const open = async (accountId: string): Promise<MarginAccount> => {
    const { book } = bookOf();
    await book.commit(deposited(account(accountId), [deposit(`${accountId}-d`, 1)]), meta);
    expect(await book.commit(opened(await loaded(accountId)), meta)).toBe("committed");
    return loaded(accountId);
  };

  test("an account is loaded with its live call and the orders of its present attempt", async () => {
    const { book } = bookOf();
    const called = await open("live");
    expect(called.live?.call.status).toBe("OPEN");
    const change = liquidating(called);
    expect(await book.commit(change, meta)).toBe("committed");
    const read = await loaded("live");
    expect(read.live).toEqual(change.after.live);
    expect(await book.orders("live")).toEqual(change.orders);
    const next = { ...change.after.live?.call, version: 3, attempt: 2, ordersPlanned: 2 } as MarginCallOf;
    const second = order(next, 1);
    const again: Change = {
      before: read,
      after: { ...read, version: read.version + 1, live: { call: next, orders: [second] } },
      calls: [next],
      orders: [second],
      entries: [],
      events: [],
    };
    expect(await book.commit(again, meta)).toBe("committed");
    expect((await loaded("live")).live?.orders).toEqual([second]);
    expect((await book.orders("live")).map((one) => one.index)).toEqual([0, 1]);
  });

  test("I01 R9: a second call in the same scope does not commit, even on the right version", async () => {
    const { book } = bookOf();
    const called = await open("one-call");
    const blind: MarginAccount = { ...called, openCalls: {}, live: null };
    expect(await book.commit(opened(blind), meta)).toBe("conflict");
    expect(await book.calls("one-call")).toHaveLength(1);
  });

  test("I02: a call that has ended never changes", async () => {
    const { book } = bookOf();
    const called = await open("ended");
    expect(await book.commit(ended(called, "MET"), meta)).toBe("committed");
    const read = await loaded("ended");
    expect(read.live).toBeNull();
    const revived = liquidating({ ...called, version: read.version, openCalls: {} });
    expect(await book.commit({ ...revived, before: { ...revived.before, version: read.version } }, meta)).toBe("conflict");
    expect((await book.calls("ended")).map((one) => one.status)).toEqual(["MET"]);
  });

  test("the deadline index holds live calls only, up to the asked instant, oldest first", async () => {
    const { book } = bookOf();
    const called = await open("due");
    const shard = indexShardOf("due", 16);
    const deadlineAt = called.live?.call.deadlineAt ?? 0;
    const own = async (before: number) => (await book.dueCalls(shard, before)).filter((row) => row.accountId === "due");
    expect(await own(deadlineAt - 1)).toEqual([]);
    expect(await own(deadlineAt)).toEqual([{ accountId: "due", callId: called.live?.call.callId, deadlineAt }]);
    await book.commit(ended(called, "CANCELLED"), meta);
    expect(await own(deadlineAt + 1e9)).toEqual([]);
  });

  test("the order index holds live orders by state, since when they are in it", async () => {
    const { book } = bookOf();
    await book.commit(liquidating(await open("orders")), meta);
    const shard = indexShardOf("orders", 16);
    const own = async (state: "PENDING" | "SENT", before: number) =>
      (await book.ordersInState(state, shard, before)).filter((row) => row.accountId === "orders");
    const read = await loaded("orders");
    const pending = read.live?.orders[0];
    if (pending === undefined) throw new Error("no order");
    expect(await own("PENDING", T0 - 1)).toEqual([]);
    expect(await own("PENDING", T0)).toEqual([{ accountId: "orders", callId: pending.callId, orderId: pending.orderId, since: T0 }]);
    const sent = { ...pending, status: "SENT" as const, sentAt: T0 + 5_000 };
    await book.commit(
      {
        before: read,
        after: { ...read, version: read.version + 1, live: liveWith(read, sent) },
        calls: [],
        orders: [sent],
        entries: [],
        events: [],
      },
      meta,
    );
    expect(await own("PENDING", T0 + 1e9)).toEqual([]);
    expect(await own("SENT", T0 + 5_000)).toEqual([
      { accountId: "orders", callId: pending.callId, orderId: pending.orderId, since: T0 + 5_000 },
    ]);
    const again = await loaded("orders");
    const filled = { ...sent, status: "FILLED" as const, filled: sent.quantity };
    await book.commit(
      {
        before: again,
        after: { ...again, version: again.version + 1, live: liveWith(again, filled) },
        calls: [],
        orders: [filled],
        entries: [],
        events: [],
      },
      meta,
    );
    expect(await own("SENT", T0 + 1e9)).toEqual([]);
  });

  test("a page and a batch have the live calls too, as they are loaded one by one", async () => {
    const { book } = bookOf();
    const called = await open("paged-live");
    await book.commit(liquidating(called), meta);
    const alone = await loaded("paged-live");
    expect(alone.live?.orders.length).toBe(1);
    const page = await book.pageOfShard(shardOf("paged-live", 16));
    expect(page.accounts.find((one) => one.accountId === "paged-live")).toEqual(alone);
    expect(await book.loadAll(["paged-live", "paged-live", "nobody"])).toEqual([alone]);
  });

  test("any number of accounts is loaded, in batches", async () => {
    const { book } = bookOf();
    const ids = Array.from({ length: 205 }, (_, index) => `batch-${index}`);
    await Promise.all(
      ids.filter((_, index) => index % 50 === 0).map((id) => book.commit(deposited(account(id), [deposit(`${id}-d`, 1)]), meta)),
    );
    const found = await book.loadAll(ids);
    expect(found.map((one) => one.accountId).sort()).toEqual(["batch-0", "batch-100", "batch-150", "batch-200", "batch-50"]);
  });
});

const liveWith = ({ live }: MarginAccount, only: LiquidationOrder): MarginAccount["live"] => live && { ...live, orders: [only] };

type MarginCallOf = NonNullable<MarginAccount["live"]>["call"];

describe("pages of a shard", () => {
  test("every account of the shard is read once, over as many pages as it takes", async () => {
    const few = testWorld(tables, { clock: testClock(T0) });
    const paged = createBook({ ...few, db: { ...few.db, query: (input) => few.db.query({ ...input, Limit: 3 }) } });
    const ids = Array.from({ length: 40 }, (_, index) => `page-${index}`).filter((id) => shardOf(id, 16) === 5);
    for (const id of ids) await paged.commit(deposited(account(id), [deposit(`${id}-d`, 1)]), meta);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await paged.pageOfShard(5, cursor);
      seen.push(...page.accounts.map((one) => one.accountId));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(ids));
  });

  const rows: readonly [name: string, spoiled: Item, error: string][] = [
    ["an unknown schema version (I26)", { schema: { N: "5" } }, "schema version 5"],
    ["no schema version", { schema: { NULL: true } }, "schema version missing"],
    ["a level of another version", { level: { S: "PANIC" } }, "no level in level"],
    ["a price with an exponent", { positions: { S: "BTC-PERP:1:1e3" } }, "not a plain decimal"],
    ["a position cut short", { positions: { S: "BTC-PERP:1" } }, "three parts"],
    ["a position of 0", { positions: { S: "BTC-PERP:0:1" } }, "position of 0"],
    ["positions out of order", { positions: { S: "B:1:1;A:1:1" } }, "not sorted"],
    ["an amount as a number", { cash: { N: "5" } }, "no text in cash"],
    ["an asset twice", { cash: { S: "USDT:1;USDT:2" } }, "packed twice"],
    ["a fractional version", { version: { N: "1.5" } }, "no whole number in version"],
    ["an identity cut short", { identity: { S: "KEY;B1;retail" } }, "no identity in identity"],
    ["a negative count", { counts: { S: "1;-1" } }, "no whole number in counts"],
    ["an episode that is no JSON", { episode: { S: "{" } }, "no JSON in episode"],
    ["an open call that it does not hold", { open: { S: "CROSS:MC-AAAAAAAAAAAA-1" } }, "no text in live"],
    ["a live call of another form", { open: { S: "CROSS:MC-AAAAAAAAAAAA-1" }, live: { S: '{"call":{},"orders":[]}' } }, "live: call"],
  ];

  test.each(rows)("a row with %s stops its account and no other", async (name, spoiled, error) => {
    const log = testLog();
    const { book, world } = bookOf({ log });
    const shard = 7;
    const id = Array.from({ length: 200 }, (_, index) => `bad-${name.length}-${index}`).find((one) => shardOf(one, 16) === shard) ?? "";
    const neighbour =
      Array.from({ length: 200 }, (_, index) => `good-${name.length}-${index}`).find((one) => shardOf(one, 16) === shard) ?? "";
    await book.commit(deposited(account(neighbour), [deposit(`${neighbour}-d`, 1)]), meta);
    const row = { ...encodeAccount({ ...account(id), version: 1 }, "", 16), ...spoiled };
    await tables.db.put({ TableName: world.settings.bookTable, Item: row });
    const page = await book.pageOfShard(shard);
    expect(page.accounts.map((one) => one.accountId)).toContain(neighbour);
    const all = await book.loadAll([id, neighbour, "nobody"]);
    expect(all.map((one) => one.accountId)).toEqual([neighbour]);
    const { counts, lines } = log as TestLog;
    const named = lines.filter(({ fields }) => (fields as { accountId: string }).accountId === id);
    expect(named.map(({ fields }) => (fields as { reason: string }).reason)).toEqual([
      expect.stringContaining(error),
      expect.stringContaining(error),
    ]);
    expect(counts.get("undecided_account")).toBeGreaterThanOrEqual(2);
    await expect(book.load(id)).rejects.toThrow(error);
  });
});

test("the key of an account needs no index: shard by the first byte of its hash", () => {
  expect(accountItemKey("A-1", 256)).toEqual({ pk: { S: "SHARD#188" }, sk: { S: "ACC#A-1" } });
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 64 }), fc.integer({ min: 1, max: 256 }), (id, shards) => shardOf(id, shards) < shards),
  );
});
