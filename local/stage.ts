import type { Mode } from "../core/mode.ts";
import { parseStage } from "../lib/stage.ts";
import { PRESETS } from "../lib/stages.ts";
import { LOCAL_PRINCIPALS } from "./gateway.ts";
import { DEFAULT_POLICY_ID, SOURCE } from "./terms.ts";

/** Two groups of one shard: enough to sweep side by side, few enough for one machine. */
const SHARDS = 2;
const SHARDS_PER_GROUP = 1;

/**
 * The stage that a replay runs: the sandbox preset, allowed to act unless another mode is asked for (R28),
 * with webhooks that may go to this machine and callers that the local gateway knows.
 */
export const localStage = (mode: Mode = "enforce") =>
  parseStage("local", {
    ...PRESETS.sandbox,
    name: "local",
    modes: { default: mode, brokers: {}, clientClasses: {} },
    defaultPolicy: DEFAULT_POLICY_ID,
    mailFrom: "margin@exchange.example",
    appUrl: "https://exchange.example",
    principals: LOCAL_PRINCIPALS,
    compositeSources: [...PRESETS.sandbox.compositeSources, SOURCE],
    webhookLoopback: "local",
    shards: SHARDS,
    shardsPerGroup: SHARDS_PER_GROUP,
  });
