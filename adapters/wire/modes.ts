import * as z from "zod";

import { MODES } from "../../core/mode.ts";
import { accountId, brokerId, clientClass } from "./scalars.ts";

/** Modes of a stage (R28): a new deployment starts in `observe`. */
export const modes = z.strictObject({
  default: z.enum(MODES),
  brokers: z.record(brokerId, z.enum(MODES)).default({}),
  clientClasses: z.record(clientClass, z.enum(MODES)).default({}),
});

/** What a caller may be; `authorize` decides what each role may do. */
export const ROLES = ["operator", "auditor", "marks", "feed", "broker", "holder"] as const;

const principal = z.union([
  z.strictObject({ role: z.enum(["operator", "auditor", "marks", "feed"]) }),
  z.strictObject({ role: z.literal("broker"), brokerId }),
  z.strictObject({ role: z.literal("holder"), accountId }),
]);

/** Callers of the API by the ARN that they sign with. */
export const principals = z.record(z.string().min(1).max(2048), principal);
