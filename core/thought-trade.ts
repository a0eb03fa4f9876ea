import type { MarginAccount } from "./account.ts";
import { fillPosition } from "./fill.ts";
import type { Asset, Instrument } from "./instrument.ts";
import { divide, type Money, PPM, type Price, type Quantity, ZERO } from "./money.ts";
import { notionalOf } from "./valuation.ts";

const added = (balances: ReadonlyMap<Asset, Money>, asset: Asset, amount: bigint): ReadonlyMap<Asset, Money> =>
  new Map(
    [...new Map(balances).set(asset, ((balances.get(asset) ?? ZERO) + amount) as Money)]
      .filter(([, held]) => held !== 0n)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

/** The account after a payment that is only thought of; negative takes out. */
export const withPayment = (account: MarginAccount, asset: Asset, amount: Money): MarginAccount => ({
  ...account,
  balances: added(account.balances, asset, amount),
});

/** The account after a trade at a price, with the fee paid (M3). The instrument is none of the spot pairs. */
export const withTrade = (account: MarginAccount, instrument: Instrument, quantity: Quantity, price: Price): MarginAccount => {
  const { instrumentId, settleAsset, feePpm } = instrument;
  const held = account.positions.find((position) => position.instrumentId === instrumentId) ?? null;
  const { position, realised } = fillPosition(instrument, held, quantity, price);
  const fee = divide(notionalOf(instrument, quantity, price) * BigInt(feePpm), PPM, "up");
  const others = account.positions.filter((each) => each.instrumentId !== instrumentId);
  const positions = position === null ? others : [...others, position].sort((a, b) => (a.instrumentId < b.instrumentId ? -1 : 1));
  return { ...account, positions, balances: added(account.balances, settleAsset, realised - fee) };
};
