/** What a service of the local cloud reports about itself, under CloudWatch's own names. */
export interface Point {
  /** UTC epoch milliseconds. */
  readonly at: number;
  readonly value: number;
}

/** A metric of one thing: every alarm of this project watches exactly one dimension. */
export interface MetricKey {
  readonly namespace: string;
  readonly name: string;
  readonly dimension: string;
  readonly of: string;
}

export interface Meter {
  add(metric: MetricKey, value: number): void;
  /** For a datapoint that tells its own instant. */
  addAt(metric: MetricKey, point: Point): void;
  /** The points of a metric, in the order of their arrival; empty for one that nobody reported. */
  points(metric: MetricKey): readonly Point[];
}

const keyOf = ({ namespace, name, dimension, of }: MetricKey): string => `${namespace} ${name} ${dimension}=${of}`;

/** Keeps what services report. @param now UTC epoch milliseconds. */
export const createMeter = (now: () => number): Meter => {
  const series = new Map<string, Point[]>();
  const addAt: Meter["addAt"] = (metric, point) => {
    const key = keyOf(metric);
    const points = series.get(key);
    if (points === undefined) series.set(key, [point]);
    else points.push(point);
  };
  return {
    add: (metric, value) => addAt(metric, { at: now(), value }),
    addAt,
    points: (metric) => series.get(keyOf(metric)) ?? [],
  };
};

export const ofFunction = (of: string, name: string): MetricKey => ({ namespace: "AWS/Lambda", name, dimension: "FunctionName", of });
export const ofQueue = (of: string, name: string): MetricKey => ({ namespace: "AWS/SQS", name, dimension: "QueueName", of });
export const ofTopic = (of: string, name: string): MetricKey => ({ namespace: "AWS/SNS", name, dimension: "TopicName", of });
export const ofScheduleGroup = (of: string, name: string): MetricKey => ({
  namespace: "AWS/Scheduler",
  name,
  dimension: "ScheduleGroup",
  of,
});
export const ofApi = (of: string, name: string): MetricKey => ({ namespace: "AWS/ApiGateway", name, dimension: "ApiId", of });

interface Directive {
  readonly Namespace: string;
  readonly Dimensions: readonly (readonly string[])[];
  readonly Metrics: readonly { readonly Name: string }[];
}

interface Embedded {
  readonly _aws: { readonly Timestamp: number; readonly CloudWatchMetrics: readonly Directive[] };
  readonly [name: string]: unknown;
}

/** Reads a log line as CloudWatch does: one in the embedded metric format becomes datapoints, any other is none. */
export const readEmbedded = (line: string): readonly (readonly [MetricKey, Point])[] => {
  if (!line.startsWith('{"_aws"')) return [];
  const embedded = JSON.parse(line) as Embedded;
  const { Timestamp, CloudWatchMetrics } = embedded._aws;
  return CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
    Dimensions.flatMap(([dimension, ...more]) => {
      if (dimension === undefined || more.length > 0) throw new Error(`the local cloud knows metrics of one dimension: ${line}`);
      return Metrics.flatMap(({ Name }) =>
        [embedded[Name]].flat().map((value): readonly [MetricKey, Point] => [
          { namespace: Namespace, name: Name, dimension, of: String(embedded[dimension]) },
          { at: Timestamp, value: Number(value) },
        ]),
      );
    }),
  );
};
