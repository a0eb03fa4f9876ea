import { type Draw, draws } from "../../local/random.ts";
import {
  CALL_FAULTS,
  type CallFault,
  type Channel,
  COVERAGE,
  DELIVERY_COVERAGE,
  DELIVERY_FAULTS,
  type DeliveryFault,
  FAULT_KINDS,
  type FaultKind,
  PLACE_FAULTS,
  type PlaceFault,
  type PortMethod,
} from "./alphabet.ts";

/** A fault that happened, by where: `c17` is the seventeenth request of the run, `d3` the third delivery, `p2` the second start. */
export interface Struck {
  readonly site: string;
  readonly kind: FaultKind;
}

/** Decides what goes wrong where. */
export interface Faults {
  atCall(method: PortMethod): CallFault | null;
  atDelivery(channel: Channel): DeliveryFault | null;
  atPlace(): PlaceFault | null;
  /** A number in [0, 1) for the present fault: how late, how much. */
  readonly size: Draw;
  /** Everything that went wrong so far. */
  readonly struck: readonly Struck[];
  /** No fault from here on. */
  stop(): void;
}

/** Rates by kind, as drawn for a seed: most kinds in most seeds, none everywhere (swarm). */
export type Rates = ReadonlyMap<FaultKind, number>;

/** Share of the kinds that a seed has at all. */
const KINDS_SHARE = 0.6;
/** Rates are spread evenly over the powers of ten: uniform low ones miss whole classes of mistakes. */
const RATE_MOST = 0.03;
const RATE_DECADES = 1.6;
/** Deliveries and starts are rarer than requests. */
const RARER: Partial<Record<FaultKind, number>> = Object.fromEntries([...DELIVERY_FAULTS, ...PLACE_FAULTS].map((kind) => [kind, 4]));

/** Draws the rates of a seed. @param intensity multiplies all of them; 0 gives a run without faults. */
export const drawRates = (seed: number, intensity: number): Rates => {
  const draw = draws(seed, "rates");
  return new Map(
    FAULT_KINDS.map((kind) => {
      const isOn = draw() < KINDS_SHARE;
      const rate = RATE_MOST * 10 ** (-RATE_DECADES * draw()) * (RARER[kind] ?? 1);
      return [kind, isOn ? Math.min(0.5, rate * intensity) : 0];
    }),
  );
};

/** Kinds with the sums of their rates: one draw chooses among them. */
type Ladder<Kind> = readonly (readonly [Kind, number])[];

const ladderOf = <Kind extends FaultKind>(kinds: readonly Kind[], rates: Rates): Ladder<Kind> => {
  let sum = 0;
  return kinds.flatMap((kind): (readonly [Kind, number])[] => {
    const rate = rates.get(kind) ?? 0;
    sum += rate;
    return rate === 0 ? [] : [[kind, sum]];
  });
};

const choose = <Kind>(ladder: Ladder<Kind>, draw: number): Kind | null => {
  const last = ladder.at(-1);
  if (last === undefined || draw >= last[1]) return null;
  for (const [kind, upTo] of ladder) if (draw < upTo) return kind;
  return null;
};

const only = <Kind extends FaultKind>(kinds: readonly FaultKind[], of: readonly Kind[]): readonly Kind[] =>
  of.filter((kind) => (kinds as readonly string[]).includes(kind));

const laddersOf = <Key extends string, Kind extends FaultKind>(
  table: Readonly<Record<Key, readonly FaultKind[]>>,
  of: readonly Kind[],
  rates: Rates,
): Map<Key, Ladder<Kind>> => new Map((Object.keys(table) as Key[]).map((key) => [key, ladderOf(only(table[key], of), rates)] as const));

/**
 * Faults at rates. The draws for the number-th request are the same whatever happened before, so that leaving
 * one fault out keeps the others where they are, as far as the run still gets there.
 *
 * @param kept only faults at these sites strike; null for all of them.
 */
export const seededFaults = (seed: number, rates: Rates, kept: ReadonlySet<string> | null = null): Faults => {
  const calls = laddersOf(COVERAGE, CALL_FAULTS, rates);
  const deliveries = laddersOf(DELIVERY_COVERAGE, DELIVERY_FAULTS, rates);
  const places = ladderOf(PLACE_FAULTS, rates);
  const streams = { c: draws(seed, "calls"), d: draws(seed, "deliveries"), p: draws(seed, "places") };
  const counts = { c: 0, d: 0, p: 0 };
  const struck: Struck[] = [];
  let isOn = true;

  const decide = <Kind extends FaultKind>(family: "c" | "d" | "p", ladder: Ladder<Kind>): Kind | null => {
    counts[family] += 1;
    const kind = choose(ladder, streams[family]());
    if (kind === null || !isOn) return null;
    const site = `${family}${counts[family]}`;
    if (kept !== null && !kept.has(site)) return null;
    struck.push({ site, kind });
    return kind;
  };

  return {
    atCall: (method) => decide("c", calls.get(method) ?? []),
    atDelivery: (channel) => decide("d", deliveries.get(channel) ?? []),
    atPlace: () => decide("p", places),
    size: draws(seed, "sizes"),
    struck,
    stop: () => {
      isOn = false;
    },
  };
};

/** Exactly these faults, each at its request: what a sweep tries one by one. */
export const scriptedFaults = (faults: ReadonlyMap<number, CallFault>, seed = 0): Faults => {
  const struck: Struck[] = [];
  let calls = 0;
  return {
    atCall: (method) => {
      calls += 1;
      const kind = faults.get(calls) ?? null;
      if (kind === null || !(COVERAGE[method] as readonly FaultKind[]).includes(kind)) return null;
      struck.push({ site: `c${calls}`, kind });
      return kind;
    },
    atDelivery: () => null,
    atPlace: () => null,
    size: draws(seed, "sizes"),
    struck,
    stop: () => undefined,
  };
};
