import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { type AttributeValue, PutItemCommand, ScanCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { ContactBody } from "../../adapters/wire/parties.ts";
import { CANARIES, hitsOf, type Place, POISON } from "./canaries.ts";
import { BROKER, contactOf, type Exchange, openExchange } from "./exchange.ts";

const CALLED = "280";
const { email, name, antiPhishingCode } = CANARIES;
const HOLDER: ContactBody = { ...contactOf("x"), email, name, antiPhishingCode };
/** Queues that functions read; each gets every kind of poison. */
const POISONED = ["marks", "sweep", "shards", "email", "webhook", "timer", "expiry", "orders", "feed"] as const;

const poisonOf = (): string[] => [
  JSON.stringify({ schemaVersion: 1, id: 1, accountId: POISON.value, contact: { email: POISON.value }, balances: { [POISON.key]: "1" } }),
  JSON.stringify({
    schemaVersion: 1,
    marks: [{ [POISON.key]: POISON.value }],
    entries: [{ kind: "snapshot", balances: { [POISON.key]: "x" } }],
  }),
  `{"to": "${POISON.torn}", `,
];

/** Requests as they come from outside, with headers that nobody may write down. */
const ask = async (x: Exchange, role: string | null, method: string, path: string, body: unknown): Promise<Place> => {
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "idempotency-key": CANARIES.idempotencyKey,
    authorization: `AWS4-HMAC-SHA256 Credential=${CANARIES.accessKeyId}, Signature=${CANARIES.callerSignature}`,
    "x-amz-security-token": CANARIES.sessionToken,
    ...(role !== null && { "x-plimsoll-role": role }),
  };
  const reply = await fetch(x.cloud.apiUrl + path, { method, headers, ...(body !== null && { body: JSON.stringify(body) }) });
  return { where: `the reply to ${method} ${path.split("?")[0]}: ${reply.status}`, text: await reply.text() };
};

/** Ordinary work, and the requests of the API with what nobody may repeat. @returns the replies. */
const work = async (x: Exchange): Promise<Place[]> => {
  const url = new URL(x.receiverUrl(BROKER.good));
  url.pathname += `/${CANARIES.urlPath}`;
  url.searchParams.set("token", CANARIES.urlQuery);
  await x.putEndpoint(BROKER.good, url.href);
  const accountId = await x.open({ cash: CALLED, contact: HOLDER });
  await x.minutes(2);
  const rich = await x.open({ cash: "5000", contact: HOLDER });
  const withdrawal = { accountId: rich, asset: "USDT", amount: "1" };
  const marks = { schemaVersion: 1, marks: [{ instrumentId: "BTC-PERP", price: "8000", asOf: "2020-03-12T00:00:00Z", source: "test" }] };
  const replies = [
    await ask(x, "operator", "POST", "/withdrawal-checks", withdrawal),
    await ask(x, "operator", "POST", "/withdrawal-checks", { ...withdrawal, amount: "2" }),
    await ask(x, "marks", "POST", "/marks", marks),
    await ask(x, "marks", "POST", "/marks", { ...marks, holder: CANARIES.email }),
    await ask(x, "operator", "PUT", `/accounts/${accountId}/contact`, { ...HOLDER, timeZone: CANARIES.email }),
    await ask(x, "operator", "PUT", `/brokers/b/endpoints/ep_main`, {
      url: `ftp://${CANARIES.urlPath}/?${CANARIES.urlQuery}`,
      types: null,
    }),
    await ask(x, "operator", "GET", `/calls?holder=${encodeURIComponent(CANARIES.email)}`, null),
    await ask(x, "operator", "GET", `/accounts/${encodeURIComponent(CANARIES.email)}`, null),
    await ask(x, null, "GET", `/health?token=${encodeURIComponent(CANARIES.urlQuery)}`, null),
    await ask(x, "operator", "GET", `/accounts/${accountId}`, null),
    await ask(x, "operator", "GET", `/accounts/${accountId}/calls`, null),
  ];
  await x.deposit(accountId, "5000");
  await x.minutes(3);
  return replies;
};

/** SES refuses an address for good; another time it fails, and quotes the address in both. */
const failingMail = async (x: Exchange): Promise<void> => {
  x.refused.add(CANARIES.refusedEmail);
  await x.open({ cash: CALLED, contact: { ...HOLDER, email: CANARIES.refusedEmail } });
  x.failing.add(email);
  await x.open({ cash: CALLED, contact: HOLDER });
  await x.minutes(1);
  x.failing.delete(email);
};

/** A receiver that fails with words of its own, one that is not there, and rows of endpoints that do not read or open. */
const failingWebhooks = async (x: Exchange): Promise<void> => {
  x.answers[BROKER.good] = 500;
  x.words = CANARIES.receiverWords;
  await x.open({ cash: CALLED, contact: HOLDER });
  await x.minutes(3);
  await x.putEndpoint(BROKER.broken, `http://127.0.0.1:1/${CANARIES.urlPath}?token=${encodeURIComponent(CANARIES.urlQuery)}`);
  await x.open({ cash: CALLED, brokerId: BROKER.broken, contact: HOLDER });
  await x.minutes(1);
  const Key = { pk: { S: `BROKER#${BROKER.good}` }, sk: { S: `ENDPOINT#ep_${BROKER.good}` } };
  const spoil = (expression: string, value: AttributeValue) =>
    x.cloud.clients.db.send(
      new UpdateItemCommand({
        TableName: x.cloud.tableName("outbound"),
        Key,
        UpdateExpression: expression,
        ExpressionAttributeValues: { ":spoilt": value },
      }),
    );
  await spoil("SET secret = :spoilt", { S: Buffer.from(CANARIES.urlPath).toString("base64") });
  await x.cloud.deploy(["deliver-webhook"], () => ({}));
  await x.open({ cash: CALLED, contact: HOLDER });
  await x.minutes(1);
  await spoil("SET body = :spoilt", { S: `{"url": ${CANARIES.urlPath}` });
  await x.open({ cash: CALLED, contact: HOLDER });
  await x.minutes(1);
};

/** Rows that somebody wrote personal data into, where none belongs. */
const spoiltRows = async (x: Exchange): Promise<void> => {
  const accountId = await x.open({ cash: CALLED, contact: HOLDER });
  await x.cloud.clients.db.send(
    new PutItemCommand({
      TableName: x.cloud.tableName("outbound"),
      Item: { pk: { S: `ACC#${accountId}` }, sk: { S: "CONTACT" }, schema: { N: "1" }, body: { S: `{"email": ${email}` } },
    }),
  );
  await x.deposit(accountId, "1");
  await x.minutes(1);
};

const poison = async (x: Exchange): Promise<void> => {
  for (const queue of POISONED) {
    for (const [index, body] of poisonOf().entries())
      await x.send(queue === "feed" ? "feed.fifo" : queue, body, queue === "feed" ? `g${index}` : undefined);
  }
  await x.minutes(1);
};

/** Work whose messages nobody takes: their bodies end, as they were sent, in the dead-letter queues. */
const parked = async (x: Exchange): Promise<void> => {
  const stopped = [
    "send-email",
    "deliver-webhook",
    "arm-deadline",
    "expire-call",
    "dispatch-orders",
    "apply-book-feed",
    "sweep-overdue",
    "mark-accounts",
  ];
  await x.open({ cash: CALLED, contact: HOLDER });
  for (const one of stopped.filter((name) => name !== "apply-book-feed")) x.cloud.configure(one, { reserved: 0 });
  await x.open({ cash: CALLED, contact: HOLDER });
  await x.open({ cash: "150", contact: HOLDER });
  x.cloud.configure("apply-book-feed", { reserved: 0 });
  await x.open({ cash: CALLED, contact: HOLDER });
  await x.minutes(8);
};

const rowsOf = async (x: Exchange, table: string): Promise<Place[]> => {
  const { Items = [] } = await x.cloud.clients.db.send(new ScanCommand({ TableName: x.cloud.tableName(table) }));
  return Items.map((item) => ({
    where: `${table} ${item["pk"]?.S?.split("#")[0]}/${item["sk"]?.S?.split("#")[0]}`,
    text: JSON.stringify(item),
  }));
};

const queuesOf = async (x: Exchange): Promise<Place[]> => {
  const bodies: Place[] = [];
  for (const queue of x.cloud.queueNames) {
    for (const { body } of await x.cloud.inspect(queue))
      bodies.push({ where: `queue ${queue.replace("plimsoll-local-", "")}`, text: body });
  }
  return bodies;
};

describe("I28, C9: secrets and personal data are where they belong and nowhere else", () => {
  let x: Exchange;
  const sent: { readonly to: readonly string[]; readonly text: string }[] = [];
  const events: Place[] = [];
  let replies: Place[];
  let logs: Place[];
  let rows: Place[];
  let queues: Place[];

  beforeAll(async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = CANARIES;
    x = await openExchange({ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken });
    x.cloud.onEvent((text) => events.push({ where: "the events topic", text }));
    x.cloud.onEmail((mail) => sent.push(mail));
    await x.minutes(1);
    replies = await work(x);
    await failingMail(x);
    await failingWebhooks(x);
    await spoiltRows(x);
    await poison(x);
    await parked(x);
    rows = (await Promise.all(["book", "marks", "journal", "outbound"].map((table) => rowsOf(x, table)))).flat();
    queues = await queuesOf(x);
    // Only what has stopped has written all that it had to say.
    await x.cloud.stop();
    logs = readdirSync(x.logs).map((file) => ({ where: `log ${file}`, text: readFileSync(join(x.logs, file), "utf8") }));
  }, 600_000);

  afterAll(() => x.stop());

  /** What only a run makes: the secrets of endpoints, the signatures of requests, the words of an email. */
  const made = (): Record<string, string> => {
    const sentence = sent[0]?.text.split("\n").sort((a, b) => b.length - a.length)[0] ?? "";
    const signatures = x.webhooks.map(({ headers }) => String(headers["webhook-signature"]).replace(/^v1,/, ""));
    return {
      webhookSecret: (x.secrets[BROKER.good] ?? "").replace(/^whsec_/, ""),
      emailSentence: sentence,
      ...Object.fromEntries(signatures.map((signature, index) => [`signature ${index}`, signature])),
    };
  };

  test("they were planted: holders got their emails, receivers their requests, and the faults happened", () => {
    expect(sent.filter(({ to, text }) => to[0] === email && text.includes(antiPhishingCode)).length).toBeGreaterThan(0);
    expect(x.webhooks.some(({ url }) => url.includes(CANARIES.urlPath) && url.includes(encodeURIComponent(CANARIES.urlQuery)))).toBe(true);
    expect(Object.keys(made()).length).toBeGreaterThan(4);
    for (const [what, length] of Object.entries(made()).map(([name, value]) => [name, value.length] as const)) {
      expect([what, length > 30]).toEqual([what, true]);
    }
    const log = logs.map(({ text }) => text).join("\n");
    for (const fault of [
      "email refused for good",
      "AccessDeniedException",
      "endpoint row does not read",
      "InvalidCiphertext",
      "no JSON in body",
      "Malformed",
    ]) {
      expect([fault, log.includes(fault)]).toEqual([fault, true]);
    }
    expect(new Set(queues.map(({ where }) => where))).toEqual(
      new Set([...POISONED, "sweep-overdue"].flatMap((queue) => [`queue ${queue}-dead${queue === "feed" ? ".fifo" : ""}`])),
    );
  });

  test("no log, no metric, no event, no message and no refusal holds any of them", () => {
    const values = { ...CANARIES, ...made() };
    expect(hitsOf(values, [...logs, ...events, ...queues, ...replies])).toEqual([]);
  });

  test("of the tables, the contact's row and the endpoint's row hold theirs, and no row a secret", () => {
    const values = { ...CANARIES, ...made() };
    expect(hitsOf(values, rows)).toEqual([
      "antiPhishingCode in outbound ACC/CONTACT",
      "email in outbound ACC/CONTACT",
      "name in outbound ACC/CONTACT",
      "refusedEmail in outbound ACC/CONTACT",
      "urlPath in outbound BROKER/ENDPOINT",
      "urlQuery in outbound BROKER/ENDPOINT",
    ]);
  });

  test("what a sender put into a message that does not read stays in that message, in its dead-letter queue, and is told nowhere", () => {
    expect(hitsOf(POISON, [...logs, ...events, ...replies, ...rows])).toEqual([]);
    const parkedIn = hitsOf(POISON, queues).map((hit) => hit.replace(/^\w+ in queue /, ""));
    expect(new Set(parkedIn)).toEqual(new Set(POISONED.map((queue) => `${queue}-dead${queue === "feed" ? ".fifo" : ""}`)));
  });

  test("metrics have the deployment as their one dimension, and no account in name or value", () => {
    const lines = logs.flatMap(({ text }) => text.split("\n")).filter((line) => line.includes('"_aws"'));
    expect(lines.length).toBeGreaterThan(50);
    for (const line of lines) {
      const { _aws, service, ...counted } = JSON.parse(line) as {
        _aws: { CloudWatchMetrics: { Dimensions: string[][] }[] };
        service: string;
      };
      expect(_aws.CloudWatchMetrics.map(({ Dimensions }) => Dimensions)).toEqual([[["service"]]]);
      expect(service).toBe("plimsoll-local-pipeline");
      for (const [metric, value] of Object.entries(counted)) {
        expect(metric).toMatch(/^[A-Za-z_]{3,60}$/);
        expect([value].flat().every((one) => typeof one === "number")).toBe(true);
      }
    }
    expect(
      x.cloud.watch.alarms.flatMap(({ Dimensions }) => Dimensions.map(({ Name }) => Name)).filter((one) => !DIMENSIONS.has(one)),
    ).toEqual([]);
  });
});

/** Things of the deployment. None of them is named after an account, a broker or a holder. */
const DIMENSIONS: ReadonlySet<string> = new Set([
  "service",
  "FunctionName",
  "QueueName",
  "TopicName",
  "ScheduleGroup",
  "ApiId",
  "TableName",
]);
