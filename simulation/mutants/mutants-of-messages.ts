import type { Mutant } from "./mutant.ts";

/** Mistakes between the steps: what is sent when, and how often. */

const DISPATCH = "adapters/dispatch-orders.ts";

export const MUTANTS_OF_MESSAGES: readonly Mutant[] = [
  {
    name: "no-sweeper",
    mistake: "no sweeper",
    edits: [
      {
        file: "functions/sweep-overdue.ts",
        find: "const accounts = await overdueAccounts(desk, await newest());",
        replace: "const accounts = (await overdueAccounts(desk, await newest())).slice(0, 0);",
      },
    ],
    seedsMax: 10,
    profile: "sweeper",
  },
  {
    name: "order-not-reduce-only",
    mistake: "order not reduce-only",
    edits: [
      { file: "adapters/venue/order-message.ts", find: "reduceOnly: true,", replace: "reduceOnly: false as true," },
      { file: "adapters/wire/venue.ts", find: "reduceOnly: z.literal(true),", replace: "reduceOnly: z.boolean()," },
    ],
    seedsMax: 100,
  },
  {
    name: "sent-before-committed",
    mistake: "an order is handed to the venue before it is committed as SENT",
    edits: [
      {
        file: DISPATCH,
        find: "  const changed = await changeAccount(",
        replace: `  const early = await desk.book.load(accountId);
  const sending = early === null ? [] : leaving(early, modeOf(world.settings.modes, early), snapshot, world.clock.now());
  if (sending.length > 0) {
    await world.queues.send(
      world.settings.venueQueueUrl,
      sending.map((order) => venueMessage(order, world.clock.now())),
    );
  }
  const changed = await changeAccount(`,
      },
    ],
    seedsMax: 60,
  },
  {
    name: "gate-without-freshness",
    mistake: "the age of a price is not judged again when its order leaves",
    edits: [
      {
        file: DISPATCH,
        find: ".flatMap(({ orders }) => orders.filter((order) => isFresh(order, snapshot, now)));",
        replace: ".flatMap(({ orders }) => orders);",
      },
    ],
    seedsMax: 400,
    profile: "sweeper",
  },
  {
    name: "resend-none",
    mistake: "an order that may never have left is not sent again",
    edits: [{ file: DISPATCH, find: "(marked.has(orderId) || now - (sentAt ?? now) >= RESEND_AFTER_MS)", replace: "marked.has(orderId)" }],
    seedsMax: 60,
  },
  {
    name: "event-id-drawn",
    mistake: "an event gets another id each time it is published",
    edits: [
      {
        file: "adapters/dynamodb/envelope.ts",
        find: "id: eventIdOf(envelope.accountId, envelope.seq, index),",
        replace: "id: eventIdOf(envelope.accountId, envelope.seq, (told += 100) + index),",
      },
      {
        file: "adapters/dynamodb/envelope.ts",
        find: "export const envelopeToMessages =",
        replace: "let told = 0;\nexport const envelopeToMessages =",
      },
    ],
    seedsMax: 1,
  },
  {
    name: "publish-let-go",
    mistake: "a batch that could not be published is let go",
    edits: [
      {
        file: "functions/publish-events.ts",
        find: "return orderedStream(event.Records, world.log, (record) => publish(messagesOf(record)));",
        replace: "return { batchItemFailures: [] };",
      },
    ],
    seedsMax: 60,
  },
  {
    name: "old-check-judged",
    mistake: "the book is judged by a statement of the venue that is older than the book",
    edits: [
      {
        file: "core/reconcile.ts",
        find: "if (fact.sequence < sourceSequence) return sourceAt > 0 && fact.occurredAt > sourceAt ? [numbers] : [];",
        replace: "",
      },
    ],
    seedsMax: 60,
  },
  {
    name: "check-without-effect",
    mistake: "an account that differs from the venue's statement goes on as if it did not",
    edits: [{ file: "core/apply-facts.ts", find: "held = { ...held, outOfSync: true };", replace: "held = { ...held };" }],
    seedsMax: 60,
  },
  {
    name: "number-given-twice",
    mistake: "two webhooks of an account get the same number; the place in a queue of turns masks it within a process, not between two",
    edits: [
      {
        file: "adapters/dynamodb/deliveries.ts",
        find: `              ? { ...counter, ConditionExpression: "attribute_not_exists(pk)" }
              : {
                  ...counter,
                  ConditionExpression: "#last = :last",
                  ExpressionAttributeNames: { "#last": "last" },
                  ExpressionAttributeValues: { ":last": { N: \`\${sequence - 1}\` } },
                },`,
        replace: "              ? counter\n              : counter,",
      },
    ],
    seedsMax: 10,
  },
];
