import type { Money } from "../money.ts";
import { max, min, minus, ZERO } from "../money.ts";
import { multiplyRatio, type Ratio, ratio, roundRatio } from "../ratio.ts";
import { proRata } from "./pro-rata.ts";

/** A fund that one event may draw on only so far (R22). */
export interface CappedFund {
  readonly balance: Money;
  /** Already drawn for this event. */
  readonly drawn: Money;
  /** Most that one event draws; null without a cap. */
  readonly drawCap: Money | null;
}

/** What a fund can still give: one whose draw cap is reached counts as exhausted (R22). Never negative. */
export const drawable = ({ balance, drawn, drawCap }: CappedFund): Money =>
  max(drawCap === null ? balance : min(balance, minus(drawCap, drawn)), ZERO);

/** The layers that take a default's loss, in their order (M13). */
export const LAYERS = ["margin", "ownContribution", "insuranceFund", "skinInTheGame", "defaultFund", "assessments", "gains"] as const;
export type Layer = (typeof LAYERS)[number];

/** What stands behind a default. All amounts in one asset, 0 or above. */
export interface DefaultResources {
  /** The defaulter's own: margin, and what it paid into the default fund. */
  readonly margin: Money;
  readonly ownContribution: Money;
  readonly insuranceFund: CappedFund;
  readonly skinInTheGame: Money;
  /** Default fund contributions of the others, by member. */
  readonly contributions: ReadonlyMap<string, Money>;
  /** Most that a member is called for beyond its contribution, as a share of it; 1 is once more. */
  readonly assessmentCap: Ratio;
  /** Unpaid gains on the defaulted contracts, by account: they are cut last. Who holds no position has none. */
  readonly gains: ReadonlyMap<string, Money>;
}

/** Where a loss went. The layers and `unallocated` sum to the loss exactly. */
export interface Absorbed {
  readonly taken: Readonly<Record<Layer, Money>>;
  /** Shares by member or account. */
  readonly contributions: ReadonlyMap<string, Money>;
  readonly assessments: ReadonlyMap<string, Money>;
  readonly haircuts: ReadonlyMap<string, Money>;
  /** What no layer could take: contracts are torn up. */
  readonly unallocated: Money;
}

const sumOf = (amounts: ReadonlyMap<string, Money>): Money => [...amounts.values()].reduce((sum, amount) => sum + amount, 0n) as Money;

/** What each member may still be called for: its contribution times the cap, rounded down. */
const callable = (contributions: ReadonlyMap<string, Money>, cap: Ratio): Map<string, Money> =>
  new Map([...contributions].map(([member, amount]) => [member, roundRatio(multiplyRatio(ratio(amount), cap), "down") as Money]));

/**
 * Takes a loss through the layers of a default waterfall in their order (M13, R22, I16), each as far as it reaches.
 * Within a layer members share by contribution, and accounts by gain.
 *
 * @param loss 0 or above: what closing the defaulter cost, before its own margin.
 * @throws RangeError for a negative loss or resource.
 */
export const absorbLoss = (loss: Money, resources: DefaultResources): Absorbed => {
  const { margin, ownContribution, insuranceFund, skinInTheGame, contributions, assessmentCap, gains } = resources;
  if ([loss, margin, ownContribution, skinInTheGame].some((amount) => amount < 0n))
    throw new RangeError("a loss or a resource is negative");
  const beyond = callable(contributions, assessmentCap);
  const reach: Readonly<Record<Layer, Money>> = {
    margin,
    ownContribution,
    insuranceFund: drawable(insuranceFund),
    skinInTheGame,
    defaultFund: sumOf(contributions),
    assessments: sumOf(beyond),
    gains: sumOf(gains),
  };
  let left = loss;
  const takeFrom = (layer: Layer): [Layer, Money] => {
    const taken = min(left, reach[layer]);
    left = minus(left, taken);
    return [layer, taken];
  };
  const taken = Object.fromEntries(LAYERS.map(takeFrom)) as Record<Layer, Money>;
  return {
    taken,
    contributions: proRata(taken.defaultFund, contributions),
    assessments: proRata(taken.assessments, beyond),
    haircuts: proRata(taken.gains, gains),
    unallocated: left,
  };
};

/** One settlement in which some cannot pay what they lost. */
export interface Settlement {
  readonly losers: readonly { readonly loss: Money; readonly balance: Money }[];
  /** What is owed to each winner. */
  readonly gains: ReadonlyMap<string, Money>;
  readonly pool: Money;
}

/**
 * Settles losses that the losers' balances do not cover (M13, Vega): the insurance pool first, then the winners by
 * gain. Winners get whole units, the remainder goes to the largest gain; what they get and what was paid in agree.
 *
 * @returns the shortfall after the pool, what the pool gave, what each winner gets and goes without.
 */
export const settleLosses = ({ losers, gains, pool }: Settlement) => {
  const unpaid = losers.reduce((sum, { loss, balance }) => sum + max<bigint>(loss - max<bigint>(balance, 0n), 0n), 0n) as Money;
  const poolUsed = min(unpaid, max(pool, ZERO));
  const shortfall = minus(unpaid, poolUsed);
  const received = proRata(max(minus(sumOf(gains), shortfall), ZERO), gains);
  const haircuts = new Map([...gains].map(([id, gain]) => [id, minus(gain, received.get(id) ?? ZERO)]));
  return { shortfall, poolUsed, received, haircuts };
};

/**
 * Size of a default fund that covers the `count` members with the largest stress losses over their margin (M13);
 * cover 2 is the standard of clearing houses. Losses below 0 count nothing.
 */
export const coverSize = (lossesOverMargin: readonly Money[], count: number): Money =>
  [...lossesOverMargin]
    .sort((a, b) => (a < b ? 1 : a > b ? -1 : 0))
    .slice(0, count)
    .reduce((sum, loss) => sum + max<bigint>(loss, 0n), 0n) as Money;
