import { createHash } from "node:crypto";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createBook } from "../../adapters/dynamodb/book.ts";
import { createJournal } from "../../adapters/dynamodb/journal.ts";
import { createMarks } from "../../adapters/dynamodb/marks.ts";
import type { World } from "../../adapters/world.ts";
import { decimal, type Money } from "../../core/money.ts";
import { startTables, type TestTables } from "../engine.ts";
import { type Asked, ask, moveMark, openAccount, openVenue, type Venue } from "./venue.ts";

let tables: TestTables;
let venue: Venue;
let accountId = "";
let accounts = 0;

beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());
beforeEach(async () => {
  accounts += 1;
  accountId = `W-${accounts}`;
  venue = await openVenue(tables);
  // IM of one contract at 8,000 is 800: 200 may leave.
  await openAccount(venue, accountId, "B1", "1000");
});

const check = (amount: string, key: string | null, given: { as?: string; world?: World; accountId?: string } = {}): Promise<Asked> =>
  ask(given.world ?? venue.world, {
    as: given.as ?? "feed",
    method: "POST",
    path: "/withdrawal-checks",
    body: { accountId: given.accountId ?? accountId, asset: "USDT", amount },
    headers: key === null ? {} : { "idempotency-key": `${accountId}-${key}` },
  });

const reserved = async (): Promise<string> => {
  const account = await createBook(venue.world).load(accountId);
  return decimal(account?.reserved.get("USDT") ?? (0n as Money));
};

describe("R16, I18: what is left covers IM, and an allowed amount is reserved at once", () => {
  test("an amount that leaves IM uncovered is refused, and reserves nothing", async () => {
    const { status, body } = await check("200.00000001", "refused");
    expect(status).toBe(200);
    expect(body).toMatchObject({ accountId, asset: "USDT", amount: "200.00000001", allowed: false, available: "200" });
    expect(body.reason).toMatch(/^R16/);
    expect(await reserved()).toBe("0");
  });

  test("an allowed amount is not available twice", async () => {
    expect((await check("150", "first")).body).toMatchObject({ allowed: true, available: "200" });
    expect(await reserved()).toBe("150");
    expect((await check("51", "second")).body).toMatchObject({ allowed: false, available: "50" });
    expect((await check("50", "third")).body).toMatchObject({ allowed: true, available: "50" });
    expect(await reserved()).toBe("200");
  });

  test("the worse of the newest marks and those of the last complete sweep decides", async () => {
    const marks = createMarks(venue.world);
    const sweep = async (): Promise<void> => {
      const started = await marks.startSweep(venue.clock.now(), 1);
      if (started.outcome !== "started") throw new Error(started.outcome);
      await marks.groupDone(started.snapshot.snapshotId, 0);
    };
    await sweep();
    // Unrealised profit does not leave (M2): equity stays 1,000, IM becomes 810.
    await moveMark(venue, "8100", accountId);
    expect((await check("195", "newest-is-worse")).body).toMatchObject({ allowed: false, available: "190" });
    // A loss of 50 and IM 795 in the sweep, then 8,000 again.
    await moveMark(venue, "7950", accountId);
    venue.clock.set(venue.clock.now() + 5_000);
    await sweep();
    await moveMark(venue, "8000", accountId);
    expect((await check("160", "sweep-is-worse")).body).toMatchObject({ allowed: false, available: "155" });
    expect((await check("155", "both-allow")).body).toMatchObject({ allowed: true, available: "155" });
  });

  test("R16: a live call bars every withdrawal", async () => {
    await moveMark(venue, "7300", accountId);
    expect((await check("1", "called")).body).toMatchObject({ allowed: false, available: "0", reason: "R16: a margin call is live" });
  });

  test.each(["0", "-5", "1e3", "NaN", ""])("the amount %j is refused", async (amount) => {
    const { status, body } = await check(amount, "bad-amount");
    expect([status, body.faults[0].where]).toEqual([400, "body/amount"]);
  });

  test("an amount that is a JSON number is refused: it would lose digits (S43)", async () => {
    const reply = await ask(venue.world, {
      as: "feed",
      method: "POST",
      path: "/withdrawal-checks",
      body: `{"accountId":"${accountId}","asset":"USDT","amount":12345678901234567890}`,
      headers: { "idempotency-key": `${accountId}-number` },
    });
    expect([reply.status, reply.body.faults[0].where]).toEqual([400, "body/amount"]);
  });

  test("an account that is not in the book", async () => {
    expect((await check("1", "absent", { accountId: "W-404" })).status).toBe(404);
  });
});

describe("C4: one key, one reservation, one answer, for ever", () => {
  test("without a key nothing is decided", async () => {
    const reply = await check("1", null);
    expect([reply.status, reply.body.faults[0].where]).toEqual([400, "header/idempotency-key"]);
    expect(await reserved()).toBe("0");
  });

  test("a replay gets the same answer whatever happened since, and reserves once", async () => {
    const first = await check("150", "replay");
    await moveMark(venue, "7300", accountId);
    venue.clock.set(venue.clock.now() + 400 * 86_400_000);
    expect((await check("150", "replay")).body).toEqual(first.body);
    expect(await reserved()).toBe("150");
  });

  test("a refusal is an answer too: the same key is not decided again when there is more", async () => {
    const first = await check("201", "refused-once");
    expect(first.body.allowed).toBe(false);
    await moveMark(venue, "7900", accountId);
    expect((await check("201", "refused-once")).body).toEqual(first.body);
  });

  test("another body under the key is refused with 422 and decides nothing", async () => {
    await check("10", "bound");
    const other = await check("11", "bound");
    expect([other.status, other.body.type]).toEqual([422, "urn:plimsoll:problem:key-reused"]);
    expect(await reserved()).toBe("10");
  });

  test("two callers may choose the same key", async () => {
    expect((await check("10", "shared")).body.allowed).toBe(true);
    expect((await check("20", "shared", { as: "holder-1" })).status).toBe(403);
    expect((await check("20", "shared", { as: "broker-1" })).body.allowed).toBe(true);
    expect(await reserved()).toBe("30");
  });

  test("eight twins at once reserve once and hear the same", async () => {
    const replies = await Promise.all(Array.from({ length: 8 }, () => check("60", "twins")));
    expect(new Set(replies.map(({ text }) => text)).size).toBe(1);
    expect(replies[0]?.body.allowed).toBe(true);
    expect(await reserved()).toBe("60");
  });

  test("S51: eight different requests at once never reserve more than there is", async () => {
    const replies = await Promise.all(Array.from({ length: 8 }, (_, index) => check("60", `race-${index}`)));
    const allowed = replies.filter(({ body }) => body.allowed === true).length;
    expect(replies.every(({ status }) => status === 200 || status === 503)).toBe(true);
    expect(await reserved()).toBe(String(60 * allowed));
    expect(allowed).toBeLessThanOrEqual(3);
    expect(allowed).toBeGreaterThan(0);
  });

  test("a commit whose reply was lost is found again: same answer, no second reservation", async () => {
    let lose = true;
    const lossy: World = {
      ...venue.world,
      db: {
        ...venue.world.db,
        transactWrite: async (input) => {
          const done = await venue.world.db.transactWrite(input);
          if (!lose) return done;
          lose = false;
          throw Object.assign(new Error("connection reset"), { name: "TimeoutError" });
        },
      },
    };
    expect((await check("60", "lost", { world: lossy })).status).toBe(500);
    expect((await check("60", "lost", { world: lossy })).body).toMatchObject({ allowed: true, available: "200" });
    expect(await reserved()).toBe("60");
  });

  test("a crash between decision and commit leaves neither answer nor reservation", async () => {
    const failing: World = {
      ...venue.world,
      db: { ...venue.world.db, transactWrite: async () => Promise.reject(Object.assign(new Error("gone"), { name: "TimeoutError" })) },
    };
    expect((await check("60", "crash", { world: failing })).status).toBe(500);
    expect(await reserved()).toBe("0");
    expect((await check("60", "crash")).body.allowed).toBe(true);
    expect(await reserved()).toBe("60");
  });

  test("the journal names the request that reserved", async () => {
    await check("60", "journalled");
    const last = (await createJournal(venue.world).timeline(accountId)).at(-1);
    // Its key stands there as a hash: whoever has the key finds the row, and nobody learns it there (C9).
    const key = createHash("sha256").update(`${accountId}-journalled`).digest("base64url");
    expect(last?.causedBy).toBe(`api withdrawal-check by arn:aws:sts::111122223333:assumed-role/feed key sha256:${key}`);
    expect(last?.reserved).toBe("USDT:60");
  });
});
