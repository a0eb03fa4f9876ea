import type { MarginAccount, Position } from "../../../core/account.ts";
import type { Instrument } from "../../../core/instrument.ts";
import { LEVELS } from "../../../core/level.ts";
import type { MarketSnapshot } from "../../../core/mark.ts";
import { type Money, money, type Price, type Quantity, quantity } from "../../../core/money.ts";
import type { Policy } from "../../../core/policy.ts";
import { assess } from "../../../core/statement.ts";
import { validatePolicy } from "../../../core/terms.ts";
import { loadTiers } from "../../../core/tiers.ts";
import { type Draw, draws } from "../../../local/random.ts";
import { accountOf, bare, contract, NOW, policyWith, snapshotOf } from "../margin-fixtures.ts";

/*
 * Accounts built to stand where float64 can least tell: exact bigint figures whose equity is at a threshold, one unit of
 * 1e-8 above and below it, and as far from it as the error bound reaches.
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

const policyOf = (draw: Draw): Policy => {
  const levels = policyWith([bare("USDT")]).levels;
  return validatePolicy(
    policyWith([bare("USDT")], {
      levels: { ...levels, inclusive: draw() < 0.5, hysteresis: draw() < 0.5 ? 50_000 : 0 },
      unrealisedProfitIm: [0, 500_000, 1_000_000][Math.floor(draw() * 3)] as number,
    }),
  );
};

const positionsOf = (draw: Draw, snapshot: MarketSnapshot): Position[] => {
  const count = 1 + Math.floor(draw() * 10);
  const from = Math.floor(draw() * (VENUE.length - count));
  return VENUE.slice(from, from + count).map(({ instrumentId, multiplier }) => {
    const mark = snapshot.marks.get(instrumentId)?.price ?? (1n as Price);
    const notional = 10 ** (draw() * 7);
    const contracts = notional / (Number(mark) / 1e8) / (Number(multiplier) / 1e8);
    const size = BigInt(Math.max(1, Math.round(contracts * 1e8)));
    const entry = (mark * BigInt(Math.round(700_000 + draw() * 600_000))) / 1_000_000n;
    return { instrumentId, quantity: (draw() < 0.5 ? size : -size) as Quantity, entryPrice: (entry > 0n ? entry : 1n) as Price };
  });
};

/** Distance from a threshold in units of 1e-8: at it, one beside it, or as far as float64's error may reach. */
const distanceOf = (draw: Draw): bigint => {
  const kind = draw();
  if (kind < 0.6) return BigInt(Math.floor(draw() * 3) - 1);
  return BigInt(Math.round((draw() < 0.5 ? -1 : 1) * 10 ** (draw() * 8)));
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
const RICH = 10n ** 20n;

/** Variants of one account: each at a level, its wallet moved to a threshold that is judged there. */
const variantsOf = (draw: Draw, account: MarginAccount, snapshot: MarketSnapshot, policy: Policy, count: number): MarginAccount[] => {
  const { high } = assess({ ...account, balances: new Map([["USDT", RICH as Money]]) }, snapshot, policy, NOW);
  return Array.from({ length: count }, (_, number) => {
    const level = LEVELS[Math.floor(draw() * LEVELS.length)] as MarginAccount["level"];
    const depth = 1 + Math.floor(draw() * 6);
    const threshold = thresholdOf(policy, high, depth, LEVELS.indexOf(level) >= depth);
    const equity = threshold / 1_000_000n + distanceOf(draw);
    const worth = (depth <= 2 ? high.equityInitial : high.equityMaintenance) - RICH;
    const wallet = (equity - worth) as Money;
    return { ...account, accountId: `${account.accountId}-${number}`, level, balances: new Map([["USDT", wallet]]) };
  });
};

export interface EdgeBook {
  readonly accounts: readonly MarginAccount[];
  readonly snapshot: MarketSnapshot;
  readonly policy: Policy;
}

/** A book of `count` accounts at the edges of their levels, on marks and under a policy drawn for it. */
export const edgeBook = (seed: number, count: number): EdgeBook => {
  const draw = draws(seed, "edge accounts");
  const snapshot = snapshotOf(
    VENUE,
    Object.fromEntries(VENUE.map(({ instrumentId }) => [instrumentId, (10 ** (draw() * 9 - 4)).toFixed(8)])),
  );
  const policy = policyOf(draw);
  const accounts: MarginAccount[] = [];
  while (accounts.length < count) {
    const reserved = draw() < 0.2 ? new Map([["USDT", money("12.34567891")]]) : new Map<string, Money>();
    const bareOne = { ...accountOf({}, positionsOf(draw, snapshot)), accountId: `A${accounts.length}`, reserved };
    accounts.push(...variantsOf(draw, bareOne, snapshot, policy, Math.min(20, count - accounts.length)));
  }
  return { accounts, snapshot, policy };
};
