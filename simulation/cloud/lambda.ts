import type { Context } from "aws-lambda";

import type { Settings, World } from "../../adapters/world.ts";
import type { PlaceFault } from "../faults/alphabet.ts";
import { createPorts, type Services } from "./ports.ts";
import { latency, type Simulation } from "./simulation.ts";

/** A function of the template with its use case. */
export interface SimulatedFunction {
  readonly name: string;
  readonly timeoutMs: number;
  readonly settings: Settings;
  /** Settings of the version before, for a deployment that is not done everywhere. */
  readonly oldSettings: Settings;
  /** True for the API's function: its router keeps a timer of the machine for the time that is left, so it is not told of it. */
  readonly isApi: boolean;
  readonly create: (world: World) => (event: never, context: Context) => Promise<unknown>;
}

export type Outcome = { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly error: string };

/** An environment in which a function runs, one invocation at a time. It keeps what the function keeps between them. */
export interface Place {
  readonly id: string;
  /** What its clock is ahead of true time. */
  skewMs: number;
  dead: boolean;
  /** Its present invocation ends here; null while it is idle. */
  endsAt: number | null;
  /** Ends the present invocation and the place with it. */
  die: (why: string) => void;
}

export interface Lambda {
  /** Runs a function; `settle` is told how it ended, once. */
  invoke(name: string, event: unknown, settle: (outcome: Outcome) => void): void;
  /** Sets every clock to within 5 s: from here on nothing goes wrong. */
  mendClocks(): void;
}

/** Every host's clock is off by at most this much (S39); a profile makes it worse. */
export interface Clocks {
  /** How far the judge must expect a clock to be off. */
  readonly skewMs: number;
  /** Share of the places whose clock is off by as much as that; the others stay within 5 s. */
  readonly wildShare?: number;
}

const SKEW_MS = 5_000;

const COLD_START_MS = 10_000;

interface Pool {
  readonly fn: SimulatedFunction;
  readonly idle: { readonly place: Place; readonly handler: (event: never, context: Context) => Promise<unknown> }[];
  started: number;
}

interface Work {
  readonly event: unknown;
  /** What struck the place as it was taken. */
  readonly fault: PlaceFault | null;
}

/** In a trace: the messages or records of an event, each with how often it was delivered. */
const workOf = (event: unknown): string => {
  const { Records = [] } = (event ?? {}) as { readonly Records?: readonly WorkRecord[] };
  return Records.map(({ messageId, attributes, eventID }) =>
    messageId === undefined
      ? `record ${eventID}`
      : `${messageId}${attributes?.ApproximateReceiveCount === "1" ? "" : ` delivery ${attributes?.ApproximateReceiveCount}`}`,
  ).join(", ");
};

interface WorkRecord {
  readonly messageId?: string;
  readonly attributes?: { readonly ApproximateReceiveCount?: string };
  readonly eventID?: string;
}

const skewOf = ({ jitter }: Simulation, { skewMs, wildShare = 0 }: Clocks): number =>
  Math.round((2 * jitter() - 1) * (wildShare > 0 && jitter() < wildShare ? skewMs : SKEW_MS));

/** Runs functions in places of their own: with clocks that differ, and ends that come unannounced. */
export const createLambda = (
  simulation: Simulation,
  functions: readonly SimulatedFunction[],
  services: Services,
  clocks: Clocks,
): Lambda => {
  const { time, faults, counts } = simulation;
  const pools = new Map(functions.map((fn): [string, Pool] => [fn.name, { fn, idle: [], started: 0 }]));
  /** Every place that was opened: few enough to be kept. */
  const places: Place[] = [];
  let areWild = true;

  const open = (pool: Pool, old: boolean): Pool["idle"][number] => {
    pool.started += 1;
    const place: Place = {
      id: `${pool.fn.name}.${pool.started}`,
      skewMs: skewOf(simulation, areWild ? clocks : { skewMs: SKEW_MS }),
      dead: false,
      endsAt: null,
      die: () => undefined,
    };
    places.push(place);
    const settings = old ? pool.fn.oldSettings : pool.fn.settings;
    return { place, handler: pool.fn.create(createPorts(simulation, place, settings, services)) };
  };

  const begin = (pool: Pool, event: unknown, settle: (outcome: Outcome) => void): void => {
    const fault = faults.atPlace();
    if (fault === "memoryKill") pool.idle.length = 0;
    const one = (fault === null ? pool.idle.pop() : undefined) ?? open(pool, fault === "configOld");
    const { place } = one;
    if (fault === "skew") place.skewMs = place.skewMs < 0 ? -SKEW_MS : SKEW_MS;
    const startsAt = time.now() + (fault === "coldStart" ? COLD_START_MS : latency(simulation, 5, 40));
    time.at(startsAt, () => run(pool, one, { event, fault }, settle));
    if (fault === "memoryKill") time.at(startsAt + latency(simulation, 1, 400), () => place.die("memory"));
    if (fault === "clockBackwards") {
      time.at(startsAt + latency(simulation, 1, 300), () => {
        place.skewMs = Math.max(-SKEW_MS, place.skewMs - Math.round(faults.size() * SKEW_MS));
      });
    }
  };

  const run = (pool: Pool, { place, handler }: Pool["idle"][number], { event, fault }: Work, settle: (outcome: Outcome) => void): void => {
    counts.invocations += 1;
    const endsAt = time.now() + pool.fn.timeoutMs;
    place.endsAt = endsAt;
    let ended = false;
    const end = (outcome: Outcome): void => {
      if (ended) return;
      ended = true;
      place.endsAt = null;
      if (!place.dead) pool.idle.push({ place, handler });
      simulation.trace?.(`${place.id} ${outcome.ok ? "ends" : `fails: ${outcome.error}`}`);
      settle(outcome);
    };
    place.die = (why) => {
      if (ended) return;
      place.dead = true;
      end({ ok: false, error: why });
    };
    time.at(endsAt, () => {
      if (place.endsAt === endsAt) place.die("timed out");
    });
    simulation.trace?.(`${place.id} starts${fault === null ? "" : ` [${fault}]`} ${workOf(event)}`);
    const remaining = { getRemainingTimeInMillis: () => Math.max(0, endsAt - time.now()) };
    const context = { awsRequestId: `${counts.invocations}`, ...(!pool.fn.isApi && remaining) };
    handler(event as never, context as unknown as Context).then(
      (result) => end({ ok: true, result }),
      (error: unknown) => end({ ok: false, error: error instanceof Error ? `${error.name}: ${error.message}` : "unknown" }),
    );
  };

  return {
    invoke: (name, event, settle) => {
      const pool = pools.get(name);
      if (pool === undefined) throw new Error(`no function ${name}`);
      begin(pool, event, settle);
    },
    mendClocks: () => {
      areWild = false;
      for (const place of places) place.skewMs = Math.max(-SKEW_MS, Math.min(SKEW_MS, place.skewMs));
    },
  };
};
