import type { MarginAccount } from "../account.ts";
import type { Asset } from "../instrument.ts";
import type { MarketSnapshot } from "../mark.ts";
import { ONE } from "../money.ts";
import type { Policy } from "../policy.ts";
import { spotOf } from "../risk-market.ts";
import { movedSnapshot, standingOn } from "./shocked-account.ts";

/** What is margined by itself under its policy: an account, or a pool of one (R9). */
export interface JudgedScope {
  /** "A-1", or "A-1 ISO#BTC-PERP". */
  readonly name: string;
  readonly view: MarginAccount;
  readonly policy: Policy;
}

/** Moves at which every account is revalued: per cents, in between values run straight. */
const FALLS: readonly number[] = [...Array.from({ length: 60 }, (_, index) => index + 1), 65, 70, 75, 80, 85, 90, 95, 99];
const RISES: readonly number[] = [...Array.from({ length: 60 }, (_, index) => index + 1), 65, 70, 75, 80, 85, 90, 95, 100, 150, 200, 300];

/** One account's turn: it breaches at this move, and with all before it holds so much. */
export interface BreachTurn {
  readonly name: string;
  /** Size of the move: 0.1 is 10 %; 0 where the account is below its requirement already. */
  readonly move: number;
  /** Net units of the base asset, options by their delta, of the accounts that have breached by then: sold (above 0) or bought. */
  readonly liquidated: number;
}

/** Who breaches next as one base asset moves, all others held. */
export interface BookContagion {
  readonly asset: Asset;
  readonly direction: "fall" | "rise";
  readonly turns: readonly BreachTurn[];
  /** Accounts that hold the asset and that no move looked at breaches. */
  readonly safe: number;
}

const whole = (value: bigint): number => Number(value) / Number(ONE);

/** Units of the base asset that one contract of each instrument is worth: by how its value moves with the price, options as marked. */
const deltasOf = (asset: Asset, snapshot: MarketSnapshot): ReadonlyMap<string, number> => {
  const spot = spotOf(asset, snapshot)?.price ?? 0;
  const moved = movedSnapshot(snapshot, new Map([[asset, 10_000]]), `${asset} delta`);
  return new Map(
    [...snapshot.instruments.values()].flatMap(({ instrumentId, baseAsset, kind, multiplier, option }): [string, number][] => {
      const price = whole(snapshot.marks.get(instrumentId)?.price ?? 0n);
      if (baseAsset !== asset || kind === "spot" || price === 0 || spot === 0) return [];
      const contract = whole(multiplier);
      if (kind === "linear") return [[instrumentId, contract]];
      if (kind === "inverse") return [[instrumentId, contract / price]];
      const after = whole(moved.marks.get(instrumentId)?.price ?? 0n);
      const value = option?.settlement === "inverse" ? after * spot * 1.01 - price * spot : after - price;
      return [[instrumentId, (contract * value) / (spot * 0.01)]];
    }),
  );
};

const unitsOf = ({ view }: JudgedScope, deltas: ReadonlyMap<string, number>): number =>
  view.positions.reduce((sum, { instrumentId, quantity }) => sum + whole(quantity) * (deltas.get(instrumentId) ?? 0), 0);

/**
 * Accounts in the order in which a growing fall or rise of one base asset takes them below their maintenance requirement, by
 * the rules that decide them: options, portfolio margin, collateral and tiers included. Exact at each per cent up to 60, straight between.
 * A liquidation's own impact on the price is left out.
 *
 * @throws what `assess` throws: give accounts that can be assessed.
 */
export const bookContagion = (
  scopes: readonly JudgedScope[],
  { snapshot, now }: { readonly snapshot: MarketSnapshot; readonly now: number },
  asset: Asset,
  direction: BookContagion["direction"],
): BookContagion => {
  const distanceOn = ({ view, policy }: JudgedScope, moved: MarketSnapshot): number => {
    const { equity, maintenance } = standingOn(view, { snapshot: moved, policy, now });
    return whole(equity - maintenance);
  };
  const isExposed = ({ view }: JudgedScope): boolean =>
    (view.balances.get(asset) ?? 0n) !== 0n ||
    view.positions.some(({ instrumentId }) => snapshot.instruments.get(instrumentId)?.baseAsset === asset);
  let standing = scopes.filter(isExposed).map((scope) => ({ scope, before: distanceOn(scope, snapshot) }));
  const breached = standing.filter(({ before }) => before < 0).map(({ scope }) => ({ scope, move: 0 }));
  standing = standing.filter(({ before }) => before >= 0);
  let last = 0;
  for (const percent of direction === "fall" ? FALLS : RISES) {
    if (standing.length === 0) break;
    const ppm = percent * 10_000 * (direction === "fall" ? -1 : 1);
    const moved = movedSnapshot(snapshot, new Map([[asset, ppm]]), `${asset} ${ppm}`);
    const from = last;
    standing = standing.flatMap(({ scope, before }) => {
      const after = distanceOn(scope, moved);
      if (after >= 0) return [{ scope, before: after }];
      breached.push({ scope, move: (from + ((percent - from) * before) / (before - after)) / 100 });
      return [];
    });
    last = percent;
  }
  const deltas = deltasOf(asset, snapshot);
  let liquidated = 0;
  const turns = breached
    .sort((a, b) => a.move - b.move || (a.scope.name < b.scope.name ? -1 : 1))
    .map(({ scope, move }): BreachTurn => {
      liquidated += unitsOf(scope, deltas);
      return { name: scope.name, move, liquidated };
    });
  return { asset, direction, turns, safe: standing.length };
};
