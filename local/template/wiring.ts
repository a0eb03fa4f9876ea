import { join } from "node:path";

import type { Resource, Stack } from "./assembly.ts";
import { attributeOf, physicalName, resolve, type Scope } from "./resolve.ts";
import { assertKnownType, type Place } from "./resources.ts";
import * as shapes from "./shapes.ts";

/** Everything that the local cloud needs from the synthesized stacks, with every reference answered. */
export interface Wiring {
  readonly place: Place;
  readonly tables: readonly Table[];
  readonly queues: readonly Queue[];
  readonly topics: readonly Topic[];
  readonly subscriptions: readonly shapes.Subscription[];
  readonly functions: readonly LambdaFunction[];
  readonly mappings: readonly Mapping[];
  readonly schedules: readonly Schedule[];
  readonly routes: readonly Route[];
  readonly alarms: readonly shapes.Alarm[];
  /** Ids of the HTTP APIs. */
  readonly apis: readonly string[];
  /** ARNs of the keys that the stacks declare. */
  readonly keys: readonly string[];
  readonly outputs: Readonly<Record<string, string>>;
}

interface Named {
  readonly id: string;
  readonly name: string;
  readonly arn: string;
}

export interface Table extends Named {
  readonly shape: shapes.Table;
}

export interface Queue extends Named {
  readonly url: string;
  readonly fifo: boolean;
  /** As SQS takes them: strings. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly deadLetterArn: string | null;
}

export interface Topic extends Named {
  readonly fifo: boolean;
}

export interface LambdaFunction extends Named {
  /** The folder of the bundled asset. */
  readonly asset: string;
  readonly handler: string;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Of events that nobody waits for, such as a schedule's. */
  readonly retriesMax: number;
  /** ARN of the queue for events that were given up. */
  readonly parkedIn: string | null;
}

export interface Mapping extends shapes.Mapping {
  readonly id: string;
  readonly functionName: string;
  readonly sourceArn: string;
  readonly patterns: readonly unknown[];
}

/** A schedule of the template: at a steady rate, to a queue or a function. */
export interface Schedule {
  readonly name: string;
  readonly group: string;
  readonly everyMs: number;
  readonly target: shapes.Target;
}

export interface Route {
  readonly method: string;
  readonly path: string;
  readonly functionName: string;
  /** False only where the template says that anyone may call. */
  readonly authorized: boolean;
}

/** One resource with its properties resolved. */
interface Declared {
  readonly scope: Scope;
  readonly id: string;
  readonly where: string;
  readonly type: string;
  readonly properties: unknown;
}

const declaredOf = (stacks: readonly Stack[], place: Place, types: ReadonlySet<string>): Declared[] =>
  stacks.flatMap((stack) =>
    Object.entries(stack.template.Resources)
      .filter(([, { Type }]) => types.has(Type))
      .map(([id, { Type, Properties }]) => {
        const where = `${stack.name}/${id}`;
        const scope: Scope = { stacks, place, stack, where };
        return { scope, id, where, type: Type, properties: resolve(scope, Properties ?? {}) };
      }),
  );

/** `rate(1 minute)` in milliseconds. One-off and cron expressions belong to no template of this project. */
export const rateMs = (where: string, expression: string): number => {
  const match = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression);
  const unitMs = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }[match?.[2] ?? ""];
  if (match === null || unitMs === undefined) throw new Error(`${where}: the local cloud runs rate(...) schedules, not ${expression}`);
  return Number(match[1]) * unitMs;
};

const functionNameOf = (reference: string): string => reference.split(":function:").at(-1)?.split(":")[0]?.split("/")[0] ?? reference;

const queueAttributes = (queue: shapes.Queue): Record<string, string> => {
  const attributes: Record<string, string> = {};
  for (const name of shapes.QUEUE_ATTRIBUTES) {
    const value = queue[name];
    if (value !== undefined && value !== null && value !== false)
      attributes[name] = typeof value === "object" ? JSON.stringify(value) : String(value);
  }
  return attributes;
};

/** Lambda's own number of retries where the template says nothing. */
const RETRIES_DEFAULT = 2;

const readFunction = (declared: Declared, configs: readonly Declared[]): LambdaFunction => {
  const shape = shapes.parse(shapes.lambdaFunction, declared.where, declared.properties);
  const hash =
    shape.Code.S3Key?.replace(/\.zip$/, "")
      .split("/")
      .at(-1) ?? "";
  const asset = declared.scope.stack.assets[hash];
  if (asset === undefined) throw new Error(`${declared.where}: the assembly holds no bundled asset for its code`);
  const named = namedOf(declared);
  const config = configs
    .map(({ where, properties }) => shapes.parse(shapes.asynchronous, where, properties))
    .find(({ FunctionName }) => functionNameOf(FunctionName) === named.name);
  return {
    ...named,
    asset,
    handler: shape.Handler,
    timeoutMs: shape.Timeout * 1_000,
    memoryMb: shape.MemorySize,
    environment: shape.Environment?.Variables ?? {},
    retriesMax: config?.MaximumRetryAttempts ?? RETRIES_DEFAULT,
    parkedIn: config?.DestinationConfig?.OnFailure?.Destination ?? null,
  };
};

const readMapping = ({ where, id, properties }: Declared): Mapping => {
  const shape = shapes.parse(shapes.mapping, where, properties);
  const patterns = (shape.FilterCriteria?.Filters ?? []).map(({ Pattern }) => JSON.parse(Pattern) as unknown);
  return { ...shape, id, functionName: functionNameOf(shape.FunctionName), sourceArn: shape.EventSourceArn, patterns };
};

const readSchedule = ({ where, id, properties }: Declared): Schedule[] => {
  const shape = shapes.parse(shapes.schedule, where, properties);
  if (shape.State === "DISABLED") return [];
  return [{ name: shape.Name ?? id, group: shape.GroupName, everyMs: rateMs(where, shape.ScheduleExpression), target: shape.Target }];
};

const readRoutes = (routes: readonly Declared[], integrations: readonly Declared[]): Route[] => {
  const uris = new Map(
    integrations.map(({ id, where, properties }) => [id, shapes.parse(shapes.integration, where, properties).IntegrationUri]),
  );
  return routes.map(({ where, properties }) => {
    const shape = shapes.parse(shapes.route, where, properties);
    const uri = uris.get(shape.Target.replace(/^integrations\//, ""));
    if (uri === undefined) throw new Error(`${where}: no integration is called ${shape.Target}`);
    const [method, path] = shape.RouteKey.split(" ");
    if (method === undefined || path === undefined) throw new Error(`${where}: the route ${shape.RouteKey} has no method and path`);
    return { method, path, functionName: functionNameOf(uri), authorized: shape.AuthorizationType !== "NONE" };
  });
};

const readOutputs = (stacks: readonly Stack[], place: Place): Record<string, string> => {
  const outputs: Record<string, string> = {};
  for (const stack of stacks) {
    for (const [id, { Value }] of Object.entries(stack.template.Outputs ?? {})) {
      outputs[id] = String(resolve({ stacks, place, stack, where: `${stack.name}/${id}` }, Value));
    }
  }
  return outputs;
};

const assertTypes = (stacks: readonly Stack[]): void => {
  for (const { name, template } of stacks) {
    for (const [id, resource] of Object.entries<Resource>(template.Resources)) assertKnownType(`${name}/${id}`, resource.Type);
  }
};

const namedOf = ({ scope, id, type }: Declared): Named => ({
  id,
  name: physicalName(scope, id),
  arn: attributeOf(scope, id, type === "AWS::SNS::Topic" ? "TopicArn" : "Arn"),
});

const readQueue = (declared: Declared, place: Place): Queue => {
  const shape = shapes.parse(shapes.queue, declared.where, declared.properties);
  const named = namedOf(declared);
  return {
    ...named,
    url: place.queueUrl(named.name),
    fifo: shape.FifoQueue === true,
    attributes: queueAttributes(shape),
    deadLetterArn: shape.RedrivePolicy?.deadLetterTargetArn ?? null,
  };
};

/**
 * Reads the wiring out of the stacks' templates.
 *
 * @throws Error in one line that names the resource and what about it the local cloud cannot do.
 */
export const readWiring = (stacks: readonly Stack[], place: Place): Wiring => {
  assertTypes(stacks);
  const of = (...types: string[]): Declared[] => declaredOf(stacks, place, new Set(types));
  return {
    place,
    tables: of("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable").map((table) => ({
      ...namedOf(table),
      shape: shapes.parse(shapes.table, table.where, table.properties),
    })),
    queues: of("AWS::SQS::Queue").map((queue) => readQueue(queue, place)),
    topics: of("AWS::SNS::Topic").map((topic) => ({
      ...namedOf(topic),
      fifo: shapes.parse(shapes.topic, topic.where, topic.properties).FifoTopic,
    })),
    subscriptions: of("AWS::SNS::Subscription").map(({ where, properties }) => shapes.parse(shapes.subscription, where, properties)),
    functions: of("AWS::Lambda::Function").map((declared) => readFunction(declared, of("AWS::Lambda::EventInvokeConfig"))),
    mappings: of("AWS::Lambda::EventSourceMapping")
      .map(readMapping)
      .filter(({ Enabled }) => Enabled),
    schedules: of("AWS::Scheduler::Schedule").flatMap(readSchedule),
    routes: readRoutes(of("AWS::ApiGatewayV2::Route"), of("AWS::ApiGatewayV2::Integration")),
    alarms: of("AWS::CloudWatch::Alarm").map(({ where, properties }) => shapes.parse(shapes.alarm, where, properties)),
    apis: of("AWS::ApiGatewayV2::Api").map(({ scope, id }) => attributeOf(scope, id, "ApiId")),
    keys: of("AWS::KMS::Key").map(({ scope, id }) => attributeOf(scope, id, "Arn")),
    outputs: readOutputs(stacks, place),
  };
};

/** A local file path of the handler's module without its ending, and the name of the export. */
export const handlerOf = ({ asset, handler }: LambdaFunction): { readonly module: string; readonly exported: string } => {
  const dot = handler.lastIndexOf(".");
  return { module: join(asset, handler.slice(0, dot)), exported: handler.slice(dot + 1) };
};
