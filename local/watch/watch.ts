import type { Messages } from "../engines/messages.ts";
import type { Alarm } from "../template/shapes.ts";
import { type AlarmState, stateOf } from "./alarm.ts";
import { type Meter, type MetricKey, ofQueue } from "./meter.ts";

/** An alarm that changed its mind. */
export interface Transition {
  readonly alarm: string;
  readonly to: AlarmState;
  /** UTC epoch milliseconds. */
  readonly at: number;
}

/** CloudWatch of the local cloud, as far as the template's alarms need it. */
export interface Watch {
  readonly alarms: readonly Alarm[];
  /** Whether an alarm is on. */
  state(alarm: string): AlarmState;
  /** Every change since the start, oldest first. */
  readonly transitions: readonly Transition[];
  /** Reports depth and oldest message of every queue, as SQS does each minute. */
  sample(): Promise<void>;
  /** Judges every alarm at the end of a minute. */
  evaluate(): void;
}

export interface WatchOptions {
  readonly alarms: readonly Alarm[];
  readonly queues: readonly string[];
  readonly meter: Meter;
  readonly messages: Messages;
  /** UTC epoch milliseconds. */
  readonly now: () => number;
}

const metricOf = ({ Namespace, MetricName, Dimensions }: Alarm): MetricKey => {
  const [dimension] = Dimensions;
  return { namespace: Namespace, name: MetricName, dimension: dimension.Name, of: dimension.Value };
};

/** Watches from now on. Alarms begin OK, as CloudWatch leaves one that has seen nothing wrong yet. */
export const createWatch = ({ alarms, queues, meter, messages, now }: WatchOptions): Watch => {
  const states = new Map<string, AlarmState>();
  const transitions: Transition[] = [];
  /** When a message was first seen, by its id: the engine's own instants are the machine's. */
  let seen = new Map<string, number>();
  const startedAt = now();

  const sample = async (): Promise<void> => {
    const still = new Map<string, number>();
    for (const queue of queues) {
      const held = await messages.inspect(queue);
      const ages = held.map(({ messageId }) => {
        const since = seen.get(messageId) ?? now();
        still.set(messageId, since);
        return (now() - since) / 1_000;
      });
      meter.add(ofQueue(queue, "ApproximateNumberOfMessagesVisible"), await messages.visible(queue));
      meter.add(ofQueue(queue, "ApproximateAgeOfOldestMessage"), Math.max(0, ...ages));
    }
    seen = still;
  };

  const evaluate = (): void => {
    for (const alarm of alarms) {
      // Before an alarm has as many periods as it looks at, silence is no news.
      if (now() - startedAt < alarm.Period * 1_000 * alarm.EvaluationPeriods) continue;
      const to = stateOf(alarm, meter.points(metricOf(alarm)), now());
      if (to === (states.get(alarm.AlarmName) ?? "OK")) continue;
      states.set(alarm.AlarmName, to);
      transitions.push({ alarm: alarm.AlarmName, to, at: now() });
    }
  };

  return { alarms, state: (name) => states.get(name) ?? "OK", transitions, sample, evaluate };
};
