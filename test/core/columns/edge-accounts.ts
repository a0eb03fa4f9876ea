import type { MarginAccount, Position } from "../../../core/account.ts";
import type { Instrument } from "../../../core/instrument.ts";
import { LEVELS } from "../../../core/level.ts";
import { LIMITS } from "../../../core/limits.ts";
import type { MarketSnapshot } from "../../../core/mark.ts";
import { type Money, money, type Price, price, type Quantity, quantity } from "../../../core/money.ts";
import type { Policy } from "../../../core/policy.ts";
import { assess } from "../../../core/statement.ts";
import { validatePolicy } from "../../../core/terms.ts";
import { loadTiers } from "../../../core/tiers.ts";
import { type Draw, draws } from "../../../local/random.ts";
import { accountOf, bare, contract, NOW, policyWith, snapshotOf } from "../margin-fixtures.ts";

/*
 * Accounts built to stand where float64 can least tell: exact bigint figures whose equity is at a threshold, one unit of
 * 1e-8 above and below it, and as far from it as the error bound reaches. Some of them are so large, with so much dust, that
 * float64 sums lose what the bound's share allows them to lose, not only the units that the exact pass rounds away.
 */

const FLOORS = ["0", "1000", "50000", "1000000"];
const tiersOf = (name: string, brackets: number): Instrument["tiers"] =>
  loadTiers(
    name,
    FLOORS.slice(0, brackets).map((floor, index) => ({
      floor: money(floor),
      rateIm: 20_000 * (index + 1) + 7,
      rateMm: 8_000 * (index + 1) + 3,
    })),
    533,
  );

/** Linear contracts of one to four brackets, some of a hundredth or a thousand units. */
const VENUE: readonly Instrument[] = Array.from({ length: 16 }, (_, number) => {
  const id = `I${number.toString().padStart(2, "0")}`;
  const multiplier = quantity(["1", "1", "0.01", "1000"][number % 4] as string);
  return contract(id, { tiers: tiersOf(id, 1 + (number % 4)), feePpm: 533, multiplier });
});

/** Contracts at a price of 1 and the lowest rates, so that a wallet at a threshold is small beside the positions. */
const DEEP: readonly Instrument[] = Array.from({ length: LIMITS.positionsMax }, (_, number) => {
  const id = `D${number.toString().padStart(3, "0")}`;
  return contract(id, { tiers: loadTiers(id, [{ floor: money("0"), rateIm: 2_000, rateMm: 1_000 }], 0) });
});

const policyOf = (draw: Draw): Policy => {
  const levels = policyWith([bare("USDT")]).levels;
  return validatePolicy(
    policyWith([bare("USDT")], {
      levels: { ...levels, inclusive: draw() < 0.5, hysteresis: draw() < 0.5 ? 50_000 : 0, backstop: draw() < 0.5 ? 500_000 : 666_667 },
      unrealisedProfitIm: [0, 500_000, 1_000_000][Math.floor(draw() * 3)] as number,
    }),
  );
};

const positionsOf = (draw: Draw, snapshot: MarketSnapshot): Position[] => {
  const count = 1 + Math.floor(draw() * 10);
  const from = Math.floor(draw() * (VENUE.length - count));
  // After a fall to a millionth, wallet and entry value hold the error that matters.
  const fallen = draw() < 0.05 ? 1_000_000n : 1n;
  return VENUE.slice(from, from + count).map(({ instrumentId, multiplier }) => {
    const mark = snapshot.marks.get(instrumentId)?.price ?? (1n as Price);
    const notional = 10 ** (draw() * 7);
    const contracts = notional / (Number(mark) / 1e8) / (Number(multiplier) / 1e8);
    const size = BigInt(Math.max(1, Math.round(contracts * 1e8)));
    const entry = (fallen * mark * BigInt(Math.round(700_000 + draw() * 600_000))) / 1_000_000n;
    return { instrumentId, quantity: (draw() < 0.5 ? size : -size) as Quantity, entryPrice: (entry > 0n ? entry : 1n) as Price };
  });
};

/** Between 2^70 and 2^71 neighbours in float64 are 2^18 apart. */
const HUGE = 3n << 69n;
/** Less than half of that: a sum as large as {@link HUGE} stays what it is when this is added, however often. */
const DUST = (1n << 17n) - 1n;

/** A huge long, 498 times the same side of dust and the huge short: worth the dust, of which a float64 sum in this order has nothing. */
const dustyPositions = (draw: Draw): Position[] => {
  const dust = draw() < 0.5 ? DUST : -DUST;
  return DEEP.map(({ instrumentId }, index) => {
    const size = index === 0 ? HUGE : index === DEEP.length - 1 ? -HUGE : dust;
    return { instrumentId, quantity: size as Quantity, entryPrice: price("1") };
  });
};

/** Distance from a threshold in units of 1e-8: at it, one beside it, or up to ten to the power of `reach`, beyond the error bound. */
const distanceOf = (draw: Draw, reach: number): bigint => {
  const kind = draw();
  if (kind < 0.6) return BigInt(Math.floor(draw() * 3) - 1);
  return BigInt(Math.round((draw() < 0.5 ? -1 : 1) * 10 ** (draw() * reach)));
};

/** Threshold of a level times one million, written here once more on purpose: by R1, from the statement's figures. */
const thresholdOf = (
  { levels }: Policy,
  side: { readonly initial: bigint; readonly maintenance: bigint },
  depth: number,
  isExit: boolean,
): bigint => {
  const span = side.initial - side.maintenance;
  const exit = isExit ? BigInt(levels.hysteresis) * span : 0n;
  const shares = [0, levels.warning, levels.call, levels.restricted, 0];
  if (depth === 6) return exit;
  if (depth === 5) return side.maintenance * BigInt(levels.backstop) + exit;
  return side.maintenance * 1_000_000n + BigInt(shares[depth] as number) * span + exit;
};

/** Rich enough that no debt's weight is in the figures. */
const RICH = 10n ** 24n;
/** Variants of one account. */
const VARIANTS = 20;

/** Variants of one account: each at a level, its wallet moved to a threshold that is judged there. */
const variantsOf = (draw: Draw, account: MarginAccount, snapshot: MarketSnapshot, policy: Policy, reach: number): MarginAccount[] => {
  const { high } = assess({ ...account, balances: new Map([["USDT", RICH as Money]]) }, snapshot, policy, NOW);
  return Array.from({ length: VARIANTS }, (_, number) => {
    const level = LEVELS[Math.floor(draw() * LEVELS.length)] as MarginAccount["level"];
    const depth = 1 + Math.floor(draw() * 6);
    const threshold = thresholdOf(policy, high, depth, LEVELS.indexOf(level) >= depth);
    const equity = threshold / 1_000_000n + distanceOf(draw, reach);
    const worth = (depth <= 2 ? high.equityInitial : high.equityMaintenance) - RICH;
    const wallet = (equity - worth) as Money;
    return { ...account, accountId: `${account.accountId}-${number}`, level, balances: new Map([["USDT", wallet]]) };
  });
};

/** Of the accounts these have five hundred positions: few, since the exact pass takes that much longer for each. */
const DUSTY = 0.005;

export interface EdgeBook {
  readonly accounts: readonly MarginAccount[];
  readonly snapshot: MarketSnapshot;
  readonly policy: Policy;
}

/** A book of `count` accounts at the edges of their levels, on marks and under a policy drawn for it. */
export const edgeBook = (seed: number, count: number): EdgeBook => {
  const draw = draws(seed, "edge accounts");
  const snapshot = snapshotOf(
    [...VENUE, ...DEEP],
    Object.fromEntries([
      ...VENUE.map(({ instrumentId }) => [instrumentId, (10 ** (draw() * 9 - 4)).toFixed(8)]),
      ...DEEP.map(({ instrumentId }) => [instrumentId, "1"]),
    ]),
  );
  const policy = policyOf(draw);
  const accounts: MarginAccount[] = [];
  while (accounts.length < count) {
    const reserved = draw() < 0.2 ? new Map([["USDT", money("12.34567891")]]) : new Map<string, Money>();
    const isDusty = draw() < DUSTY;
    const positions = isDusty ? dustyPositions(draw) : positionsOf(draw, snapshot);
    const bareOne = { ...accountOf({}, positions), accountId: `A${accounts.length}`, reserved };
    accounts.push(...variantsOf(draw, bareOne, snapshot, policy, isDusty ? 14 : 8));
  }
  return { accounts: accounts.slice(0, count), snapshot, policy };
};
