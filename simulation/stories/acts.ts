import type { EventText } from "../../adapters/wire/events.ts";
import type { ApiReply } from "../../api/route.ts";
import { abs, type Money, money, type Quantity } from "../../core/money.ts";
import { type ApiRequest, askUntilAnswered } from "../actors/api.ts";
import { STARTS_AT } from "../actors/plan.ts";
import type { Stage } from "../run.ts";
import { type Note, SECOND_MS } from "./story.ts";

/** Has something happen at a second of the story. */
export const atSecond = ({ time }: Stage, second: number, act: () => void): void => time.at(STARTS_AT + second * SECOND_MS, act);

type Call = NonNullable<EventText["call"]>;

/** Has somebody answer events of one kind, each so many seconds after it. */
export const on = (
  { checks, time }: Stage,
  type: EventText["type"],
  afterS: number,
  answer: (accountId: string, call: Call, count: number) => void,
): void => {
  const counts = new Map<string, number>();
  checks.onEvent((accountId, event) => {
    const { call } = event;
    if (event.type !== type || call === null) return;
    const count = (counts.get(accountId) ?? 0) + 1;
    counts.set(accountId, count);
    time.at(time.now() + afterS * SECOND_MS, () => answer(accountId, call, count));
  });
};

/** Every holder pays what is outstanding so many seconds after the call. */
export const allPay = (stage: Stage, afterS: number): void =>
  on(stage, "margin_call.issued", afterS, (accountId, call) => stage.venue.deposit(accountId, money(call.outstanding), 0));

/** Closes all that an account holds, at the market. */
export const closeAll = ({ venue }: Stage, accountId: string): void => {
  for (const [instrumentId, { quantity }] of [...(venue.holdings.get(accountId)?.positions ?? [])]) {
    venue.close(accountId, instrumentId, abs(quantity) as Quantity);
  }
};

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const answerOf = ({ statusCode, body }: ApiReply): Answer => ({ status: statusCode, body: JSON.parse(body) as Answer["body"] });

/** Asks the API until it answers: a client that tries again after a failure, with the same key. */
export const ask = (stage: Stage, request: ApiRequest, heard: (answer: Answer) => void): void =>
  askUntilAnswered(stage, request, { againMs: 5 * SECOND_MS, triesMax: Number.POSITIVE_INFINITY }, (reply) => heard(answerOf(reply)));

/** A holder asks for money back at a second of the story; what is allowed is booked by the venue. */
export const withdrawAt = (stage: Stage, second: number, { name, amount }: { name: string; amount: string }, note: Note): void => {
  const body = { accountId: "A-1", asset: "USDT", amount };
  const request = { method: "POST", path: "/withdrawal-checks", role: "feed", key: `withdrawal-${name}`, body } as const;
  atSecond(stage, second, () =>
    ask(stage, request, (answer) => {
      const isAllowed = answer.status === 200 && answer.body["allowed"] === true;
      note(`${name} is allowed`, isAllowed);
      if (isAllowed) stage.venue.withdraw("A-1", money(amount));
    }),
  );
};

/** Sends facts of an account on the venue's feed by hand; `sequence` is as given. */
export const tellFacts = (stage: Stage, accountId: string, facts: readonly object[], dedupId: string): void =>
  stage.cloud
    .queue("feed.fifo")
    .send({ body: JSON.stringify({ schemaVersion: 1, accountId, entries: facts }), groupId: accountId, dedupId });

/** What the venue holds of an account changes by a deposit that a story tells of itself. @returns its sequence. */
export const creditAtVenue = ({ venue }: Stage, accountId: string, amount: Money): number => {
  const holding = venue.holdings.get(accountId);
  if (holding === undefined) throw new Error(`the venue has no ${accountId}`);
  holding.cash = (holding.cash + amount) as Money;
  holding.sequence += 1;
  return holding.sequence;
};
