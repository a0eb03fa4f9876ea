import * as z from "zod";

import { asset, callId, decimalText, externalId, moneyText } from "./scalars.ts";

/** Body of `POST /accounts/{accountId}/withdrawal-checks` (R16). The same `requestId` gets the same answer and reserves once. */
export const withdrawalCheckBody = z.strictObject({
  requestId: externalId,
  asset,
  amount: moneyText.refine((amount) => amount > 0n, "must be more than 0"),
});
export type WithdrawalCheckBody = z.output<typeof withdrawalCheckBody>;

export const withdrawalCheckReply = z.object({
  allowed: z.boolean(),
  reason: z.string(),
  /** Most that could be withdrawn now, before this request. */
  available: decimalText,
});

/** Body of `POST /accounts/{accountId}/calls/{callId}/acknowledgement`: who says that the call was seen. */
export const acknowledgeBody = z.strictObject({
  by: z.string().regex(/^[^\p{Cc}\p{Cf}]{1,80}$/u, "1-80 characters, no control characters"),
});
export type AcknowledgeBody = z.output<typeof acknowledgeBody>;

/** Reply to what was taken into a queue. */
export const acceptedReply = z.object({ accepted: z.number().int() });

/** The one shape of an error: a code for programs, a sentence for people. */
export const errorReply = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** Header `Idempotency-Key` of a request that changes something (C4). */
export const idempotencyKey = z.string().regex(/^[!-~]{8,128}$/, "8-128 printable ASCII characters");

export const callPath = z.object({ callId });
