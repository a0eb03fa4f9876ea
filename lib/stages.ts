import { readFileSync } from "node:fs";

import { parseStage, type Stage, StageError } from "./stage.ts";

/** What both presets start from. R28: `observe` decides and journals, and sends nothing. */
const common = {
  region: "eu-west-1",
  rowSchema: 1,
  modes: { default: "observe", brokers: {}, clientClasses: {} },
  defaultPolicy: "standard",
  mailFrom: "margin@example.com",
  appUrl: "https://example.com",
  principals: {},
  sweepIntervalMinMs: 5_000,
  sweepTimeoutMs: 60_000,
  sweepStepPpm: 2_000,
  breachShareMaxPpm: 10_000,
  compositeSources: ["composite"],
  webhookLoopback: "never",
  webhookEgress: "public",
  apiRatePerS: 200,
  apiBurst: 400,
} as const;

/**
 * Stages to start from. `sandbox` fits a new cloud account and goes without a trace; `production`
 * keeps what it was given. Both send from example.com until the exchange's own file names its sender.
 */
export const PRESETS = {
  sandbox: {
    ...common,
    name: "sandbox",
    shards: 16,
    shardsPerGroup: 2,
    reservedConcurrency: "off",
    logRetentionDays: 7,
    deletionProtection: false,
    removal: "destroy",
  },
  production: {
    ...common,
    name: "production",
    shards: 256,
    shardsPerGroup: 4,
    /** What decides never waits for what notifies (C15): the sum leaves most of the default 1,000 free. */
    reservedConcurrency: {
      "accept-marks": 10,
      "start-sweep": 2,
      "mark-accounts": 100,
      "expire-call": 50,
      "sweep-overdue": 2,
      "dispatch-orders": 50,
      "send-email": 50,
      "deliver-webhook": 100,
    },
    logRetentionDays: 365,
    deletionProtection: true,
    removal: "retain",
  },
} as const satisfies Record<string, Stage>;

type PresetName = keyof typeof PRESETS;

const isPreset = (name: unknown): name is PresetName => typeof name === "string" && Object.hasOwn(PRESETS, name);

const names = Object.keys(PRESETS).join(", ");

const jsonIn = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new StageError(`The stage file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
};

/** A stage's file: a preset's name, and the keys in which the stage differs from it. */
const readStageFile = (path: string): Stage => {
  const content = jsonIn(path);
  if (typeof content !== "object" || content === null || Array.isArray(content)) throw new StageError(`${path} must hold one JSON object`);
  const { preset, ...rest } = content as Record<string, unknown>;
  if (!isPreset(preset)) throw new StageError(`${path} must name its preset: one of ${names}`);
  return parseStage(path, { ...PRESETS[preset], ...rest });
};

/**
 * The stage that `-c stage=<name or file>` asks for; the sandbox when nothing is asked.
 * @throws StageError when it names neither a preset nor a usable JSON file.
 */
export const readStage = (asked: unknown = "sandbox"): Stage => {
  if (isPreset(asked)) return parseStage(asked, PRESETS[asked]);
  if (typeof asked === "string" && asked.endsWith(".json")) return readStageFile(asked);
  throw new StageError(`The stage ${JSON.stringify(asked)} is neither a preset (${names}) nor a .json file`);
};
