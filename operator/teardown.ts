import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

import { DescribeTableCommand, DynamoDBClient, QueryCommand, ResourceNotFoundException } from "@aws-sdk/client-dynamodb";

import { duePk, indexShardsOf } from "../adapters/dynamodb/keys.ts";
import { TABLES } from "../adapters/dynamodb/schema.ts";
import { nameOf, type Stage } from "../lib/stage.ts";
import { Refusal, runCommand, say, stageOf } from "./command-line.ts";
import { consequencesOf, destroyOf, refusalsOf, STACKS, type Standing } from "./teardown-plan.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CDK = fileURLToPath(new URL("../node_modules/aws-cdk/bin/cdk", import.meta.url));

/** Null for a table that is not there: an earlier run took it away, or the stage was never deployed. */
const tableOf = async (db: DynamoDBClient, TableName: string) => {
  try {
    return (await db.send(new DescribeTableCommand({ TableName }))).Table ?? null;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return null;
    throw error;
  }
};

/** Rows of the index of deadlines: every live call is in it, whatever it waits for. */
const openCallsIn = async (db: DynamoDBClient, stage: Stage): Promise<number> => {
  let calls = 0;
  for (let shard = 0; shard < indexShardsOf(stage.shards); shard += 1) {
    let ExclusiveStartKey: Record<string, never> | undefined;
    do {
      const page = await db.send(
        new QueryCommand({
          TableName: nameOf(stage, "book"),
          IndexName: "deadlines",
          Select: "COUNT",
          KeyConditionExpression: "duePk = :pk",
          ExpressionAttributeValues: { ":pk": { S: duePk(shard) } },
          ...(ExclusiveStartKey !== undefined && { ExclusiveStartKey }),
        }),
      );
      calls += page.Count ?? 0;
      ExclusiveStartKey = page.LastEvaluatedKey as typeof ExclusiveStartKey;
    } while (ExclusiveStartKey !== undefined);
  }
  return calls;
};

const standingOf = async (stage: Stage): Promise<Standing> => {
  const db = new DynamoDBClient({ region: stage.region });
  const names = Object.keys(TABLES).map((table) => nameOf(stage, table));
  const tables = await Promise.all(names.map((name) => tableOf(db, name)));
  const hasBook = tables.some((table) => table?.TableName === nameOf(stage, "book"));
  return {
    openCalls: hasBook ? await openCallsIn(db, stage) : 0,
    protectedTables: tables.flatMap((table) => (table?.DeletionProtectionEnabled === true ? [table.TableName ?? ""] : [])),
  };
};

process.exitCode = await runCommand({
  usage: `npm run teardown -- --stage NAME|FILE.json --confirm NAME [--open-calls N] [--carry-out]

  Says what goes and what stays when the stage goes, and takes its stacks away: Watch, Pipeline, Data.
  --confirm NAME    the stage's own name, once more
  --open-calls N    give up exactly so many open calls
  --carry-out       do it; without, nothing is changed
  Refuses while deletionProtection is on or calls are open. Stop the feeds of prices and facts first.`,
  options: {
    stage: { type: "string" },
    confirm: { type: "string" },
    "open-calls": { type: "string" },
    "carry-out": { type: "boolean", default: false },
  },
  carryOut: async (given) => {
    const stage = stageOf(given.stage);
    const refusals = refusalsOf(stage, await standingOf(stage), { confirm: given.confirm, openCalls: given["open-calls"] });
    if (refusals.length > 0) throw new Refusal([`${stage.name} in ${stage.region} is not torn down:`, ...refusals].join("\n  "));
    for (const line of consequencesOf(stage)) say(line);
    for (const stack of STACKS) {
      const args = destroyOf(stack, given.stage ?? stage.name);
      say(`${given["carry-out"] === true ? "now" : "would run"}: npx cdk ${args.join(" ")}`);
      if (given["carry-out"] !== true) continue;
      const { status } = spawnSync(process.execPath, [CDK, ...args], { cwd: ROOT, stdio: "inherit" });
      if (status === 0) continue;
      say(`${stack} did not go: mend what the CDK said and give the command again; what is gone is left out`);
      return 1;
    }
    return 0;
  },
});
