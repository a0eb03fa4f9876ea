import type { MarginAccount } from "../account.ts";
import type { Asset, Instrument } from "../instrument.ts";
import type { MarketSnapshot } from "../mark.ts";
import { marketOf } from "../market.ts";
import type { Money, Ppm, Price } from "../money.ts";
import { PPM } from "../money.ts";
import type { Policy } from "../policy.ts";
import { qualityAt } from "../quality.ts";
import { type Shock, shockedSnapshot } from "../shock.ts";
import { assessOn } from "../statement.ts";

/** What an account is judged on. */
export interface JudgedOn {
  readonly snapshot: MarketSnapshot;
  readonly policy: Policy;
  readonly now: number;
}

/** An account after a move: equity and maintenance requirement on the cautious side (R3), exact. */
export interface Standing {
  readonly equity: Money;
  readonly initial: Money;
  readonly maintenance: Money;
}

/** A price never falls to 0 here: an inverse contract has no value there. */
const LEAST_MOVE = -999_999;

/** Relative moves by base asset, ppm; an asset that is not there stands still. */
export type Moves = ReadonlyMap<Asset, Ppm>;

const shockOf = (moves: Moves): Shock => ({
  volatilityFactor: 1,
  priceOf: ({ baseAsset }: Instrument, price: Price): Price => {
    const move = moves.get(baseAsset);
    if (move === undefined) return price;
    const moved = (price * (PPM + BigInt(Math.max(LEAST_MOVE, move)))) / PPM;
    return (moved === 0n && price > 0n ? 1n : moved) as Price;
  },
});

/** A snapshot after joint moves of base assets: spot, futures and perpetuals of one move alike, options are revalued at their volatility. */
export const movedSnapshot = (snapshot: MarketSnapshot, moves: Moves, name: string): MarketSnapshot =>
  moves.size === 0 ? snapshot : shockedSnapshot(snapshot, shockOf(moves), name);

/** The account on a snapshot by the rules that decide it. @throws what `assess` throws. */
export const standingOn = (account: MarginAccount, { snapshot, policy, now }: JudgedOn): Standing => {
  const { low } = assessOn(account, marketOf(snapshot, policy, now));
  return { equity: low.equityMaintenance, initial: low.initial, maintenance: low.maintenance };
};

/** Base assets whose price moves the account: of its positions, and of what it holds or owes in another asset than the valuation asset. */
export const assetsOf = ({ positions, balances }: MarginAccount, { snapshot: { instruments }, policy }: JudgedOn): ReadonlySet<Asset> =>
  new Set([
    ...positions.flatMap(({ instrumentId }) => instruments.get(instrumentId)?.baseAsset ?? []),
    ...[...balances].flatMap(([asset, amount]) => (amount === 0n || asset === policy.valuationAsset ? [] : [asset])),
  ]);

/**
 * The marks that the account needs, so that a shock revalues no option that it does not hold. Where an option of its own has
 * no good mark, all options on the same underlying stay: they tell its volatility (S15).
 */
export const neededBy = (account: MarginAccount, { snapshot, now }: JudgedOn): MarketSnapshot => {
  const held = new Set(account.positions.map(({ instrumentId }) => instrumentId));
  const priced = new Set(
    [...held].flatMap((id) => {
      const instrument = snapshot.instruments.get(id);
      const isPoor = instrument?.option != null && qualityAt(snapshot.marks.get(id), instrument, now) !== "GOOD";
      return isPoor ? [instrument.option.underlyingId] : [];
    }),
  );
  const isNeeded = (id: string): boolean => {
    const option = snapshot.instruments.get(id)?.option ?? null;
    return option === null || held.has(id) || priced.has(option.underlyingId);
  };
  return { ...snapshot, marks: new Map([...snapshot.marks].filter(([id]) => isNeeded(id))) };
};
