import { Duration } from "aws-cdk-lib";
import { Metric } from "aws-cdk-lib/aws-cloudwatch";

import { METRICS_NAMESPACE, serviceName } from "./constructs/pipeline-function.ts";
import type { Stage } from "./stage.ts";

/** Alarms look at each minute. */
const period = Duration.minutes(1);

/** A count that the functions' code makes: `world.log.count(name)`. */
export const counted = (stage: Stage, metricName: string): Metric =>
  new Metric({ namespace: METRICS_NAMESPACE, metricName, dimensionsMap: { service: serviceName(stage) }, statistic: "Sum", period });

/** Counted by mark-accounts when a sweep has marked every account. */
export const SWEEP_CURRENT = "sweep_current";

export const ofFunction = (
  name: string,
  metricName: "Invocations" | "Errors" | "Throttles" | "Duration" | "IteratorAge" | "ConcurrentExecutions",
  statistic = "Sum",
): Metric => new Metric({ namespace: "AWS/Lambda", metricName, dimensionsMap: { FunctionName: name }, statistic, period });

export const ofQueue = (
  name: string,
  metricName: "ApproximateAgeOfOldestMessage" | "ApproximateNumberOfMessagesVisible" | "NumberOfMessagesSent",
): Metric =>
  new Metric({
    namespace: "AWS/SQS",
    metricName,
    dimensionsMap: { QueueName: name },
    statistic: metricName === "NumberOfMessagesSent" ? "Sum" : "Maximum",
    period,
  });

export const ofTopic = (name: string, metricName: "NumberOfNotificationsFailed"): Metric =>
  new Metric({ namespace: "AWS/SNS", metricName, dimensionsMap: { TopicName: name }, statistic: "Sum", period });

export const ofScheduleGroup = (name: string, metricName: "InvocationDroppedCount"): Metric =>
  new Metric({ namespace: "AWS/Scheduler", metricName, dimensionsMap: { ScheduleGroup: name }, statistic: "Sum", period });

export const ofApi = (apiId: string, metricName: "Count" | "4xx" | "5xx" | "Latency", statistic = "Sum"): Metric =>
  new Metric({ namespace: "AWS/ApiGateway", metricName, dimensionsMap: { ApiId: apiId }, statistic, period });

export const ofTable = (
  name: string,
  metricName: "WriteThrottleEvents" | "ReadThrottleEvents" | "ConsumedReadCapacityUnits" | "ConsumedWriteCapacityUnits",
): Metric => new Metric({ namespace: "AWS/DynamoDB", metricName, dimensionsMap: { TableName: name }, statistic: "Sum", period });
