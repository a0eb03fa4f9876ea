import type { Lambda } from "../engines/lambda.ts";
import type { Messages } from "../engines/messages.ts";
import type { LambdaFunction, Queue } from "../template/wiring.ts";
import type { Source } from "./source.ts";

/** Events for functions whose answer nobody waits for, such as a schedule's. */
export interface Asynchronous {
  readonly source: Source;
  /** Real time: runs at once. Stepped time: waits for the source's turn. */
  push(fn: LambdaFunction, event: unknown): Promise<void>;
}

/**
 * Lambda's own queue: an event that its function fails is tried again, then parked where the template
 * says. The tries follow each other at once; in the cloud there are a minute and two between them.
 */
export const createAsynchronous = (queues: readonly Queue[], messages: Messages, lambda: Lambda, realTime: boolean): Asynchronous => {
  const waiting: { readonly fn: LambdaFunction; readonly event: unknown }[] = [];

  const run = async (fn: LambdaFunction, event: unknown): Promise<void> => {
    for (let tries = 0; tries <= fn.retriesMax; tries += 1) {
      const outcome = await lambda.invoke(fn.name, event);
      if (outcome.ok) return;
    }
    const parked = queues.find(({ arn }) => arn === fn.parkedIn);
    if (parked === undefined) return;
    const requestContext = { functionArn: fn.arn, condition: "RetriesExhausted", approximateInvokeCount: fn.retriesMax + 1 };
    await messages.send(parked.name, { MessageBody: JSON.stringify({ version: "1.0", requestContext, requestPayload: event }) });
  };

  return {
    push: async (fn, event) => {
      if (realTime) await run(fn, event);
      else waiting.push({ fn, event });
    },
    source: {
      wave: async () => {
        const taken = waiting.splice(0);
        for (const { fn, event } of taken) await run(fn, event);
        return taken.length > 0;
      },
      follow: () => Promise.resolve(),
    },
  };
};
