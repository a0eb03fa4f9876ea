import type { EventMessage } from "../../adapters/wire/events.ts";

export const CALL_ID = "MC-ABCDEFGHIJKL-1";
export const ISSUED_AT = Date.UTC(2020, 2, 12, 6, 0, 10);
export const DEADLINE_AT = ISSUED_AT + 31 * 60_000;

export type Call = NonNullable<EventMessage["call"]>;

export const callView = (changes: Partial<Call> = {}): Call => ({
  callId: CALL_ID,
  scope: "CROSS",
  version: 1,
  status: "OPEN",
  asset: "USDT",
  amountDue: "120.5",
  metAmount: "0",
  outstanding: "120.5",
  issuedAt: new Date(ISSUED_AT).toISOString(),
  deadlineAt: new Date(DEADLINE_AT).toISOString(),
  graceMs: 30 * 60_000,
  onBadMarks: false,
  previousCallId: null,
  boundBy: "BTC-PERP: bracket 1",
  cures: [
    { kind: "deposit", asset: "USDT", amount: "120.5" },
    { kind: "deposit", asset: "BTC", amount: "0.02" },
    { kind: "reduce", instrumentId: "BTC-PERP", side: "sell", quantity: "0.3" },
  ],
  onUnmet: "reduce",
  liquidationReason: null,
  metBy: null,
  ...changes,
});

export const event = (changes: Partial<EventMessage> = {}): EventMessage => ({
  id: "evt_0000000000000000000000",
  type: "margin_call.issued",
  schemaVersion: 1,
  occurredAt: new Date(ISSUED_AT).toISOString(),
  accountId: "A1",
  brokerId: "meridian",
  accountSequence: 2,
  mode: "enforce",
  level: "CALL",
  previousLevel: "WARNING",
  allowed: "no_increase",
  reason: "R1: x < 0.5",
  figures: { equity: "100", initialRequirement: "220.5", maintenanceRequirement: "110.25" },
  call: callView(),
  order: null,
  ...changes,
});
