import type { Messages } from "../engines/messages.ts";
import type { Target } from "../template/shapes.ts";
import type { Wiring } from "../template/wiring.ts";
import { type Meter, ofScheduleGroup } from "../watch/meter.ts";
import type { Asynchronous } from "./asynchronous.ts";

export interface TargetsOptions {
  readonly wiring: Pick<Wiring, "queues" | "functions">;
  readonly messages: Messages;
  readonly asynchronous: () => Asynchronous;
  readonly meter: Meter;
  /** UTC epoch milliseconds. */
  readonly now: () => number;
}

/** Fires a schedule of a group. */
export type Fire = (target: Target, group: string) => Promise<void>;

/**
 * Hands a schedule's input to its target, a queue or a function. A queue that does not take it is tried once:
 * then the schedule is dropped, counted for its group, and parked where the target says.
 *
 * @throws what the queue answered, where nothing is there to park in.
 */
export const createFire =
  ({ wiring: { queues, functions }, messages, asynchronous, meter, now }: TargetsOptions): Fire =>
  async ({ Arn, Input, SqsParameters, DeadLetterConfig }, group) => {
    const input = Input.replaceAll("<aws.scheduler.scheduled-time>", new Date(now()).toISOString());
    const queue = queues.find(({ arn }) => arn === Arn);
    const fn = functions.find(({ arn }) => arn === Arn);
    const groupId = SqsParameters?.MessageGroupId;
    if (fn !== undefined) return asynchronous().push(fn, JSON.parse(input));
    if (queue === undefined) throw new Error(`a schedule's target is neither a queue nor a function of the template: ${Arn}`);
    try {
      await messages.send(queue.name, { MessageBody: input, ...(groupId !== undefined && { MessageGroupId: groupId }) });
    } catch (error) {
      const parked = queues.find(({ arn }) => arn === DeadLetterConfig?.Arn);
      if (parked === undefined) throw error;
      meter.add(ofScheduleGroup(group, "InvocationDroppedCount"), 1);
      await messages.send(parked.name, { MessageBody: input });
    }
  };
