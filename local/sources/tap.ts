import type { Messages, Received } from "../engines/messages.ts";
import type { Source } from "./source.ts";

const WAIT_S = 20;

/** Hands every message of a queue to a listener of this process. */
export const createTap = (queue: string, messages: Messages, hear: (message: Received) => Promise<void>): Source => {
  const take = async (waitS: number): Promise<boolean> => {
    const received = await messages.receive(queue, 10, waitS);
    if (received.length === 0) return false;
    for (const message of received) await hear(message);
    await messages.remove(
      queue,
      received.map(({ ReceiptHandle }) => ReceiptHandle),
    );
    return true;
  };
  return {
    wave: async () => {
      let worked = false;
      while ((await messages.visible(queue)) > 0 && (await take(0))) worked = true;
      return worked;
    },
    follow: async (stopped) => {
      while (!stopped()) await take(WAIT_S);
    },
  };
};
