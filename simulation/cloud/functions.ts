import type { Context } from "aws-lambda";

import { readSettings, SETTING_NAMES, variableOf } from "../../adapters/settings.ts";
import type { Settings, World } from "../../adapters/world.ts";
import type { LambdaFunction, Wiring } from "../../local/template/wiring.ts";
import type { SimulatedFunction } from "./lambda.ts";

type UseCase = (world: World) => (event: never, context: Context) => Promise<unknown>;

/** Use cases by their function's name. Each file is loaded when its turn comes: at load it reads its environment. */
const USE_CASES: Readonly<Record<string, () => Promise<UseCase>>> = {
  "accept-marks": async () => (await import("../../functions/accept-marks.ts")).acceptMarks,
  "start-sweep": async () => (await import("../../functions/start-sweep.ts")).startSweep,
  "mark-accounts": async () => (await import("../../functions/mark-accounts.ts")).markAccounts,
  "publish-events": async () => (await import("../../functions/publish-events.ts")).publishEvents,
  "send-email": async () => (await import("../../functions/send-email.ts")).sendEmail,
  "deliver-webhook": async () => (await import("../../functions/deliver-webhook.ts")).deliverWebhook,
  "arm-deadline": async () => (await import("../../functions/arm-deadline.ts")).armDeadline,
  "expire-call": async () => (await import("../../functions/expire-call.ts")).expireCall,
  "sweep-overdue": async () => (await import("../../functions/sweep-overdue.ts")).sweepOverdue,
  "dispatch-orders": async () => (await import("../../functions/dispatch-orders.ts")).dispatchOrders,
  "apply-book-feed": async () => (await import("../../functions/apply-book-feed.ts")).applyBookFeed,
  operate: async () => (await import("../../functions/operate.ts")).operate,
};

/** Settings of the version that ran before: sweeps further apart, and only for larger moves; rows written as before (S33). */
const OLD: Readonly<Record<string, string>> = { ROW_SCHEMA: "1", SWEEP_INTERVAL_MIN_MS: "10000", SWEEP_STEP_PPM: "10000" };

/** Settings of the version that runs: it writes the newest rows, whatever the template's stage does. */
const NEW: Readonly<Record<string, string>> = { ROW_SCHEMA: "2" };

const settingsOf = (environment: Readonly<Record<string, string>>): Settings =>
  readSettings(
    SETTING_NAMES.filter((setting) => environment[variableOf(setting)] !== undefined),
    environment,
  );

const loaded = async (fn: LambdaFunction, isApi: boolean, load: () => Promise<UseCase>): Promise<SimulatedFunction> => {
  const old = Object.entries(OLD).filter(([variable]) => fn.environment[variable] !== undefined);
  return {
    name: fn.name,
    timeoutMs: fn.timeoutMs,
    settings: settingsOf({ ...fn.environment, ...(fn.environment["ROW_SCHEMA"] !== undefined && NEW) }),
    oldSettings: settingsOf({ ...fn.environment, ...Object.fromEntries(old) }),
    isApi,
    create: await load(),
  };
};

/**
 * The functions of the template with their use cases, as they are.
 *
 * Each function file makes the world of its Lambda when it is loaded, from the environment; that world is never
 * used here, but its variables must be there.
 *
 * @throws Error for a function of the template that has no use case here.
 */
export const loadFunctions = async (wiring: Wiring): Promise<SimulatedFunction[]> => {
  for (const { environment } of wiring.functions) Object.assign(process.env, environment);
  const functions: SimulatedFunction[] = [];
  for (const fn of wiring.functions) {
    const name = Object.keys(USE_CASES).find((known) => fn.name.endsWith(`-${known}`));
    const load = USE_CASES[name ?? ""];
    if (name === undefined || load === undefined) throw new Error(`the simulation knows no use case of ${fn.name}`);
    const isApi = wiring.routes.some(({ functionName }) => functionName === fn.name);
    functions.push(await loaded(fn, isApi, load));
  }
  return functions;
};
