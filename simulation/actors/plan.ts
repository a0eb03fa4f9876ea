import { type Draw, draws, pick } from "../../local/random.ts";
import { isBelow, marginAt } from "../model/margin.ts";
import { LISTINGS, listingOf, MODEL_LISTINGS, optionQuote, PORTFOLIO_POLICY_ID, type PolicyDraw, RANGE_PPM } from "./terms.ts";

/** What a seed plays: drawn once, before anything happens. */
export interface Plan {
  readonly policy: PolicyDraw;
  readonly accounts: readonly AccountPlan[];
  readonly ticks: readonly TickPlan[];
  readonly venue: VenuePlan;
  /** Instants at which a holder asks for a withdrawal. */
  readonly withdrawals: readonly { readonly at: number; readonly accountId: string; readonly share: number }[];
  /** Moves between an account's cash and an isolated pool: a share of what there is to move. The first of an account opens its pool. */
  readonly transfers: readonly TransferPlan[];
  /** Whether accounts are margined by the models too: options, a dated future and a portfolio's policy are listed. */
  readonly models: boolean;
  /** Share of the calls that an operator cancels. */
  readonly cancelShare: number;
  /** Messages that nobody can read, and the queue that they come by (S43). */
  readonly poison: readonly { readonly at: number; readonly queue: string; readonly body: string }[];
  /** No fault is begun after this instant. */
  readonly faultsUntil: number;
  /** The run is over; what then is still open has had its time. */
  readonly endsAt: number;
}

export interface AccountPlan {
  readonly accountId: string;
  readonly brokerId: string;
  readonly policyId: string;
  /** Plain decimals. */
  readonly cash: string;
  readonly positions: readonly { readonly instrumentId: string; readonly quantity: string; readonly entryPrice: string }[];
}

export interface TransferPlan {
  readonly at: number;
  readonly accountId: string;
  readonly instrumentId: string;
  /** Of the cash into the pool where positive, of the pool out of it where negative. */
  readonly share: number;
}

/** What a feed says at an instant: one price of one instrument, as of when, or something that is no price. */
export interface TickPlan {
  readonly at: number;
  readonly instrumentId: string;
  readonly price: string;
  readonly asOf: number;
  /** False for what is no price of the market. */
  readonly isTrue: boolean;
}

export interface VenuePlan {
  /** The gateway takes no orders in these windows. */
  readonly outages: readonly Window[];
  /** Nobody bids in these windows: orders come back unfilled. */
  readonly noBids: readonly Window[];
  /** Share of the orders that are filled in part. */
  readonly partialShare: number;
  /** Share of the venue's messages that it sends twice, and that are lost until a snapshot. */
  readonly repeatShare: number;
  readonly lossShare: number;
}

export interface Window {
  readonly from: number;
  readonly until: number;
}

export const isWithin = (windows: readonly Window[], at: number): boolean => windows.some(({ from, until }) => at >= from && at < until);

/** The start of every run: an instant of Black Thursday. */
export const STARTS_AT = 1_584_007_200_000;
const MINUTE_MS = 60_000;
const BROKERS = ["meridian", "harbour"] as const;

const between = (draw: Draw, least: number, most: number): number => least + draw() * (most - least);

interface Shape {
  readonly crashAt: number;
  readonly crashMs: number;
  /** Factor on the price after the crash, by listing. */
  readonly depth: readonly number[];
  /** When and how far it comes back, as a share of the fall. */
  readonly recoversAt: number;
  readonly recovery: number;
}

const TICK_MS = 12_000;

/** The price of a listing at an instant: calm, a fall, perhaps a recovery; small noise on each tick. */
const priceAt = (listing: number, { crashAt, crashMs, depth, recoversAt, recovery }: Shape, at: number): number => {
  const opening = LISTINGS[listing]?.openingPrice ?? 0;
  const fall = 1 - (depth[listing] ?? 1);
  const fallen = Math.min(1, Math.max(0, (at - crashAt) / crashMs));
  const back = recovery * Math.min(1, Math.max(0, (at - recoversAt) / 120_000));
  return opening * (1 - fall * fallen * (1 - back));
};

/** Odd ticks of a feed, with their shares: a wick, an old price, nothing, a zero, words, one from the future. */
const ODD = [
  ["plain", 955],
  ["wick", 12],
  ["old", 10],
  ["zero", 4],
  ["words", 4],
  ["ahead", 5],
  ["twice", 10],
] as const;

const ticksOf = (draw: Draw, shape: Shape, silences: readonly Window[], faultsUntil: number, endsAt: number): TickPlan[] => {
  const ticks: TickPlan[] = [];
  for (const [index, { instrumentId, priceDecimals }] of LISTINGS.entries()) {
    const step = TICK_MS;
    for (let at = STARTS_AT + 500 + 700 * index; at < endsAt; at += step + Math.floor(draw() * 2_000)) {
      if (isWithin(silences, at)) continue;
      const noisy = priceAt(index, shape, at) * (1 + (draw() - 0.5) * 0.002);
      const odd = at < faultsUntil && at > STARTS_AT + 20_000 ? pick(draw, ODD) : "plain";
      const tick = { at, instrumentId, price: noisy.toFixed(priceDecimals), asOf: at - Math.floor(draw() * 400), isTrue: true };
      if (odd === "twice") ticks.push({ ...tick, at: at + 900 });
      if (odd === "wick") ticks.push({ ...tick, isTrue: false, price: (noisy * (draw() < 0.5 ? 0.55 : 1.6)).toFixed(priceDecimals) });
      else if (odd === "old") ticks.push({ ...tick, isTrue: false, asOf: at - 90_000 });
      else if (odd === "zero") ticks.push({ ...tick, isTrue: false, price: "0" });
      else if (odd === "words") ticks.push({ ...tick, isTrue: false, price: "NaN" });
      else if (odd === "ahead") ticks.push({ ...tick, isTrue: false, asOf: at + 30_000 });
      else ticks.push(tick);
    }
  }
  return ticks;
};

/** An account of one or two positions whose leverage lies below what its margin allows. */
const accountOf = (draw: Draw, index: number): AccountPlan => {
  const listings = draw() < 0.75 ? [draw() < 0.6 ? 0 : 1] : [0, 1];
  const leverage = between(draw, 5, 10.5);
  const equity = between(draw, 800, 6_000);
  const isShort = draw() < 0.12;
  const positions = listings.map((listing) => {
    const { instrumentId, openingPrice, lotDecimals, priceDecimals } = LISTINGS[listing] as (typeof LISTINGS)[number];
    const size = ((equity * leverage) / listings.length / openingPrice).toFixed(lotDecimals);
    return { instrumentId, quantity: isShort ? `-${size}` : size, entryPrice: openingPrice.toFixed(priceDecimals) };
  });
  return {
    accountId: `A-${index + 1}`,
    brokerId: BROKERS[index % 2] ?? "meridian",
    policyId: "standard",
    cash: equity.toFixed(2),
    positions,
  };
};

/** How far its first listing must fall for an account to stand at headroom x: E = MM + x (IM - MM). */
const depthFor = ({ cash, positions }: AccountPlan, x: number): number => {
  const [first] = positions;
  const listing = LISTINGS.find(({ instrumentId }) => instrumentId === first?.instrumentId) ?? LISTINGS[0];
  const notional = positions.reduce((sum, { instrumentId, quantity }) => {
    const opening = LISTINGS.find((one) => one.instrumentId === instrumentId)?.openingPrice ?? listing.openingPrice;
    return sum + Number(quantity) * opening;
  }, 0);
  const rate = 0.0505 + 0.05 * x;
  const cover = Number(cash) / Math.abs(notional);
  // Long: cover - d = rate (1 - d). Short: cover - u = rate (1 + u).
  return notional > 0 ? 1 - (cover - rate) / (1 - rate) : 1 + (cover - rate) / (1 + rate);
};

const windowsOf = (draw: Draw, share: number, from: number, until: number, longestMs: number): Window[] => {
  if (draw() >= share) return [];
  const starts = between(draw, from, until);
  return [{ from: starts, until: Math.min(until + longestMs, starts + between(draw, 20_000, longestMs)) }];
};

const shapeOf = (draw: Draw, accounts: readonly AccountPlan[]): Shape => {
  const target = accounts[Math.floor(draw() * accounts.length)] as AccountPlan;
  const x = between(draw, -0.25, 0.55);
  const isModelled =
    target.policyId !== "standard" || target.positions.some(({ instrumentId }) => listingOf(instrumentId).option !== undefined);
  const depth = isModelled ? moveFor(target, x) : depthFor(target, x);
  const crashAt = STARTS_AT + between(draw, 60_000, 150_000);
  const crashMs = pick(draw, [
    [15_000, 2],
    [60_000, 3],
    [180_000, 3],
  ] as const);
  const other = 1 + (depth - 1) * between(draw, 0.6, 1.1);
  const first = isModelled || target.positions[0]?.instrumentId === LISTINGS[0].instrumentId;
  return {
    crashAt,
    crashMs,
    depth: first ? [depth, other] : [other, depth],
    recoversAt: crashAt + crashMs + between(draw, 30_000, 300_000),
    recovery: draw() < 0.3 ? between(draw, 0.3, 1.1) : 0,
  };
};

/** Every queue that a function reads. */
const POISONED = ["marks", "sweep", "shards", "email", "webhook", "timer", "expiry", "orders", "feed.fifo"] as const;
/** What it is told by: no message of the pipeline holds this word. */
export const POISON = "poison";

const poisonOf = (draw: Draw, until: number): Plan["poison"] => {
  if (draw() < 0.7) return [];
  const queue = POISONED[Math.floor(draw() * POISONED.length)] ?? "marks";
  const body = pick(draw, [
    [`{"schemaVersion":2,"accountId":"A-1","note":"${POISON}"}`, 2],
    [`{"__proto__":{"schemaVersion":1},"note":"${POISON}"}`, 1],
    [`${POISON} that is no JSON`, 1],
  ] as const);
  return [{ at: Math.round(between(draw, STARTS_AT + 10_000, until)), queue, body }];
};

/** One seed in so many has pools; those of the corpus do not, and mean what they meant. */
const POOLS_EVERY = 3;

/** Most accounts of such a seed margin their first position isolated, some both; now and then cash goes in or out again. */
const transfersOf = (seed: number, accounts: readonly AccountPlan[], until: number): TransferPlan[] => {
  if (seed % POOLS_EVERY !== 2) return [];
  const draw = draws(seed, "pools");
  return accounts.flatMap(({ accountId, positions }) => {
    const pooled = positions.filter((_, index) => draw() < (index === 0 ? 0.8 : 0.3));
    return pooled.flatMap(({ instrumentId }) => {
      const opens = positions.length === 1 ? between(draw, 0.8, 1) : between(draw, 0.4, 0.6);
      const later = Array.from({ length: Math.floor(draw() * 3) }, () => ({
        at: Math.round(between(draw, STARTS_AT + 25_000, until)),
        accountId,
        instrumentId,
        share: draw() < 0.5 ? between(draw, 0.1, 1) : -between(draw, 0.02, 0.5),
      }));
      return [{ at: STARTS_AT + 6_000 + Math.floor(draw() * 15_000), accountId, instrumentId, share: opens }, ...later];
    });
  });
};

/** One seed in so many has accounts under the models; those of the corpus from before them do not, and mean what they meant. */
const MODELS_EVERY = 4;

/** An account of the models in place of one in two of the others: a hedged book under portfolio margin, or a seller of options. */
const modelAccountOf = (draw: Draw, plain: AccountPlan): AccountPlan => {
  const kind = pick(draw, [
    ["plain", 3],
    ["portfolio", 4],
    ["options", 3],
  ] as const);
  if (kind === "plain") return plain;
  const equity = between(draw, 2_000, 20_000);
  const share = between(draw, 0.55, 0.92);
  const common = { accountId: plain.accountId, brokerId: plain.brokerId, cash: equity.toFixed(2) };
  const held = (instrumentId: string, size: number) => {
    const { openingPrice, lotDecimals, priceDecimals } = listingOf(instrumentId);
    return { instrumentId, quantity: size.toFixed(lotDecimals), entryPrice: openingPrice.toFixed(priceDecimals) };
  };
  if (kind === "options") {
    const [put, call] = [draw() < 0.75, draw() < 0.4];
    const ids = put && call ? ["BTC-7000-P", "BTC-9000-C"] : [put ? "BTC-7000-P" : "BTC-9000-C"];
    // A short option of these needs about 1,250 at the opening.
    return { ...common, policyId: "standard", positions: ids.map((id) => held(id, -(equity * share) / ids.length / 1_250)) };
  }
  const net = (equity * share) / (1.3 * (RANGE_PPM / 1e6)) / 8_000;
  const hedge = net * between(draw, 0, 1.5);
  const side = draw() < 0.85 ? 1 : -1;
  const legs = [held("BTC-PERP", side * (net + hedge)), held("BTC-FUT", -side * hedge)];
  const other = draw() < 0.3 ? [held("ETH-PERP", (equity * 0.05) / 0.208 / 200)] : [];
  const positions = [...legs, ...other].filter(({ quantity }) => Number(quantity) !== 0);
  return { ...common, policyId: PORTFOLIO_POLICY_ID, positions: positions.sort((a, b) => (a.instrumentId < b.instrumentId ? -1 : 1)) };
};

/** Marks of what is listed beside the perpetuals follow the true price of the coin. */
const modelTicksOf = (draw: Draw, ticks: readonly TickPlan[]): TickPlan[] =>
  ticks
    .filter(({ instrumentId, isTrue }) => isTrue && instrumentId === "BTC-PERP")
    .flatMap(({ at, asOf, price }) =>
      MODEL_LISTINGS.map(({ instrumentId, option, priceDecimals }, index) => {
        const noisy = Number(price) * (1 + (draw() - 0.5) * 0.0005);
        const told = option === undefined ? noisy : optionQuote(option, noisy);
        return { at: at + 150 + 100 * index, instrumentId, asOf, isTrue: true, price: Math.max(told, 0.1).toFixed(priceDecimals) };
      }),
    );

/** How far the coin must move, up or down, for an account of the models to stand at headroom x; told by the reference model. */
const moveFor = ({ cash, policyId, positions }: AccountPlan, x: number): number => {
  const held = {
    cash: Number(cash),
    policyId,
    positions: positions.map(({ instrumentId, quantity, entryPrice }) => ({
      instrumentId,
      quantity: Number(quantity),
      entryPrice: Number(entryPrice),
    })),
  };
  const isThere = (factor: number): boolean => {
    const told = (instrumentId: string): number => {
      const { option, openingPrice } = listingOf(instrumentId);
      return option === undefined ? openingPrice * factor : optionQuote(option, 8_000 * factor);
    };
    return isBelow(
      marginAt(held, (id) => ({ low: told(id), high: told(id) }), "worst"),
      x,
      "surely",
    );
  };
  for (let step = 1; step <= 140; step += 1) {
    for (const factor of [1 - step * 0.005, 1 + step * 0.005]) if (isThere(factor)) return factor;
  }
  return 0.8;
};

/** Draws the workload of a seed. @param accountsMax the most accounts that it has. */
export const drawPlan = (seed: number, accountsMax = 4): Plan => {
  const draw = draws(seed, "plan");
  const plain = Array.from({ length: 2 + Math.floor(draw() * (accountsMax - 1)) }, (_, index) => accountOf(draw, index));
  const models = seed % MODELS_EVERY === 3;
  const drawModels = draws(seed, "models");
  const accounts = models ? plain.map((one) => modelAccountOf(drawModels, one)) : plain;
  const shape = shapeOf(draw, accounts);
  const faultsUntil = Math.round(shape.crashAt + shape.crashMs + between(draw, 5, 8) * MINUTE_MS);
  const endsAt = faultsUntil + 16 * MINUTE_MS;
  const crash: [number, number] = [shape.crashAt, faultsUntil];
  const policy: PolicyDraw = {
    graceMs: 1_000 * Math.round(between(draw, 60, 150)),
    onUnmet: draw() < 0.9 ? "reduce" : "restrict",
    attemptsMax: 2 + Math.floor(draw() * 2),
    topUpsMax: 3,
  };
  const ticks = ticksOf(draw, shape, windowsOf(draw, 0.2, ...crash, 150_000), faultsUntil, endsAt);
  return {
    policy,
    accounts,
    ticks: models ? [...ticks, ...modelTicksOf(drawModels, ticks)] : ticks,
    venue: {
      outages: windowsOf(draw, 0.2, ...crash, 120_000),
      noBids: draw() < 0.25 ? [{ from: shape.crashAt, until: faultsUntil }] : windowsOf(draw, 0.15, ...crash, 90_000),
      partialShare: draw() < 0.5 ? 0 : 0.5,
      repeatShare: draw() < 0.5 ? 0 : 0.1,
      lossShare: draw() < 0.7 ? 0 : 0.05,
    },
    withdrawals: Array.from({ length: Math.floor(draw() * 4) }, () => ({
      at: Math.round(between(draw, STARTS_AT + 15_000, faultsUntil)),
      accountId: accounts[Math.floor(draw() * accounts.length)]?.accountId ?? "A-1",
      share: between(draw, 0.05, 0.9),
    })),
    transfers: transfersOf(seed, accounts, faultsUntil),
    models,
    cancelShare: draw() < 0.3 ? 0.15 : 0,
    poison: poisonOf(draw, faultsUntil),
    faultsUntil,
    endsAt,
  };
};
