import { expect, test } from "vitest";

import { venueMessage } from "../../../adapters/venue/order-message.ts";
import { venueOrder } from "../../../adapters/wire/venue.ts";
import { price, quantity } from "../../../core/money.ts";
import { call, order, T0 } from "../samples.ts";

test("an order leaves reduce-only, in its account's group, under its own id (I09, I10)", () => {
  const of = call({ accountId: "A-1", attempt: 2 });
  const message = venueMessage(order(of, 3, { quantity: quantity("0.50000000"), limitPrice: price("-36.98") }), T0 + 1_500);
  expect([message.groupId, message.dedupId]).toEqual(["A-1", `${of.callId}-2-BTC-PERP`]);
  expect(venueOrder.parse(JSON.parse(message.body))).toEqual({
    schemaVersion: 1,
    orderId: `${of.callId}-2-BTC-PERP`,
    callId: of.callId,
    attempt: 2,
    accountId: "A-1",
    brokerId: "B1",
    instrumentId: "BTC-PERP",
    side: "sell",
    quantity: "0.5",
    limitPrice: "-36.98",
    reduceOnly: true,
    timeInForce: "IOC",
    createdAt: "2020-03-12T10:00:00.000Z",
    sentAt: "2020-03-12T10:00:01.500Z",
  });
});
