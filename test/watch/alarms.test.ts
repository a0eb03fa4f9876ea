import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { ALARM_ROWS } from "./alarm-rows.ts";
import { type Exchange, openExchange } from "./exchange.ts";

const PREFIX = "plimsoll-local-";

/** Minutes after a mend: its alarms end with the first, and do not come back with the load of the second. */
const CALM_MIN = 2;

/** A row plays up to two hours of the exchange, minute by minute. */
const ROW_TIMEOUT_MS = 300_000;

describe("every alarm fires once, and its entry of the runbook clears it", () => {
  let x: Exchange;

  beforeAll(async () => {
    x = await openExchange();
    await x.minutes(5);
  });

  afterAll(() => x.stop());

  test("nothing is on in an exchange where nothing is wrong", () => {
    expect(x.cloud.watch.transitions).toEqual([]);
  });

  test.each(ALARM_ROWS)(
    "$name",
    { timeout: ROW_TIMEOUT_MS },
    async ({ alarms, fault, load = async () => undefined, minutes, mend, over }) => {
      const { watch } = x.cloud;
      const before = watch.transitions.length;
      await fault(x);
      await x.minutes(minutes, () => load(x));
      const fired = alarms.filter((alarm) => watch.transitions.slice(before).some((one) => one.alarm === PREFIX + alarm));
      const overBefore = await over?.(x);
      // Whatever came of it, the next row begins with everything mended.
      await mend(x);
      await x.minutes(CALM_MIN, () => load(x));
      expect([overBefore, await over?.(x)]).toEqual(over === undefined ? [undefined, undefined] : [false, true]);
      await x.cure();
      expect(fired).toEqual(alarms);
      const seen = watch.transitions.slice(before);
      for (const alarm of alarms) {
        expect([alarm, ...seen.filter((one) => one.alarm === PREFIX + alarm).map(({ to }) => to)]).toEqual([alarm, "ALARM", "OK"]);
      }
      expect(watch.alarms.filter(({ AlarmName }) => watch.state(AlarmName) === "ALARM").map(({ AlarmName }) => AlarmName)).toEqual([]);
    },
  );

  test("no alarm is without a row, and none has two", () => {
    const rows = ALARM_ROWS.flatMap(({ alarms }) => alarms.map((alarm) => PREFIX + alarm));
    expect(rows.sort()).toEqual(x.cloud.watch.alarms.map(({ AlarmName }) => AlarmName).sort());
  });
});
