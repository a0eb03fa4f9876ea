import * as z from "zod";

import { accountId, callId, count, instant, schemaVersion } from "./scalars.ts";

/** The one-off schedule of a deadline. A hint: expire-call believes the call as stored, not this. */
export const expiryMessage = z.object({ schemaVersion, accountId, callId, deadlineVersion: count });
export type ExpiryMessage = z.output<typeof expiryMessage>;

/** A channel accepted a notice of a call: a late first acceptance moves the deadline later, once (R12). */
export const noticeAccepted = z.object({ schemaVersion, kind: z.literal("notice_accepted"), accountId, callId, acceptedAt: instant });
export type NoticeAccepted = z.output<typeof noticeAccepted>;
