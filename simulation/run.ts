import { eventIdOf } from "../adapters/dynamodb/keys.ts";
import { TABLES, type TableName, type TableShape } from "../adapters/dynamodb/schema.ts";
import type { Settings, World } from "../adapters/world.ts";
import { type Money, price } from "../core/money.ts";
import { draws } from "../local/random.ts";
import type { Wiring } from "../local/template/wiring.ts";
import { type Callers, createCallers } from "./actors/callers.ts";
import { createHolders } from "./actors/holders.ts";
import { sendMark } from "./actors/market-feed.ts";
import { isWithin, type Plan, POISON, STARTS_AT, type TransferPlan } from "./actors/plan.ts";
import { LISTINGS, MODEL_LISTINGS, policyOf, putTerms } from "./actors/terms.ts";
import { createVenue, type SimulatedVenue } from "./actors/venue.ts";
import { isLive } from "./checks/book-checks.ts";
import { type Checks, createChecks } from "./checks/checks.ts";
import { checkEnding } from "./checks/end-checks.ts";
import type { Violation } from "./checks/witness.ts";
import { deploySimulated, type SimulatedCloud } from "./cloud/cloud.ts";
import type { Clocks, SimulatedFunction } from "./cloud/lambda.ts";
import { sealed } from "./cloud/ports.ts";
import type { Counts, Simulation } from "./cloud/simulation.ts";
import { dbOf } from "./db/memory-db.ts";
import { createMemoryTables, type MemoryTables } from "./db/memory-tables.ts";
import type { Faults, Struck } from "./faults/chance.ts";
import { createVirtualTime, type VirtualTime } from "./time/virtual-time.ts";

/** The deployment that every run plays: the template's wiring with the functions' code. Loaded once. */
export interface Deployment {
  readonly wiring: Wiring;
  readonly functions: readonly SimulatedFunction[];
}

export interface RunOptions {
  readonly deployment: Deployment;
  readonly plan: Plan;
  readonly seed: number;
  readonly faults: Faults;
  readonly clocks: Clocks;
  /** Queues whose consumers are down from the first fault to the end. */
  readonly isBlocked?: (queue: string) => boolean;
  /** What happens beside the plan, in place of holders who draw their answers: a story's own acts. */
  readonly script?: (stage: Stage) => void;
  /** Hears each line of the trace: the instant since the start in milliseconds, then what happened. */
  readonly trace?: (line: string) => void;
}

/** What came of a run. */
export interface RunResult {
  readonly violation: Violation | null;
  readonly calls: number;
  readonly struck: readonly Struck[];
  /** What happened, by name: `OPEN>MET`, `metByPayment`, ... each with how often. */
  readonly reached: ReadonlyMap<string, number>;
  /** Facts on which each property was judged. */
  readonly judged: ReadonlyMap<string, number>;
}

/** What is there in a run, for those who act in it. */
export interface Stage {
  readonly time: VirtualTime;
  readonly cloud: SimulatedCloud;
  readonly venue: SimulatedVenue;
  readonly callers: Callers;
  readonly tables: MemoryTables;
  readonly checks: Checks;
  readonly counts: Counts;
}

/** The template's tables with their shapes. */
const shapesOf = (wiring: Wiring): Record<string, TableShape> =>
  Object.fromEntries((Object.keys(TABLES) as TableName[]).map((name) => [tableNamed(wiring, name), TABLES[name]]));

const tableNamed = ({ tables }: Wiring, name: TableName): string => {
  const declared = tables.find((table) => table.name.endsWith(`-${name}`));
  if (declared === undefined) throw new Error(`the template declares no table ${name}`);
  return declared.name;
};

/** A world in which nothing goes wrong and everything is done at once: for what is there before the run. */
const setupWorld = (tables: MemoryTables, deployment: Deployment, now: () => number): World => {
  const operate = deployment.functions.find(({ name }) => name.endsWith("-operate"));
  if (operate === undefined) throw new Error("the template declares no API");
  const world: Pick<World, "db" | "clock" | "kms" | "settings"> = {
    db: dbOf(tables),
    clock: { now },
    kms: { encrypt: async (plaintext, context) => sealed(context, plaintext), decrypt: async (text) => text },
    settings: operate.settings satisfies Settings,
  };
  return world as World;
};

const MINUTE_MS = 60_000;
/** Nothing less than this after the last fault is an end. */
const CALM_LEAST_MS = 3 * MINUTE_MS;

const playFeed = ({ time, cloud, venue, checks }: Stage, plan: Plan): void => {
  for (const { at, instrumentId, price: text, asOf, isTrue } of plan.ticks) {
    time.at(at, () => {
      if (isTrue) venue.show(instrumentId, price(text));
      checks.tell(`* price ${instrumentId} ${text}${isTrue ? "" : " (no true one)"}`);
      sendMark(cloud, { instrumentId, price: text, asOf });
    });
  }
};

/** Moves a share of what there is to move. */
const transferOf = (venue: SimulatedVenue, { accountId, instrumentId, share }: Omit<TransferPlan, "at">): void => {
  const holding = venue.holdings.get(accountId);
  const source = share > 0 ? holding?.cash : holding?.pools.get(instrumentId);
  const amount = ((source ?? 0n) * BigInt(Math.round(share * 1_000))) / 1_000n;
  venue.transfer(accountId, instrumentId, amount as Money);
};

/**
 * What operators do when they are paged: an account whose feed has a gap gets a snapshot from the venue (R16);
 * what was parked is sent again, once the faults are over.
 */
const operate = ({ time, cloud, venue, checks }: Stage, plan: Plan): void => {
  const round = (): void => {
    for (const { accountId, outOfSync } of checks.accounts()) if (outOfSync) venue.snapshot(accountId);
    const redriven = time.now() >= plan.faultsUntil ? cloud.redrive((body) => !body.includes(POISON)) : 0;
    if (redriven > 0) checks.tell(`* operators send ${redriven} parked messages again`);
    time.at(time.now() + MINUTE_MS, round);
  };
  time.at(STARTS_AT + MINUTE_MS, round);
};

/** Lets the run go on after its last fault until it is quiet, and judges how it stands. */
const finish = async (stage: Stage, { plan, seed, faults }: RunOptions): Promise<void> => {
  const { time, cloud, venue, checks, counts } = stage;
  const { coolDownMs } = policyOf(plan.policy);
  for (let until = plan.faultsUntil + CALM_LEAST_MS; ; until += MINUTE_MS) {
    await time.run(Math.min(until, plan.endsAt), checks.afterEach);
    const feed = cloud.queue("feed.fifo");
    const parked = cloud.queue("feed-dead.fifo");
    const isSaid = [feed, parked].every((queue) => queue.depthWithout(POISON) === 0) && venue.unsaid() === 0;
    const isSettled = isSaid && checks.accounts().every(({ outOfSync }) => !outOfSync);
    const isQuiet = isSettled && checks.calls().every((call) => !isLive(call)) && checks.notices.unpublished().length === 0;
    if (isQuiet || until >= plan.endsAt) break;
  }
  checkEnding(checks.check, {
    at: time.now(),
    calmSince: plan.faultsUntil,
    accounts: checks.accounts(),
    calls: checks.calls(),
    orders: checks.orders(),
    venue,
    marks: checks.marks,
    notices: checks.notices,
    coolDownMs,
    isPaged: (counts.metrics.get("notice_unaccepted") ?? 0) + (counts.metrics.get("email_refused") ?? 0) > 0,
  });
  for (const { queue, body } of plan.poison) {
    // A price that nobody can read may also have gone out of date in its queue.
    checks.check("I26", queue === "marks" || cloud.holds(body), () => `a message that nobody can read is gone from ${queue}`);
  }
  await checks.judgeRecords();
  checks.afterEach();
  if (seed % NEXT_DAY_EVERY === 0 && faults.struck.some(({ kind }) => kind === "duplicate25h")) await playNextDay(stage, plan);
};

/** A day later copies of old messages come, beyond every window of every service (S36). Nothing else does but a fresh price. */
const playNextDay = async ({ time, cloud, venue, checks }: Stage, plan: Plan): Promise<void> => {
  cloud.stop();
  for (const { instrumentId } of plan.models ? [...LISTINGS, ...MODEL_LISTINGS] : LISTINGS) {
    const last = plan.ticks.findLast((tick) => tick.isTrue && tick.instrumentId === instrumentId);
    for (let at = plan.faultsUntil + DAY_MS; at < plan.endsAt + DAY_MS + HOUR_MS; at += 10 * MINUTE_MS) {
      time.at(at, () => sendMark(cloud, { instrumentId, price: last?.price ?? "1", asOf: at }));
    }
  }
  await time.run(plan.endsAt + DAY_MS + 2 * HOUR_MS, checks.afterEach);
  for (const account of checks.accounts()) {
    const holding = venue.holdings.get(account.accountId);
    const isSame = (account.cash.get("USDT") ?? 0n) === holding?.cash;
    const arePools = [...account.pools].every(([id, { cash }]) => cash === (holding?.pools.get(id) ?? 0n));
    checks.check("I17", (isSame && arePools) || account.outOfSync, () => `${account.accountId}: a copy of a day ago moved its balance`);
  }
  checks.afterEach();
};

/** One seed in so many is played on to the next day. */
const NEXT_DAY_EVERY = 8;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const stageOf = (options: RunOptions): Stage => {
  const { deployment, plan, seed, faults, clocks, trace } = options;
  const time = createVirtualTime(STARTS_AT);
  const tables = createMemoryTables(shapesOf(deployment.wiring));
  const counts: Counts = { calls: 0, invocations: 0, metrics: new Map() };
  const line = trace === undefined ? null : (words: string): void => trace(`${time.now() - STARTS_AT} ${words}`);
  const names = { book: tableNamed(deployment.wiring, "book"), marks: tableNamed(deployment.wiring, "marks") };
  const checks = createChecks({
    time,
    tables,
    names,
    clocks,
    span: { startsAt: STARTS_AT, calmSince: plan.faultsUntil, endsAt: plan.endsAt },
    trace: line,
    eventId: eventIdOf,
  });
  const request = { askedAt: STARTS_AT };
  tables.onWrite((written) => checks.hearWrites(written, request.askedAt));
  const simulation: Simulation = {
    time,
    tables,
    faults,
    jitter: draws(seed, "jitter"),
    counts,
    request,
    heard: {
      published: checks.notices.hearPublished,
      line: (text) => checks.notices.hearText("a log line", text),
      fault: checks.hearFault,
    },
    trace: line,
  };
  const cloud = deploySimulated(
    simulation,
    deployment.wiring,
    deployment.functions,
    {
      mail: (email) => {
        checks.notices.hearEmail(email, time.now());
        return `mail-${time.steps()}`;
      },
      post: ({ url, body }) => {
        checks.notices.hearWebhook(url, body, time.now());
        return { status: 204, body: "", retryAfterS: null };
      },
      takeOrders: (records) => {
        if (isWithin(plan.venue.outages, time.now())) return false;
        for (const { body } of records) venue.take(body);
        return true;
      },
    },
    clocks,
  );
  const venue: SimulatedVenue = createVenue(time, cloud.queue("feed.fifo"), plan.venue, {
    seed,
    say: (words) => checks.tell(`* ${words}`),
  });
  venue.onOrder(checks.hearOrder);
  return { time, tables, counts, cloud, venue, callers: createCallers(time, cloud, venue), checks };
};

/** Plays a plan under faults and judges every step. Never throws for what the functions do: see `violation`. */
export const runPlan = async (options: RunOptions): Promise<RunResult> => {
  const { plan, seed, faults, deployment } = options;
  const stage = stageOf(options);
  const { time, cloud, venue, checks, counts } = stage;
  const accounts = plan.accounts.map(({ accountId }) => accountId);
  const brokers = [...new Set(plan.accounts.map(({ brokerId }) => brokerId))];
  await putTerms(setupWorld(stage.tables, deployment, time.now), { policy: plan.policy, models: plan.models, brokers, accounts });
  if (options.script === undefined) {
    checks.onEvent(createHolders(stage, seed, plan.cancelShare).hear);
    time.at(STARTS_AT + 10_000, () => venue.reconcile());
  } else options.script(stage);
  for (const account of plan.accounts) time.at(STARTS_AT + 4_000, () => venue.open(account));
  playFeed(stage, plan);
  for (const { at, accountId, share } of plan.withdrawals) time.at(at, () => stage.callers.withdraw(accountId, share));
  for (const { at, ...move } of plan.transfers) time.at(at, () => transferOf(venue, move));
  for (const { at, queue, body } of plan.poison) {
    time.at(at, () => {
      checks.tell(`* poison into ${queue}`);
      cloud.queue(queue).send({ body, groupId: POISON });
    });
  }
  cloud.start();
  if (options.isBlocked !== undefined) cloud.block(options.isBlocked);
  time.at(plan.faultsUntil, () => {
    checks.tell("* calm begins: no fault from here on");
    faults.stop();
    cloud.lambda.mendClocks();
  });
  operate(stage, plan);
  let violation: Violation | null = null;
  try {
    await time.run(plan.faultsUntil, checks.afterEach);
    await finish(stage, options);
  } catch (error) {
    if (!checks.isViolation(error)) throw error;
    violation = error;
  }
  return {
    violation,
    calls: counts.calls,
    struck: faults.struck,
    reached: checks.reached,
    judged: checks.judged,
  };
};
