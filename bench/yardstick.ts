import { Decimal } from "decimal.js";

import type { MarginAccount } from "../core/account.ts";
import type { Level } from "../core/level.ts";
import { decimal } from "../core/money.ts";
import type { BenchMarket } from "./book.ts";

/**
 * The same decision as a careful team would write it with decimal.js: equity, requirement by tier, level
 * with hysteresis. Everything that can be prepared once (marks, tiers, the accounts' own figures) is.
 */

const Exact = Decimal.clone({ precision: 40 });
type Exact = InstanceType<typeof Exact>;
const PPM = new Exact(1_000_000);

interface Tier {
  readonly floor: Exact;
  readonly rateIm: Exact;
  readonly rateMm: Exact;
  readonly amountIm: Exact;
  readonly amountMm: Exact;
}

interface Terms {
  readonly mark: Exact;
  readonly tiers: readonly Tier[];
}

export interface YardstickMarket {
  readonly terms: ReadonlyMap<string, Terms>;
  readonly entries: readonly (readonly [Level, Exact])[];
  readonly backstop: Exact;
  readonly hysteresis: Exact;
}

export interface YardstickAccount {
  readonly level: Level;
  readonly cash: Exact;
  readonly positions: readonly { readonly instrumentId: string; readonly quantity: Exact; readonly entryPrice: Exact }[];
}

export const yardstickMarket = ({ snapshot, policy }: BenchMarket): YardstickMarket => {
  const share = (ppm: number): Exact => new Exact(ppm).div(PPM);
  const terms = new Map<string, Terms>();
  for (const [instrumentId, instrument] of snapshot.instruments) {
    const mark = snapshot.marks.get(instrumentId);
    if (mark === undefined) throw new Error(`no mark of ${instrumentId}`);
    terms.set(instrumentId, {
      mark: new Exact(decimal(mark.price)),
      tiers: instrument.tiers.map((tier) => ({
        floor: new Exact(decimal(tier.floor)),
        rateIm: share(tier.rateIm),
        rateMm: share(tier.rateMm + instrument.feePpm),
        amountIm: new Exact(decimal(tier.amountIm)),
        amountMm: new Exact(decimal(tier.amountMm)),
      })),
    });
  }
  const { warning, call, restricted, backstop, hysteresis } = policy.levels;
  return {
    terms,
    entries: [
      ["RESTRICTED", share(restricted)],
      ["CALL", share(call)],
      ["WARNING", share(warning)],
    ],
    backstop: share(backstop),
    hysteresis: share(hysteresis),
  };
};

export const yardstickAccount = (account: MarginAccount): YardstickAccount => ({
  level: account.level,
  cash: new Exact(decimal(account.balances.get("USDT") ?? (0n as never))),
  positions: account.positions.map(({ instrumentId, quantity, entryPrice }) => ({
    instrumentId,
    quantity: new Exact(decimal(quantity)),
    entryPrice: new Exact(decimal(entryPrice)),
  })),
});

const DEPTH: Readonly<Record<Level, number>> = { HEALTHY: 0, WARNING: 1, CALL: 2, RESTRICTED: 3, CLOSE_OUT: 4, BACKSTOP: 5, DEFAULT: 6 };

const tierOf = (tiers: readonly Tier[], notional: Exact): Tier => {
  let index = tiers.length - 1;
  while (index > 0 && notional.lt((tiers[index] as Tier).floor)) index -= 1;
  return tiers[index] as Tier;
};

/** The account's level on these marks (R1). */
export const yardstickLevel = (account: YardstickAccount, market: YardstickMarket): Level => {
  let equity = account.cash;
  let initial = new Exact(0);
  let maintenance = new Exact(0);
  for (const { instrumentId, quantity, entryPrice } of account.positions) {
    const terms = market.terms.get(instrumentId);
    if (terms === undefined) throw new Error(`unknown instrument ${instrumentId}`);
    equity = equity.plus(quantity.times(terms.mark.minus(entryPrice)));
    const notional = quantity.abs().times(terms.mark);
    const tier = tierOf(terms.tiers, notional);
    initial = initial.plus(notional.times(tier.rateIm).minus(tier.amountIm));
    maintenance = maintenance.plus(notional.times(tier.rateMm).minus(tier.amountMm));
  }
  if (equity.lt(0)) return "DEFAULT";
  if (equity.lt(maintenance.times(market.backstop))) return "BACKSTOP";
  if (equity.lt(maintenance)) return "CLOSE_OUT";
  const span = initial.minus(maintenance);
  for (const [level, threshold] of market.entries) {
    const edge = DEPTH[account.level] >= DEPTH[level] ? threshold.plus(market.hysteresis) : threshold;
    if (equity.lt(maintenance.plus(span.times(edge)))) return level;
  }
  return "HEALTHY";
};
