import * as z from "zod";

import type { RowSchema } from "./dynamodb/items.ts";
import { modes, principals } from "./wire/modes.ts";
import { placesOf } from "./wire/parse.ts";
import { source } from "./wire/scalars.ts";
import type { Settings } from "./world.ts";

const text = z.string().min(1).max(2048);
const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, "not a whole number")
    .transform(Number)
    .pipe(z.number().min(least).max(most));

const fromJson = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .string()
    .transform((value, context): unknown => {
      try {
        return JSON.parse(value);
      } catch {
        context.issues.push({ code: "custom", input: value, message: "not JSON" });
        return z.NEVER;
      }
    })
    .pipe(schema);

const url = z.url({ protocol: /^https?$/ });

/** How each variable reads. Its name is the setting's, in upper snake case. */
const READERS = {
  bookTable: text,
  marksTable: text,
  journalTable: text,
  outboundTable: text,
  shards: wholeNumber(1, 256),
  shardsPerGroup: wholeNumber(1, 256),
  rowSchema: wholeNumber(1, 2).transform((version) => version as RowSchema),
  modes: fromJson(modes),
  defaultPolicy: text,
  eventsTopicArn: text,
  marksQueueUrl: url,
  sweepQueueUrl: url,
  shardsQueueUrl: url,
  timerQueueUrl: url,
  webhookQueueUrl: url,
  venueQueueUrl: url,
  feedQueueUrl: url,
  expiryQueueArn: text,
  scheduleGroup: text,
  schedulerRoleArn: text,
  sweepIntervalMinMs: wholeNumber(0, 3_600_000),
  sweepTimeoutMs: wholeNumber(1_000, 3_600_000),
  sweepStepPpm: wholeNumber(1, 1_000_000),
  breachShareMaxPpm: wholeNumber(0, 1_000_000),
  compositeSources: fromJson(z.array(source)),
  mailFrom: text,
  mailConfigurationSet: text,
  appUrl: url,
  dataKeyArn: text,
  principals: fromJson(principals),
  webhookLoopback: z.enum(["never", "local"]),
} as const satisfies Record<keyof Settings, z.ZodType>;

/** Every setting that a stage can give. */
export const SETTING_NAMES = Object.keys(READERS) as readonly (keyof Settings)[];

/** The environment variable of a setting: `sweepIntervalMinMs` is SWEEP_INTERVAL_MIN_MS. */
export const variableOf = (setting: keyof Settings): string => setting.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

/**
 * Reads the settings that a function needs from its environment.
 *
 * @throws Error that names each variable that is missing or malformed, in one line, never its value.
 *   Reading a setting that was not asked for throws too: the function's list is its whole configuration.
 */
export const readSettings = (needs: readonly (keyof Settings)[], env: Readonly<Record<string, string | undefined>>): Settings => {
  const complaints: string[] = [];
  const settings: Partial<Record<keyof Settings, unknown>> = {};
  for (const setting of SETTING_NAMES) {
    if (!needs.includes(setting)) {
      Object.defineProperty(settings, setting, {
        get: () => {
          throw new Error(`the setting ${setting} was not asked for: name it where the world is created`);
        },
      });
      continue;
    }
    const variable = variableOf(setting);
    const value = env[variable];
    if (value === undefined || value === "") {
      complaints.push(`${variable} is missing`);
      continue;
    }
    const read = (READERS[setting] as z.ZodType).safeParse(value);
    if (read.success) settings[setting] = read.data;
    else complaints.push(`${variable} is malformed (${placesOf(read.error)})`);
  }
  if (complaints.length > 0) throw new Error(`environment: ${complaints.join("; ")}`);
  return settings as Settings;
};
