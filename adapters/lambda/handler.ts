import middy from "@middy/core";
import type { Context } from "aws-lambda";

import type { World } from "../world.ts";
import type { LambdaLog } from "./log.ts";
import { stripped, toldOf } from "./told.ts";

const isLambdaLog = (log: World["log"] | LambdaLog): log is LambdaLog => "flush" in log;

/**
 * The one stack around every use case: log lines that name the request, counts that are written
 * whatever happens, and an error boundary that names the failure without its content and throws it
 * on, so that the platform tries again or parks the message.
 *
 * @param useCase takes the event and the platform's context.
 */
export const lambdaHandler = <Event, Result>(world: World, useCase: (event: Event, context: Context) => Promise<Result>) => {
  const log = isLambdaLog(world.log) ? world.log : null;
  return middy<Event, Result>()
    .before(({ context }) => {
      log?.begin(context.awsRequestId);
    })
    .after(() => {
      log?.flush();
    })
    .onError((request) => {
      world.log.count("invocation_failed");
      world.log.error("invocation failed", toldOf(request.error));
      log?.flush();
      request.error = stripped(request.error);
    })
    .handler((event, context) => useCase(event, context));
};
