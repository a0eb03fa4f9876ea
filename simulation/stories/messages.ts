import { iso } from "../../adapters/wire/scalars.ts";
import { decimal, type Money, money } from "../../core/money.ts";
import { sendMark } from "../actors/market-feed.ts";
import { POISON } from "../actors/plan.ts";
import { allPay, atSecond, closeAll, creditAtVenue, on, tellFacts } from "./acts.ts";
import { alwaysCalls, alwaysEnded, alwaysOneOf, exactly, same } from "./expect.ts";
import { at, CALLED, called, leveraged, many, path, plan, type Story, without } from "./story.ts";

const S33: Story = {
  id: "S33",
  title: "a message of a version that is not known, while a liquidation runs",
  sweeps: true,
  plan: () =>
    plan({
      accounts: [leveraged(8)],
      ticks: path(
        [
          [1, 8_000],
          [30, 7_300],
        ],
        { until: 200 },
      ),
      until: 200,
    }),
  script: (stage) => {
    allPay(stage, 20);
    atSecond(stage, 31, () => {
      sendMark(stage.cloud, { instrumentId: "BTC-PERP", price: "4000.0", asOf: at(31) }, 2);
    });
  },
  expect: exactly({
    calls: ["A-1: LIQUIDATED after closeOut", "A-1: MET by payment"],
    orders: 1,
    emails: 6,
    webhooks: 8,
    metrics: { message_failed: 4 },
  }),
  always: (told) => [
    ...alwaysEnded(2)(told),
    ...same("the price of an unknown version is in force", (told.mark("BTC-PERP") ?? 0) < 7_000, false),
  ],
};

/** The same deposit, told at once and long after. */
const again = (title: string, delays: readonly number[], until: number, isLong: boolean): Story => ({
  id: "S36",
  title,
  ...(!isLong && { sweeps: true, always: alwaysCalls(["A-1: MET by payment"]) }),
  plan: () => {
    const ticks = path(CALLED, { until });
    return plan({
      policy: { graceMs: 300_000 },
      accounts: [leveraged(8)],
      ticks: isLong ? without(ticks, 400, until - 200) : ticks,
      until,
    });
  },
  script: (stage) =>
    on(stage, "margin_call.issued", 10, (accountId, { outstanding }, count) => {
      if (count > 1) return;
      const sequence = creditAtVenue(stage, accountId, money(outstanding));
      const fact = {
        kind: "deposit",
        externalId: "deposit-once",
        sequence,
        occurredAt: iso(stage.time.now()),
        asset: "USDT",
        amount: outstanding,
      };
      const now = (stage.time.now() - at(0)) / 1_000;
      for (const delay of delays) atSecond(stage, now + delay, () => tellFacts(stage, accountId, [fact], `copy-${delay}`));
      // Flat, the account needs no price.
      atSecond(stage, now + 120, () => closeAll(stage, accountId));
    }),
  expect: exactly({
    calls: ["A-1: MET by payment"],
    orders: 0,
    emails: 2,
    webhooks: 2,
    metrics: { facts_applied: 3, commit_duplicate: isLong ? 1 : 3 },
  }),
});

const S37: Story = {
  id: "S37",
  title: "two deposits come in the wrong order, both before the call that they pay would end",
  sweeps: true,
  plan: () => called(220),
  script: (stage) =>
    on(stage, "margin_call.issued", 10, (accountId) => {
      const facts = ["150.00", "100.00"].map((amount, index) => ({
        kind: "deposit",
        externalId: `deposit-${index}`,
        sequence: creditAtVenue(stage, accountId, money(amount)),
        occurredAt: iso(stage.time.now()),
        asset: "USDT",
        amount,
      }));
      tellFacts(stage, accountId, facts.slice(1), "second");
      const now = (stage.time.now() - at(0)) / 1_000;
      atSecond(stage, now + 5, () => tellFacts(stage, accountId, facts.slice(0, 1), "first"));
    }),
  expect: exactly({ calls: ["A-1: MET by payment"], orders: 0, emails: 3, webhooks: 3, metrics: { account_out_of_sync: 1 } }),
  // What came in the wrong order is paid all the same: the snapshot that heals the gap brings it.
  always: alwaysOneOf(["A-1: MET by payment"], ["A-1: MET by market"], ["A-1: LIQUIDATED after deadline"]),
};

/** What ten accounts have once each has been paid a hundred. */
const TEN_WITH_A_HUNDRED = many(10)
  .map(({ cash }) => decimal((money(cash) + money("100.00")) as Money))
  .sort();

const S42: Story = {
  id: "S42",
  title: "of ten deposits that come together the fourth fails once",
  sweeps: true,
  plan: () => plan({ accounts: many(10).map((one) => ({ ...one, positions: [] })), ticks: [], until: 420 }),
  trouble: () => {
    let writes = 0;
    return {
      atCall: (method, second) => {
        if (method !== "db.transactWrite" || second < 20) return null;
        writes += 1;
        return writes === 4 ? "serverError" : null;
      },
    };
  },
  script: (stage) =>
    atSecond(stage, 20, () => {
      for (const { accountId } of many(10)) stage.venue.deposit(accountId, money("100.00"), 0);
    }),
  expect: exactly({ calls: [], orders: 0, emails: 0, webhooks: 0, metrics: { facts_applied: 20, message_failed: 0 } }),
  // Two faults, its own and another, may keep a message for two visibility timeouts: the calm is long enough for both.
  always: (told) =>
    same("their money", told.accounts.map(({ cash }) => decimal((cash.get("USDT") ?? 0n) as Money)).sort(), TEN_WITH_A_HUNDRED),
};

/** Bodies that no version of a message has, with the word by which operators know not to send them again. */
const BODIES = [
  `{ ${POISON}`,
  POISON.repeat(50_000),
  `${"[".repeat(5_000)}"${POISON}"${"]".repeat(5_000)}`,
  `{"schemaVersion":7,"marks":[],"note":"${POISON}"}`,
  `{"__proto__":{"isAdmin":true},"schemaVersion":1,"note":"${POISON}"}`,
  `{"schemaVersion":1,"accountId":"A-9","note":"${POISON}","entries":[{"kind":"deposit","externalId":"d","sequence":1,"asset":"USDT","amount":"1"}]}`,
];

const S43: Story = {
  id: "S43",
  title: "poison in the queues of prices and of facts",
  plan: () => called(400),
  script: (stage) => {
    allPay(stage, 60);
    for (const [index, body] of BODIES.entries()) {
      atSecond(stage, 25 + index, () => stage.cloud.queue("marks").send({ body }));
      atSecond(stage, 25 + index, () =>
        stage.cloud.queue("feed.fifo").send({ body, groupId: `A-${index + 7}`, dedupId: `poison-${index}` }),
      );
    }
  },
  expect: exactly({
    calls: ["A-1: MET by payment"],
    orders: 0,
    emails: 2,
    webhooks: 2,
    // Six bodies in two queues, each tried three times.
    metrics: { message_failed: 36 },
    parked: { "marks-dead": 6, "feed-dead.fifo": 6 },
  }),
};

/** What comes twice, out of order, in a batch with what fails, or is no message at all. */
export const MESSAGES: readonly Story[] = [
  S33,
  again("the same deposit at once, 6 and 11 minutes later", [0, 0.5, 360, 660], 760, false),
  again("the same deposit 25 hours later", [0, 90_000], 90_200, true),
  S37,
  S42,
  S43,
];
