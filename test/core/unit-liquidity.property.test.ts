import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MarginAccount } from "../../core/account.ts";
import { columnsOf } from "../../core/columns/linear-book.ts";
import { levelsAt } from "../../core/columns/linear-levels.ts";
import { waysToCure } from "../../core/cure.ts";
import { fillPosition } from "../../core/fill.ts";
import type { Instrument } from "../../core/instrument.ts";
import { LEVELS, levelOf } from "../../core/level.ts";
import { LIMITS } from "../../core/limits.ts";
import { type PlannedOrder, planLiquidation, targetReached } from "../../core/liquidation-plan.ts";
import { type MarginModel, STANDARD_MODEL } from "../../core/margin-model.ts";
import type { MarketSnapshot } from "../../core/mark.ts";
import { abs, divide, type Money, money, PPM, type Price, type Quantity } from "../../core/money.ts";
import type { Policy } from "../../core/policy.ts";
import { STANDARD_TERMS } from "../../core/portfolio/portfolio-terms.ts";
import { isSurelyQuiet } from "../../core/screen.ts";
import { assess } from "../../core/statement.ts";
import { notionalOf } from "../../core/valuation.ts";
import { accounts, atHeadroom, policies, snapshots, VENUE, withCash } from "./margin-arbitraries.ts";
import { NOW } from "./margin-fixtures.ts";

const PORTFOLIO: MarginModel = { kind: "portfolio", terms: STANDARD_TERMS, statistical: null };
const NONE = {
  averageVolume: money("1000000"),
  spread: 1_000,
  dailyVolatility: 40_000,
  impact: 1_000_000,
  participation: 200_000,
  confidence: 990_000,
  threshold: 250_000,
  charge: 50_000,
};
const liquidities: fc.Arbitrary<NonNullable<Policy["liquidity"]>> = fc
  .record({
    averageVolume: fc.constantFrom(money("200000"), money("3000000"), money("50000000")),
    spread: fc.constantFrom(0, 1_000, 20_000),
    impact: fc.constantFrom(0, 1_000_000),
    confidence: fc.constantFrom(500_000, 990_000),
    charge: fc.constantFrom(0, 50_000, 300_000),
    volatilitySpread: fc.constantFrom(0, 20_000),
  })
  .chain((drawn) => {
    const unit = { ...drawn, dailyVolatility: 40_000, participation: 200_000, threshold: 250_000 };
    return fc.subarray(["BTC", "ETH", "CENT", "OIL"], { minLength: 1 }).map((assets) => Object.fromEntries(assets.map((id) => [id, unit])));
  });

/** What the account holds after an order was filled at the mark and its fees were paid: by the fill, not by the margin code. */
const filled = (
  account: MarginAccount,
  order: Pick<PlannedOrder, "instrumentId" | "side" | "quantity">,
  snapshot: MarketSnapshot,
  costPpm: number,
) => {
  const instrument = snapshot.instruments.get(order.instrumentId) as Instrument;
  const at = snapshot.marks.get(order.instrumentId)?.price as Price;
  const held = account.positions.find((position) => position.instrumentId === order.instrumentId) ?? null;
  const { position, realised } = fillPosition(instrument, held, (order.side === "sell" ? -order.quantity : order.quantity) as Quantity, at);
  const fee = divide(notionalOf(instrument, order.quantity, at) * BigInt(costPpm), PPM, "up");
  const asset = instrument.settleAsset;
  return {
    ...account,
    balances: new Map(account.balances).set(asset, ((account.balances.get(asset) ?? 0n) + realised - fee) as Money),
    positions: account.positions.flatMap((each) => (each !== held ? [each] : position === null ? [] : [position])),
  };
};

describe("M8: properties of any account under any liquidity terms", () => {
  test("the fast passes never differ from the exact one, and the float pass still clears what holds none of it", () => {
    let screened = 0;
    fc.assert(
      fc.property(
        accounts,
        snapshots(["GOOD"]),
        policies,
        liquidities,
        fc.bigInt(-100n, 10n ** 10n),
        (drawn, snapshot, base, liquidity, shift) => {
          const policy = { ...base, liquidity };
          const account = atHeadroom(drawn, assess(drawn, snapshot, policy, NOW).low, policy.levels.warning, shift);
          const level = levelOf(account, assess(account, snapshot, policy, NOW), policy.levels, account.level);
          if (isSurelyQuiet(account, snapshot, policy, NOW)) {
            screened += 1;
            expect(level).toBe("HEALTHY");
          }
          const { levels } = levelsAt(columnsOf([account], policy, snapshot.instruments), snapshot, NOW);
          expect(LEVELS[levels[0] as number]).toBe(level);
        },
      ),
      { numRuns: 500 },
    );
    expect(screened).toBeGreaterThan(20);
  });

  test("R14, R19: a plan that is filled at the marks reaches its target, or closes all that may be traded; one lot less of its last order does not", () => {
    let partial = 0;
    fc.assert(
      fc.property(
        accounts,
        snapshots(["GOOD"]),
        policies,
        liquidities,
        fc.bigInt(300_000n, 1_050_000n),
        (drawn, snapshot, base, liquidity, share) => {
          const policy = { ...base, liquidity };
          const { high } = assess(drawn, snapshot, policy, NOW);
          // Equity of a share of MM: under it, or just above.
          const account = withCash(drawn, (high.maintenance * share) / PPM - high.equityMaintenance);
          const statement = assess(account, snapshot, policy, NOW);
          const orders = planLiquidation({ account, statement, snapshot, policy, target: "closeOut", now: NOW });
          expect(orders.length <= LIMITS.ordersPerAttemptMax).toBe(true);
          if (targetReached(statement.high, "closeOut", policy)) return void expect(orders).toEqual([]);
          const costOf = ({ instrumentId }: PlannedOrder): number => {
            const instrument = VENUE.find((each) => each.instrumentId === instrumentId) as Instrument;
            return instrument.liquidationFeePpm + instrument.insuranceFeePpm;
          };
          const after = orders.reduce((left, order) => filled(left, order, snapshot, costOf(order)), account);
          if (after.positions.length === 0) return;
          const reached = targetReached(assess(after, snapshot, policy, NOW).high, "closeOut", policy);
          partial += 1;
          expect(reached).toBe(true);
          const last = orders.at(-1) as PlannedOrder;
          const lot = VENUE.find(({ instrumentId }) => instrumentId === last.instrumentId)?.lotSize ?? 1n;
          const less = (((last.quantity - 1n) / lot) * lot) as Quantity;
          const short = [...orders.slice(0, -1), ...(less > 0n ? [{ ...last, quantity: less }] : [])];
          const under = short.reduce((left, order) => filled(left, order, snapshot, costOf(order)), account);
          expect(targetReached(assess(under, snapshot, policy, NOW).high, "closeOut", policy)).toBe(false);
        },
      ),
      { numRuns: 500 },
    );
    expect(partial).toBeGreaterThan(200);
  });

  test("R4: every reduction that is offered cures alone, and no lot fewer does", () => {
    let cures = 0;
    fc.assert(
      fc.property(
        accounts,
        snapshots(["GOOD"]),
        policies,
        liquidities,
        fc.integer({ min: 0, max: 990_000 }),
        (drawn, snapshot, base, liquidity, depth) => {
          const policy = { ...base, liquidity };
          const account = atHeadroom(drawn, assess(drawn, snapshot, policy, NOW).low, depth);
          for (const cure of waysToCure(account, assess(account, snapshot, policy, NOW), snapshot, policy).cures) {
            if (cure.kind !== "reduce") continue;
            const instrument = snapshot.instruments.get(cure.instrumentId) as Instrument;
            const isCured = (size: bigint): boolean => {
              const { low } = assess(
                filled(account, { ...cure, quantity: size as Quantity }, snapshot, instrument.feePpm),
                snapshot,
                policy,
                NOW,
              );
              return low.equityInitial >= low.initial;
            };
            cures += 1;
            const held = abs(
              account.positions.find(({ instrumentId }) => instrumentId === cure.instrumentId)?.quantity ?? (0n as Quantity),
            );
            expect(isCured(cure.quantity)).toBe(true);
            const less =
              cure.quantity < held ? cure.quantity - instrument.lotSize : ((held - 1n) / instrument.lotSize) * instrument.lotSize;
            if (less > 0n) expect(isCured(less)).toBe(false);
          }
        },
      ),
      { numRuns: 300 },
    );
    expect(cures).toBeGreaterThan(50);
  });

  test("a policy without liquidity terms and one whose terms name nothing that is held decide alike, under both models", () => {
    fc.assert(
      fc.property(
        accounts,
        snapshots(["GOOD", "STALE"]),
        policies,
        fc.constantFrom(STANDARD_MODEL, PORTFOLIO),
        (account, snapshot, base, model) => {
          const policy = { ...base, model };
          const [one, other] = [policy, { ...policy, liquidity: { NONE } }].map((each) => assess(account, snapshot, each, NOW));
          expect([one?.low, one?.high, one?.components]).toEqual([other?.low, other?.high, other?.components]);
        },
      ),
      { numRuns: 200 },
    );
  });
});
