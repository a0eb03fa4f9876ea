import type { MarginAccount } from "../core/account.ts";
import { type Draw, pareto } from "../local/random.ts";
import { type BenchMarket, benchAccounts, benchMarket } from "./book.ts";
import { openBenchCloud } from "./cloud.ts";
import { median, percentile, RUNS } from "./measure.ts";

const SEED = 11;
/** The last cohort warms the functions up and is not counted. */
const WARM_UP = 23;
const WARM_UP_ACCOUNTS = 20;

const SWEEP_ACCOUNTS = 100_000;
/** One account in a hundred. */
const SWEEP_BREACHES = SWEEP_ACCOUNTS / 100;

const TICK_ACCOUNTS = 10_000;
const TICKS = 12;
const TICK_BREACHES = 25;

/** Above the warning level, with a heavy tail. */
const quiet = (draw: Draw): number => pareto(draw, 0.85, 1.2);
/** High enough to be healthy, low enough for the fall to reach the call level. */
const exposed = (draw: Draw): number => 0.85 + draw() * 0.1;

const cohortOf = (market: BenchMarket, cohort: number, count: number): MarginAccount[] =>
  benchAccounts(market, { count, seed: SEED, headroom: exposed, cohort });

interface Wish {
  readonly accounts: number;
  /** Price messages, one after another, each of which breaches a cohort of its own. */
  readonly messages: number;
  readonly breaches: number;
}

/** @returns for each price message, milliseconds from it to each event that followed. */
const play = async ({ accounts, messages, breaches }: Wish): Promise<(readonly number[])[]> => {
  const market = benchMarket(SEED, Date.now());
  const cohorts = Array.from({ length: messages }, (_, cohort) => cohortOf(market, cohort, breaches));
  const warmUp = cohortOf(market, WARM_UP, WARM_UP_ACCOUNTS);
  const others = accounts - messages * breaches - warmUp.length;
  const cloud = await openBenchCloud(market);
  try {
    for (const some of [benchAccounts(market, { count: others, seed: SEED, headroom: quiet }), warmUp, ...cohorts]) await cloud.load(some);
    await cloud.breach(WARM_UP, warmUp);
    const latencies: (readonly number[])[] = [];
    for (const [cohort, called] of cohorts.entries()) {
      await cloud.rest();
      latencies.push(await cloud.breach(cohort, called));
    }
    return latencies;
  } finally {
    await cloud.stop();
  }
};

/**
 * Milliseconds of a sweep of 100,000 accounts on the local cloud, of which one in a hundred gets a call: from
 * the price message to the last event on the topic. The median of five.
 */
export const measureSweep = async (): Promise<number> => {
  const runs = await play({ accounts: SWEEP_ACCOUNTS, messages: RUNS, breaches: SWEEP_BREACHES });
  return Math.round(median(runs.map((events) => Math.max(...events))));
};

/** Milliseconds from a price message to an event on the topic, over 10,000 accounts in real time. */
export const measureTicks = async (): Promise<{ readonly p50: number; readonly p99: number }> => {
  const events = (await play({ accounts: TICK_ACCOUNTS, messages: TICKS, breaches: TICK_BREACHES })).flat();
  return { p50: Math.round(percentile(events, 50)), p99: Math.round(percentile(events, 99)) };
};
