import type { PortMethod } from "../faults/alphabet.ts";
import { allPay, atSecond, on } from "./acts.ts";
import { alwaysCalls, exactly } from "./expect.ts";
import { at, CALLED, called, leveraged, many, path, plan, type Story } from "./story.ts";

const isDb = (method: PortMethod): boolean => method.startsWith("db.");
const within = (second: number, from: number, until: number): boolean => second >= from && second < until;

const S30: Story = {
  id: "S30",
  title: "the tables are gone for ten minutes of a fall, then queues deliver nothing for four",
  plan: () =>
    plan({
      accounts: [leveraged(8)],
      ticks: path(
        [
          [1, 8_000],
          [60, 8_000],
          [300, 7_000],
          [700, 7_330],
        ],
        { until: 1_000 },
      ),
      until: 1_000,
    }),
  trouble: () => ({ atCall: (method, second) => (isDb(method) && within(second, 60, 660) ? "nameUnknown" : null) }),
  script: (stage) => {
    allPay(stage, 20);
    atSecond(stage, 660, () => stage.cloud.block(() => true));
    atSecond(stage, 900, () => stage.cloud.block(() => false));
  },
  expect: exactly({
    calls: ["A-1: LIQUIDATED after closeOut", "A-1: MET by payment"],
    orders: 1,
    emails: 4,
    webhooks: 6,
  }),
};

/** The first request of each way out that a run comes to. */
const firstOfEach = (): ((method: PortMethod) => boolean) => {
  const seen = new Set<PortMethod>();
  return (method) => {
    if (!["db.transactWrite", "bus.publish", "queues.send", "timers.arm", "mailer.send", "http.post"].includes(method)) return false;
    if (seen.has(method)) return false;
    seen.add(method);
    return true;
  };
};

const S31: Story = {
  id: "S31",
  title: "of every way out the first request is done, and its function dies before it knows",
  plan: () => called(400, 300_000),
  trouble: () => {
    const isStruck = firstOfEach();
    return { atCall: (method, second) => (second >= 29 && isStruck(method) ? "crashAfter" : null) };
  },
  script: (stage) => allPay(stage, 40),
  expect: exactly({ calls: ["A-1: MET by payment"], orders: 0, emails: 2, webhooks: 2 }),
};

const S32: Story = {
  id: "S32",
  title: "logs and metrics are lost: a call is opened, told and paid all the same",
  sweeps: true,
  plan: () => called(160, 300_000),
  trouble: () => ({ atCall: (method) => (method.startsWith("log.") ? "logLost" : null) }),
  script: (stage) => allPay(stage, 40),
  expect: exactly({ calls: ["A-1: MET by payment"], orders: 0, emails: 2, webhooks: 2 }),
  always: alwaysCalls(["A-1: MET by payment"]),
};

const expiry = (accountId: string, callId: string): string => JSON.stringify({ schemaVersion: 1, accountId, callId, deadlineVersion: 1 });

const S38Lost: Story = {
  id: "S38",
  title: "the timer of a deadline never fires: the sweep finds it",
  sweeps: true,
  plan: () => called(240),
  trouble: () => ({ atDelivery: (channel) => (channel === "timer" ? "dropAfterRetries" : null) }),
  script: (stage) => on(stage, "margin_call.issued", 0, () => undefined),
  expect: exactly({
    calls: ["A-1: LIQUIDATED after deadline"],
    orders: 1,
    emails: 4,
    webhooks: 6,
    metrics: { timer_early: 0, timer_without_call: 1 },
  }),
  always: alwaysCalls(["A-1: LIQUIDATED after deadline"]),
};

const S38Wrong: Story = {
  id: "S38",
  title: "timers come far too early, twice, and after the call was paid",
  sweeps: true,
  plan: () => called(340, 300_000),
  script: (stage) => {
    allPay(stage, 60);
    on(stage, "margin_call.issued", 1, (accountId, { callId }) => {
      const now = (stage.time.now() - at(0)) / 1_000;
      for (const second of [now, now, now + 30, now + 90, now + 290]) {
        atSecond(stage, second, () => stage.cloud.queue("expiry").send({ body: expiry(accountId, callId) }));
      }
    });
  },
  expect: exactly({
    calls: ["A-1: MET by payment"],
    orders: 0,
    emails: 2,
    webhooks: 2,
    metrics: { timer_early: 3, timer_without_call: 3 },
  }),
  always: alwaysCalls(["A-1: MET by payment"]),
};

const S39: Story = {
  id: "S39",
  title: "every new place is 5 s ahead or behind, and each third goes back in the middle",
  plan: () => called(240),
  trouble: () => {
    let places = 0;
    return {
      atPlace: () => {
        places += 1;
        return places % 3 === 0 ? "clockBackwards" : "skew";
      },
    };
  },
  script: () => undefined,
  expect: exactly({ calls: ["A-1: LIQUIDATED after deadline"], orders: 1, emails: 4, webhooks: 6 }),
};

const S40: Story = {
  id: "S40",
  title: "thirty deadlines in one minute",
  plan: () => plan({ accounts: many(30), ticks: path(CALLED, { until: 300 }), until: 300 }),
  script: () => undefined,
  expect: exactly({
    calls: Array.from({ length: 30 }, (_, index) => `A-${index + 1}: LIQUIDATED after deadline`),
    orders: 30,
    emails: 120,
    webhooks: 180,
  }),
};

const S41: Story = {
  id: "S41",
  title: "tables, topic and mail are throttled every other time for a minute",
  plan: () => called(300),
  trouble: () => {
    let sent = 0;
    return {
      atCall: (method, second) => {
        if (!within(second, 25, 85) || !(isDb(method) || method === "bus.publish" || method === "mailer.send")) return null;
        sent += 1;
        return sent % 2 === 0 ? null : "throttle";
      },
    };
  },
  script: (stage) => allPay(stage, 40),
  expect: exactly({ calls: ["A-1: MET by payment"], orders: 0 }),
};

const S45: Story = {
  id: "S45",
  title: "twenty accounts of one market breach in one tick: each is told, none is sampled",
  plan: () => plan({ accounts: many(20), ticks: path(CALLED, { until: 160 }), until: 160 }),
  script: (stage) => allPay(stage, 45),
  expect: exactly({
    calls: Array.from({ length: 20 }, (_, index) => `A-${index + 1}: MET by payment`),
    orders: 0,
    emails: 40,
    webhooks: 40,
  }),
};

const S46: Story = {
  id: "S46",
  title: "receivers of webhooks answer with errors for two minutes: mail goes at once, every webhook comes later",
  sweeps: true,
  plan: () => called(300, 300_000),
  trouble: () => ({ atCall: (method, second) => (method === "http.post" && within(second, 0, 150) ? "receiverError" : null) }),
  script: (stage) => allPay(stage, 60),
  expect: exactly({ calls: ["A-1: MET by payment"], orders: 0, emails: 2, webhooks: 2 }),
  always: alwaysCalls(["A-1: MET by payment"]),
};

const S48: Story = {
  id: "S48",
  title: "the mail service refuses a holder's address for good: the webhook is the notice",
  sweeps: true,
  plan: () => called(240),
  trouble: () => ({ atCall: (method) => (method === "mailer.send" ? "refused" : null) }),
  script: () => undefined,
  expect: exactly({ calls: ["A-1: LIQUIDATED after deadline"], orders: 1, emails: 0, webhooks: 6, metrics: { email_refused: 4 } }),
  always: alwaysCalls(["A-1: LIQUIDATED after deadline"]),
};

export const CLOUD: readonly Story[] = [S30, S31, S32, S38Lost, S38Wrong, S39, S40, S41, S45, S46, S48];
