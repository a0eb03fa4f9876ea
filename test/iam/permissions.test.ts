import { readdirSync, readFileSync } from "node:fs";

import { beforeAll, describe, expect, test } from "vitest";

import { ROUTES } from "../../adapters/wire/routes.ts";
import { type Call, distinct, shown } from "./call.ts";
import { type Cloud, judgedCloud } from "./cloud.ts";
import { DERIVATIONS, derivedCalls } from "./derived-calls.ts";
import { type Policy, policiesOf, type Statement } from "./grants.ts";
import { decide } from "./judge.ts";
import { matrixOf, type Row } from "./matrix.ts";
import { playAll } from "./plays.ts";
import { heardAt, PORTS } from "./recorded-calls.ts";
import { refusedCalls, roleByFunction } from "./refused-calls.ts";
import { changedWithout, type Expected, grantsIn, served } from "./usage.ts";

let cloud: Cloud;
let policies: readonly Policy[];
let recorded: readonly Call[];
let statuses: ReadonlyMap<string, number>;
let expected: readonly Expected[];
let rows: readonly Row[];

beforeAll(async () => {
  cloud = await judgedCloud();
  policies = policiesOf(cloud);
  const roles = roleByFunction(cloud);
  const heard = new Map<string, Call>();
  statuses = await playAll(
    heardAt(
      cloud,
      (name) => roles.get(name) ?? name,
      (call) => heard.set(shown(call), call),
    ),
  );
  recorded = [...heard.values()];
  const allowed = distinct(derivedCalls(cloud, recorded)).map((call): Expected => ({ call, verdict: "Allowed" }));
  expected = [...allowed, ...refusedCalls(cloud)];
  rows = await Promise.all(grantsIn(policies).map(async (grant) => ({ grant, calls: await served(policies, grant, expected) })));
  // It bundles every function and plays every story three times.
}, 300_000);

const verdictsAgainst = async (given: readonly Policy[]): Promise<readonly string[]> => {
  const judged = await Promise.all(
    expected.map(async ({ call, verdict }) => {
      const decided = await decide(given, call);
      return decided === verdict ? [] : [`${decided}: ${shown(call)}`];
    }),
  );
  return judged.flat();
};

const unused = (given: readonly Row[]): readonly string[] =>
  given.filter(({ calls }) => calls.length === 0).map(({ grant }) => `${grant.policy.owner} ${grant.action} ${grant.resource}`);

/** Statements that could be dropped, in the policies of one resource or of all. */
const uselessIn = async (given: readonly Policy[], owner?: string): Promise<readonly string[]> => {
  const asked = given.filter((policy) => owner === undefined || policy.owner === owner);
  const judged = await Promise.all(
    asked.flatMap((policy) =>
      policy.statements.map(async (statement) =>
        (await changedWithout(given, policy, statement, expected)).length > 0 ? [] : [`${policy.owner}: ${JSON.stringify(statement)}`],
      ),
    ),
  );
  return judged.flat();
};

describe("the calls", () => {
  test("every route of the API was asked, and answered as one who may", () => {
    expect([...statuses.keys()].sort()).toEqual(ROUTES.map(({ action }) => action).sort());
    expect([...statuses].filter(([, status]) => status >= 300)).toEqual([]);
  });

  test("every function was heard, at every port that there is", () => {
    const talking = new Set(recorded.map(({ principal }) => principal));
    expect([...roleByFunction(cloud).values()].filter((role) => !talking.has(role))).toEqual([]);
    expect([...new Set(recorded.map(({ by }) => by))].sort()).toEqual(Object.keys(PORTS).sort());
  });

  test("the ports ask the SDK for what the judge believes they ask", () => {
    const folder = new URL("../../adapters/aws/", import.meta.url);
    const sources = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), "utf8"));
    const commands = sources.flatMap((source) => [...source.matchAll(/new (?:sdk\.)?(\w+Command)\(/g)].map(([, command]) => command));
    const operations = sources.flatMap((source) =>
      [...source.matchAll(/\(await dynamo\(\)\)\.(\w+)\(/g)].map(([, operation]) => operation),
    );
    expect([...new Set([...commands, ...operations])].sort()).toEqual(
      Object.values(PORTS)
        .flatMap((port) => Object.keys(port))
        .sort(),
    );
    const actions: ReadonlySet<string> = new Set(Object.values(PORTS).flatMap((port) => Object.values(port).flat()));
    expect(recorded.filter(({ action }) => !actions.has(action))).toEqual([]);
  });

  test("every row of the derived table has calls, and its source", () => {
    const by = new Set(expected.map(({ call }) => call.by));
    expect(DERIVATIONS.filter((row) => !by.has(row.by)).map((row) => row.by)).toEqual([]);
    for (const { source } of DERIVATIONS) expect(source).toMatch(/^(https:\/\/docs\.aws\.amazon\.com\/|docs\/)/);
  });
});

describe("C11: the template's policies", () => {
  test("allow every call that is made, and refuse every one that must not be", async () => {
    expect(await verdictsAgainst(policies)).toEqual([]);
  });

  test("grant nothing that nobody asks for", () => {
    expect(unused(rows)).toEqual([]);
  });

  test("hold no statement that could be dropped", async () => {
    expect(await uselessIn(policies)).toEqual([]);
  });

  test("are those of test/iam/matrix.md; where the change is meant, renew it with -u and read its diff", async () => {
    await expect(matrixOf(rows)).toMatchFileSnapshot("matrix.md");
  });
});

describe("the judge finds", () => {
  const changed = (owner: string, change: (statements: readonly Statement[]) => readonly Statement[]): readonly Policy[] => {
    const planted = policies.map((policy) =>
      policy.owner === owner && policy.kind !== "trust" ? { ...policy, statements: change(policy.statements) } : policy,
    );
    expect(planted).not.toEqual(policies);
    return planted;
  };
  const found = async (planted: readonly Policy[], owner: string): Promise<readonly string[]> => {
    const grants = grantsIn(planted).filter(({ policy }) => policy.owner === owner);
    return unused(await Promise.all(grants.map(async (grant) => ({ grant, calls: await served(planted, grant, expected) }))));
  };
  const without = (action: string) => (statements: readonly Statement[]) =>
    statements.map((statement) => ({ ...statement, Action: [statement.Action].flat().filter((one) => one !== action) }));
  const book = (): string => cloud.wiring.tables.find(({ name }) => name.endsWith("-book"))?.arn ?? "";

  test("an action that was forgotten", async () => {
    const planted = changed("MarkAccountsRole", without("dynamodb:Query"));
    expect((await verdictsAgainst(planted)).join("\n")).toContain("ImplicitlyDenied: MarkAccountsRole dynamodb:Query");
  });

  test("a key policy that forgets a service", async () => {
    const planted = changed("MessagingKey", (statements) =>
      statements.filter(({ Principal }) => !JSON.stringify(Principal).includes("sns.")),
    );
    expect((await verdictsAgainst(planted)).join("\n")).toContain("sns.amazonaws.com kms:GenerateDataKey");
  });

  test("an action that nobody asks for", async () => {
    const planted = changed("SendEmailRole", (statements) => [
      ...statements,
      { Effect: "Allow", Action: "dynamodb:Query", Resource: book() },
    ]);
    expect(await found(planted, "SendEmailRole")).toEqual([`SendEmailRole dynamodb:Query ${book()}`]);
  });

  test("an action that is asked for, but of another table", async () => {
    const planted = changed("ExpireCallRole", (statements) =>
      statements.map((statement) =>
        statement.Resource === book() ? { ...statement, Resource: [book(), book().replace("book", "outbound")] } : statement,
      ),
    );
    expect((await found(planted, "ExpireCallRole")).length).toBeGreaterThan(0);
  });

  test("a statement that is there twice", async () => {
    const planted = changed("OperateRole", (statements) => [...statements, ...structuredClone(statements.slice(0, 1))]);
    expect((await uselessIn(planted, "OperateRole")).length).toBeGreaterThan(0);
  });

  test("a journal that may be rewritten", async () => {
    const planted = changed("Journal", without("dynamodb:BatchWriteItem"));
    expect((await verdictsAgainst(planted)).join("\n")).toContain("Allowed: administrator dynamodb:BatchWriteItem");
  });

  test("a call that cannot be: no such action, no such condition key", async () => {
    const call: Call = { principal: "lambda.amazonaws.com", action: "dynamodb:GetItems", resource: book(), context: {}, by: "nobody" };
    await expect(decide(policies, call)).rejects.toThrow("invalid.action");
    const keyed: Call = { ...call, action: "dynamodb:GetItem", context: { "kms:ViaService": "s3.eu-west-1.amazonaws.com" } };
    await expect(decide(policies, keyed)).rejects.toThrow("no condition key kms:ViaService");
  });
});
