import { SendMessageCommand } from "@aws-sdk/client-sqs";

import { type EventMessage, eventMessage } from "../../adapters/wire/events.ts";
import { parseMessage } from "../../adapters/wire/parse.ts";
import { type SentEmail, startCloud } from "../../local/cloud.ts";
import { readFinalTables } from "../../local/final-tables.ts";
import type { Place } from "./place.ts";

const SECOND_MS = 1_000;

/** The project's own local cloud in stepped time. */
export const startLocalPlace = async (assembly: string, directory: string): Promise<Place> => {
  const cloud = await startCloud({ assembly, clock: "stepped", directory });
  const events: EventMessage[] = [];
  const emails: SentEmail[] = [];
  cloud.onEvent((body) => events.push(parseMessage(eventMessage, body)));
  cloud.onEmail((email) => emails.push(email));
  return {
    name: "local cloud",
    now: cloud.now,
    request: cloud.request,
    send: async (queue, letters) => {
      for (const { body, groupId, dedupId } of letters) {
        const ordered = groupId === undefined ? {} : { MessageGroupId: groupId, MessageDeduplicationId: dedupId };
        await cloud.clients.sqs.send(new SendMessageCommand({ QueueUrl: cloud.queueUrl(queue), MessageBody: body, ...ordered }));
      }
    },
    takeOrders: async () => (await cloud.receive("venue.fifo")).map(({ body }) => body),
    step: async () => {
      // Time moves to what is due next: without anything due it would stand still.
      cloud.at(cloud.now() + SECOND_MS, "a second", () => Promise.resolve());
      await cloud.run({ until: cloud.now() + SECOND_MS });
    },
    onItsWay: () => Promise.resolve([]),
    tables: () => readFinalTables(cloud.clients.db, { book: cloud.tableName("book"), journal: cloud.tableName("journal") }),
    events: () => events,
    emails: () => Promise.resolve(emails.map(({ to, subject, text }) => ({ to: to.join(", "), subject, text }))),
    deadLetters: () => cloud.deadLetters(),
    stop: () => cloud.stop(),
  };
};
