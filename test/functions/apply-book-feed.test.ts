import "./environment.ts";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { encodeFeed } from "../../adapters/wire/feed.ts";
import type { Fact } from "../../core/ledger.ts";
import { money, price, quantity } from "../../core/money.ts";
import { applyBookFeed } from "../../functions/apply-book-feed.ts";
import { startTables, type TestTables } from "../engine.ts";
import { batch, markAt, NONE_FAILED, openAccount, opening, POISON, putTerms, record, type Stage, stageOn, T0 } from "./stage.ts";

let tables: TestTables;
let stage: Stage;
let serial = 0;
let accountId = "";
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());
beforeEach(async () => {
  serial += 1;
  accountId = `fed-${serial}`;
  stage = stageOn(tables);
  await putTerms(stage);
  await stage.price("100");
});

const TERMS = { brokerId: "B1", clientClass: "retail", policyId: "standard" };
const pay = (sequence: number, amount = "1", id = `${accountId}-${sequence}`): Fact => ({
  kind: "deposit",
  externalId: id,
  sequence,
  occurredAt: T0,
  asset: "USDT",
  amount: money(amount),
});
const message = (entries: readonly Fact[], account?: typeof TERMS, of = accountId) =>
  record(encodeFeed({ schemaVersion: 1, accountId: of, entries: [...entries], ...(account === undefined ? {} : { account }) }), {
    group: of,
  });
const apply = (...records: ReturnType<typeof record>[]) => applyBookFeed(stage.world)(batch(...records));
const cash = async (of = accountId): Promise<string | undefined> => (await stage.load(of)).balances.get("USDT")?.toString();
const usdt = (amount: string): string => money(amount).toString();

describe("R16 facts are applied", () => {
  test("R16 the first one opens the account; an account that nobody named is refused", async () => {
    await expect(apply(message([opening(accountId)], TERMS))).resolves.toEqual(NONE_FAILED);
    expect(await stage.load(accountId)).toMatchObject({ brokerId: "B1", clientClass: "retail", policyId: "standard", version: 1 });
    const foreign = message([pay(1)], undefined, `${accountId}-nobody`);
    await expect(apply(foreign)).resolves.toEqual({ batchItemFailures: [{ itemIdentifier: foreign.messageId }] });
  });

  test("R16 I20 the facts of one account in one batch are one transaction, each account its own", async () => {
    await openAccount(stage, accountId);
    await openAccount(stage, `${accountId}-b`);
    const other = message([pay(2, "5", `${accountId}-b-2`)], undefined, `${accountId}-b`);
    await expect(apply(message([pay(2), pay(3)]), other, message([pay(4)]))).resolves.toEqual(NONE_FAILED);
    expect(await cash()).toBe(usdt("1003"));
    expect(await cash(`${accountId}-b`)).toBe(usdt("1005"));
    expect((await stage.load(accountId)).version).toBe(2);
    expect(await stage.journalOf(accountId)).toHaveLength(2);
  });

  test("more facts than one transaction holds are several, in order", async () => {
    await openAccount(stage, accountId);
    const facts = Array.from({ length: 45 }, (_, index) => pay(index + 2));
    await expect(apply(message(facts.slice(0, 20)), message(facts.slice(20, 40)), message(facts.slice(40)))).resolves.toEqual(NONE_FAILED);
    expect(await stage.load(accountId)).toMatchObject({ version: 4, sourceSequence: 46, outOfSync: false });
    expect(await cash()).toBe(usdt("1045"));
  });

  test("R10 a payment meets the call in the same transaction that books it", async () => {
    await openAccount(stage, accountId);
    await markAt(stage, accountId, "94.5", 10);
    await apply(message([pay(2, "495")]));
    expect((await stage.desk.book.calls(accountId)).map(({ status, metBy }) => [status, metBy])).toEqual([["MET", "payment"]]);
    expect((await stage.load(accountId)).version).toBe(3);
  });

  test("R14 the fill of a liquidation order and its closing end the call", async () => {
    await openAccount(stage, accountId);
    const liquidating = await markAt(stage, accountId, "90.2", 10);
    const [order] = liquidating.live?.orders ?? [];
    if (order === undefined) throw new Error("no order");
    const common = { occurredAt: T0 + 11_000, orderId: order.orderId };
    const fill = {
      instrumentId: "BTC-PERP",
      quantity: quantity(`-${Number(order.quantity) / 1e8}`),
      price: price("90.2"),
      fee: money("0"),
    };
    await apply(
      message([
        { ...common, kind: "fill", externalId: `${accountId}-fill`, sequence: 2, ...fill },
        { ...common, kind: "order_closed", externalId: `${accountId}-closed`, sequence: 3, filled: order.quantity },
      ]),
    );
    expect((await stage.desk.book.orders(accountId)).map(({ status }) => status)).toEqual(["FILLED"]);
    expect((await stage.desk.book.calls(accountId))[0]?.status).toBe("LIQUIDATED");
  });
});

describe("R16 the venue's statements check the book", () => {
  const stated = (sequence: number, amount: string): Fact => ({
    ...{ kind: "reconciliation", externalId: `${accountId}-check-${sequence}-${amount}`, sequence, occurredAt: T0 },
    ...{ balances: new Map([["USDT", money(amount)]]), positions: (opening(accountId) as Fact & { kind: "snapshot" }).positions },
  });

  test("one that agrees writes nothing and is counted", async () => {
    await openAccount(stage, accountId);
    await expect(apply(message([stated(1, "1000")]))).resolves.toEqual(NONE_FAILED);
    expect((await stage.load(accountId)).version).toBe(1);
    expect(await stage.journalOf(accountId)).toHaveLength(1);
    expect([stage.counted("accounts_reconciled"), stage.counted("book_differs")]).toEqual([1, 0]);
  });

  test("one that differs overwrites nothing, blocks orders, is journalled with both figures and pages; a snapshot heals", async () => {
    await openAccount(stage, accountId);
    await apply(message([stated(1, "990")]));
    expect(await stage.load(accountId)).toMatchObject({ version: 2, outOfSync: true, sourceSequence: 1 });
    expect(await cash()).toBe(usdt("1000"));
    const { entries } = JSON.parse((await stage.journalOf(accountId))[1]?.["body"]?.S ?? "");
    expect(entries[0].differences).toEqual([{ what: "balance USDT", book: "1000", venue: "990" }]);
    expect([stage.counted("book_differs"), stage.counted("account_out_of_sync"), stage.counted("accounts_reconciled")]).toEqual([1, 1, 0]);
    expect(JSON.stringify(stage.log.lines)).not.toContain("990");

    // Below the close-out level: called, and no order (R16).
    await markAt(stage, accountId, "90.2", 60);
    expect((await stage.load(accountId)).live?.call.status).toBe("OPEN");
    const healing = { ...opening(accountId), externalId: `${accountId}-heal`, sequence: 2, occurredAt: T0 + 60_000 } as Fact;
    await apply(message([healing]));
    expect(await stage.load(accountId)).toMatchObject({ outOfSync: false, live: { call: { status: "LIQUIDATING" } } });
  });

  test("one that comes again and differs pages again, and the same one twice does not", async () => {
    await openAccount(stage, accountId);
    await apply(message([stated(1, "990")]));
    await apply(message([stated(1, "990")]));
    await apply(message([stated(1, "991")]));
    expect([stage.counted("book_differs"), stage.counted("account_out_of_sync")]).toEqual([2, 1]);
  });

  test("N12 one that cannot be judged now is let go: the deposit behind it does not wait for it", async () => {
    await openAccount(stage, accountId);
    let failures = 2;
    const get: typeof stage.world.db.get = (input) => {
      failures -= 1;
      return failures >= 0 ? Promise.reject(new Error("ThrottlingException")) : stage.world.db.get(input);
    };
    const throttled = { ...stage.world, db: { ...stage.world.db, get } };
    const applied = await applyBookFeed(throttled)(batch(message([stated(1, "990")]), message([pay(2)])));
    expect(applied).toEqual(NONE_FAILED);
    expect(await cash()).toBe(usdt("1001"));
    expect((await stage.load(accountId)).outOfSync).toBe(false);
    expect([stage.counted("reconciliation_skipped"), stage.counted("book_differs")]).toEqual([1, 0]);
  });

  test("one of an account that the book never had is not let go", async () => {
    const stranger = message([stated(1, "1000")]);
    await expect(apply(stranger)).resolves.toEqual({ batchItemFailures: [{ itemIdentifier: stranger.messageId }] });
  });

  test("what was lost with nothing after it is found: the book is behind the statement", async () => {
    await openAccount(stage, accountId);
    await apply(message([stated(3, "1000")]));
    expect(await stage.load(accountId)).toMatchObject({ outOfSync: true, sourceSequence: 1 });
  });
});

describe("I17 each external id once, for ever", () => {
  test.each([
    ["the same message", () => [[pay(2)], [pay(2)]]],
    ["a mixture of old and new", () => [[pay(2)], [pay(2), pay(3), pay(4)]]],
    ["the same fact twice in one batch", () => [[pay(2)], [pay(3), pay(3)]]],
  ])("I17 S36 %s", async (_, of) => {
    await openAccount(stage, accountId);
    const [first = [], second = []] = of();
    await apply(message(first));
    await expect(apply(message(second))).resolves.toEqual(NONE_FAILED);
    const distinct = new Set([...first, ...second].map(({ externalId }) => externalId));
    expect(await cash()).toBe(usdt(`${1_000 + distinct.size}`));
  });

  test("I17 S31 two workers with the same facts at once", async () => {
    await openAccount(stage, accountId);
    const twice = await Promise.all([apply(message([pay(2), pay(3)])), apply(message([pay(2), pay(3)]))]);
    expect(twice).toEqual([NONE_FAILED, NONE_FAILED]);
    expect(await cash()).toBe(usdt("1002"));
  });
});

describe("S42 S43 order and failures", () => {
  test("a gap in the sequence marks the account out of sync, counted; a snapshot heals it", async () => {
    await openAccount(stage, accountId);
    await apply(message([pay(5)]));
    expect((await stage.load(accountId)).outOfSync).toBe(true);
    expect(stage.counted("account_out_of_sync")).toBe(1);
    await apply(message([pay(6)]));
    expect(stage.counted("account_out_of_sync")).toBe(1);
    await apply(message([{ ...opening(accountId), externalId: `${accountId}-heal`, sequence: 7 } as Fact]));
    expect((await stage.load(accountId)).outOfSync).toBe(false);
  });

  test.each(POISON)(
    "S43 S42 %s goes back with what follows it in its account, what came before is applied, other accounts go on",
    async (_, body) => {
      await openAccount(stage, accountId);
      await openAccount(stage, `${accountId}-b`);
      const bad = record(body, { group: accountId });
      const after = message([pay(3)]);
      const other = message([pay(2, "1", `${accountId}-b-2`)], undefined, `${accountId}-b`);
      await expect(apply(message([pay(2)]), bad, after, other)).resolves.toEqual({
        batchItemFailures: [{ itemIdentifier: bad.messageId }, { itemIdentifier: after.messageId }],
      });
      expect(await cash()).toBe(usdt("1001"));
      expect(await cash(`${accountId}-b`)).toBe(usdt("1001"));
    },
  );

  test("S42 a fact that no account can hold goes back with what follows; what came before is applied", async () => {
    await openAccount(stage, accountId);
    const unknown: Fact = {
      kind: "fill",
      externalId: `${accountId}-x`,
      sequence: 4,
      occurredAt: T0,
      instrumentId: "NOBODY-PERP",
      quantity: quantity("1"),
      price: price("1"),
      fee: money("0"),
      orderId: null,
    };
    const [bad, after] = [message([unknown]), message([pay(5)])];
    await expect(apply(message([pay(2)]), message([pay(3)]), bad, after)).resolves.toEqual({
      batchItemFailures: [{ itemIdentifier: bad.messageId }, { itemIdentifier: after.messageId }],
    });
    expect(await cash()).toBe(usdt("1002"));
    expect((await stage.load(accountId)).sourceSequence).toBe(3);
    expect(stage.counted("feed_batch_split")).toBe(1);
  });

  test("S35 redrive: after the cause is gone the same messages come through, once", async () => {
    await openAccount(stage, accountId);
    const { db } = stage.world;
    const down = { ...stage.world, db: { ...db, transactWrite: () => Promise.reject(new Error("down")) } };
    const messages = [message([pay(2)]), message([pay(3)])];
    expect((await applyBookFeed(down)(batch(...messages))).batchItemFailures).toHaveLength(2);
    await expect(apply(...messages)).resolves.toEqual(NONE_FAILED);
    await expect(apply(...messages)).resolves.toEqual(NONE_FAILED);
    expect(await cash()).toBe(usdt("1002"));
  });
});
