import type { Mutant } from "./mutant.ts";

/** Mistakes in what one transaction holds and asks for. */

const COMMIT = "adapters/dynamodb/commit.ts";
const ENVELOPE = "adapters/dynamodb/envelope.ts";
const CHANGE = "adapters/decide-account.ts";

/** Messages of the change that is being written, published by who writes it. */
const PUBLISH = `await world.bus.publish(
        process.env["EVENTS_TOPIC_ARN"] ?? "",
        envelopeToMessages(row).map((message) => ({ id: message.id, body: JSON.stringify(message), attributes: attributesOf(message) })),
      );`;
const IMPORTS = {
  find: "import type { World } from",
  replace: 'import { attributesOf } from "../wire/events.ts";\nimport type { World } from',
};
const SEAL = "import { type CommitMeta, isSameCommit, sealEnvelope }";

/** Whoever writes also publishes, and no row of the journal does. */
const withoutOutbox = (write: string): Mutant["edits"] => [
  { file: COMMIT, ...IMPORTS },
  { file: COMMIT, find: SEAL, replace: "import { type CommitMeta, envelopeToMessages, isSameCommit, sealEnvelope }" },
  { file: COMMIT, find: "await world.db.transactWrite({ TransactItems: puts.map((put) => ({ Put: put })) });", replace: write },
  { file: ENVELOPE, find: "publish: { BOOL: envelope.publish },", replace: "publish: { BOOL: false }," },
];
const WRITE = "await world.db.transactWrite({ TransactItems: puts.map((put) => ({ Put: put })) });";

/** The account's row and the journal's without their conditions, where the expression on `change` and `meta` holds. */
const unconditional = (where: string): Mutant["edits"] => [
  {
    file: COMMIT,
    find: "accountPut(bookTable, change, encodeAccount(change.after, hash, shards, rowSchema)),",
    replace: `${where}
        ? { TableName: bookTable, Item: encodeAccount(change.after, hash, shards, rowSchema) }
        : accountPut(bookTable, change, encodeAccount(change.after, hash, shards, rowSchema)),`,
  },
  {
    file: COMMIT,
    find: "      absent(journalTable, row),",
    replace: `      ${where} ? { TableName: journalTable, Item: row } : absent(journalTable, row),`,
  },
];

/** A call's row without its condition, where the expression on `call` and `meta` holds. */
const unconditionalCall = (where: string): Mutant["edits"][number] => ({
  file: COMMIT,
  find: "callPut({ bookTable, shards }, change, call)),",
  replace: `${where} ? { TableName: bookTable, Item: callItem(call, shards) } : callPut({ bookTable, shards }, change, call)),`,
});

const CONDITION = `    ConditionExpression: \`#version = :version AND \${open === "" ? "attribute_not_exists(#open)" : "#open = :open"}\`,
    ExpressionAttributeNames: { "#version": "version", "#open": "open" },
    ExpressionAttributeValues: { ":version": { N: \`\${change.before.version}\` }, ...(open !== "" && { ":open": { S: open } }) },`;
const POINTER_ONLY = `    ConditionExpression: open === "" ? "attribute_not_exists(#open)" : "#open = :open",
    ExpressionAttributeNames: { "#open": "open" },
    ...(open !== "" && { ExpressionAttributeValues: { ":open": { S: open } } }),`;
const ENTRIES = "absent(bookTable, entryItem(change, fact.externalId))";

export const MUTANTS_OF_WRITES: readonly Mutant[] = [
  {
    name: "publish-before-write",
    mistake: "publish before write",
    edits: withoutOutbox(`${PUBLISH}\n      ${WRITE}`),
    seedsMax: 1,
  },
  {
    name: "publish-after-write",
    mistake: "publish inline after write (no outbox)",
    edits: withoutOutbox(`${WRITE}\n      ${PUBLISH}`),
    seedsMax: 50,
  },
  {
    name: "audit-apart",
    mistake: "audit entry in its own write",
    edits: [
      { file: COMMIT, find: "      absent(journalTable, row),\n", replace: "" },
      { file: COMMIT, find: WRITE, replace: `${WRITE}\n      await world.db.put(absent(journalTable, row));` },
      { file: COMMIT, find: "if (failed(1)) {", replace: "if (failed(0)) {" },
      { file: COMMIT, find: "failed(index + 2)", replace: "failed(index + 1)" },
    ],
    seedsMax: 1,
  },
  {
    name: "no-pointer-condition",
    mistake:
      "no condition on the open-call pointer; masked by the account's version in the same condition and by the number of the journal's entry, which are taken away where a call is opened",
    edits: [
      ...unconditional('change.calls.some((call) => call.version === 1 && call.status === "OPEN")'),
      unconditionalCall("call.version === 1"),
    ],
    seedsMax: 400,
  },
  {
    name: "unconditional-liquidating",
    mistake:
      "unconditional OPEN -> LIQUIDATING; masked by the account's version, by the number of the journal's entry and by the ids of its orders, whose conditions are taken away for this change",
    edits: [
      ...unconditional('change.calls.some((call) => call.status === "LIQUIDATING")'),
      unconditionalCall('call.status === "LIQUIDATING"'),
      {
        file: COMMIT,
        find: "orderPut({ bookTable, shards }, change, order)),",
        replace: `order.status === "PENDING" ? { TableName: bookTable, Item: orderItem(order, shards) } : orderPut({ bookTable, shards }, change, order)),`,
      },
    ],
    seedsMax: 300,
  },
  {
    name: "settlement-without-version",
    mistake:
      "settlement without version check; masked by the number of the journal's entry and by the rows of applied facts, whose conditions are taken away: it looks first which facts were applied",
    edits: [
      ...unconditional("change.entries.length > 0"),
      { file: COMMIT, find: ENTRIES, replace: "({ TableName: bookTable, Item: entryItem(change, fact.externalId) })" },
      {
        file: CHANGE,
        find: "  let facts = asked;",
        replace: "  let facts = asked.length === 0 ? asked : await unapplied(desk, request.accountId, asked);",
      },
    ],
    seedsMax: 150,
  },
  {
    name: "no-account-version",
    mistake:
      "no account version in condition (flat handling still on); masked by the number of the journal's entry, which is taken away with it",
    edits: [
      { file: COMMIT, find: CONDITION, replace: POINTER_ONLY },
      { file: COMMIT, find: "      absent(journalTable, row),", replace: "      { TableName: journalTable, Item: row }," },
    ],
    seedsMax: 400,
  },
  {
    name: "balance-read-modify-write",
    mistake:
      "read-modify-write of balance: an account's row is written over whatever stands there by now; masked by the number of the journal's entry, which is taken away with it",
    edits: unconditional('change.before.headHash !== ""'),
    seedsMax: 400,
  },
  {
    name: "deposit-twice",
    mistake: "deposit not idempotent; masked by the venue's sequence, which is taken away for deposits as well",
    edits: [
      {
        file: COMMIT,
        find: ENTRIES,
        replace: `fact.kind === "deposit" ? { TableName: bookTable, Item: entryItem(change, fact.externalId) } : ${ENTRIES}`,
      },
      {
        file: "core/apply-facts.ts",
        find: "if (fact.sequence <= held.sourceSequence) {",
        replace: 'if (fact.sequence <= held.sourceSequence && fact.kind !== "deposit") {',
      },
    ],
    seedsMax: 150,
  },
  {
    name: "expiry-blind",
    mistake:
      "expiry does not re-check state: the timer of a call that ended takes it for open; masked by the conditions on account, journal and call, which are taken away for timers",
    edits: [
      {
        file: "functions/expire-call.ts",
        find: "      const account = await desk.book.load(accountId);\n",
        replace: `      let account = await desk.book.load(accountId);
      const timed = (await desk.book.calls(accountId)).find((one) => one.callId === callId);
      if (account !== null && account.live === null && timed !== undefined)
        account = { ...account, openCalls: { CROSS: callId }, live: { call: { ...timed, status: "OPEN" }, orders: [] } };
`,
      },
      ...unconditional('meta.causedBy.startsWith("timer")'),
      unconditionalCall('meta.causedBy.startsWith("timer")'),
    ],
    seedsMax: 10,
  },
  {
    name: "duplicate-kept",
    mistake: "a fact that was applied before is not left out of the next try",
    edits: [
      {
        file: CHANGE,
        find: '    if (outcome === "duplicate") facts = await unapplied(desk, request.accountId, facts);\n',
        replace: "",
      },
    ],
    seedsMax: 100,
  },
  {
    name: "record-of-facts-late",
    mistake: "the record of a decision on the venue's facts keeps another instant than it was decided at",
    edits: [
      {
        file: CHANGE,
        find: "decided: { snapshot, policy, now } };",
        replace: "decided: { snapshot, policy, now: facts.length > 0 ? now + 60_000 : now } };",
      },
    ],
    seedsMax: 10,
  },
];
