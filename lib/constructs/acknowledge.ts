import { Stack, Token, Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

/** Why a finding is accepted, and until when: lib/checks/acceptances.ts holds every acceptance to it (C19). */
export interface Acceptance {
  /** What an auditor reads. */
  readonly reason: string;
  /** The first day, in UTC, on which the reason must have been judged anew: `2027-06-01`. */
  readonly until: string;
}

/** Accepts one finding of cdk-nag on a construct. */
export const acknowledge = (construct: IConstruct, id: string, { reason, until }: Acceptance): void => {
  Validations.of(construct).acknowledge({ id, reason: `${reason} Until ${until}.` });
};

/** cdk-nag names a resource by its text, with references written as `<LogicalId.Attribute>`. */
const shown = (stack: Stack, resource: string): string => flat(stack.resolve(resource));

const flat = (value: unknown): string => {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return String(value);
  const [[key, content] = ["", undefined]] = Object.entries(value);
  if (key === "Ref") return `<${String(content)}>`;
  if (key === "Fn::GetAtt") return `<${(content as string[]).join(".")}>`;
  if (key === "Fn::Join") return (content as [string, unknown[]])[1].map(flat).join((content as [string, unknown[]])[0]);
  return JSON.stringify(value);
};

/** Accepts the wildcards of these resources: each is listed here, and nothing else passes. */
export const acknowledgeWildcards = (construct: IConstruct, resources: readonly string[], acceptance: Acceptance): void => {
  const stack = Stack.of(construct);
  for (const resource of resources) {
    const text = Token.isUnresolved(resource) ? shown(stack, resource) : resource;
    if (text.includes("*")) acknowledge(construct, `AwsSolutions-IAM5[Resource::${text}]`, acceptance);
  }
};
