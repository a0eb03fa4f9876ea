import { money } from "../../core/money.ts";
import type { TickPlan } from "../actors/plan.ts";
import { on } from "./acts.ts";
import { exactly } from "./expect.ts";
import { leveraged, path, plan, type Story, type Trouble, window, without } from "./story.ts";

/** What goes wrong for two minutes of a fall: on the way in, at the venue, in the cloud. */
interface Outage {
  readonly name: string;
  readonly ticks?: (ticks: readonly TickPlan[]) => TickPlan[];
  readonly isVenueDown?: boolean;
  readonly trouble?: () => Trouble;
}

const [FROM, UNTIL] = [40, 170];
const isOn = (second: number): boolean => second >= FROM && second < UNTIL;

const OUTAGES: readonly Outage[] = [
  { name: "feed outage", ticks: (ticks) => without(ticks, FROM, UNTIL) },
  { name: "venue down", isVenueDown: true },
  {
    name: "DynamoDB errors",
    trouble: () => ({ atCall: (method, second) => (isOn(second) && method.startsWith("db.") ? "serverError" : null) }),
  },
  { name: "duplicate delivery", trouble: () => ({ atDelivery: (_, second) => (isOn(second) ? "duplicateNow" : null) }) },
  { name: "skew", trouble: () => ({ atPlace: (second) => (isOn(second) ? "skew" : null) }) },
  { name: "deploy", trouble: () => ({ atPlace: (second) => (isOn(second) ? "configOld" : null) }) },
];

const together = (a: Trouble, b: Trouble): Trouble => ({
  atCall: (method, second) => a.atCall?.(method, second) ?? b.atCall?.(method, second) ?? null,
  atDelivery: (channel, second) => a.atDelivery?.(channel, second) ?? b.atDelivery?.(channel, second) ?? null,
  // Of two that strike the start of a place, one and then the other.
  atPlace: (second) =>
    (Math.floor(second) % 2 === 0 ? (a.atPlace?.(second) ?? b.atPlace?.(second)) : (b.atPlace?.(second) ?? a.atPlace?.(second))) ?? null,
});

const pairOf = (a: Outage, b: Outage): Story => ({
  id: "S58",
  title: `${a.name} and ${b.name}`,
  plan: () => {
    const fall = path(
      [
        [1, 8_000],
        [40, 7_900],
        [60, 7_500],
        [90, 7_320],
      ],
      { until: 260, every: 10 },
    );
    return plan({
      accounts: [leveraged(8), leveraged(4, { accountId: "A-2", brokerId: "harbour" })],
      ticks: b.ticks?.(a.ticks?.(fall) ?? fall) ?? a.ticks?.(fall) ?? fall,
      until: 260,
      ...((a.isVenueDown === true || b.isVenueDown === true) && { venue: { outages: [window(FROM, UNTIL)] } }),
    });
  },
  trouble: () => together(a.trouble?.() ?? {}, b.trouble?.() ?? {}),
  script: (stage) =>
    on(stage, "margin_call.issued", 30, (accountId, { outstanding }) => {
      // The first call is left to itself; what it leaves behind is paid.
      if (stage.checks.calls().some(({ status }) => status === "LIQUIDATED")) stage.venue.deposit(accountId, money(outstanding), 0);
    }),
  expect: exactly({ calls: ["A-1: LIQUIDATED after closeOut", "A-1: MET by payment"], orders: 1 }),
});

export const PAIRS: readonly Story[] = OUTAGES.flatMap((a, index) => OUTAGES.slice(index + 1).map((b) => pairOf(a, b)));
