import { Worker } from "node:worker_threads";

import type { Answer, Task } from "./work.ts";

/** A worker that does one task at a time. */
export interface Hand {
  do(task: Task): Promise<Answer>;
  stop(): Promise<void>;
}

/** @throws Error when the worker does not come up: with what it said. */
export const hire = (assembly: string, mutant: string | null = null): Promise<Hand> => {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), {
    workerData: { assembly, mutant },
    // Most of what a step makes is gone after it: a larger nursery collects it before it grows old.
    resourceLimits: { maxYoungGenerationSizeMb: 96 },
  });
  let settle: { resolve: (answer: Answer) => void; reject: (error: unknown) => void } | null = null;
  const hand: Hand = {
    do: (task) =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject };
        worker.postMessage(task);
      }),
    stop: async () => void (await worker.terminate()),
  };
  return new Promise((resolve, reject) => {
    worker.on("error", (error) => {
      settle?.reject(error);
      reject(error);
    });
    worker.on("message", (message: Answer | "ready") => {
      if (message === "ready") return resolve(hand);
      const waiting = settle;
      settle = null;
      if ("error" in message) waiting?.reject(new Error(message.error));
      else waiting?.resolve(message);
    });
  });
};

/** Has tasks done by a number of workers, each taking the next one when it is free. `heard` is told of each answer. */
export const workOff = async (assembly: string, hands: number, tasks: Iterable<Task>, heard: (answer: Answer) => void): Promise<void> => {
  const queue = tasks[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    const hand = await hire(assembly);
    try {
      for (let next = queue.next(); next.done !== true; next = queue.next()) heard(await hand.do(next.value));
    } finally {
      await hand.stop();
    }
  };
  await Promise.all(Array.from({ length: hands }, lane));
};
