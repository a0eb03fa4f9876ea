import { money } from "../../core/money.ts";
import { sendMark } from "../actors/market-feed.ts";
import type { TickPlan } from "../actors/plan.ts";
import { allPay, ask, atSecond, on, withdrawAt } from "./acts.ts";
import { alwaysCalls, alwaysEnded, alwaysOneOf, exactly, same } from "./expect.ts";
import { at, leveraged, path, plan, SECOND_MS, type Story, type Told, tick, window, without } from "./story.ts";

/** Whether the webhooks of an account are numbered from 1 on without a gap. @returns how many numbers there are. */
const numbersOf = ({ webhooks }: Told, accountId: string): number | string => {
  const numbers = [...new Set(webhooks.filter((one) => one.accountId === accountId).map(({ sequence }) => sequence))].sort((a, b) => a - b);
  return numbers.every((number, index) => number === index + 1) ? numbers.length : `a gap: ${numbers.join()}`;
};

/** Calls that say that they are liquidated while the venue filled none of their orders. */
const unfilled = ({ calls, taken }: Told): readonly string[] =>
  calls
    .filter(({ status }) => status === "LIQUIDATED")
    .map(({ callId }) => callId)
    .filter((callId) => !taken.some(({ order, filled }) => order.callId === callId && filled > 0n));

const before =
  (second: number) =>
  (one: TickPlan): boolean =>
    one.at < at(second);

const S02: Story = {
  id: "S02",
  title: "the venue is down for three minutes of a fall, then a backlog of a hundred old prices comes in five seconds",
  sweeps: true,
  plan: () =>
    plan({
      accounts: [leveraged(8)],
      ticks: path(
        [
          [1, 8_000],
          [60, 8_000],
          [80, 7_300],
        ],
        { until: 330 },
      ),
      until: 330,
      venue: { outages: [window(75, 255)] },
    }),
  script: (stage) => {
    allPay(stage, 20);
    // What the market showed while it fell further than it stands now: all of it older than the newest mark.
    for (let index = 0; index < 100; index += 1) {
      const late = { instrumentId: "BTC-PERP", price: `${6_600 - index}.0`, asOf: at(80 + index / 10) };
      atSecond(stage, 260 + index / 20, () => sendMark(stage.cloud, late));
    }
  },
  expect: exactly({
    calls: ["A-1: LIQUIDATED after closeOut", "A-1: MET by payment"],
    orders: 1,
    emails: 4,
    webhooks: 6,
    metrics: { mark_rejected_older_than_the_last_accepted_price: 100 },
  }),
  always: (told) => [...alwaysEnded(2)(told), ...same("an old price is in force", (told.mark("BTC-PERP") ?? 0) < 7_000, false)],
};

const S03: Story = {
  id: "S03",
  title: "nobody bids: an order without a fill is no success",
  sweeps: true,
  plan: () =>
    plan({
      accounts: [leveraged(8)],
      ticks: path(
        [
          [1, 8_000],
          [60, 8_000],
          [80, 7_300],
        ],
        { until: 240 },
      ),
      until: 240,
      venue: { noBids: [window(60, 200)] },
    }),
  script: (stage) => allPay(stage, 20),
  expect: exactly({
    calls: ["A-1: LIQUIDATION_FAILED after closeOut", "A-1: MET by payment"],
    orders: 2,
    filled: 0,
    emails: 5,
    webhooks: 7,
  }),
  always: (told) => [...alwaysEnded(4)(told), ...same("liquidated without a fill", unfilled(told), [])],
};

const S04: Story = {
  id: "S04",
  title: "a deposit that still confirms at the deadline",
  sweeps: true,
  plan: () =>
    plan({
      accounts: [leveraged(8)],
      ticks: path(
        [
          [1, 8_000],
          [60, 8_000],
          [80, 7_500],
        ],
        { until: 760, every: 40 },
      ),
      until: 760,
      policy: { graceMs: 240_000 },
    }),
  script: (stage) =>
    on(stage, "margin_call.issued", 20, (accountId, call) => stage.venue.deposit(accountId, money(call.outstanding), 600 * SECOND_MS)),
  expect: exactly({ calls: ["A-1: MET by payment"], orders: 0, emails: 3, webhooks: 3 }),
  // A price that comes late may leave a call on a stale one behind.
  always: alwaysOneOf(["A-1: MET by payment"], ["A-1: MET by payment", "A-1: MET by market"]),
};

const S06: Story = {
  id: "S06",
  title: "called, paid and below again five times",
  sweeps: true,
  plan: () =>
    plan({
      accounts: [leveraged(8)],
      ticks: path(
        [
          [1, 8_000],
          [30, 7_500],
          [120, 7_500],
          [130, 7_260],
          [220, 7_260],
          [230, 7_030],
          [320, 7_030],
          [330, 6_810],
          [420, 6_810],
          [430, 6_600],
        ],
        { until: 520 },
      ),
      until: 520,
    }),
  script: (stage) => allPay(stage, 10),
  expect: exactly({
    calls: ["A-1: MET by payment", "A-1: MET by payment", "A-1: MET by payment", "A-1: MET by payment", "A-1: MET by payment"],
    orders: 0,
    emails: 10,
    webhooks: 10,
  }),
  always: alwaysEnded(4),
};

const S09: Story = {
  id: "S09",
  title: "collateral is asked back right before the fall",
  sweeps: true,
  plan: () =>
    plan({
      accounts: [leveraged(5)],
      ticks: path(
        [
          [1, 8_000],
          [220, 8_000],
          [240, 7_640],
        ],
        { until: 340 },
      ),
      until: 340,
    }),
  script: (stage, note) => {
    allPay(stage, 20);
    withdrawAt(stage, 195, { name: "900.00", amount: "900.00" }, note);
    withdrawAt(stage, 205, { name: "700.00", amount: "700.00" }, note);
  },
  expect: exactly({ calls: ["A-1: MET by payment"], orders: 0, emails: 2, webhooks: 2 }),
  always: (told) => [
    ...alwaysOneOf([], ["A-1: MET by payment"], ["A-1: LIQUIDATED after deadline"])(told),
    ...same("900.00 is allowed", told.notes.get("900.00 is allowed"), false),
  ],
};

const S10: Story = {
  id: "S10",
  title: "a call and its close-out eight seconds apart, as 10x had them minutes apart on 10 October 2025; 5x has none",
  sweeps: true,
  plan: () =>
    plan({
      accounts: [leveraged(10), leveraged(5, { accountId: "A-2", brokerId: "harbour" })],
      ticks: [
        ...path(
          [
            [1, 8_000],
            [57, 8_000],
            [65, 7_700],
            [73, 7_400],
          ],
          { until: 180, every: 8 },
        ).filter(before(98)),
        ...without(path([[1, 7_400]], { until: 180 }), 0, 98),
      ],
      until: 180,
    }),
  script: (stage) => allPay(stage, 60),
  expect: exactly({
    calls: ["A-1: LIQUIDATED after closeOut", "A-1: MET by payment"],
    orders: 1,
    emails: 5,
    webhooks: 7,
    more: (told) => same("numbered webhooks of A-1 and A-2", [numbersOf(told, "A-1"), numbersOf(told, "A-2")], [11, 0]),
  }),
  always: alwaysEnded(6),
};

const S13: Story = {
  id: "S13",
  title: "a venue goes silent for thirteen minutes of a fall",
  sweeps: true,
  plan: () =>
    plan({
      accounts: [leveraged(8)],
      ticks: without(
        path(
          [
            [1, 8_000],
            [40, 7_900],
            [80, 7_900],
            [860, 7_900],
          ],
          { until: 860 },
        ),
        80,
        860,
      ),
      until: 860,
    }),
  script: () => undefined,
  expect: exactly({ calls: ["A-1: MET by market"], orders: 0, emails: 4, webhooks: 4 }),
  always: alwaysCalls(["A-1: MET by market"]),
};

const S17: Story = {
  id: "S17",
  title: "one tick of an eighth and one of eightfold",
  sweeps: true,
  plan: () =>
    plan({
      accounts: [leveraged(8), leveraged(-8, { accountId: "A-2", brokerId: "harbour" })],
      ticks: [...path([[1, 8_000]], { until: 200 }), tick(70, 1_000, "BTC-PERP", false), tick(130, 64_000, "BTC-PERP", false)],
      until: 200,
    }),
  script: () => undefined,
  expect: exactly({ calls: [], orders: 0, emails: 0, webhooks: 0, metrics: { mark_candidate: 2 } }),
  always: alwaysCalls([]),
};

const S18: Story = {
  id: "S18",
  title:
    "a source by itself says two thirds of the price for half a minute while the composite is silent: held, and refuted when it is back",
  sweeps: true,
  plan: () =>
    plan({
      accounts: [leveraged(8), leveraged(5, { accountId: "A-2", brokerId: "harbour" })],
      ticks: without(path([[1, 8_000]], { until: 160, every: 10 }), 62, 91),
      until: 160,
    }),
  script: (stage) => {
    // Beyond the guard at first, then again and again: each agrees with the one before it, and with nobody else.
    for (let second = 63; second < 90; second += 3) {
      const price = { instrumentId: "BTC-PERP", price: "5300.0", asOf: at(second), source: "rate" };
      atSecond(stage, second, () => sendMark(stage.cloud, price));
    }
  },
  expect: exactly({ calls: [], orders: 0, emails: 0, webhooks: 0, metrics: { price_held: 8, price_let_through: 0 } }),
  always: alwaysCalls([]),
};

/** S21: what was seen in the place of a price. Two that are prices, of another unit, wait for a second tick that never comes. */
const NO_PRICES = [
  "0",
  "0.00",
  null,
  "NaN",
  "",
  undefined,
  "1e-18",
  "-36.98",
  8_000,
  "0x1F40",
  " 8000",
  "8000.123456789",
  "80.0",
  "800000.0",
];

const S21: Story = {
  id: "S21",
  title: "zero, nothing, words and wrong units in the place of a price",
  plan: () => plan({ accounts: [leveraged(8)], ticks: path([[1, 8_000]], { until: 120 }), until: 120 }),
  script: (stage) => {
    for (const [index, given] of NO_PRICES.entries()) {
      atSecond(stage, 50 + index, () => sendMark(stage.cloud, { instrumentId: "BTC-PERP", price: given, asOf: at(50 + index) }));
    }
  },
  expect: exactly({
    calls: [],
    orders: 0,
    emails: 0,
    webhooks: 0,
    metrics: {
      mark_rejected_zero_price: 2,
      mark_malformed: 9,
      mark_rejected_negative_price: 1,
      mark_rejected_off_by_a_factor_of_50_or_more: 2,
    },
  }),
};

const S22: Story = {
  id: "S22",
  title: "a call on a price that was wrong is cancelled by an operator",
  plan: () =>
    plan({
      accounts: [leveraged(8)],
      ticks: path(
        [
          [1, 8_000],
          [60, 8_000],
          [61, 7_500],
          [101, 7_500],
          [102, 8_000],
        ],
        { until: 200, every: 10 },
      ),
      until: 200,
    }),
  script: (stage) =>
    atSecond(stage, 110, () => {
      const [call] = stage.checks.calls();
      const where = `/accounts/A-1/calls/${call?.callId}/cancellation`;
      ask(stage, { method: "POST", path: where, body: { reason: "the venue cancelled the trades of that minute" } }, () => undefined);
    }),
  expect: exactly({ calls: ["A-1: CANCELLED"], orders: 0, emails: 2, webhooks: 2 }),
};

const S26: Story = {
  id: "S26",
  title: "ETH falls by a sixth in the hour of a night",
  sweeps: true,
  plan: () =>
    plan({
      accounts: [leveraged(6, { instrumentId: "ETH-PERP", size: 20 })],
      ticks: path(
        [
          [1, 200],
          [30, 200],
          [90, 187],
          [150, 167],
        ],
        { until: 240, every: 15, instrumentId: "ETH-PERP" },
      ),
      until: 240,
    }),
  script: (stage) =>
    on(stage, "margin_call.issued", 30, (accountId, call, count) => {
      if (count === 3) stage.venue.deposit(accountId, money(call.outstanding), 0);
    }),
  expect: exactly({
    calls: ["A-1: LIQUIDATED after closeOut", "A-1: LIQUIDATED after closeOut", "A-1: MET by payment"],
    orders: 2,
    emails: 8,
    webhooks: 12,
  }),
  always: alwaysEnded(6),
};

export const MARKET: readonly Story[] = [S02, S03, S04, S06, S09, S10, S13, S17, S18, S21, S22, S26];
