import type { Call } from "./call.ts";
import type { Grant } from "./usage.ts";

/** A grant with the calls that it serves. */
export interface Row {
  readonly grant: Grant;
  readonly calls: readonly Call[];
}

const HEAD = `# Who may do what

Every permission of the synthesized template, one line for each principal, action and resource, with who asks for it:
a port of the function's code, or a service that acts for it (test/iam/derived-calls.ts has the documentation).
Made by \`npx vitest run --project engine test/iam/permissions.test.ts -u\`; without \`-u\` a difference is a failure.
`;

/** The part of an ARN that tells one resource from another, without the stage. */
const short = (text: string): string =>
  (text.startsWith("arn:") ? text.split(":").slice(5).join(":") : text).replaceAll(/plimsoll-local-(?=\w)/g, "");

const conditionOf = ({ statement }: Grant): string =>
  Object.entries((statement.Condition ?? {}) as Readonly<Record<string, Readonly<Record<string, unknown>>>>)
    .flatMap(([operator, keys]) => Object.entries(keys).map(([key, value]) => `${key} ${operator} ${short(String(value))}`))
    .join(" and ");

const whoOf = ({ policy, principal, statement }: Grant): string => {
  if (policy.kind === "identity") return policy.owner;
  if (principal !== null) return principal.replace(".amazonaws.com", "");
  return JSON.stringify(statement.Principal).includes(":root") ? "the account, through IAM" : "anybody";
};

const lineOf = ({ grant, calls }: Row): string => {
  const says = `${grant.statement.Effect === "Deny" ? "never " : ""}${grant.action}`;
  const on = grant.resource === null ? "the role" : short(grant.resource);
  const by =
    grant.action === "kms:*" ? "the roles and managed policies above" : [...new Set(calls.map((call) => call.by))].sort().join("; ");
  return `| ${[whoOf(grant), says, on, conditionOf(grant), by].join(" | ").replaceAll("*", "\\*")} |`;
};

/** The matrix as it is kept in git: a table for each policy, in the template's order. */
export const matrixOf = (rows: readonly Row[]): string => {
  const owners = [...new Set(rows.map(({ grant }) => grant.policy.owner))];
  const tables = owners.map((owner) => {
    const lines = rows.filter(({ grant }) => grant.policy.owner === owner).map(lineOf);
    return [`## ${owner}`, "", "| who | may | on | only where | asked for by |", "|---|---|---|---|---|", ...new Set(lines), ""].join("\n");
  });
  return `${HEAD}\n${tables.join("\n")}`;
};
