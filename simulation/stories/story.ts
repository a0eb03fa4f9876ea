import type { EventText } from "../../adapters/wire/events.ts";
import { type AccountPlan, type Plan, STARTS_AT, type TickPlan, type VenuePlan } from "../actors/plan.ts";
import { listingOf, type PolicyDraw } from "../actors/terms.ts";
import type { TakenOrder } from "../actors/venue.ts";
import type { AccountRow, CallRow, OrderRow } from "../checks/witness.ts";
import type { CallFault, Channel, DeliveryFault, PlaceFault, PortMethod } from "../faults/alphabet.ts";
import type { Faults } from "../faults/chance.ts";
import { type Deployment, type RunResult, runPlan, type Stage } from "../run.ts";

/** What goes wrong in a story by itself; every question has the seconds since the start. */
export interface Trouble {
  readonly atCall?: (method: PortMethod, second: number) => CallFault | null;
  readonly atDelivery?: (channel: Channel, second: number) => DeliveryFault | null;
  readonly atPlace?: (second: number) => PlaceFault | null;
}

/** Writes down something of a run, for `expect` to read. */
export type Note = (name: string, value: unknown) => void;

/** A scenario of safety.md, "Incidents as scenarios", small enough to play in a moment, with what must come of it. */
export interface Story {
  /** The scenario: S01. */
  readonly id: string;
  readonly title: string;
  readonly plan: () => Plan;
  readonly script: (stage: Stage, note: Note) => void;
  /** What is not as expected, in words; empty when all is. */
  readonly expect: (told: Told) => readonly string[];
  /** Market data, in the folder of data, without which it cannot be played. */
  readonly needsData?: readonly string[];
  readonly trouble?: () => Trouble;
  /** Most that a clock is off; 5 s where it is not told. */
  readonly skewMs?: number;
  /** True where `always` holds whatever one fault strikes wherever. */
  readonly sweeps?: boolean;
  readonly always?: (told: Told) => readonly string[];
}

/** An event as it was committed. */
export interface ToldEvent {
  readonly second: number;
  readonly accountId: string;
  readonly type: EventText["type"];
  readonly callId: string | null;
  readonly reason: string;
}

/** A notice as it reached its receiver. */
export interface ToldNotice {
  readonly second: number;
  readonly id: string;
  readonly accountId: string;
  readonly type: string;
  readonly sequence: number;
}

/** What came of a story. */
export interface Told {
  readonly result: RunResult;
  readonly calls: readonly CallRow[];
  readonly orders: readonly OrderRow[];
  /** Orders that the venue took. */
  readonly taken: readonly TakenOrder[];
  readonly accounts: readonly AccountRow[];
  readonly events: readonly ToldEvent[];
  readonly emails: readonly { readonly second: number; readonly id: string; readonly to: string; readonly subject: string }[];
  readonly webhooks: readonly ToldNotice[];
  readonly metrics: ReadonlyMap<string, number>;
  /** Messages parked when the run ended, by the end of the queue's name. */
  readonly parked: ReadonlyMap<string, number>;
  /** What its script wrote down. */
  readonly notes: ReadonlyMap<string, unknown>;
  /** The last accepted price of an instrument. */
  readonly mark: (instrumentId: string) => number | null;
}

export const SECOND_MS = 1_000;
/** The instant of a second of the story. */
export const at = (second: number): number => STARTS_AT + second * SECOND_MS;

/** Faults of a sweep first, then the story's own. */
const withTrouble = (faults: Faults, trouble: Trouble, now: () => number): Faults => {
  let isOn = true;
  const own = <Kind>(kind: Kind | null | undefined): Kind | null => (isOn ? (kind ?? null) : null);
  return {
    atCall: (method) => faults.atCall(method) ?? own(trouble.atCall?.(method, now())),
    atDelivery: (channel) => faults.atDelivery(channel) ?? own(trouble.atDelivery?.(channel, now())),
    atPlace: () => faults.atPlace() ?? own(trouble.atPlace?.(now())),
    size: faults.size,
    struck: faults.struck,
    stop: () => {
      isOn = false;
      faults.stop();
    },
  };
};

/** Writes down what is told to people and systems, beside the checks that judge it. */
const listen = ({ checks, time }: Stage, told: { emails: Told["emails"][number][]; webhooks: ToldNotice[]; events: ToldEvent[] }): void => {
  const second = (): number => (time.now() - STARTS_AT) / SECOND_MS;
  const { hearEmail, hearWebhook } = checks.notices;
  checks.notices.hearEmail = (email, instant) => {
    told.emails.push({ second: second(), id: email.headers["X-Entity-Ref-ID"] ?? "", to: email.to, subject: email.subject });
    hearEmail(email, instant);
  };
  checks.notices.hearWebhook = (url, body, instant) => {
    told.webhooks.push({ ...(JSON.parse(body) as ToldNotice), second: second() });
    hearWebhook(url, body, instant);
  };
  checks.onEvent((accountId, { type, call, reason }) =>
    told.events.push({ second: second(), accountId, type, callId: call?.callId ?? null, reason }),
  );
};

/** How much is parked, by the end of its queue's name. */
const parkedIn = (cloud: Stage["cloud"]): Told["parked"] =>
  new Map([...cloud.parked()].map(([name, depth]) => [name.replace(/^plimsoll-local-/, ""), depth]));

interface How {
  /** What latencies and the venue's luck are drawn from; what a story expects holds for each. */
  readonly seed?: number;
  readonly trace?: (line: string) => void;
}

/** Plays a story. Without faults it is the same to the last request each time. */
export const runStory = async (deployment: Deployment, story: Story, faults: Faults, how: How = {}): Promise<Told> => {
  const heard = { emails: [] as Told["emails"][number][], webhooks: [] as ToldNotice[], events: [] as ToldEvent[] };
  const notes = new Map<string, unknown>();
  let stage: Stage | null = null;
  const now = (): number => ((stage?.time.now() ?? STARTS_AT) - STARTS_AT) / SECOND_MS;
  const result = await runPlan({
    deployment,
    plan: story.plan(),
    seed: how.seed ?? 1,
    faults: withTrouble(faults, story.trouble?.() ?? {}, now),
    clocks: { skewMs: story.skewMs ?? 5_000, wildShare: 0 },
    script: (given) => {
      stage = given;
      listen(given, heard);
      story.script(given, (name, value) => void notes.set(name, value));
    },
    ...(how.trace !== undefined && { trace: how.trace }),
  });
  const played = stage as Stage | null;
  if (played === null) throw new Error("a run without its script");
  const { checks, venue, counts, cloud } = played;
  return {
    result,
    ...heard,
    notes,
    calls: checks.calls(),
    orders: checks.orders(),
    taken: [...venue.orders.values()],
    accounts: checks.accounts(),
    metrics: counts.metrics,
    parked: parkedIn(cloud),
    mark: (instrumentId) => checks.marks.newest(instrumentId)?.price ?? null,
  };
};

const MINUTE_S = 60;
/** How long a story goes on at most after its last trouble. */
const TAIL_S = 16 * MINUTE_S;
const QUIET: VenuePlan = { outages: [], noBids: [], partialShare: 0, repeatShare: 0, lossShare: 0 };

interface Wish {
  readonly accounts: readonly AccountPlan[];
  readonly ticks: readonly TickPlan[];
  /** The second after which nothing more goes wrong. */
  readonly until: number;
  readonly policy?: Partial<PolicyDraw>;
  readonly venue?: Partial<VenuePlan>;
}

/** The first price of each market twice more, a second apart: one that goes astray leaves nobody without a price. */
const openingOf = (ticks: readonly TickPlan[]): TickPlan[] =>
  [...new Map(ticks.toReversed().map((one) => [one.instrumentId, one])).values()].flatMap((one) =>
    [1, 2].map((second) => ({ ...one, at: one.at + second * SECOND_MS, asOf: one.asOf + second * SECOND_MS })),
  );

/** The plan of a story: short grace, two attempts, a venue that does its work. */
export const plan = ({ accounts, ticks, until, policy, venue }: Wish): Plan => ({
  policy: { graceMs: 60_000, onUnmet: "reduce", attemptsMax: 2, topUpsMax: 3, ...policy },
  accounts,
  ticks: [...openingOf(ticks), ...ticks],
  venue: { ...QUIET, ...venue },
  withdrawals: [],
  transfers: [],
  models: false,
  cancelShare: 0,
  poison: [],
  faultsUntil: at(until),
  endsAt: at(until + TAIL_S),
});

export const window = (from: number, until: number) => ({ from: at(from), until: at(until) });

interface Held {
  readonly accountId?: string;
  readonly instrumentId?: string;
  readonly entry?: number;
  readonly size?: number;
  readonly brokerId?: string;
}

/** An account that holds one position `leverage` times its cash; negative for a short one. */
export const leveraged = (leverage: number, held: Held = {}): AccountPlan => {
  const { instrumentId = "BTC-PERP", accountId = "A-1", brokerId = "meridian", size = 1 } = held;
  const { openingPrice, priceDecimals, lotDecimals } = listingOf(instrumentId);
  const entry = held.entry ?? openingPrice;
  return {
    accountId,
    brokerId,
    policyId: "standard",
    cash: ((size * entry) / Math.abs(leverage)).toFixed(2),
    positions: [{ instrumentId, quantity: (leverage < 0 ? -size : size).toFixed(lotDecimals), entryPrice: entry.toFixed(priceDecimals) }],
  };
};

/** One tick of the market; `said` where the feed says something else than it. */
export const tick = (second: number, price: number | string, instrumentId = "BTC-PERP", isTrue = true): TickPlan => ({
  at: at(second),
  instrumentId,
  price: typeof price === "string" ? price : price.toFixed(listingOf(instrumentId).priceDecimals),
  asOf: at(second),
  isTrue,
});

/** Ticks along a path: at each turn its price, between two turns a straight line; after the last, the same price on. */
export const path = (
  turns: readonly (readonly [second: number, price: number])[],
  { until, every = 20, instrumentId = "BTC-PERP" }: { readonly until: number; readonly every?: number; readonly instrumentId?: string },
): TickPlan[] => {
  const ticks: TickPlan[] = [];
  for (const [index, [from, price]] of turns.entries()) {
    const [to, next] = turns[index + 1] ?? [until + TAIL_S, price];
    for (let second = from; second < to; second += every) {
      ticks.push(tick(second, price + ((next - price) * (second - from)) / (to - from), instrumentId));
    }
  }
  return ticks;
};

/** The same without the ticks of a stretch. */
export const without = (ticks: readonly TickPlan[], from: number, until: number): TickPlan[] =>
  ticks.filter((one) => one.at < at(from) || one.at >= at(until));

/** Calm, a call at 30 s, and calm again at the price of the call. A payment that a fault keeps for three minutes needs a longer grace. */
export const CALLED = [
  [1, 8_000],
  [30, 7_500],
] as const;
export const called = (until: number, graceMs = 60_000) =>
  plan({ accounts: [leveraged(8)], ticks: path(CALLED, { until }), until, policy: { graceMs } });

/** Accounts of two brokers, each a little more leveraged than the one before it. */
export const many = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    leveraged(8 + index / 100, { accountId: `A-${index + 1}`, brokerId: index % 2 === 0 ? "meridian" : "harbour" }),
  );
