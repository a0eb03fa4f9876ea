/** A holding as contagion sees it: linear in its price, in whole units of the quote asset. */
export interface ContagionHolding {
  readonly symbol: string;
  /** Units of the base asset; below 0 is short. */
  readonly quantity: number;
  /** Above 0. */
  readonly price: number;
  /** Maintenance requirement for each unit of notional value: 0.05 is 5 %. */
  readonly maintenanceRate: number;
}

/** An account that may breach: `equity` at the prices of its holdings. */
export interface ContagionAccount {
  readonly accountId: string;
  readonly equity: number;
  readonly holdings: readonly ContagionHolding[];
}

/** Prices that move together by one relative size; all others are held fixed. */
export interface ContagionShock {
  readonly symbols: ReadonlySet<string>;
  readonly direction: "fall" | "rise";
}

/** Depth of the market of one symbol, for what liquidations do to its price. */
export interface MarketDepth {
  readonly symbol: string;
  /** Median volume of a day, units of the base asset, above 0. */
  readonly dailyVolume: number;
  /** Volatility of a day: 0.04 is 4 %. */
  readonly dailyVolatility: number;
}

/** One account's turn: what the shock has liquidated when it has reached the account's breach. */
export interface ContagionStep {
  readonly accountId: string;
  /** Size of the move at which equity reaches the maintenance requirement: 0.1 is 10 %; 0 where it is below already. */
  readonly move: number;
  /** Net units that the breached accounts hold of each shocked symbol, this one among them: what must be sold (above 0) or bought. */
  readonly liquidated: ReadonlyMap<string, number>;
  /** The move after the liquidations' own impact, and of those that it sets off; null without the depth of the market. */
  readonly moveAfterImpact: number | null;
}

/** Accounts by the move that breaches them, smallest first; accounts that no move of this direction breaches stand in `safe`. */
export interface Contagion {
  readonly steps: readonly ContagionStep[];
  readonly safe: readonly string[];
}

/**
 * Smallest move of the shock at which `equity < maintenance` follows (strict: at the move itself they are equal). Exact for
 * linear holdings at flat rates: both sides are straight lines in the move.
 *
 * @returns the size, 0 for an account below maintenance already, null where no fall down to a price of 0 or no rise breaches it.
 */
export const breachMove = ({ equity, holdings }: ContagionAccount, { symbols, direction }: ContagionShock): number | null => {
  const sign = direction === "fall" ? -1 : 1;
  let headroom = equity;
  let slope = 0;
  for (const { symbol, quantity, price, maintenanceRate } of holdings) {
    const notional = quantity * price;
    headroom -= Math.abs(notional) * maintenanceRate;
    if (symbols.has(symbol)) slope += sign * (notional - Math.abs(notional) * maintenanceRate);
  }
  if (headroom < 0) return 0;
  if (slope >= 0) return null;
  const move = headroom / -slope;
  // A position that is too small to matter divides to infinity.
  return !Number.isFinite(move) || (direction === "fall" && move >= 1) ? null : move;
};

/** Square-root law of impact (M8), with the coefficient 1. */
const impactOf = (quantity: number, { dailyVolatility, dailyVolume }: MarketDepth): number =>
  dailyVolatility * Math.sqrt(Math.abs(quantity) / dailyVolume);

interface Turn {
  readonly account: ContagionAccount;
  readonly move: number;
}

/** Where the price comes to rest after an outside move of `start`: each liquidation pushes on, until it breaches nobody else. */
const moveAfter = (turns: readonly Turn[], start: number, depth: MarketDepth, direction: ContagionShock["direction"]): number => {
  let quantity = 0;
  let reached = start;
  for (const { account, move } of turns) {
    if (move > reached) break;
    for (const held of account.holdings) if (held.symbol === depth.symbol) quantity += held.quantity;
    // What is bought back in a fall, or sold in a rise, holds the price rather than pushes it: no credit is taken.
    const pushes = direction === "fall" ? quantity > 0 : quantity < 0;
    if (pushes) reached = Math.max(reached, start + impactOf(quantity, depth));
  }
  return direction === "fall" ? Math.min(1, reached) : reached;
};

/**
 * Who breaches next: accounts in the order in which a growing shock takes them to their maintenance requirement, with what
 * must be liquidated by then. Accounts of equal moves stand by id. Full liquidation, no tiers, no fee: a bound, not a forecast.
 *
 * @param depth Depth of the one shocked market; null where it is unknown or where several prices move.
 */
export const contagion = (accounts: readonly ContagionAccount[], shock: ContagionShock, depth: MarketDepth | null): Contagion => {
  const turns: Turn[] = [];
  const safe: string[] = [];
  for (const account of accounts) {
    const move = breachMove(account, shock);
    if (move === null) safe.push(account.accountId);
    else turns.push({ account, move });
  }
  const byId = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  turns.sort((a, b) => a.move - b.move || byId(a.account.accountId, b.account.accountId));
  const liquidated = new Map<string, number>([...shock.symbols].map((symbol) => [symbol, 0]));
  const steps = turns.map(({ account, move }): ContagionStep => {
    for (const { symbol, quantity } of account.holdings) {
      const before = liquidated.get(symbol);
      if (before !== undefined) liquidated.set(symbol, before + quantity);
    }
    return {
      ...{ accountId: account.accountId, move, liquidated: new Map(liquidated) },
      moveAfterImpact: depth === null ? null : moveAfter(turns, move, depth, shock.direction),
    };
  });
  return { steps, safe: safe.sort(byId) };
};
