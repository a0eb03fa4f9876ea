import { CreateQueueCommand, DeleteQueueCommand, GetQueueAttributesCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";

import { type AlarmRow, allTold, called, closedOut } from "./alarm-row.ts";
import { COUNT_ROWS } from "./count-rows.ts";
import { contactOf, type Exchange } from "./exchange.ts";

const deposited = async (x: Exchange): Promise<void> => {
  const accountId = await x.open({ cash: "5000" });
  await x.deposit(accountId, "1");
};
const asked = async (x: Exchange): Promise<void> => void (await x.cloud.request("GET", "/health", null, null));
const timed = (x: Exchange): Promise<void> =>
  x.send("expiry", JSON.stringify({ schemaVersion: 1, accountId: "A1", callId: "MC-ABCDEFGHIJKL-1", deadlineVersion: 1 }));

interface Step {
  readonly name: string;
  /** Its queue, where it has one. */
  readonly queue?: string;
  /** Where it parks, where that is not its queue's. */
  readonly parks?: string;
  readonly load?: (x: Exchange) => Promise<void>;
  /** Age in minutes at which its queue is late. */
  readonly lateMin?: number;
  /** Alarms that only it sets off, when it fails or gets no execution. */
  readonly broken?: readonly string[];
  readonly stopped?: readonly string[];
}

/** The marks of each minute and the schedules are load enough for the steps without one of their own. */
const STEPS: readonly Step[] = [
  { name: "accept-marks", queue: "marks", lateMin: 1 },
  { name: "start-sweep", queue: "sweep", lateMin: 5, stopped: ["no-current-sweep"] },
  { name: "mark-accounts", queue: "shards", lateMin: 5 },
  { name: "publish-events", parks: "publish-events", load: called },
  { name: "send-email", queue: "email", lateMin: 5, load: called },
  { name: "deliver-webhook", queue: "webhook", lateMin: 20, load: called },
  { name: "arm-deadline", queue: "timer", lateMin: 5, load: called },
  { name: "expire-call", queue: "expiry", lateMin: 5, load: timed },
  { name: "sweep-overdue", parks: "sweep-overdue", stopped: ["no-overdue-sweep"] },
  { name: "dispatch-orders", queue: "orders", lateMin: 5, load: closedOut },
  { name: "apply-book-feed", queue: "feed", lateMin: 5, load: deposited },
  { name: "operate", load: asked, broken: ["api-faults"] },
];

const parkOf = ({ queue, parks }: Step): string | undefined => parks ?? queue;

const sendBack = async (x: Exchange, step: Step): Promise<void> => {
  const from = parkOf(step);
  if (from !== undefined) await x.redrive(from);
};

/** The relay and the webhooks: whose broker is told proves that what was parked came back. */
const overOf = ({ name }: Step): Pick<AlarmRow, "over"> =>
  name === "publish-events" || name === "deliver-webhook" ? { over: allTold } : {};

/** function-errors and parked-messages: roll back, then redrive. */
const brokenDeployments: readonly AlarmRow[] = STEPS.map((step) => ({
  name: `a deployment of ${step.name} that does not work`,
  alarms: [`${step.name}-errors`, ...(parkOf(step) === undefined ? [] : [`${parkOf(step)}-dead`]), ...(step.broken ?? [])],
  fault: (x) => x.deploy(step.name, "broken"),
  ...(step.load !== undefined && { load: step.load }),
  minutes: 2,
  mend: async (x) => {
    await x.deploy(step.name, "good");
    await sendBack(x, step);
  },
  ...overOf(step),
}));

/** function-throttles: give it executions, then redrive what waited too often. */
const withoutExecutions: readonly AlarmRow[] = STEPS.map((step) => ({
  name: `no execution is free for ${step.name}`,
  alarms: [`${step.name}-throttles`, ...(step.stopped ?? [])],
  fault: async (x) => x.cloud.configure(step.name, { reserved: 0 }),
  ...(step.load !== undefined && { load: step.load }),
  // Three whole minutes: what ran at the begin of the first still counts for it.
  minutes: 4,
  mend: async (x) => {
    x.cloud.configure(step.name, { reserved: null });
    await sendBack(x, step);
  },
  ...overOf(step),
}));

/** queue-late: the consumer takes nothing; enable its mapping. */
const lateQueues: readonly AlarmRow[] = STEPS.flatMap((step) => {
  const { name, queue, load, lateMin } = step;
  if (queue === undefined || lateMin === undefined) return [];
  return [
    {
      name: `nobody reads the queue ${queue}`,
      alarms: [`${queue}-late`],
      fault: async (x: Exchange) => {
        x.cloud.configure(name, { enabled: false });
        await load?.(x);
      },
      minutes: lateMin + 2,
      mend: async (x: Exchange) => x.cloud.configure(name, { enabled: true }),
    },
  ];
});

const SUBSCRIBED = ["email", "webhook", "timer", "orders"] as const;

/** Queues that were deleted, with what they were made of. */
const gone = new Map<string, Record<string, string>>();

const remove = async ({ cloud }: Exchange, queue: string): Promise<void> => {
  const QueueUrl = cloud.queueUrl(queue);
  const { Attributes = {} } = await cloud.clients.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
  gone.set(queue, { VisibilityTimeout: Attributes["VisibilityTimeout"] ?? "30", RedrivePolicy: Attributes["RedrivePolicy"] ?? "" });
  await cloud.clients.sqs.send(new DeleteQueueCommand({ QueueUrl }));
};

const restore = async ({ cloud }: Exchange, queue: string): Promise<void> => {
  const QueueName = cloud.queueUrl(queue).split("/").at(-1);
  await cloud.clients.sqs.send(new CreateQueueCommand({ QueueName, Attributes: gone.get(queue) }));
};

const hops: readonly AlarmRow[] = [
  {
    name: "the topic cannot reach its queues",
    alarms: ["events-undelivered", ...SUBSCRIBED.map((queue) => `${queue}-subscription-dead`)],
    fault: async (x) => {
      for (const queue of SUBSCRIBED) await remove(x, queue);
      await called(x);
      await closedOut(x);
    },
    minutes: 1,
    mend: async (x) => {
      for (const queue of SUBSCRIBED) await restore(x, queue);
      for (const queue of SUBSCRIBED) await x.redrive(`${queue}-subscription`);
    },
    over: allTold,
  },
  {
    name: "the schedules cannot reach the sweep's queue",
    alarms: ["recurring-dropped", "schedules-dead"],
    fault: (x) => remove(x, "sweep"),
    minutes: 2,
    mend: async (x) => {
      await restore(x, "sweep");
      await x.redrive("schedules");
    },
  },
  {
    name: "a deadline's timer cannot reach its queue",
    alarms: ["deadlines-dropped"],
    fault: async (x) => {
      await called(x);
      await remove(x, "expiry");
    },
    minutes: 8,
    mend: async (x) => {
      await restore(x, "expiry");
      await x.redrive("expiry");
    },
  },
  {
    name: "the venue's gateway takes no orders",
    alarms: ["venue-late", "orders-unanswered"],
    fault: async (x) => {
      x.away.venue = true;
      await closedOut(x);
    },
    minutes: 3,
    mend: async (x) => {
      x.away.venue = false;
    },
  },
  {
    name: "the venue's gateway crashes at each order",
    alarms: ["venue-dead"],
    fault: async (x) => {
      x.away.venue = true;
      await closedOut(x);
      const QueueUrl = x.cloud.queueUrl("venue.fifo");
      // Received three times and never deleted: the fourth look finds it parked.
      for (let look = 0; look < 4; look += 1) await x.cloud.clients.sqs.send(new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 0 }));
    },
    minutes: 1,
    mend: async (x) => {
      x.away.venue = false;
      await x.redrive("venue");
    },
  },
  {
    name: "the relay stood still for two minutes",
    alarms: ["events-late"],
    fault: async (x) => {
      x.cloud.configure("publish-events", { enabled: false });
      await called(x);
      await x.minutes(2);
      x.cloud.configure("publish-events", { enabled: true });
    },
    minutes: 1,
    mend: async () => undefined,
  },
];

const throttledTables: readonly AlarmRow[] = (
  [
    ["book", deposited],
    ["journal", deposited],
    ["marks", undefined],
    ["outbound", (x: Exchange) => x.putContact("A0001", contactOf("A0001"))],
  ] as const
).map(([table, load]) => {
  let isHot = false;
  return {
    name: `the table ${table} refuses writes for their rate`,
    alarms: [`${table}-throttled`],
    fault: async () => {
      isHot = true;
    },
    load: async (x) => {
      if (isHot) x.gate.refuseNext(`plimsoll-local-${table}`);
      await load?.(x);
    },
    minutes: 3,
    mend: async () => {
      isHot = false;
    },
  };
});

export const ALARM_ROWS: readonly AlarmRow[] = [
  ...brokenDeployments,
  ...withoutExecutions,
  ...lateQueues,
  ...hops,
  ...throttledTables,
  ...COUNT_ROWS,
];
