import { type AttributeValue, DeleteItemCommand, type DynamoDBClient, PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { describe, expect, it } from "vitest";

import { openDesk } from "../../adapters/decide-account.ts";
import { decodeAccount } from "../../adapters/dynamodb/account-codec.ts";
import { decodeEnvelope } from "../../adapters/dynamodb/envelope.ts";
import { encodeFeed, type FeedMessage } from "../../adapters/wire/feed.ts";
import type { World } from "../../adapters/world.ts";
import type { MarginAccount } from "../../core/account.ts";
import { applyFacts } from "../../core/apply-facts.ts";
import { judgeInvariants, type Notice } from "../../local/invariants.ts";
import { declareRestored, unreconciled } from "../../operator/restored-book.ts";
import { testWorld } from "../engine.ts";
import { type CrashPlay, dbOf, MINUTE, openCrash, START } from "./crash.ts";

type Row = Record<string, AttributeValue>;

const scan = async (db: DynamoDBClient, TableName: string): Promise<Row[]> => {
  const rows: Row[] = [];
  let from: Row | undefined;
  do {
    const page = await db.send(
      new ScanCommand({ TableName, ConsistentRead: true, ...(from !== undefined && { ExclusiveStartKey: from }) }),
    );
    rows.push(...(page.Items ?? []));
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
  return rows;
};

const keyOf = (row: Row): string => `${row["pk"]?.S} ${row["sk"]?.S}`;
const textOf = (row: Row): string => JSON.stringify(Object.entries(row).sort());

/** Puts a table back to a copy: what is not in it goes, what differs is replaced, and the rest is not touched. */
const putBack = async (db: DynamoDBClient, TableName: string, copy: readonly Row[]): Promise<void> => {
  const kept = new Map(copy.map((row) => [keyOf(row), row]));
  const present = new Map((await scan(db, TableName)).map((row) => [keyOf(row), row]));
  for (const [key, { pk, sk }] of present) if (!kept.has(key)) await db.send(new DeleteItemCommand({ TableName, Key: { pk, sk } as Row }));
  for (const [key, row] of kept) {
    const now = present.get(key);
    if (now === undefined || textOf(now) !== textOf(row)) await db.send(new PutItemCommand({ TableName, Item: row }));
  }
};

const isAccount = (row: Row): boolean => row["sk"]?.S?.startsWith("ACC#") === true;

/** How often somebody was told of each call. */
const countsOf = (notices: readonly Notice[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const { callId } of notices) if (callId !== null) counts.set(callId, (counts.get(callId) ?? 0) + 1);
  return counts;
};

/** What the drill keeps of an instant: both tables, and what the venue had sent and taken by then. */
const momentOf = async ({ cloud, replay, events, notices }: CrashPlay) => {
  const [book, journal] = [await scan(cloud.clients.db, cloud.tableName("book")), await scan(cloud.clients.db, cloud.tableName("journal"))];
  return {
    book,
    journal,
    accounts: new Map(book.filter(isAccount).map((row) => [row["sk"]?.S?.slice(4) ?? "", decodeAccount(row)])),
    facts: new Map([...replay.venue.record.facts].map(([accountId, sent]) => [accountId, new Set(sent)])),
    orders: new Set(replay.venue.record.orders.keys()),
    events: events.length,
    notices: countsOf(notices()),
  };
};
type Moment = Awaited<ReturnType<typeof momentOf>>;

const worldOf = ({ cloud }: CrashPlay): World =>
  testWorld(
    {
      db: dbOf(cloud.clients.db),
      names: {
        bookTable: cloud.tableName("book"),
        marksTable: cloud.tableName("marks"),
        journalTable: cloud.tableName("journal"),
        outboundTable: cloud.tableName("outbound"),
      },
    },
    { clock: { now: cloud.now }, settings: { shards: 2 } },
  );

const send = async ({ cloud }: CrashPlay, message: FeedMessage): Promise<void> => {
  await cloud.clients.sqs.send(
    new SendMessageCommand({
      QueueUrl: cloud.queueUrl("feed.fifo"),
      MessageBody: encodeFeed(message),
      MessageGroupId: message.accountId,
      MessageDeduplicationId: message.entries[0]?.externalId,
    }),
  );
};

/** An account as the venue has it: as it stood before the tables went back, with every fact since. */
const truthOf = async (play: CrashPlay, world: World, stood: MarginAccount): Promise<MarginAccount> => {
  const { instruments } = await openDesk(world).marks.newest();
  const journal = await scan(play.cloud.clients.db, play.cloud.tableName("journal"));
  const since = journal.map(decodeEnvelope).filter(({ accountId }) => accountId === stood.accountId);
  const facts = since.flatMap(({ entries }) => entries.map(({ fact }) => fact)).filter(({ sequence }) => sequence > stood.sourceSequence);
  return applyFacts({ ...stood, live: null, openCalls: {} }, facts, instruments, () => {
    throw new Error("an account without a call is not measured");
  }).account;
};

const holdsOf = ({ balances, positions }: MarginAccount) => ({ balances, positions });

/** The evidence without what went with the tables: facts, orders and notices of the minutes that no book knows. */
const judged = async (play: CrashPlay, backup: Moment, restored: Moment, lostAccount: string) => {
  const tables = await play.tables();
  const calls = new Set(tables.calls.map(({ callId }) => callId));
  const rows = new Set(tables.orders.map(({ orderId }) => orderId));
  const isLost = (accountId: string, externalId: string): boolean =>
    restored.facts.get(accountId)?.has(externalId) === true &&
    (accountId === lostAccount || backup.facts.get(accountId)?.has(externalId) !== true);
  const { record } = play.replay.venue;
  const verdicts = judgeInvariants({
    tables,
    venue: {
      ...record,
      facts: new Map([...record.facts].map(([accountId, sent]) => [accountId, sent.filter((id) => !isLost(accountId, id))])),
      orders: new Map([...record.orders].filter(([orderId]) => rows.has(orderId) || !restored.orders.has(orderId))),
    },
    notices: play.notices().filter(({ callId }) => callId === null || calls.has(callId) || !restored.notices.has(callId)),
    statements: [],
  });
  const told = countsOf(play.notices());
  return {
    tables,
    broken: Object.entries(verdicts).filter(([, { holds }]) => !holds),
    /** Calls that no book knows, of which somebody was told again. */
    ghosts: [...restored.notices].filter(([callId, times]) => !calls.has(callId) && told.get(callId) !== times),
  };
};

/** Accounts whose next word on a call names an earlier deadline than the one that they had been promised before. */
const brokenPromises = (events: CrashPlay["events"], restoredFrom: number): string[] => {
  const promised = new Map<string, string>();
  for (const { accountId, call } of events.slice(0, restoredFrom)) {
    if (call?.status === "OPEN" && call.deadlineAt !== null) promised.set(accountId, call.deadlineAt);
    else if (call !== null) promised.delete(accountId);
  }
  const next = new Map<string, string>();
  for (const { accountId, call } of events.slice(restoredFrom)) {
    if (call?.status === "OPEN" && call.deadlineAt !== null && !next.has(accountId)) next.set(accountId, call.deadlineAt);
  }
  return [...promised].filter(([accountId, deadline]) => (next.get(accountId) ?? deadline) < deadline).map(([accountId]) => accountId);
};

describe("a restore from a backup of ten minutes ago (S54)", () => {
  it.each([
    { live: "OPEN", backupAt: 338, restoredAt: 348, snapshotsAt: 363 },
    { live: "LIQUIDATING", backupAt: 400.5, restoredAt: 410.5, snapshotsAt: 445 },
  ])(
    "with calls $live in the backup of minute $backupAt, restored at $restoredAt, the venue told at $snapshotsAt",
    { timeout: 600_000 },
    async (times) => {
      const play = await openCrash(90);
      const world = worldOf(play);
      const { venue } = play.replay;
      const at = (minute: number, label: string, act: () => Promise<void>) => play.cloud.at(START + minute * MINUTE, label, act);
      let backup: Moment | undefined;
      let restored: Moment | undefined;
      let blocked: Moment | undefined;
      let lostAccount = "";

      at(times.backupAt, "backup", async () => {
        backup = await momentOf(play);
      });
      at(times.restoredAt, "the tables go back", async () => {
        restored = await momentOf(play);
        const { book, journal } = backup as Moment;
        // One account that was liquidated since counts as opened since: the backup does not know it.
        const since = play.events.slice(backup?.events).find(({ type }) => type === "liquidation.completed");
        lostAccount = since?.accountId ?? "";
        const isKept = (row: Row): boolean => row["pk"]?.S !== `ACC#${lostAccount}` && row["sk"]?.S !== `ACC#${lostAccount}`;
        await putBack(play.cloud.clients.db, play.cloud.tableName("book"), book.filter(isKept));
        await putBack(play.cloud.clients.db, play.cloud.tableName("journal"), journal.filter(isKept));
        expect(await declareRestored(world, "2020-03-12T05:38:00.000Z")).toEqual({ blocked: 89 });
        expect(await declareRestored(world, "2020-03-12T05:38:00.000Z")).toEqual({ already: 89 });
      });
      at(times.restoredAt + 1, "a snapshot from before comes late", async () => {
        const [stood] = [...(restored as Moment).accounts.values()].filter(({ accountId }) => accountId !== lostAccount);
        if (stood === undefined) throw new Error("no account");
        await send(play, venue.tell(stood.accountId, holdsOf(stood), [], START + (times.backupAt + 1) * MINUTE));
      });
      at(times.snapshotsAt, "the venue tells of every account", async () => {
        blocked = await momentOf(play);
        expect(await unreconciled(world, 3)).toMatchObject({ waiting: 89, reconciled: 0 });
        for (const stood of (restored as Moment).accounts.values()) {
          const { accountId, brokerId, clientClass, policyId } = stood;
          const orders = backup?.accounts.get(accountId)?.live?.orders.map(({ orderId }) => orderId) ?? [];
          const message = venue.tell(accountId, holdsOf(await truthOf(play, world, stood)), orders, play.cloud.now());
          await send(play, { ...message, account: { brokerId, clientClass, policyId } });
        }
      });
      await play.replay.play(() => undefined);
      if (backup === undefined || restored === undefined || blocked === undefined) throw new Error("the drill was not played");

      const during = play.events.slice(restored.events, blocked.events);
      const after = play.events.slice(blocked.events);
      const had = (events: typeof during, type: string) => events.filter((event) => event.type === type).length;
      expect([...backup.accounts.values()].map((account) => account.live?.call.status)).toContain(times.live);
      expect(restored.orders.size).toBeGreaterThan(backup.orders.size);
      expect([...blocked.orders]).toEqual([...restored.orders]);
      expect([had(during, "liquidation.started"), had(during, "liquidation.order_sent")]).toEqual([0, 0]);
      expect(had(during, "margin_call.issued")).toBeGreaterThan(0);
      expect(had(after, "liquidation.completed")).toBeGreaterThan(0);
      expect(await unreconciled(world, 3)).toEqual({ waiting: 0, reconciled: 90, shown: [] });

      const { tables, broken, ghosts } = await judged(play, backup, restored, lostAccount);
      expect(broken).toEqual([]);
      expect(ghosts).toEqual([]);
      // Ids that the venue has seen, and the backup has not, are given to no order again (I09).
      const alive = new Set([...backup.accounts.values()].flatMap(({ live }) => live?.orders.map(({ orderId }) => orderId) ?? []));
      const { orders: before } = backup;
      const gone = new Set([...restored.orders].filter((orderId) => !before.has(orderId) && !alive.has(orderId)));
      expect(gone.size).toBeGreaterThan(0);
      expect(tables.orders.map(({ orderId }) => orderId).filter((orderId) => gone.has(orderId))).toEqual([]);
      // What a call had promised is kept by the call that its account has now, be it another one (I05).
      expect(brokenPromises(play.events, restored.events)).toEqual([]);
      expect(Object.values(await play.cloud.deadLetters()).every((messages) => messages === 0)).toBe(true);
    },
  );
});
