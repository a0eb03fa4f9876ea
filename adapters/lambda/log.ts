import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";

import type { Log } from "../world.ts";
import { allowed } from "./log-fields.ts";

export interface LambdaLog extends Log {
  /** Begins the log of one invocation: its request id stands in each line. */
  begin(requestId: string): void;
  /** Writes the counts of the invocation, once, at its end. */
  flush(): void;
}

/** Structured lines and embedded metrics on stdout, from where the platform takes both. */
export const createLog = (): LambdaLog => {
  const serviceName = process.env["POWERTOOLS_SERVICE_NAME"] ?? "plimsoll";
  const logger = new Logger({ serviceName });
  const metrics = new Metrics({ namespace: process.env["POWERTOOLS_METRICS_NAMESPACE"] ?? "Plimsoll", serviceName });
  return {
    info: (message, fields = {}) => logger.info(message, allowed(fields)),
    warn: (message, fields = {}) => logger.warn(message, allowed(fields)),
    error: (message, fields = {}) => logger.error(message, allowed(fields)),
    count: (metric, value = 1) => metrics.addMetric(metric, MetricUnit.Count, value),
    begin: (requestId) => logger.appendKeys({ requestId }),
    flush: () => metrics.publishStoredMetrics(),
  };
};
