import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MarginAccount } from "../../core/account.ts";
import { columnsOf } from "../../core/columns/linear-book.ts";
import { screenAt, UNSURE } from "../../core/columns/linear-levels.ts";
import { decide } from "../../core/decide.ts";
import { footprintOf } from "../../core/footprint.ts";
import type { Instrument } from "../../core/instrument.ts";
import { LEVELS, levelOf } from "../../core/level.ts";
import type { Mark, MarketSnapshot } from "../../core/mark.ts";
import { decimal, money, type Quantity, quantity } from "../../core/money.ts";
import { largeRisesOfInstrument } from "../../core/notice.ts";
import { judgeMark, type Tick } from "../../core/quality.ts";
import { isSurelyQuiet } from "../../core/screen.ts";
import { withStanding } from "../../core/standing.ts";
import { assess } from "../../core/statement.ts";
import { checkWithdrawal } from "../../core/withdrawal.ts";
import "../seed.ts";
import { accounts, atHeadroom, policies, snapshots } from "./margin-arbitraries.ts";
import { accountOf, bare, contract, leg, NOW, policyWith, snapshotOf } from "./margin-fixtures.ts";
import { modelTable } from "./models-page.ts";

const HOUR = 3_600_000;
const caps = { lower: quantity("1000"), upper: quantity("2000"), ageMaxMs: HOUR };
const perp = contract("BTC-PERP", { openInterest: caps });
const policy = policyWith([bare("USDT")]);
const holder = accountOf({ USDT: "50" }, [leg("BTC-PERP", "1", "100")]);
const on = (total: string | null, ageMs = 0): MarketSnapshot =>
  snapshotOf([perp], {
    "BTC-PERP": {
      price: money("100") as bigint as Mark["price"],
      ...(total !== null && { interest: { total: quantity(total), asOf: NOW - ageMs } }),
    },
  });
const free = (snapshot: MarketSnapshot, account = holder): string =>
  decimal(checkWithdrawal(account, snapshot, policy, { requestId: "w", asset: "USDT", amount: money("1") }, NOW).available);

describe("M3 an initial rate by open interest", () => {
  test("the table of position-margin.md", () => {
    const rows = modelTable("position-margin.md", "open interest");
    expect(rows).toHaveLength(5);
    for (const [told = "", initial, maintenance, part, available] of rows) {
      const snapshot = on(told === "never told" ? null : told);
      const { low, high, components, quality } = assess(holder, snapshot, policy, NOW);
      expect([decimal(low.initial), decimal(low.maintenance), free(snapshot)]).toEqual([initial, maintenance, available]);
      const named = components.find(({ name }) => name === "open interest of BTC-PERP");
      expect(named === undefined ? "none" : decimal(named.initial)).toBe(part);
      expect([low, quality]).toEqual([high, "GOOD"]);
    }
  });

  test("an old figure counts as it was for calls, and at its upper cap for withdrawals", () => {
    expect([free(on("900", HOUR)), free(on("900", HOUR + 1))]).toEqual(["40", "0"]);
    expect(decimal(assess(holder, on("1500", 24 * HOUR), policy, NOW).low.initial)).toBe("55");
  });

  test("the larger of it and of 1/L; orders need the same rate", () => {
    const levered = (leverage: string) => withStanding(holder, "BTC-PERP", { leverage: quantity(leverage) });
    const initial = (account: MarginAccount) => decimal(assess(account, on("1500"), policy, NOW).low.initial);
    expect([initial(levered("1")), initial(levered("2"))]).toEqual(["100", "55"]);
    expect(initial(withStanding(holder, "BTC-PERP", { buys: quantity("1") }))).toBe("110");
  });

  test("it stands on the mark until a tick tells another", () => {
    const tick = (seconds: number, openInterest?: string): Tick => ({
      ...{ instrumentId: "BTC-PERP", price: money("100") as bigint as Mark["price"], asOf: NOW + seconds * 1_000, source: "s" },
      ...(openInterest !== undefined && { openInterest: quantity(openInterest) }),
    });
    const first = judgeMark(null, tick(0, "1500"), perp, NOW).mark;
    expect(first?.interest).toEqual({ total: quantity("1500"), asOf: NOW });
    const second = judgeMark(first, tick(1), perp, NOW + 1_000).mark;
    expect(second?.interest).toEqual({ total: quantity("1500"), asOf: NOW });
    expect(judgeMark(second, tick(2, "0"), perp, NOW + 2_000).mark?.interest).toEqual({ total: 0n, asOf: NOW + 2_000 });
    expect(judgeMark(null, tick(0), perp, NOW).mark).not.toHaveProperty("interest");
  });

  test("caps that come down are a large rise, and need notice", () => {
    const rises = (before: Instrument, next: Instrument) =>
      largeRisesOfInstrument([{ terms: before, effectiveAt: 0 }], next, NOW).map(({ place, from, to }) => [place, from, to]);
    expect(rises(contract("BTC-PERP"), perp)).toEqual([["openInterest of 2000: rateIm", 100_000, 1_000_000]]);
    expect(rises(perp, contract("BTC-PERP"))).toEqual([]);
    expect(rises(perp, { ...perp, openInterest: { ...caps, upper: quantity("1500") } })).toEqual([
      ["openInterest of 1500: rateIm", 550_000, 1_000_000],
    ]);
  });
});

/** The same market in which these contracts rise with an open interest that lies somewhere around their caps. */
const opened = (snapshot: MarketSnapshot, total: number): MarketSnapshot => ({
  ...snapshot,
  instruments: new Map([...snapshot.instruments].map(([id, one]) => [id, one.tiers.length === 0 ? one : { ...one, openInterest: caps }])),
  marks: new Map(
    [...snapshot.marks].map(([id, mark]) => [id, { ...mark, interest: { total: (BigInt(total) * 100_000_000n) as Quantity, asOf: NOW } }]),
  ),
});

describe("properties", () => {
  const totals = fc.integer({ min: 500, max: 2_500 });

  test("open interest never lowers IM, more of it never does, and nothing else changes", () => {
    fc.assert(
      fc.property(
        accounts,
        snapshots(["GOOD", "GOOD", "STALE"]),
        policies,
        totals,
        fc.integer({ min: 0, max: 500 }),
        (account, snapshot, terms, total, more) => {
          const [plain, some, larger] = [snapshot, opened(snapshot, total), opened(snapshot, total + more)].map((each) =>
            assess(account, each, terms, NOW),
          );
          if (plain === undefined || some === undefined || larger === undefined) return;
          for (const side of ["low", "high"] as const) {
            expect(some[side].initial >= plain[side].initial && larger[side].initial >= some[side].initial).toBe(true);
            expect({ ...larger[side], initial: plain[side].initial }).toEqual(plain[side]);
          }
          const excess = some.components.reduce((sum, { initial }) => sum + initial, 0n) - some.low.initial;
          expect(excess >= -1n && excess <= 2n * BigInt(some.components.length)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("the float screen and the columns say what the exact pass says", () => {
    const units = fc.oneof(fc.bigInt(-20n, 20n), fc.bigInt(-(10n ** 13n), 10n ** 13n));
    let [sure, columns] = [0, 0];
    fc.assert(
      fc.property(accounts, snapshots(["GOOD"]), policies, totals, units, (drawn, plain, terms, total, shift) => {
        const snapshot = opened(plain, total);
        const account = atHeadroom(drawn, assess(drawn, snapshot, terms, NOW).low, terms.levels.warning, shift);
        const exact = levelOf(account, assess(account, snapshot, terms, NOW), terms.levels, account.level);
        if (isSurelyQuiet(account, snapshot, terms, NOW)) {
          sure += 1;
          expect(exact).toBe("HEALTHY");
        }
        const only = { ...account, balances: new Map([["USDT", account.balances.get("USDT") ?? money("0")]]) };
        const linear = { ...only, positions: only.positions.filter(({ instrumentId }) => instrumentId.endsWith("-PERP")) };
        const [level = UNSURE] = screenAt(columnsOf([linear], terms, snapshot.instruments), snapshot, NOW);
        if (level === UNSURE) return;
        columns += 1;
        expect(LEVELS[level]).toBe(levelOf(linear, assess(linear, snapshot, terms, NOW), terms.levels, linear.level));
      }),
      { numRuns: 500 },
    );
    expect(Math.min(sure, columns)).toBeGreaterThan(30);
  });

  test("I27 a decision on its footprint is the same", () => {
    fc.assert(
      fc.property(accounts, snapshots(["GOOD"]), policies, totals, (drawn, plain, terms, total) => {
        const snapshot = opened(plain, total);
        const enforced = { ...terms, mode: "enforce" as const };
        const account = atHeadroom(drawn, assess(drawn, snapshot, terms, NOW).low, 300_000);
        const change = decide(account, snapshot, enforced, NOW);
        if (change !== null) expect(decide(account, footprintOf(change, snapshot, enforced), enforced, NOW)).toEqual(change);
      }),
      { numRuns: 200 },
    );
  });
});
