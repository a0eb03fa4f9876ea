import { GraphWidget, type IMetric, type IWidget, TextWidget } from "aws-cdk-lib/aws-cloudwatch";

import { TABLES, type TableName } from "../../adapters/dynamodb/schema.ts";
import { counted, ofApi, ofFunction, ofQueue, ofTable, SWEEP_CURRENT } from "../metrics.ts";
import { nameOf, type Stage } from "../stage.ts";
import type { WorkerQueue } from "./worker-queue.ts";

/** A dashboard is 24 columns wide: the step's name, and up to four graphs. */
const TITLE_COLUMNS = 4;
const GRAPH_COLUMNS = 5;
const ROW_HEIGHT = 5;

const graph = (title: string, left: IMetric[], right: IMetric[] = []): IWidget =>
  new GraphWidget({ title, left, right, width: GRAPH_COLUMNS, height: ROW_HEIGHT });

export const titleWidget = (title: string): IWidget =>
  new TextWidget({ markdown: `### ${title}`, width: TITLE_COLUMNS, height: ROW_HEIGHT });

/** What came in, what waits and for how long, and what is parked. */
export const queueWidgets = ({ physicalName, deadName }: WorkerQueue): IWidget[] => [
  graph("sent | oldest (s)", [ofQueue(physicalName, "NumberOfMessagesSent")], [ofQueue(physicalName, "ApproximateAgeOfOldestMessage")]),
  graph(
    "waiting | parked",
    [ofQueue(physicalName, "ApproximateNumberOfMessagesVisible")],
    [ofQueue(deadName, "ApproximateNumberOfMessagesVisible")],
  ),
];

/** How often it ran, how it failed and how long it took. */
export const functionWidgets = (name: string): IWidget[] => [
  graph("runs | errors, throttles", [ofFunction(name, "Invocations")], [ofFunction(name, "Errors"), ofFunction(name, "Throttles")]),
  graph(
    "duration p50, p99 (ms) | at once",
    [ofFunction(name, "Duration", "p50"), ofFunction(name, "Duration", "p99")],
    [ofFunction(name, "ConcurrentExecutions", "Maximum")],
  ),
];

export const apiWidgets = (apiId: string): IWidget[] => [
  graph("requests | 4xx, 5xx", [ofApi(apiId, "Count")], [ofApi(apiId, "4xx"), ofApi(apiId, "5xx")]),
  graph("latency p50, p99 (ms)", [ofApi(apiId, "Latency", "p50"), ofApi(apiId, "Latency", "p99")]),
];

/** The heartbeat of the whole flow, and how far the events are behind the commits. */
export const sweepWidgets = (stage: Stage): IWidget[] => [
  titleWidget("The flow: every account marked, every event told"),
  graph("sweeps that marked every account", [counted(stage, SWEEP_CURRENT)]),
  graph("events behind commits (ms)", [ofFunction(nameOf(stage, "publish-events"), "IteratorAge", "Maximum")]),
];

export const tableWidgets = (stage: Stage): IWidget[] =>
  (Object.keys(TABLES) as TableName[]).map((table) => {
    const name = nameOf(stage, table);
    return graph(
      `${table}: read, written | throttled`,
      [ofTable(name, "ConsumedReadCapacityUnits"), ofTable(name, "ConsumedWriteCapacityUnits")],
      [ofTable(name, "ReadThrottleEvents"), ofTable(name, "WriteThrottleEvents")],
    );
  });
