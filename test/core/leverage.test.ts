import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MarginAccount } from "../../core/account.ts";
import { columnsOf } from "../../core/columns/linear-book.ts";
import { levelOf } from "../../core/level.ts";
import { decimal, money, type Quantity, quantity } from "../../core/money.ts";
import { isSurelyQuiet } from "../../core/screen.ts";
import { withStanding } from "../../core/standing.ts";
import { assess } from "../../core/statement.ts";
import { loadTiers } from "../../core/tiers.ts";
import "../seed.ts";
import { accountWith, deskOf, MINUTE, market, POLICY, position, T0, tenTimesLong, typesOf } from "./call-fixtures.ts";
import { accounts, atHeadroom, CONTRACTS, policies, snapshots, VENUE } from "./margin-arbitraries.ts";
import { accountOf, bare, contract, leg, NOW, policyWith, snapshotOf } from "./margin-fixtures.ts";
import { modelTable } from "./models-page.ts";

const levered = (account: MarginAccount, instrumentId: string, leverage: string | null): MarginAccount =>
  withStanding(account, instrumentId, { leverage: leverage === null ? null : quantity(leverage) });

test("the table of position-margin.md (M3)", () => {
  const rows = modelTable("position-margin.md", "leverage");
  expect(rows).toHaveLength(5);
  const tiers = loadTiers(
    "t",
    [
      { floor: money("0"), rateIm: 20_000, rateMm: 8_000 },
      { floor: money("50000"), rateIm: 40_000, rateMm: 16_000 },
    ],
    0,
  );
  const snapshot = snapshotOf([contract("BTC-PERP", { tiers })], { "BTC-PERP": "40000" });
  for (const [leverage = "", notional = "", without, under, part] of rows) {
    const size = decimal(((BigInt(notional) * 100_000_000n) / 40_000n) as Quantity);
    const account = accountOf({ USDT: "1" }, [leg("BTC-PERP", size, "40000")]);
    const of = (each: MarginAccount) => assess(each, snapshot, policyWith([bare("USDT")]), NOW);
    const [plain, raised] = [of(account), of(levered(account, "BTC-PERP", leverage))];
    expect([decimal(plain.low.initial), decimal(raised.low.initial)]).toEqual([without, under]);
    expect(raised.low.maintenance).toBe(plain.low.maintenance);
    expect(decimal(raised.legs[0]?.initial ?? money("0"))).toBe(under);
    const named = raised.components.find(({ name }) => name === "leverage of BTC-PERP");
    expect(named === undefined ? "none" : decimal(named.initial)).toBe(part);
  }
});

describe("R11 a call keeps the leverage that it was opened under", () => {
  const tell = (desk: ReturnType<typeof deskOf>, leverage: string | null, instrumentId = "BTC-PERP") =>
    desk.fact("leverage", { occurredAt: T0, instrumentId, leverage: leverage === null ? null : quantity(leverage) });

  test("raising it cures nothing; the new one holds once the call has ended", () => {
    const desk = deskOf(levered(accountWith({ USDT: "14" }, [position("BTC-PERP", "1", "100")]), "BTC-PERP", "2"));
    desk.at(T0, "100");
    expect(desk.live()).toMatchObject({ status: "OPEN", initialRequirement: money("50"), amountDue: money("36") });
    desk.at(T0 + MINUTE, "100", [tell(desk, "10")]);
    expect(desk.at(T0 + 3 * MINUTE, "100")).toBeNull();
    expect(desk.live()).toMatchObject({ status: "OPEN", metAmount: money("0") });
    expect(desk.account().standing.get("BTC-PERP")).toMatchObject({ leverage: quantity("10"), kept: { leverage: quantity("2") } });
    const paid = desk.fact("deposit", { occurredAt: T0, asset: "USDT", amount: money("36") });
    expect(typesOf(desk.at(T0 + 4 * MINUTE, "100", [paid]))).toContain("margin_call.met");
    expect(decimal(assess(desk.account(), market(T0, { "BTC-PERP": "100" }), POLICY, T0).low.initial)).toBe("10");
  });

  test("lowering it raises no call that is live, and told again as it was it leaves nothing behind", () => {
    const desk = deskOf(accountWith({ USDT: "5" }, [position("BTC-PERP", "1", "100")]));
    desk.at(T0, "100");
    expect(desk.live().initialRequirement).toBe(money("10"));
    desk.at(T0 + 1, "100", [tell(desk, "1")]);
    const at100 = market(T0, { "BTC-PERP": "100" });
    expect(decimal(assess(desk.account(), at100, POLICY, T0).low.initial)).toBe("10");
    desk.at(T0 + 2, "100", [tell(desk, null)]);
    expect(desk.account().standing.size).toBe(0);
  });

  test("R16 a snapshot names all, a reconciliation what differs", () => {
    const desk = deskOf(levered(tenTimesLong(), "ETH-PERP", "3"));
    const { balances, positions } = desk.account();
    const stated = { occurredAt: T0, balances, positions };
    const check = {
      ...desk.fact("reconciliation", { ...stated, leverage: [{ instrumentId: "BTC-PERP", leverage: quantity("7") }] }),
      sequence: 1,
    };
    expect(desk.at(T0, "100", [check])?.entries[0]?.differences).toEqual([
      { what: "leverage BTC-PERP", book: "none", venue: "7" },
      { what: "leverage ETH-PERP", book: "3", venue: "none" },
    ]);
    desk.at(T0, "100", [desk.fact("snapshot", { ...stated, leverage: [{ instrumentId: "BTC-PERP", leverage: quantity("7") }] })]);
    expect([...desk.account().standing].map(([id, { leverage }]) => [id, leverage])).toEqual([["BTC-PERP", quantity("7")]]);
  });
});

describe("properties", () => {
  const choices = fc.array(fc.record({ id: fc.constantFrom(...CONTRACTS), leverage: fc.integer({ min: 100, max: 20_000 }) }), {
    minLength: 1,
    maxLength: 4,
  });
  const chosen = (account: MarginAccount, drawn: readonly { id: string; leverage: number }[]): MarginAccount =>
    drawn.reduce((held, { id, leverage }) => withStanding(held, id, { leverage: (BigInt(leverage) * 1_000_000n) as Quantity }), account);

  test("leverage never lowers IM, IM is at least N/L, and nothing else changes; lower leverage needs no less", () => {
    fc.assert(
      fc.property(accounts, choices, snapshots(["GOOD", "GOOD", "STALE", "MISSING"]), policies, (account, drawn, snapshot, policy) => {
        const [plain, raised, lower] = [
          account,
          chosen(account, drawn),
          chosen(
            account,
            drawn.map(({ id, leverage }) => ({ id, leverage: Math.max(100, leverage - 90) })),
          ),
        ].map((each) => assess(each, snapshot, policy, NOW));
        if (plain === undefined || raised === undefined || lower === undefined) return;
        for (const side of ["low", "high"] as const) {
          expect(raised[side].initial >= plain[side].initial && lower[side].initial >= raised[side].initial).toBe(true);
          expect({ ...raised[side], initial: plain[side].initial }).toEqual(plain[side]);
        }
        for (const { instrumentId, notional, initial } of raised.legs) {
          const leverage = drawn.findLast(({ id }) => id === instrumentId)?.leverage;
          if (leverage !== undefined && initial !== null)
            expect(initial * BigInt(leverage) >= notional * 100n - 2n * BigInt(leverage)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("the screen is never wrong about it, and columns leave it to the exact pass", () => {
    const units = fc.oneof(fc.bigInt(-20n, 20n), fc.bigInt(-100_000n, 100_000n), fc.bigInt(-(10n ** 13n), 10n ** 13n));
    let screened = 0;
    fc.assert(
      fc.property(accounts, choices, snapshots(["GOOD"]), policies, units, (drawn, choice, snapshot, policy, shift) => {
        const before = chosen(drawn, choice);
        const account = atHeadroom(before, assess(before, snapshot, policy, NOW).low, policy.levels.warning, shift);
        if (!isSurelyQuiet(account, snapshot, policy, NOW)) return;
        screened += 1;
        expect(levelOf(account, assess(account, snapshot, policy, NOW), policy.levels, "HEALTHY")).toBe("HEALTHY");
      }),
      { numRuns: 1_000 },
    );
    expect(screened).toBeGreaterThan(50);
    const held = accountOf({ USDT: "10" }, [leg("BTC-PERP", "1", "100")]);
    const instruments = new Map(VENUE.map((one) => [one.instrumentId, one]));
    const admitted = (account: MarginAccount) => columnsOf([account], policyWith([bare("USDT")]), instruments).admitted;
    expect([admitted(held), admitted(levered(held, "BTC-PERP", "5"))]).toEqual([1, 0]);
  });
});
