import * as z from "zod";

/** Header `Idempotency-Key` of a request that changes something (C4). */
export const idempotencyKey = z.string().regex(/^[!-~]{8,128}$/, "8-128 printable ASCII characters");
