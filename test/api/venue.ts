import "./environment.ts";

import { decideAccount, openDesk } from "../../adapters/decide-account.ts";
import { createMarks } from "../../adapters/dynamodb/marks.ts";
import type { QueueMessage, Settings, World } from "../../adapters/world.ts";
import type { Fact } from "../../core/ledger.ts";
import { money, price, quantity } from "../../core/money.ts";
import { operate } from "../../functions/operate.ts";
import { instrumentFixture, mark, policyFixture, T0 } from "../adapters/samples.ts";
import { type TestTables, testClock, testLog, testWorld } from "../engine.ts";

const role = (name: string): string => `arn:aws:sts::111122223333:assumed-role/${name}`;

/** Callers of the tests, by the name of the role that they assume. B1 holds, B2 holds A-2. */
export const PRINCIPALS: Settings["principals"] = {
  [role("operator")]: { role: "operator" },
  [role("operator-2")]: { role: "operator" },
  [role("auditor")]: { role: "auditor" },
  [role("marks")]: { role: "marks" },
  [role("feed")]: { role: "feed" },
  [role("broker-1")]: { role: "broker", brokerId: "B1" },
  [role("broker-2")]: { role: "broker", brokerId: "B2" },
  [role("holder-1")]: { role: "holder", accountId: "A-1" },
  [role("holder-2")]: { role: "holder", accountId: "A-2" },
};

export interface Asked {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what came over the wire is judged by the test, not by a type.
  readonly body: any;
}

export interface Ask {
  /** Role name of the caller; null for a request without a signature. */
  readonly as: string | null;
  readonly method?: string;
  readonly path: string;
  readonly query?: Record<string, string>;
  /** JSON unless it is text. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

const CONTEXT = { awsRequestId: "invocation", getRemainingTimeInMillis: () => 25_000 } as never;
let requests = 0;

/** Sends one event of the HTTP API through the function, as the gateway would after it checked the signature. */
export const ask = async (
  world: World,
  { as, method = "GET", path, query, body, headers = {} }: Ask,
  through = operate(world),
): Promise<Asked> => {
  requests += 1;
  const authorizer = as === null ? undefined : { iam: { userArn: `${role(as)}/session-of-${as}` } };
  const event = {
    version: "2.0",
    routeKey: "$default",
    rawPath: path,
    rawQueryString: new URLSearchParams(query).toString(),
    headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
    ...(query !== undefined && { queryStringParameters: query }),
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    isBase64Encoded: false,
    requestContext: { requestId: `request-${requests}`, http: { method, path }, ...(authorizer !== undefined && { authorizer }) },
  };
  const reply = await through(event as never, CONTEXT);
  return { status: reply.statusCode, headers: reply.headers, text: reply.body, body: JSON.parse(reply.body) };
};

export interface Venue {
  readonly world: World;
  readonly clock: ReturnType<typeof testClock>;
  readonly log: ReturnType<typeof testLog>;
  readonly sent: { readonly queueUrl: string; readonly message: QueueMessage }[];
}

const terms = (brokerId: string) => ({ brokerId, clientClass: "retail", policyId: "standard" });
const at = { sequence: 1, occurredAt: T0 };

/** A world with tables of its own and two instruments, a policy, marks at T0, and callers of every role. */
export const openVenue = async (tables: TestTables, given: Partial<Settings> = {}): Promise<Venue> => {
  const clock = testClock(T0);
  const log = testLog();
  const sent: Venue["sent"] = [];
  const world = testWorld(
    // Tables of this venue alone: what one test moves, no other sees.
    await tables.fresh(),
    {
      clock,
      log,
      queues: { send: async (queueUrl, messages) => void sent.push(...messages.map((message) => ({ queueUrl, message }))) },
      settings: { principals: PRINCIPALS, marksQueueUrl: "marks", feedQueueUrl: "feed", webhookLoopback: "never", ...given },
    },
  );
  const { instrumentId: _, version: __, ...perpetual } = instrumentFixture;
  const spot = { ...perpetual, kind: "spot", tiers: [] };
  await ask(world, { as: "operator", method: "PUT", path: "/instruments/BTC-PERP", body: perpetual });
  await ask(world, { as: "operator", method: "PUT", path: "/instruments/BTC-SPOT", body: spot });
  const { policyId: ___, version: ____, ...policy } = policyFixture;
  await ask(world, { as: "operator", method: "PUT", path: "/policies/standard", body: policy });
  const marks = createMarks(world);
  await marks.acceptMark(mark("BTC-PERP", "8000", T0), null);
  await marks.acceptMark(mark("BTC-SPOT", "8000", T0), null);
  return { world, clock, log, sent };
};

/** Opens an account with cash and one long position in BTC-PERP at 8,000, decided on the newest marks. */
export const openAccount = async ({ world }: Venue, accountId: string, brokerId: string, cash: string, size = "1"): Promise<void> => {
  const desk = openDesk(world);
  const facts: Fact[] = [
    {
      ...at,
      kind: "snapshot",
      externalId: `${accountId}-open`,
      balances: new Map([["USDT", money(cash)]]),
      positions: size === "0" ? [] : [{ instrumentId: "BTC-PERP", quantity: quantity(size), entryPrice: price("8000") }],
    },
  ];
  const request = { accountId, causedBy: "test", facts, terms: terms(brokerId) };
  await decideAccount(desk, request, await desk.marks.newest());
};

/** Moves the mark of BTC-PERP and decides an account on it. */
export const moveMark = async ({ world, clock }: Venue, to: string, accountId: string): Promise<void> => {
  const marks = createMarks(world);
  const last = await marks.mark("BTC-PERP");
  clock.set(clock.now() + 1_000);
  await marks.acceptMark(mark("BTC-PERP", to, clock.now()), last?.asOf ?? null);
  const desk = openDesk(world);
  await decideAccount(desk, { accountId, causedBy: "test" }, await desk.marks.newest());
};
