import type { EventText } from "../../adapters/wire/events.ts";
import { abs, type Money, money, type Quantity } from "../../core/money.ts";
import { STARTS_AT } from "../actors/plan.ts";
import type { Outcome } from "../cloud/lambda.ts";
import type { Stage } from "../run.ts";
import { SECOND_MS } from "./story.ts";

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

interface Request {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly role?: "operator" | "feed";
  readonly key?: string;
  readonly body?: object;
}

/** Asks the API, as API Gateway would hand it over; a function that fails answers 500. */
export const ask = (stage: Stage, { method, path, role = "operator", key, body }: Request, heard: (answer: Answer) => void): void => {
  const event = {
    version: "2.0",
    rawPath: path,
    rawQueryString: "",
    headers: { "content-type": "application/json", ...(key !== undefined && { "idempotency-key": key }) },
    requestContext: {
      http: { method, path, protocol: "HTTP/1.1", sourceIp: "127.0.0.1", userAgent: "" },
      requestId: `${stage.time.steps()}`,
      authorizer: { iam: { userArn: `arn:aws:iam::000000000000:role/plimsoll-${role}` } },
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    isBase64Encoded: false,
  };
  stage.cloud.lambda.invoke(stage.cloud.functionName("operate"), event, (outcome: Outcome) => {
    const reply = outcome.ok ? (outcome.result as { statusCode: number; body: string }) : { statusCode: 500, body: "{}" };
    heard({ status: reply.statusCode, body: JSON.parse(reply.body) as Answer["body"] });
  });
};

/** The same until it is answered: a client that tries again after a failure, with the same key. */
export const askUntilAnswered = (stage: Stage, request: Request, heard: (answer: Answer) => void): void =>
  ask(stage, request, (answer) => {
    if (answer.status < 500) heard(answer);
    else stage.time.at(stage.time.now() + 5 * SECOND_MS, () => askUntilAnswered(stage, request, heard));
  });

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
