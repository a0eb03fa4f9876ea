import { DeleteItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import { CreateQueueCommand, DeleteQueueCommand, GetQueueAttributesCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";

import { BROKER, contactOf, type Exchange } from "./exchange.ts";

/** How an alarm is made to fire, and what its entry of the runbook does about it. */
export interface AlarmRow {
  /** What happened, in words. */
  readonly name: string;
  /** Alarms that this accounts for, without the stage. */
  readonly alarms: readonly string[];
  /** What goes wrong. */
  readonly fault: (x: Exchange) => Promise<void>;
  /** The ordinary work of each minute that shows it; it goes on after the mend. */
  readonly load?: (x: Exchange) => Promise<void>;
  /** Minutes until the alarm must be on. */
  readonly minutes: number;
  /** What the runbook says to do. */
  readonly mend: (x: Exchange) => Promise<void>;
}

/** Below a requirement of 400 by enough for a call; below maintenance. */
const CALLED = "280";
const CLOSED_OUT = "150";

const called = async (x: Exchange): Promise<void> => void (await x.open({ cash: CALLED }));
const closedOut = async (x: Exchange): Promise<void> => void (await x.open({ cash: CLOSED_OUT }));
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

/** A call of the account is told of again, by a small part payment. */
const toldAgain =
  (accountOf: () => string) =>
  (x: Exchange): Promise<void> =>
    x.deposit(accountOf(), "1");

const counts: readonly AlarmRow[] = [
  (() => {
    let accountId = "";
    return {
      name: "SES refuses a holder's address",
      alarms: ["email-refused"],
      fault: async (x: Exchange) => {
        x.refused.add("typo@holder.example");
        accountId = await x.open({ cash: CALLED, contact: contactOf("typo") });
      },
      load: toldAgain(() => accountId),
      minutes: 2,
      mend: (x: Exchange) => x.putContact(accountId, contactOf("right")),
    };
  })(),
  (() => {
    let accountId = "";
    return {
      name: "an account has no contact",
      alarms: ["email-without-contact"],
      fault: async (x: Exchange) => {
        accountId = await x.open({ cash: CALLED, contact: null });
      },
      load: toldAgain(() => accountId),
      minutes: 2,
      mend: (x: Exchange) => x.putContact(accountId, contactOf(accountId)),
    };
  })(),
  (() => {
    let accountId = "";
    return {
      name: "no channel reaches a holder",
      alarms: ["notice-unaccepted"],
      fault: async (x: Exchange) => {
        accountId = await x.open({ cash: CALLED, contact: null, brokerId: BROKER.none });
      },
      minutes: 4,
      mend: async (x: Exchange) => {
        await x.putContact(accountId, contactOf(accountId));
        const { body } = await x.ask("operator", "GET", `/accounts/${accountId}/calls`, null);
        const [call] = (body as { calls: { callId: string }[] }).calls;
        await x.ask("operator", "POST", `/accounts/${accountId}/calls/${call?.callId}/cancellation`, {
          reason: "its holder was never told",
        });
      },
    };
  })(),
  (() => {
    let accountId = "";
    return {
      name: "a broker's endpoint takes nothing for hours",
      alarms: ["webhook-exhausted"],
      fault: async (x: Exchange) => {
        x.answers[BROKER.broken] = 500;
        accountId = await x.open({ cash: CALLED, brokerId: BROKER.broken });
        await x.minutes(5);
        await x.deposit(accountId, "4000");
        // Urgent attempts end an hour after the deadline.
        for (let hour = 0; hour < 100 && !exhausted(x); hour += 1) await x.minutes(1);
      },
      minutes: 0,
      mend: async (x: Exchange) => {
        x.answers[BROKER.broken] = 200;
      },
    };
  })(),
  (() => {
    let accountId = "";
    return {
      name: "entries of an account's feed are missing",
      alarms: ["account-out-of-sync"],
      fault: async (x: Exchange) => {
        accountId = await x.open({ cash: "5000" });
        x.venue.deposit(accountId, "USDT", 1n as never, x.cloud.now());
        await x.deposit(accountId, "1");
      },
      minutes: 1,
      mend: async (x: Exchange) => {
        const { sequence, ...rest } = { sequence: 4, externalId: `heal-${accountId}`, occurredAt: x.cloud.now() };
        const balances = new Map([["USDT", 500_100_000_001n as never]]);
        const positions = [{ instrumentId: "BTC-PERP", quantity: 100_000_000n as never, entryPrice: 800_000_000_000n as never }];
        await x.tell({ schemaVersion: 1, accountId, entries: [{ kind: "snapshot", sequence, ...rest, balances, positions }] });
      },
    };
  })(),
  {
    name: "a policy is not in the book",
    alarms: ["undecided-account"],
    fault: async (x) => {
      await x.open({ cash: "5000" });
      const TableName = x.cloud.tableName("book");
      const { Items = [] } = await x.cloud.clients.db.send(
        new QueryCommand({ TableName, KeyConditionExpression: "pk = :p", ExpressionAttributeValues: { ":p": { S: "POLICY" } } }),
      );
      for (const { pk, sk } of Items) await x.cloud.clients.db.send(new DeleteItemCommand({ TableName, Key: { pk, sk } as never }));
      await x.cloud.redeploy("mark-accounts");
    },
    minutes: 2,
    mend: (x) => x.putPolicies(),
  },
  {
    name: "the sweep of overdue calls has no time",
    alarms: ["overdue-left"],
    fault: async (x) => {
      x.away.venue = true;
      x.cloud.configure("sweep-overdue", { timeoutMs: 10_000 });
      await closedOut(x);
    },
    minutes: 3,
    mend: async (x) => {
      x.away.venue = false;
      x.cloud.configure("sweep-overdue", { timeoutMs: 55_000 });
    },
  },
  {
    name: "the price feed is silent while orders wait",
    alarms: ["orders-held"],
    fault: async (x) => {
      x.cloud.configure("dispatch-orders", { enabled: false });
      x.away.feed = true;
      // The mark is three minutes old when the order is decided, and too old a minute later.
      await x.minutes(2);
      await closedOut(x);
    },
    minutes: 2,
    mend: async (x) => {
      x.away.feed = false;
      x.cloud.configure("dispatch-orders", { enabled: true });
    },
  },
];

const exhausted = ({ cloud }: Exchange): boolean =>
  cloud.watch.transitions.some(({ alarm }) => alarm === "plimsoll-local-webhook-exhausted");

export const ALARM_ROWS: readonly AlarmRow[] = [
  ...brokenDeployments,
  ...withoutExecutions,
  ...lateQueues,
  ...hops,
  ...throttledTables,
  ...counts,
];
