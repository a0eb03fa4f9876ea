import { createDb } from "./aws/db.ts";
import { createKms } from "./aws/kms.ts";
import { createMailer } from "./aws/mailer.ts";
import { createBus, createQueues } from "./aws/messaging.ts";
import { createTimers } from "./aws/timers.ts";
import { createLog } from "./lambda/log.ts";
import { readSettings } from "./settings.ts";
import type { Clock, Http, Settings, World } from "./world.ts";

/** The egress filter is loaded by the function that posts to consumers' addresses, and by no other. */
const lazyHttp = (settings: Settings): Http => {
  let http: Promise<Http> | null = null;
  return {
    post: async (request) => {
      http ??= import("./webhook/egress.ts").then(({ createHttp }) => createHttp(settings.webhookLoopback));
      return (await http).post(request);
    },
  };
};

/**
 * The world of a function: the services of its cloud, and the settings that it needs, from its
 * environment. Each client is made when it is first used. Endpoints follow `AWS_ENDPOINT_URL_<SERVICE>`.
 *
 * @throws Error that names each variable that is missing or malformed.
 */
export const createWorld = (needs: readonly (keyof Settings)[], env: Readonly<Record<string, string | undefined>> = process.env): World => {
  const settings = readSettings(needs, env);
  const clock: Clock = { now: () => Date.now() };
  return {
    db: createDb(),
    bus: createBus(),
    queues: createQueues(),
    timers: createTimers(settings, clock),
    mailer: createMailer(settings),
    http: lazyHttp(settings),
    kms: createKms(settings),
    clock,
    log: createLog(),
    settings,
  };
};
