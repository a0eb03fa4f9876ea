import { allPay } from "./acts.ts";
import { barsOf, readData, turnsOf } from "./data.ts";
import { callLines, exactly, same } from "./expect.ts";
import { at, leveraged, path, plan, type Story, type Told, type ToldEvent, tick, without } from "./story.ts";

const MARCH_2020 = "1h_BTCUSDT_binance-spot_2020-03-07_2020-03-20.csv";
const NOVEMBER_2022 = "1h_BTCUSDT_binance-spot_2022-11-05_2022-11-16.csv";
const MARCH_2023 = "1h_BTCUSDT_binance-spot_2023-03-23_2023-03-26.csv";
const WTI_2020 = "1d_WTI_cushing-spot_2020-03-26_2020-05-15.csv";
const DIRTY = "dirty_feed_BTCUSDT_1h_2020-11.csv";

/** The hour of the first event of a kind, an hour being 144 s. */
const hourOf = ({ events }: Told, accountId: string, type: ToldEvent["type"]): number =>
  Math.floor((events.find((one) => one.accountId === accountId && one.type === type)?.second ?? -1) / HOUR_S);

/** 27 hours of Black Thursday, an hour in 144 s: steps of its path stay within the guard on jumps. */
const HOUR_S = 144;
const ENDS = 27 * HOUR_S;

const S01: Story = {
  id: "S01",
  title: "Black Thursday: 3x, 5x and 10x opened at midnight of the 12th, to 03:00 of the 13th",
  needsData: [MARCH_2020],
  plan: () => {
    const { bars } = barsOf(MARCH_2020, "2020-03-12T00:00:00.000Z", "2020-03-13T03:00:00.000Z");
    const entry = 7_934.5;
    return plan({
      accounts: [3, 5, 10].map((leverage) => leveraged(leverage, { accountId: `A-${leverage}`, entry })),
      ticks: path(turnsOf(bars, HOUR_S), { until: ENDS, every: 8 }).filter((one) => one.at < at(ENDS) || (one.at - at(1)) % 20_000 === 0),
      until: ENDS,
      policy: { graceMs: 1_500_000 },
    });
  },
  script: () => undefined,
  expect: (told) => [
    ...same("violation", told.result.violation?.message ?? null, null),
    ...same("hour of the first call of 10x", hourOf(told, "A-10", "margin_call.issued"), 1),
    ...same("hour of its first liquidation", hourOf(told, "A-10", "liquidation.started"), 6),
    ...same("hour of the liquidation of 5x", hourOf(told, "A-5", "liquidation.started"), 10),
    ...same("hour of the first liquidation of 3x", hourOf(told, "A-3", "liquidation.started"), 10),
    ...same(
      "first of each",
      [10, 5, 3].map((leverage) => callLines(told).find((line) => line.startsWith(`A-${leverage}:`))),
      ["A-10: LIQUIDATED after closeOut", "A-5: LIQUIDATED after closeOut", "A-3: LIQUIDATED after closeOut"],
    ),
    ...same("calls that have not ended", told.calls.filter(({ endedAt }) => endedAt === null).length, 0),
  ],
};

const S06: Story = {
  id: "S06",
  title: "FTX, 8 and 9 November 2022: a holder of 9x who pays each call",
  needsData: [NOVEMBER_2022],
  plan: () => {
    const { bars } = barsOf(NOVEMBER_2022, "2022-11-08T00:00:00.000Z", "2022-11-10T00:00:00.000Z");
    return plan({
      accounts: [leveraged(9, { entry: 20_590 })],
      ticks: path(turnsOf(bars, 60), { until: 2_880, every: 10 }),
      until: 2_880,
    });
  },
  script: (stage) => allPay(stage, 15),
  expect: exactly({
    calls: [
      "A-1: MET by payment",
      "A-1: LIQUIDATED after closeOut",
      "A-1: MET by payment",
      "A-1: MET by payment",
      "A-1: MET by payment",
      "A-1: MET by market",
    ],
    orders: 1,
    emails: 16,
    webhooks: 18,
  }),
};

const S20: Story = {
  id: "S20",
  title: "WTI through 20 April 2020 in a market that allows no price below zero",
  needsData: [WTI_2020],
  plan: () => {
    const days = readData(WTI_2020)
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.split(","))
      .filter(([day = ""]) => day >= "2020-04-15" && day <= "2020-04-24");
    // A day is a minute; each price comes three times, as a second tick must agree with what is beyond the guard.
    const ticks = days.flatMap(([, price = ""], day) =>
      [0, 20, 40].map((second) => tick(1 + 60 * day + second, price, "BTC-PERP", !price.startsWith("-"))),
    );
    const ends = days.length * 60;
    return plan({
      accounts: [leveraged(2, { entry: 18.3 })],
      ticks: [...ticks, ...without(path([[1, 16]], { until: ends }), 0, ends)],
      until: ends,
    });
  },
  script: () => undefined,
  expect: exactly({
    calls: ["A-1: LIQUIDATED after closeOut"],
    orders: 1,
    emails: 2,
    webhooks: 4,
    metrics: { mark_rejected_negative_price: 3 },
  }),
};

const S24: Story = {
  id: "S24",
  title: "24 March 2023: the hour of 13:00 does not exist, an hour is two minutes",
  needsData: [MARCH_2023],
  plan: () => {
    const { bars } = barsOf(MARCH_2023, "2023-03-24T11:00:00.000Z", "2023-03-24T17:00:00.000Z");
    const ticks = path(turnsOf(bars, 120), { until: 720 });
    // The hour that is not there, in seconds of the story, is 241 to 361; nothing fills it.
    return plan({ accounts: [leveraged(10, { entry: 28_080, size: 0.2 })], ticks: without(ticks, 241, 361), until: 720 });
  },
  script: () => undefined,
  expect: exactly({ calls: ["A-1: MET by market"], orders: 0, emails: 3, webhooks: 3 }),
};

const S25: Story = {
  id: "S25",
  title: "a dirty feed: what its strict reader lets through, the newest dozen hours",
  needsData: [DIRTY],
  plan: () => {
    const { bars } = barsOf(DIRTY, "2020-11-01T00:00:00.000Z", "2020-12-01T00:00:00.000Z");
    const last = bars.slice(-12);
    const entry = Number(turnsOf(last, 60)[0]?.[1] ?? 0);
    return plan({
      accounts: [leveraged(5, { entry: Math.round(entry), size: 0.2 })],
      ticks: path(turnsOf(last, 60), { until: 720 }),
      until: 720,
    });
  },
  script: () => undefined,
  expect: exactly({
    calls: [],
    orders: 0,
    emails: 0,
    webhooks: 0,
    more: () => {
      const { bars, refused } = barsOf(DIRTY, "2000-01-01T00:00:00.000Z", "2030-01-01T00:00:00.000Z");
      return same("bars and refused lines", [bars.length, refused], [51, 20]);
    },
  }),
};
export const RECORDED: readonly Story[] = [S01, S06, S20, S24, S25];
