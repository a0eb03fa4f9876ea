import { SendMessageBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";

import type { EventMessage } from "../adapters/wire/events.ts";
import { eventMessage } from "../adapters/wire/events.ts";
import { encodeFeed, type FeedMessage } from "../adapters/wire/feed.ts";
import { parseMessage } from "../adapters/wire/parse.ts";
import { venueOrder } from "../adapters/wire/venue.ts";
import { decimal, type Price } from "../core/money.ts";
import type { BookAccount } from "./book.ts";
import type { Cloud } from "./cloud.ts";
import type { PricePath } from "./feed/bar.ts";
import type { TickStep } from "./feed/ticks.ts";
import { ENDING_TYPES, type Reaction, react, reactionTo } from "./holders.ts";
import type { Notice } from "./invariants.ts";
import { type Market, marksOf } from "./market.ts";
import type { Page } from "./page/server.ts";
import { createTally, type Tally } from "./tally.ts";
import { type Clocks, instrumentTermsOf, type OwnTerms, policyTerms, SOURCE } from "./terms.ts";
import { createVenue, type Venue } from "./venue.ts";

/** The part of the local cloud that a replay drives. */
export type ReplayCloud = Pick<Cloud, "now" | "at" | "run" | "request" | "receive" | "onEmail" | "onEvent" | "queueUrl"> & {
  readonly clients: { readonly sqs: Pick<SQSClient, "send"> };
};

/** What is played, over whose accounts. */
export interface Script {
  readonly path: PricePath;
  readonly market: Market;
  readonly steps: readonly TickStep[];
  readonly accounts: readonly BookAccount[];
  readonly clocks: Clocks;
  readonly seed: number;
  /** Time that is played on after the last tick: the rest of its bar. */
  readonly tailMs: number;
  /** In place of the venue's own terms. */
  readonly own?: OwnTerms;
  /** What happened to accounts, as the venue's feed told of it; each message is sent at the instant of its last fact. */
  readonly history?: readonly FeedMessage[];
}

/** Where a replay shows what it hears. */
export type ReplayPage = Pick<Page, "url" | "mail" | "tell"> & { readonly receiver: Pick<Page["receiver"], "trust"> };

/** A replay under way, and what it has seen. */
export interface Replay {
  readonly tally: Tally;
  readonly venue: Venue;
  readonly notices: readonly Notice[];
  /** Newest prices by symbol. */
  readonly prices: ReadonlyMap<string, Price>;
  /** Played share of the path, 0 to 1. */
  share(): number;
  /** Enters instruments, policies, endpoints, contacts and the first marks by the API, and the accounts by the venue's feed. */
  load(): Promise<void>;
  /** Plays the path to its end. @param onStep is called after each instant's work. */
  play(onStep: () => void): Promise<void>;
}

/** Requests of the loading that are under way at a time. */
const LOAD_WIDTH = 16;
/** Messages in one request to a queue. */
const BATCH = 10;
/**
 * After orders the venue looks again: soon, for those that came while it worked, and past the next minute,
 * when what it left unfilled was planned anew (R14).
 */
const VENUE_POLLS_MS = [1_000, 61_000];

interface State {
  readonly cloud: ReplayCloud;
  readonly script: Script;
  readonly page: ReplayPage;
  readonly venue: Venue;
  readonly tally: Tally;
  readonly notices: Notice[];
  /** Calls as their newest events show them. */
  readonly calls: Map<string, EventMessage>;
  /** Calls whose holders have made up their minds. */
  readonly reacted: Set<string>;
  readonly prices: Map<string, Price>;
  played: number;
  /** Instants at which the venue will look for orders. */
  readonly venuePolls: Set<number>;
}

const ask = async (cloud: ReplayCloud, role: string, method: string, path: string, body: unknown): Promise<unknown> => {
  const reply = await cloud.request(method, path, body, role);
  if (reply.status >= 300) throw new Error(`${method} ${path} was answered ${reply.status}: ${JSON.stringify(reply.body).slice(0, 400)}`);
  return reply.body;
};

/** Does `work` for every item, `LOAD_WIDTH` at a time. */
const each = async <T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> => {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const item = items[next] as T;
      next += 1;
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(LOAD_WIDTH, items.length) }, lane));
};

/** Prices go in by the same door as a venue's: `POST /marks` under its own role. */
const postMarks = async (state: State, step: TickStep): Promise<void> => {
  for (const [symbol, value] of step.prices) state.prices.set(symbol, value);
  const marks = marksOf(state.script.market, step);
  state.venue.show(new Map(marks.map((mark) => [mark.instrumentId, mark.price])));
  const body = marks.map(({ instrumentId, price, asOf }) => ({
    instrumentId,
    price: decimal(price),
    asOf: new Date(asOf).toISOString(),
    source: SOURCE,
  }));
  await ask(state.cloud, "marks", "POST", "/marks", { schemaVersion: 1, marks: body });
};

/** What holders do goes in by the API, like deposits that a venue's core books. */
const postFacts = (state: State, message: FeedMessage): Promise<unknown> =>
  ask(state.cloud, "feed", "POST", "/feed-entries", JSON.parse(encodeFeed(message)));

/** What the venue's core system books comes through its queue, ten messages a request. */
const sendFacts = async (state: State, messages: readonly FeedMessage[]): Promise<void> => {
  for (let from = 0; from < messages.length; from += BATCH) {
    const Entries = messages.slice(from, from + BATCH).map((message, index) => ({
      Id: String(index),
      MessageBody: encodeFeed(message),
      MessageGroupId: message.accountId,
      MessageDeduplicationId: message.entries[0]?.externalId,
    }));
    const reply = await state.cloud.clients.sqs.send(new SendMessageBatchCommand({ QueueUrl: state.cloud.queueUrl("feed.fifo"), Entries }));
    const [failed] = reply.Failed ?? [];
    if (failed !== undefined) throw new Error(`the feed queue refused a message: ${failed.Message ?? failed.Code ?? "no reason"}`);
  }
};

/** The venue takes what waits for it, at each step, and sees to it that there is a step to look again. */
const tendVenue = async (state: State): Promise<void> => {
  const { cloud, venue } = state;
  const messages = await cloud.receive("venue.fifo");
  const facts = messages.map(({ body }) => venue.accept(parseMessage(venueOrder, body), cloud.now()));
  await sendFacts(
    state,
    facts.filter((message) => message !== null),
  );
  if (messages.length === 0) return;
  for (const afterMs of VENUE_POLLS_MS) {
    const dueAt = cloud.now() + afterMs;
    if (state.venuePolls.has(dueAt)) continue;
    state.venuePolls.add(dueAt);
    cloud.at(dueAt, "the venue looks again", () => Promise.resolve(void state.venuePolls.delete(dueAt)));
  }
};

const carryOut = async (state: State, reaction: Reaction): Promise<void> => {
  const newest = state.calls.get(reaction.callId);
  if (newest === undefined || newest.call === null || ENDING_TYPES.has(newest.type)) return;
  for (const facts of react(reaction, newest.call, state.venue, state.cloud.now())) await postFacts(state, facts);
};

const hear = (state: State, event: EventMessage): void => {
  state.tally.take(event);
  state.page.tell(event);
  const { call } = event;
  if (call === null) return;
  const known = state.calls.get(call.callId);
  if (known === undefined || known.accountSequence <= event.accountSequence) state.calls.set(call.callId, event);
  const reaction = state.reacted.has(call.callId) ? null : reactionTo(event, state.script.seed);
  if (reaction === null) return;
  state.reacted.add(call.callId);
  state.cloud.at(Math.max(reaction.at, state.cloud.now()), `holder of ${reaction.callId}`, () => carryOut(state, reaction));
};

const listen = (state: State): void => {
  state.cloud.onEvent((body) => hear(state, parseMessage(eventMessage, body)));
  state.cloud.onEmail(({ at, to, subject, html, text }) => {
    state.page.mail({ at, to: to.join(", "), subject, html, text });
    state.notices.push({ channel: "email", callId: /MC-[A-Z2-7]{12}-\d+/.exec(`${subject}\n${text}`)?.[0] ?? null });
  });
};

const loadEndpoints = async (state: State): Promise<void> => {
  const brokers = new Set(state.script.accounts.map(({ brokerId }) => brokerId));
  for (const brokerId of brokers) {
    const endpointId = `ep_${brokerId}`;
    const body = { url: `${state.page.url}/receive/${endpointId}`, types: null, enabled: true };
    const made = await ask(state.cloud, "operator", "PUT", `/brokers/${brokerId}/endpoints/${endpointId}`, body);
    state.page.receiver.trust(endpointId, String((made as { secret?: unknown }).secret));
  }
};

/** The snapshot that opens an account has the number before the first fact of its history: the book is what stood then. */
const opened = ({ history = [] }: Script, message: FeedMessage): FeedMessage => {
  const numbers = history
    .filter(({ accountId }) => accountId === message.accountId)
    .flatMap(({ entries }) => entries.map((one) => one.sequence));
  if (numbers.length === 0) return message;
  return { ...message, entries: message.entries.map((entry) => ({ ...entry, sequence: Math.min(...numbers) - 1 })) };
};

const load = async (state: State): Promise<void> => {
  const { cloud, script, venue } = state;
  const first = script.steps[0] as TickStep;
  const opening = new Map(marksOf(script.market, first).map((mark) => [mark.instrumentId, mark.price]));
  for (const listing of script.market.listings) {
    // A series that begins later is listed at the first price that it will show.
    const price =
      opening.get(listing.instrumentId) ?? script.steps.find((step) => step.prices.has(listing.symbol))?.prices.get(listing.symbol) ?? 0n;
    const terms = script.own?.instruments.get(listing.instrumentId) ?? instrumentTermsOf(listing, price, script.clocks);
    await ask(cloud, "operator", "PUT", `/instruments/${listing.instrumentId}`, terms);
  }
  for (const [policyId, terms] of script.own?.policies ?? policyTerms(script.market, script.clocks))
    await ask(cloud, "operator", "PUT", `/policies/${policyId}`, terms);
  await loadEndpoints(state);
  await postMarks(state, first);
  state.played = 1;
  await cloud.run({ until: cloud.now() });
  await each(script.accounts, ({ accountId, contact }) => ask(cloud, "operator", "PUT", `/accounts/${accountId}/contact`, contact));
  await sendFacts(
    state,
    script.accounts.map((account) => opened(script, venue.open(account, cloud.now()))),
  );
  await cloud.run({ until: cloud.now() });
};

const play = async (state: State, onStep: () => void): Promise<void> => {
  const { cloud, script } = state;
  for (const step of script.steps.slice(1)) {
    cloud.at(step.at, "tick", async () => {
      await postMarks(state, step);
      state.played += 1;
    });
  }
  for (const message of script.history ?? []) {
    const at = Math.max(...message.entries.map(({ occurredAt }) => occurredAt), cloud.now());
    cloud.at(at, "history", () => sendFacts(state, [message]));
  }
  const last = script.steps.at(-1) as TickStep;
  await cloud.run({
    until: last.at + script.tailMs,
    onStep: async () => {
      await tendVenue(state);
      onStep();
    },
  });
};

/** Prepares a replay of `script` on a cloud that was just started at its first tick. */
export const createReplay = (cloud: ReplayCloud, script: Script, page: ReplayPage): Replay => {
  const state: State = {
    cloud,
    script,
    page,
    venue: createVenue(script.market, script.seed),
    tally: createTally(script.accounts.length),
    notices: [],
    calls: new Map(),
    reacted: new Set(),
    prices: new Map(),
    played: 0,
    venuePolls: new Set(),
  };
  listen(state);
  return {
    tally: state.tally,
    venue: state.venue,
    notices: state.notices,
    prices: state.prices,
    share: () => state.played / script.steps.length,
    load: () => load(state),
    play: (onStep) => play(state, onStep),
  };
};
