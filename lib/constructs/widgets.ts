import { GraphWidget, type IMetric, type IWidget, TextWidget } from "aws-cdk-lib/aws-cloudwatch";

import { TABLES, type TableName } from "../../adapters/dynamodb/schema.ts";
import { counted, ofApi, ofFunction, ofQueue, ofScheduleGroup, ofTable, SWEEP_CURRENT } from "../metrics.ts";
import { nameOf, type Stage } from "../stage.ts";
import type { WorkerQueue } from "./worker-queue.ts";

/** A dashboard is 24 columns wide: the step's name, and up to four graphs. */
const TITLE_COLUMNS = 4;
const GRAPH_COLUMNS = 5;
const ROW_HEIGHT = 5;

/** Counts of the code, as in the alarms of the same names. */
const UNDECIDED = ["undecided_account", "account_out_of_sync"];
const ORDERS_WAITING = ["orders_overdue", "orders_unanswered", "orders_held"];

const graph = (title: string, left: IMetric[], right: IMetric[] = []): IWidget =>
  new GraphWidget({ title, left, right, width: GRAPH_COLUMNS, height: ROW_HEIGHT });

export const titleWidget = (title: string): IWidget =>
  new TextWidget({ markdown: `### ${title}`, width: TITLE_COLUMNS, height: ROW_HEIGHT });

const parkedIn = (queues: readonly string[]): IMetric[] => queues.map((queue) => ofQueue(queue, "ApproximateNumberOfMessagesVisible"));

/** What came in, what waits and for how long, and what is parked. @param parked further dead-letter queues on the way into it. */
export const queueWidgets = ({ physicalName, deadName }: WorkerQueue, parked: readonly string[]): IWidget[] => [
  graph("sent | oldest (s)", [ofQueue(physicalName, "NumberOfMessagesSent")], [ofQueue(physicalName, "ApproximateAgeOfOldestMessage")]),
  graph("waiting | parked", [ofQueue(physicalName, "ApproximateNumberOfMessagesVisible")], parkedIn([deadName, ...parked])),
];

/** A step that reads the journal's stream: how far it is behind, and what it gave up. */
export const streamWidget = (name: string, parked: readonly string[]): IWidget =>
  graph("behind commits (ms) | parked", [ofFunction(name, "IteratorAge", "Maximum")], parkedIn(parked));

/** A step that a schedule calls: what it gave up. */
export const parkedWidget = (parked: readonly string[]): IWidget => graph("parked", parkedIn(parked));

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

/** The heartbeat of the whole flow, who was not told or not decided, and what the schedules gave up. */
export const sweepWidgets = (stage: Stage): IWidget[] => [
  titleWidget("The flow: every account marked, every event told"),
  graph("sweeps that marked every account", [counted(stage, SWEEP_CURRENT)]),
  graph(
    "accounts set aside, out of sync | calls untold",
    UNDECIDED.map((metric) => counted(stage, metric)),
    [counted(stage, "notice_unaccepted")],
  ),
  graph(
    "orders overdue, unanswered, held",
    ORDERS_WAITING.map((metric) => counted(stage, metric)),
  ),
  graph(
    "schedules given up",
    ["recurring", "deadlines"].map((group) => ofScheduleGroup(nameOf(stage, group), "InvocationDroppedCount")),
  ),
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
