import { DescribeLimitsCommand, DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { GetAccountCommand, SESv2Client } from "@aws-sdk/client-sesv2";

import { nameOf, type Stage } from "../lib/stage.ts";
import type { Need } from "./quotas-needs.ts";

/** Answers by the name of the need. What cannot be asked is left out, with its reason told. */
export interface Answers {
  readonly has: ReadonlyMap<string, number>;
  readonly unasked: readonly string[];
}

const numbersOf = async (what: string, ask: () => Promise<Record<string, number | undefined>>, unasked: string[]) => {
  try {
    return await ask();
  } catch (error) {
    unasked.push(`${what} did not answer: ${error instanceof Error ? `${error.name} ${error.message}`.trim().slice(0, 200) : "unknown"}`);
    return {};
  }
};

/** An answer as its API gives it, by a key that a source leads to. */
const keyOf = ({ source }: Need): string => {
  if (source.api === "ses") return `ses ${source.field}`;
  if (source.api === "table") return `${source.table} ${source.unit}`;
  return source.api === "limits" ? `limits ${source.unit}` : "";
};

/**
 * Asks SES and DynamoDB for what the account has. One that does not answer costs the others nothing.
 * Quotas of other services come from the operator: their clients are not among the project's packages.
 */
export const askAccount = async (stage: Stage, needs: readonly Need[]): Promise<Answers> => {
  const [ses, db] = [new SESv2Client({ region: stage.region }), new DynamoDBClient({ region: stage.region })];
  const unasked: string[] = [];
  const tables = [...new Set(needs.flatMap(({ source }) => (source.api === "table" ? [source.table] : [])))];
  const answers = await Promise.all([
    numbersOf(
      "SES",
      async () => {
        const { ProductionAccessEnabled, SendQuota } = await ses.send(new GetAccountCommand({}));
        return {
          "ses productionAccess": ProductionAccessEnabled === true ? 1 : 0,
          "ses sendRate": SendQuota?.MaxSendRate,
          // -1 is without a limit.
          "ses dailySends": SendQuota?.Max24HourSend === -1 ? Number.POSITIVE_INFINITY : SendQuota?.Max24HourSend,
        };
      },
      unasked,
    ),
    numbersOf(
      "DynamoDB",
      async () => {
        const limits = await db.send(new DescribeLimitsCommand({}));
        return { "limits read": limits.TableMaxReadCapacityUnits, "limits write": limits.TableMaxWriteCapacityUnits };
      },
      unasked,
    ),
    ...tables.map((table) =>
      numbersOf(
        `the table ${nameOf(stage, table)}`,
        async () => {
          const { Table } = await db.send(new DescribeTableCommand({ TableName: nameOf(stage, table) }));
          const { ReadUnitsPerSecond, WriteUnitsPerSecond } = Table?.WarmThroughput ?? {};
          return { [`${table} read`]: ReadUnitsPerSecond, [`${table} write`]: WriteUnitsPerSecond };
        },
        unasked,
      ),
    ),
  ]);
  const known = new Map(answers.flatMap((answer) => Object.entries(answer)));
  const has = new Map<string, number>();
  for (const need of needs) {
    const value = known.get(keyOf(need));
    if (value !== undefined) has.set(need.name, value);
  }
  return { has, unasked };
};
