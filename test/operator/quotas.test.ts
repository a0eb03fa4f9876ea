import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";

import { command } from "./laptop.ts";

/** SES and DynamoDB as a new cloud account has them: in the sandbox, with a table's first warm throughput. */
const answers = (target: string | undefined, path: string | undefined): object => {
  if (target?.endsWith("DescribeLimits")) return { TableMaxReadCapacityUnits: 40_000, TableMaxWriteCapacityUnits: 40_000 };
  if (target?.endsWith("DescribeTable")) return { Table: { WarmThroughput: { ReadUnitsPerSecond: 12_000, WriteUnitsPerSecond: 4_000 } } };
  if (path?.endsWith("/account")) return { ProductionAccessEnabled: false, SendQuota: { MaxSendRate: 1, Max24HourSend: 200 } };
  return {};
};

let server: Server;
let env: Record<string, string>;
beforeAll(async () => {
  server = createServer((request, response) => {
    const target = request.headers["x-amz-target"];
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(answers(typeof target === "string" ? target : undefined, request.url)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  env = {
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  };
});
afterAll(() => void server.close());

const quotas = (...args: readonly string[]) => command("quotas", ["--stage", "sandbox", ...args], env);

const KNOWN = [
  ["lambda-concurrency", 30],
  ["sns-publish", 9_000],
  ["scheduler-create", 1_000],
  ["scheduler-invocations", 1_000],
  ["scheduler-schedules", 10_000_000],
  ["sqs-in-flight", 120_000],
  ["kms-requests", 10_000],
  ["api-rate", 10_000],
].flatMap(([name, value]) => ["--known", `${name}=${value}`]);

test("what the account has is asked and judged; an SES sandbox is too low", async () => {
  const { code, stdout, stderr } = await quotas("--accounts", "5000", ...KNOWN);
  expect([code, stderr]).toEqual([1, ""]);
  expect(stdout).toContain("too low  ses-production         has         0, needs         1");
  expect(stdout).toContain("too low  ses-rate               has         1, needs         9 emails a second");
  expect(stdout).toContain("enough   book-warm-writes       has      4000, needs       442");
  expect(stdout).toContain("enough   lambda-concurrency     has        30, needs        30 executions");
  expect(stdout).not.toContain("unknown");
});

test("0 where everything is enough; a value that is known goes before one that was asked", async () => {
  const known = ["ses-production=1", "ses-rate=50", "ses-daily=50000"].flatMap((one) => ["--known", one]);
  const { code, stdout } = await quotas("--accounts", "5000", "--json", ...KNOWN, ...known);
  expect(code).toBe(0);
  const { quotas: judged } = JSON.parse(stdout) as { quotas: { verdict: string }[] };
  expect(new Set(judged.map(({ verdict }) => verdict))).toEqual(new Set(["enough"]));
});

test.each([
  [["--known", "lambda=5"], "--known lambda=5: the name must be one of lambda-concurrency, ses-production"],
  [["--known", "ses-rate=many"], "--known ses-rate=many: the value must be a number, as in ses-rate=1000"],
  [["--accounts", "-5"], "'--accounts' argument is ambiguous"],
  [["--accounts", "1e4"], "--accounts 1e4 cannot be used: give a whole number"],
])("%j is refused", async (args, words) => {
  const { code, stderr } = await quotas(...args);
  expect([code, stderr.replaceAll("\n", " ").includes(words)]).toEqual([2, true]);
});
