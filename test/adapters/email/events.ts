import { type EventMessage, eventMessage } from "../../../adapters/wire/events.ts";
import type { Contact } from "../../../adapters/wire/parties.ts";

export const NOW = Date.parse("2020-03-12T08:48:00Z");

type Call = NonNullable<EventMessage["call"]>;

export const callOf = (over: Partial<Call> = {}): Call => ({
  callId: "MC-ABCDEFGHIJ23-1",
  scope: "CROSS",
  version: 1,
  status: "OPEN",
  asset: "USDT",
  amountDue: "12400",
  metAmount: "0",
  outstanding: "12400",
  issuedAt: "2020-03-12T08:47:10.000Z",
  deadlineAt: "2020-03-12T09:30:00.000Z",
  graceMs: 2_520_000,
  onBadMarks: false,
  previousCallId: null,
  boundBy: "BTC-PERP: bracket 1",
  cures: [
    { kind: "deposit", asset: "USDT", amount: "12400" },
    { kind: "deposit", asset: "BTC", amount: "1.56789012" },
    { kind: "reduce", instrumentId: "BTCUSDT-PERP", side: "sell", quantity: "3.5" },
  ],
  onUnmet: "reduce",
  liquidationReason: null,
  metBy: null,
  ...over,
});

/** An event as the topic carries it; the schema vouches for its form. */
export const eventOf = (over: Partial<EventMessage> = {}): EventMessage =>
  eventMessage.parse({
    id: "evt_0123456789abcdef",
    type: "margin_call.issued",
    schemaVersion: 1,
    occurredAt: "2020-03-12T08:47:00.000Z",
    accountId: "acct-77124821",
    brokerId: "b1",
    accountSequence: 7,
    mode: "enforce",
    level: "CALL",
    previousLevel: "WARNING",
    allowed: "no_increase",
    reason: "R1: headroom below the call level",
    figures: { equity: "87600.25", initialRequirement: "100000.25", maintenanceRequirement: "50000" },
    call: callOf(),
    order: null,
    ...over,
  });

export const contactOf = (over: Partial<Contact> = {}): Contact => ({
  accountId: "acct-77124821",
  email: "holder@example.com",
  name: "Ada Lim",
  timeZone: "Asia/Singapore",
  locale: "en",
  antiPhishingCode: "blue heron",
  ...over,
});
