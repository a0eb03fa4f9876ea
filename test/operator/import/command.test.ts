import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { TABLES } from "../../../adapters/dynamodb/schema.ts";
import { startEngine } from "../../../local/engines/dynamodb.ts";
import { createTables } from "../../../local/engines/tables.ts";

const ROOT = join(import.meta.dirname, "../../..");
const EXAMPLES = join(ROOT, "examples/import");
const REGION = "eu-west-1";
const SANDBOX = 'sandbox in eu-west-1; modes {"default":"observe","brokers":{},"clientClasses":{}}';

interface Sent {
  readonly Id: string;
  readonly MessageBody: string;
  readonly MessageGroupId: string;
}

/** What an operator's laptop needs of SQS: the address of the feed queue by its name, and sending to it. */
const startQueue = async () => {
  const sent: Sent[] = [];
  const server = createServer(async (request, response) => {
    const asked = JSON.parse(await text(request)) as { QueueName?: string; QueueUrl?: string; Entries?: Sent[] };
    const url = `http://${request.headers.host}/000000000000/plimsoll-sandbox-feed.fifo`;
    const action = request.headers["x-amz-target"];
    const md5 = (body: string): string => createHash("md5").update(body).digest("hex");
    response.setHeader("content-type", "application/x-amz-json-1.0");
    if (action === "AmazonSQS.GetQueueUrl" && asked.QueueName === "plimsoll-sandbox-feed.fifo")
      response.end(JSON.stringify({ QueueUrl: url }));
    else if (action === "AmazonSQS.SendMessageBatch" && asked.QueueUrl === url) {
      sent.push(...(asked.Entries ?? []));
      const Successful = asked.Entries?.map(({ Id, MessageBody }) => ({ Id, MessageId: Id, MD5OfMessageBody: md5(MessageBody) }));
      response.end(JSON.stringify({ Successful, Failed: [] }));
    } else response.writeHead(400).end(JSON.stringify({ __type: "com.amazonaws.sqs#QueueDoesNotExist" }));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { sent, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop: () => void server.close() };
};

let env: NodeJS.ProcessEnv = {};
let queue: Awaited<ReturnType<typeof startQueue>>;
let stop: () => Promise<void>;

beforeAll(async () => {
  const engine = await startEngine();
  const client = new DynamoDBClient({
    endpoint: engine.endpoint,
    region: REGION,
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
  await createTables(client, Object.fromEntries(Object.entries(TABLES).map(([name, shape]) => [`plimsoll-sandbox-${name}`, shape])));
  queue = await startQueue();
  env = {
    PATH: process.env["PATH"],
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_ENDPOINT_URL_DYNAMODB: engine.endpoint,
    AWS_ENDPOINT_URL_SQS: queue.endpoint,
  };
  stop = async () => {
    client.destroy();
    queue.stop();
    await engine.stop();
  };
});
afterAll(() => stop());

interface Ran {
  readonly code: number;
  readonly out: string[];
  readonly refusal: string;
}

/** The command as an operator runs it, in a process of its own, in the folder of the examples. */
const run = async (...args: string[]): Promise<Ran> => {
  const child = promisify(execFile)(process.execPath, [join(ROOT, "operator/import.ts"), ...args], { cwd: EXAMPLES, env });
  const { code, stdout, stderr } = await child.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
  return { code, out: stdout.trimEnd().split("\n"), refusal: stderr.split("\n")[0] ?? "" };
};

const TERMS = ["--policies", "policies.csv", "--haircuts", "haircuts.csv", "--instruments", "instruments.csv", "--tiers", "tiers.csv"];
const BOOK = ["--accounts", "accounts.csv", "--positions", "positions.csv", "--contacts", "contacts.csv"];
const BROKERS = ["--broker", "meridian", "--broker", "harbour"];

test("on a stage: a dry run, then the same with --apply, then again", async () => {
  const sandbox = ["--stage", "sandbox", ...TERMS, ...BOOK, ...BROKERS];
  const plan = (terms: string, contacts: string) => [
    `policies: 1 ${terms}`,
    ...(terms === "new" ? ["  new: standard"] : []),
    `instruments: 3 ${terms}`,
    ...(terms === "new" ? ["  new: BTC-PERP, BTCUSD-PERP, BTC-SPOT"] : []),
    `contacts: 2 ${contacts}`,
    ...(contacts === "new" ? ["  new: desk-long, desk-coin"] : []),
    "accounts: 3 new",
    "  new: desk-long, desk-coin, desk-flat",
  ];
  const dryRun = {
    code: 0,
    out: [`dry run against ${SANDBOX}`, ...plan("new", "new"), "no finding; a dry run: nothing was applied. --apply does it"],
    refusal: "",
  };
  expect(await run(...sandbox)).toEqual(dryRun);
  expect(await run(...sandbox)).toEqual(dryRun);
  expect(queue.sent).toEqual([]);

  const applied = await run(...sandbox, "--apply");
  const end = "applied; 3 account snapshots are in the feed queue. Run the same command without --apply: what has arrived is unchanged";
  expect(applied).toEqual({ code: 0, out: [`importing into ${SANDBOX}`, ...plan("new", "new"), end], refusal: "" });
  expect(queue.sent.map(({ MessageGroupId }) => MessageGroupId)).toEqual(["desk-long", "desk-coin", "desk-flat"]);
  expect(queue.sent.map(({ MessageBody }) => (JSON.parse(MessageBody) as { accountId: string }).accountId)).toEqual([
    "desk-long",
    "desk-coin",
    "desk-flat",
  ]);

  // Nobody reads the queue here: the accounts are not there yet, the terms are.
  expect((await run(...sandbox)).out).toEqual([`dry run against ${SANDBOX}`, ...plan("unchanged", "unchanged"), dryRun.out.at(-1)]);
});

test("a finding: nothing is applied, and the exit code is 1", async () => {
  const before = queue.sent.length;
  const { code, out } = await run("--stage", "sandbox", ...TERMS, ...BOOK, "--broker", "meridian", "--apply");
  expect(code).toBe(1);
  expect(out).toContain(
    "accounts.csv:3 brokerId: unknown broker harbour. Correct the id; for a broker without a webhook endpoint and a mode of its own, give --broker harbour",
  );
  expect(out.at(-1)).toBe("1 finding: nothing was applied");
  expect(queue.sent).toHaveLength(before);
});

test("without a stage the files are checked alone", async () => {
  expect(await run("--check", ...TERMS, ...BOOK)).toEqual({
    code: 0,
    out: ["policies: 1 read", "instruments: 3 read", "contacts: 2 read", "accounts: 3 read", "no finding"],
    refusal: "",
  });
});

describe("a command line that cannot be used: exit code 2", () => {
  test.each([
    [[], "no file was given"],
    [TERMS, "--stage is missing: name the preset or the .json file that was deployed"],
    [["--check", "--apply", ...TERMS], "--check looks at files alone: give no --stage and no --apply"],
    [
      ["--check", "--accounts", "accounts.csv"],
      "--accounts and --positions go together: a snapshot is the whole account, and one without its positions would close them",
    ],
    [["--check", "--policies", "nowhere.csv"], "nowhere.csv: cannot be read (ENOENT); give --policies the path of a file"],
    [["--check", "--policies", "."], ".: cannot be read (EISDIR); give --policies the path of a file"],
    [["--check", "--tiers", "tiers.csv", "--format", "binence"], "--format binence: known are plimsoll, scaled, binance, bybit"],
    [
      ["--check", "--tiers", "tiers.csv", "--format", "okx"],
      "--format okx: position-tiers cannot be converted. They count contracts, whose notional moves with the price, and one rate holds for the whole position, so that the requirement jumps where M3 wants it continuous. Write the brackets as tiers.csv",
    ],
    [["--check", "--tiers", "tiers.csv", "--symbol", "BTCUSDT"], "--symbol BTCUSDT: write it as BTCUSDT=BTC-PERP"],
  ])("%s", async (args, refusal) => {
    expect(await run(...args)).toEqual({ code: 2, out: [""], refusal });
  });
});
