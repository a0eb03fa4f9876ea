import { describe, expect, it } from "vitest";

import { price } from "../../core/money.ts";
import { createTally } from "../../local/tally.ts";
import { createView, frameOf, lineOf, type Moment } from "../../local/view.ts";
import { callView, event } from "./fixtures.ts";

const EVENTS = [
  event({ id: "evt_1" }),
  event({
    id: "evt_2",
    accountId: "A2",
    type: "liquidation.started",
    level: "CLOSE_OUT",
    call: callView({ callId: "MC-ABCDEFGHIJKL-2", status: "LIQUIDATING", liquidationReason: "closeOut" }),
  }),
  event({ id: "evt_3", accountId: "A2", accountSequence: 3, type: "liquidation.order_sent", level: "CLOSE_OUT", call: null }),
  event({
    id: "evt_4",
    accountId: "A1",
    accountSequence: 3,
    type: "margin_call.met",
    level: "HEALTHY",
    call: callView({ status: "MET", metBy: "payment" }),
  }),
];

const ESCAPE = "\u001b";

const tallyOf = (events = EVENTS) => {
  const tally = createTally(10);
  for (const one of events) tally.take(one);
  return tally;
};

const moment = (changes: Partial<Moment> = {}): Moment => ({
  now: Date.UTC(2020, 2, 12, 10, 30),
  share: 0.22,
  prices: new Map([["BTCUSDT", price("5587")]]),
  tally: tallyOf(),
  emails: 3,
  webhooks: 4,
  pageUrl: "http://127.0.0.1:4173",
  ...changes,
});

describe("the running counts", () => {
  it("counts calls by what became of them, and accounts by level", () => {
    const tally = tallyOf();
    expect(tally.calls()).toMatchObject({ opened: 2, met: 1, closedOut: 0, open: 1, expired: 0 });
    expect(tally.ordersSent).toBe(1);
    expect(tally.levels().get("HEALTHY")).toBe(9);
    expect(tally.levels().get("CLOSE_OUT")).toBe(1);
  });

  it("does not depend on the order of events, nor on one coming twice", () => {
    const tally = tallyOf([...EVENTS].reverse().flatMap((one) => [one, one]));
    expect(tally.calls()).toEqual(tallyOf().calls());
    expect(tally.levels()).toEqual(tallyOf().levels());
    expect(tally.ordersSent).toBe(1);
  });
});

describe("the terminal view", () => {
  it("shows time, progress, prices, levels, calls, notices, orders and the page within the width", () => {
    expect(frameOf(moment(), 200)).toEqual([
      "2020-03-12 10:30Z  [#######-----------------------] 22 %",
      "prices    BTCUSDT 5587",
      "accounts  healthy 9  warning 0  call 0  restricted 0  close out 1  backstop 0  default 0",
      "calls     2 opened, 1 live, 1 met, 0 expired, 0 closed out, 0 closed flat",
      "notices   3 emails, 4 webhooks",
      "orders    1 sent, 0 fills, 0 liquidations completed",
      "page      http://127.0.0.1:4173",
    ]);
    expect(frameOf(moment(), 40).every((line) => line.length <= 40)).toBe(true);
  });

  it("redraws a terminal in place, at most ten times a second, and keeps what is said", () => {
    let [wallClock, written] = [0, ""];
    const view = createView({ write: (text) => (written += text), isTTY: true, columns: 80 }, false, () => wallClock);
    view.show(moment());
    const once = written;
    wallClock = 50;
    view.show(moment({ share: 0.3 }));
    expect(written).toBe(once);
    wallClock = 150;
    view.show(moment({ share: 0.5 }));
    const redraw = `${ESCAPE}[7A\r${ESCAPE}[J`;
    expect(written.slice(once.length).startsWith(`${redraw}2020-03-12 10:30Z`)).toBe(true);
    view.say("said");
    expect(written).toContain(`${redraw}said\n`);
    expect(written.slice(written.indexOf("said\n"))).toContain("50 %");
  });

  it("prints a line every few percent where there is no terminal", () => {
    const lines: string[] = [];
    const view = createView({ write: (text: string) => lines.push(text) }, false);
    for (let share = 0; share <= 1.0001; share += 0.01) view.show(moment({ share }));
    view.end();
    expect(lines.length).toBeGreaterThan(15);
    expect(lines.length).toBeLessThan(25);
    expect(lines.at(-1)).toBe(`${lineOf(moment({ share: 1 }))}\n`);
    expect(lines.join("")).not.toContain(ESCAPE);
  });

  it("prints nothing with --json", () => {
    const lines: string[] = [];
    const view = createView({ write: (text: string) => lines.push(text), isTTY: true }, true);
    view.say("x");
    view.show(moment());
    view.end();
    expect(lines).toEqual([]);
  });
});
