import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

import { recordOf } from "../../../adapters/dynamodb/decision-record.ts";
import { isSameCommit, sealEnvelope } from "../../../adapters/dynamodb/envelope.ts";
import { RELEASE } from "../../../adapters/release.ts";
import type { MarginAccount } from "../../../core/account.ts";
import { decide } from "../../../core/decide.ts";
import type { Change } from "../../../core/decision.ts";
import { LIMITS } from "../../../core/limits.ts";
import type { MarketSnapshot } from "../../../core/mark.ts";
import { money, price, quantity } from "../../../core/money.ts";
import { account, deposit, instrument, mark, policy, T0 } from "../samples.ts";

const inMode = { ...policy, mode: "enforce" } as const;

/** A market of so many instruments alike, and an account that holds the first `positions` of them on little cash. */
const scene = (instruments: number, positions: number, cash: string): { snapshot: MarketSnapshot; held: MarginAccount } => {
  const ids = Array.from({ length: instruments }, (_, index) => `COIN${index.toString().padStart(4, "0")}-PERP`);
  return {
    snapshot: {
      snapshotId: `NEWEST#${T0}`,
      takenAt: T0,
      instruments: new Map(ids.map((instrumentId) => [instrumentId, { ...instrument, instrumentId }])),
      marks: new Map(ids.map((id) => [id, mark(id, "7935.25", T0)])),
    },
    held: {
      ...account("big"),
      version: 1,
      headHash: "head",
      balances: new Map([["USDT", money(cash)]]),
      positions: ids
        .slice(0, positions)
        .map((instrumentId) => ({ instrumentId, quantity: quantity("-123.456"), entryPrice: price("7935.25") })),
    },
  };
};
const called = (positions: number, cash: string): { change: Change; snapshot: MarketSnapshot } => {
  const { snapshot, held } = scene(positions + 5, positions, cash);
  const change = decide(held, snapshot, inMode, T0);
  if (change === null) throw new Error("nothing was decided");
  return { change, snapshot };
};

describe("how large a record is", () => {
  test("of the largest account, liquidated: its row and 500 marks; the envelope is far below 400 kB", () => {
    const { change, snapshot } = called(LIMITS.positionsMax, "1000");
    expect(change.orders.length).toBe(LIMITS.ordersPerAttemptMax);
    const meta = {
      causedBy: "test",
      snapshotId: snapshot.snapshotId,
      mode: "enforce",
      decided: { snapshot, policy: inMode, now: T0 },
    } as const;
    expect(recordOf(change, meta.decided).kept?.marks).toHaveLength(500);
    expect(sealEnvelope(change, meta, T0).row["body"]?.S?.length).toBeLessThan(200_000);
  });

  test("above recordMarksMax the marks are left out, their hash stays", () => {
    const { change, snapshot } = called(10, "1000");
    const many = scene(LIMITS.recordMarksMax + 1, LIMITS.recordMarksMax + 1, "0");
    const wide = { ...change, before: many.held, after: many.held };
    const { kept } = recordOf(wide, { snapshot: many.snapshot, policy: inMode, now: T0 });
    expect(kept?.marks).toBeUndefined();
    expect(kept?.hashes.marks).toMatch(/^[\w-]{43}$/);
    expect(recordOf(change, { snapshot, policy: inMode, now: T0 }).kept?.marks).toHaveLength(10);
  });

  test("more marks than one account may hold positions fit a record, at 100 bytes each", () => {
    expect(LIMITS.recordMarksMax).toBeGreaterThan(LIMITS.positionsMax);
    expect(LIMITS.recordMarksMax * 100).toBeLessThan(400_000 / 2);
  });
});

describe("what a record is no part of", () => {
  const { snapshot, held } = scene(3, 1, "500000");
  const change = decide(held, snapshot, inMode, T0, [deposit("d-1", 1)]) as Change;
  const meta = { causedBy: "test", snapshotId: snapshot.snapshotId, mode: "enforce" } as const;
  const sealed = (now: number) => sealEnvelope(change, { ...meta, decided: { snapshot, policy: inMode, now } }, now).row;

  test("a retry that finds its own envelope knows it, on whatever inputs it decided", () => {
    expect(isSameCommit(sealed(T0), sealed(T0 + 5))).toBe(true);
    expect(isSameCommit(sealed(T0), sealEnvelope(change, meta, T0).row)).toBe(true);
    expect(isSameCommit(sealed(T0), sealEnvelope({ ...change, entries: [] }, meta, T0).row)).toBe(false);
  });

  test("one hash tells of every input: the instant, the account, the marks, the terms", () => {
    const inputs = (over: Partial<MarketSnapshot>, policyOver: object = {}, now = T0, by: Change = change): string =>
      recordOf(by, { snapshot: { ...snapshot, ...over }, policy: { ...inMode, ...policyOver }, now }).inputs;
    const terms = new Map([...snapshot.instruments].map(([id, one]) => [id, { ...one, bandPpm: 40_000 }]));
    const all = [
      inputs({}),
      inputs({ takenAt: T0 + 1 }),
      inputs({ instruments: terms }),
      inputs({ marks: new Map([...snapshot.marks].map(([id, one]) => [id, { ...one, source: "other" }])) }),
      inputs({}, { graceMs: 1 }),
      inputs({}, {}, T0 + 1),
      inputs({}, {}, T0, { ...change, before: { ...held, sourceSequence: 7 } }),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(inputs({ snapshotId: "another" })).toBe(all[0]);
  });
});

test("a record names the release of package.json", () => {
  const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as { version: string };
  expect(RELEASE).toBe(version);
});
