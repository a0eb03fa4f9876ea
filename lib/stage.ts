import * as z from "zod";

import { modes, principals } from "../adapters/wire/modes.ts";
import { source } from "../adapters/wire/scalars.ts";
import { LIMITS } from "../core/limits.ts";

/** Functions of the pipeline, in the order in which a price becomes an order. File names under functions/. */
export const FUNCTION_NAMES = [
  "accept-marks",
  "start-sweep",
  "mark-accounts",
  "publish-events",
  "send-email",
  "deliver-webhook",
  "arm-deadline",
  "expire-call",
  "sweep-overdue",
  "dispatch-orders",
  "apply-book-feed",
  "operate",
] as const;
export type FunctionName = (typeof FUNCTION_NAMES)[number];

/** Retention periods that CloudWatch Logs offers, in days, up to ten years. */
const RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/** Functions on the way from a deadline to an order. Where anything is reserved, they are too. */
const DECIDERS = ["expire-call", "sweep-overdue", "dispatch-orders"] as const satisfies readonly FunctionName[];

/** Lambda's environment holds 4 kB in all: the principals may take half of it, the modes a quarter. */
const BYTES_MAX = { principals: 2_000, modes: 1_000 } as const;

/** A sweep that takes longer would reach the alarm on three minutes without a CURRENT one. */
const SWEEP_TIMEOUT_MS_MAX = 120_000;

/** A reservation of 1 cannot be: a queue's mapping runs at least two executions at a time. */
const reservation = z.int().min(2).max(10_000);

const fields = z.strictObject({
  /** Part of every physical name: `plimsoll-<name>-<thing>`. */
  name: z.string().regex(/^[a-z][a-z0-9-]{0,19}$/, "must be 1-20 lower-case letters, digits or hyphens, beginning with a letter"),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "must be the name of an AWS Region"),
  account: z
    .string()
    .regex(/^\d{12}$/, "must be a 12-digit account number")
    .optional(),
  /** Account shards; fixed when the stage is created, because an account's key names its shard. */
  shards: z.int().min(1).max(256),
  /** Shards that one message of a sweep covers. */
  shardsPerGroup: z.int().min(1).max(256),
  /** Version in which accounts' rows are written: raised once every function in service reads it, never with the release that brings it. */
  rowSchema: z.literal([1, 2]),
  /** R28: a new deployment observes; raising a mode is a decision of two people. */
  modes,
  /** Policy of accounts that name none that exists. Policies themselves live only in the table. */
  defaultPolicy: z.string().min(1),
  /** Sender of notices. Its domain must be a verified identity of SES. */
  mailFrom: z.email(),
  /** The exchange's own site: the only place that a notice links to. */
  appUrl: z.url({ protocol: /^https?$/ }),
  /** Caller ARN to principal, for `authorize`. */
  principals,
  /** Subscribed to both alarm topics. */
  alarmEmail: z.email().optional(),
  /** "off" for new cloud accounts, whose few executions a reservation would exhaust (design §4). */
  reservedConcurrency: z.union([z.literal("off"), z.partialRecord(z.enum(FUNCTION_NAMES), reservation)]),
  logRetentionDays: z.literal(RETENTION_DAYS),
  /** Least time between the starts of two sweeps. */
  sweepIntervalMinMs: z.int().min(1_000).max(60_000),
  /** After this a sweep that is not CURRENT is given up and the next one may start. */
  sweepTimeoutMs: z.int().max(SWEEP_TIMEOUT_MS_MAX),
  /** Move of a mark that starts a sweep at once, in parts per million. */
  sweepStepPpm: z.int().min(1).max(1_000_000),
  /** R17: share of the accounts at risk that a change of terms, or a price without a second source, may breach at once, in parts per million. */
  breachShareMaxPpm: z.int().min(0).max(1_000_000),
  /** R17: sources of marks that stand for several by themselves, so that the breaker never holds them. */
  compositeSources: z.array(source).max(20).readonly(),
  /** "local" lets webhooks go to loopback addresses over http: only on a developer's machine. */
  webhookLoopback: z.enum(["never", "local"]),
  /** "static" posts webhooks from fixed addresses, through a network of their own; it costs by the hour. */
  webhookEgress: z.enum(["public", "static"]),
  /** Minutes without an account that agrees with the venue's statement before somebody is woken; absent where the venue sends none. */
  reconciliationMin: z.int().min(5).max(1_440).optional(),
  deletionProtection: z.boolean(),
  /** What becomes of tables, keys and logs when their stack goes. */
  removal: z.enum(["retain", "destroy"]),
  /** Requests a second that the HTTP API admits, and its burst. */
  apiRatePerS: z.int().min(1).max(10_000),
  apiBurst: z.int().min(1).max(5_000),
});

/** A stage: everything that differs between two deployments, and nothing that does not. */
export type Stage = z.infer<typeof fields>;

/**
 * The physical name of a thing of this stage. Fixed names make runbooks, dashboards and the local
 * cloud readable; the price is that a change which replaces the resource needs a new name.
 */
export const nameOf = (stage: Stage, thing: string): string => `plimsoll-${stage.name}-${thing}`;

const stageSchema = fields.check((checked) => {
  const { value: stage, issues } = checked;
  const refuse = (key: keyof Stage, message: string) => issues.push({ code: "custom", path: [key], message, input: stage[key] });
  if (stage.shardsPerGroup > stage.shards) refuse("shardsPerGroup", `must be at most shards (${stage.shards})`);
  if (stage.sweepTimeoutMs <= stage.sweepIntervalMinMs) {
    refuse("sweepTimeoutMs", `must be above sweepIntervalMinMs (${stage.sweepIntervalMinMs})`);
  }
  if (stage.sweepTimeoutMs <= LIMITS.writeBudgetMs) {
    refuse("sweepTimeoutMs", `must be above the time budget of one write (${LIMITS.writeBudgetMs})`);
  }
  if (stage.webhookLoopback === "local" && stage.name !== "local") refuse("webhookLoopback", "must be never outside the stage named local");
  if (stage.deletionProtection && stage.removal === "destroy") refuse("removal", "must be retain where deletionProtection is true");
  const { reservedConcurrency } = stage;
  if (reservedConcurrency !== "off") {
    for (const name of DECIDERS.filter((decider) => reservedConcurrency[decider] === undefined)) {
      refuse("reservedConcurrency", `must name ${name}: what decides a call's end never waits for other functions (C15)`);
    }
  }
  for (const key of ["principals", "modes"] as const) {
    const tooLong = Buffer.byteLength(JSON.stringify(stage[key])) > BYTES_MAX[key];
    if (tooLong) refuse(key, `must fit in ${BYTES_MAX[key]} bytes of a function's environment`);
  }
});

/** A stage's configuration that cannot be used; the message names every key that is wrong. */
export class StageError extends Error {
  override readonly name = "StageError";
}

/**
 * Checks a stage's configuration.
 * @throws StageError that names each unknown, missing or malformed key.
 */
export const parseStage = (source: string, input: unknown): Stage => {
  const parsed = stageSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join(".") || "(stage)"}: ${issue.message}`);
  throw new StageError(`The stage configuration ${source} cannot be used:\n${lines.join("\n")}`);
};
