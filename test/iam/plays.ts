import { changeAccount, openDesk } from "../../adapters/decide-account.ts";
import { createRiskReports } from "../../adapters/dynamodb/risk-report.ts";
import { ROUTES } from "../../adapters/wire/routes.ts";
import { iso } from "../../adapters/wire/scalars.ts";
import type { Settings, World } from "../../adapters/world.ts";
import { cancelCall } from "../../core/commands.ts";
import { dbOf } from "../../simulation/db/memory-db.ts";
import { scriptedFaults } from "../../simulation/faults/chance.ts";
import type { Deployment, Stage } from "../../simulation/run.ts";
import { atSecond } from "../../simulation/stories/acts.ts";
import { STORIES } from "../../simulation/stories/stories.ts";
import { CALLED, at as instant, leveraged, path, plan, runStory, type Story } from "../../simulation/stories/story.ts";
import { instrumentFixture, policyFixture } from "../adapters/samples.ts";
import { emptyRisk } from "../api/risk-report.ts";

const { instrumentId: _, version: __, ...instrument } = instrumentFixture;
const { policyId: ___, version: ____, ...policy } = policyFixture;

const CONTACT = { email: "a@holder.example", name: null, timeZone: "UTC", locale: "en", antiPhishingCode: null };
const TICK = { instrumentId: "BTC-PERP", price: "7500", asOf: "2020-03-12T00:00:00.000Z", source: "composite" };
const ENTRY = {
  kind: "deposit",
  externalId: "by-hand",
  sequence: 99,
  occurredAt: "2020-03-12T00:00:00.000Z",
  asset: "USDT",
  amount: "1",
};

/** What is sent with a request, by the route's action. */
const BODIES: Readonly<Record<string, object>> = {
  askWhatIf: { deposits: [{ asset: "USDT", amount: "-1" }], priceShocks: [{ asset: "BTC", ppm: -100_000 }] },
  cancelCall: { reason: "opened on a mistake of the venue" },
  putContact: CONTACT,
  checkWithdrawal: { accountId: "A-1", asset: "USDT", amount: "1" },
  postMarks: { schemaVersion: 1, marks: [TICK] },
  postFeedEntries: { schemaVersion: 1, accountId: "A-1", entries: [ENTRY] },
  putInstrument: { ...instrument, baseAsset: "SOL" },
  putPolicy: policy,
  approveChange: { newlyCalled: 0, newlyClosedOut: 0 },
  putEndpoint: { url: "https://hooks.broker.com/in", types: null, enabled: true },
};

interface Reply {
  readonly statusCode: number;
  readonly body: string;
}

/** The ids that a route is asked about. */
type Parts = Readonly<Record<"callId" | "changeId", string>>;

/** Asks one route as whoever may. @returns its reply through `heard`. */
const askRoute = (
  { cloud }: Stage,
  { method, path: route, action, body = BODIES[action] }: Pick<(typeof ROUTES)[number], "method" | "path" | "action"> & { body?: object },
  ids: Parts,
  heard: (reply: Reply) => void,
): void => {
  const role = { postMarks: "marks", postFeedEntries: "feed", checkWithdrawal: "feed" }[action as string] ?? "operator";
  const parts = { accountId: "A-1", ...ids, instrumentId: "SOL-PERP", policyId: "other", brokerId: "other", endpointId: "ep_hooks" };
  const rawPath = route.replaceAll(/\{(\w+)\}/g, (_match, name: string) => encodeURIComponent(parts[name as keyof typeof parts]));
  const event = {
    version: "2.0",
    rawPath,
    rawQueryString: "",
    headers: { "content-type": "application/json", "idempotency-key": `${action}-1` },
    requestContext: {
      http: { method, path: rawPath, protocol: "HTTP/1.1", sourceIp: "192.0.2.1", userAgent: "" },
      requestId: action,
      authorizer: { iam: { userArn: `arn:aws:iam::000000000000:role/plimsoll-${role}` } },
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    isBase64Encoded: false,
  };
  cloud.lambda.invoke(cloud.functionName("operate"), event, (outcome) =>
    heard(outcome.ok ? (outcome.result as Reply) : { statusCode: 500, body: "" }),
  );
};

/** What the simulation's judge takes for a mistake, and ends the story: a call without its cause, money that the venue never saw. */
const ENDING: readonly string[] = ["cancelCall", "postFeedEntries"];
/** The routes in the API's order, but for those at the end. */
const ASKED = [
  ...ROUTES.filter(({ action }) => !ENDING.includes(action)),
  // An endpoint that is there is changed, not made.
  ...ROUTES.filter(({ action }) => action === "putEndpoint"),
  ...ROUTES.filter(({ action }) => ENDING.includes(action)),
];

/** A call opens at 30 s and is never met. */
const unmet = (graceMs: number) => plan({ accounts: [leveraged(8)], ticks: path(CALLED, { until: 120 }), until: 120, policy: { graceMs } });

const told = (title: string, graceMs: number, script: Story["script"]): Story => ({
  id: title,
  title,
  plan: () => unmet(graceMs),
  script,
  expect: () => [],
});

const NO_IDS: Parts = { callId: "", changeId: "" };

/** Terms of a policy and of an instrument wait for their instant: the sweep of overdue calls puts them in force. */
const termsWait = told("terms wait for their instant", 600_000, (stage) => {
  const effectiveAt = iso(instant(70));
  const put = (path: string, action: "putPolicy" | "putInstrument", body: object): void =>
    atSecond(stage, 40, () =>
      askRoute(stage, { method: "PUT", path: path as never, action, body: { ...body, effectiveAt } }, NO_IDS, () => undefined),
    );
  put("/policies/waits", "putPolicy", policy);
  put("/instruments/SOL-PERP", "putInstrument", { ...instrument, baseAsset: "SOL" });
});

/** A call is open, and somebody asks every route of the API. */
const everyRoute = (statuses: Map<string, number>, settings: Settings): Story =>
  told("every route is asked while a call is open", 600_000, (stage) => {
    // An operator's laptop publishes it, no function of the deployment.
    const published = { report: emptyRisk(iso(instant(0))), marksAt: instant(0), publishedAt: instant(1), release: "0.1.0" };
    atSecond(stage, 38, () => void createRiskReports({ db: dbOf(stage.tables), settings } as World).publish(published));
    let changeId = "";
    const waits = { ...policy, effectiveAt: "2030-01-01T00:00:00Z" };
    atSecond(stage, 39, () =>
      askRoute(stage, { method: "PUT", path: "/policies/waits" as never, action: "putPolicy", body: waits }, NO_IDS, ({ body }) => {
        changeId = (JSON.parse(body) as { pending: { changeId: string } }).pending.changeId;
      }),
    );
    for (const [index, route] of ASKED.entries()) {
      // What ends the story is asked at one instant.
      atSecond(stage, ENDING.includes(route.action) ? 60 : 40 + index, () => {
        const [call] = stage.checks.calls();
        const ids = { callId: call?.callId ?? "", changeId };
        askRoute(stage, route, ids, ({ statusCode }) => void statuses.set(route.action, statusCode));
      });
    }
  });

/** While a call is open, one venue alone tells a price past the step: it may want a look at whom it would breach. */
const oneVenueTells = told("one venue tells a price", 600_000, (stage) => {
  // Between two prices of the feed, at instants of its own: at the same one whichever is read first would be the newer.
  for (const second of [45.3, 50.5, 55.7]) {
    atSecond(stage, second, () => {
      const mark = { instrumentId: "BTC-PERP", price: "7400", asOf: iso(stage.time.now()), source: "one-venue" };
      stage.cloud.queue("marks").send({ body: JSON.stringify({ schemaVersion: 1, marks: [mark] }) });
    });
  }
});

const deadlinePasses = told("a deadline passes", 60_000, () => undefined);

type Functions = Deployment["functions"];

const changing = (deployment: Deployment, name: string, change: (fn: Functions[number]) => Partial<Functions[number]>): Deployment => ({
  ...deployment,
  functions: deployment.functions.map((fn) => (fn.name.endsWith(`-${name}`) ? { ...fn, ...change(fn) } : fn)),
});

/** A function that takes its messages and does nothing. */
const idle = (deployment: Deployment, name: string): Deployment =>
  changing(deployment, name, () => ({ create: () => async () => ({ batchItemFailures: [] }) }));

/** Once the call is open nobody marks accounts any more. */
const onceCalled = (deployment: Deployment): Deployment =>
  changing(deployment, "mark-accounts", ({ create }) => ({
    create: (world) => {
      const handler = create(world);
      return async (...given) => (world.clock.now() < instant(60) ? handler(...given) : { batchItemFailures: [] });
    },
  }));

/** Somebody cancels the call between a function's read and its first write of it: it decides again on what it finds. */
const withRival = (deployment: Deployment, name: string): Deployment => {
  let isCancelled = false;
  const cancel = async (world: World): Promise<void> => {
    const rival = { accountId: "A-1", causedBy: "rival" };
    const changed = await changeAccount(openDesk(world), rival, ({ account, now }) => {
      const change = cancelCall(account, "opened on a mistake of the venue", now);
      return change === null ? null : { change, snapshotId: null };
    });
    isCancelled = changed?.change != null;
  };
  return changing(deployment, name, ({ create }) => ({
    create: (world) =>
      create({
        ...world,
        db: {
          ...world.db,
          transactWrite: async (input) => {
            if (!isCancelled) await cancel(world);
            return world.db.transactWrite(input);
          },
        },
      }),
  }));
};

/** Every write arrives twice, for the answer to the first is lost: who wrote it must find out that it did. */
const ARRIVES_TWICE = {
  atCall: (method: string) => (method === "db.put" || method === "db.transactWrite" ? ("clientRetry" as const) : null),
};

const nothing = () => scriptedFaults(new Map());

/**
 * Plays what makes the functions ask for all that they ever ask for. Each play is the same at every run.
 *
 * @returns the statuses of the API's answers by the route's action.
 */
export const playAll = async (deployment: Deployment): Promise<ReadonlyMap<string, number>> => {
  const statuses = new Map<string, number>();
  const play = (story: Story, on = deployment) => runStory(on, story, nothing());
  // The sweep of overdue calls alone brings every call to its end (L12).
  const sweeperAlone = idle(idle(deployment, "expire-call"), "dispatch-orders");
  for (const story of STORIES.filter(({ needsData }) => needsData === undefined)) {
    await play(story);
    const twice = { ...story, trouble: () => ARRIVES_TWICE };
    await play(twice);
    await play(twice, sweeperAlone);
  }
  const api = deployment.functions.find(({ name }) => name.endsWith("-operate")) as Functions[number];
  await play(everyRoute(statuses, api.settings));
  await play(oneVenueTells);
  await play(termsWait);
  await play({ ...termsWait, trouble: () => ARRIVES_TWICE });
  // With less time than a page needs, a group of shards goes on in a new message.
  await play(
    deadlinePasses,
    changing(deployment, "mark-accounts", () => ({ timeoutMs: 19_000 })),
  );
  // No sweep of the market comes before the deadline's own timer, and then no timer before the sweep of overdue calls.
  await play(deadlinePasses, withRival(onceCalled(idle(deployment, "sweep-overdue")), "expire-call"));
  await play(deadlinePasses, withRival(onceCalled(sweeperAlone), "sweep-overdue"));
  return statuses;
};
