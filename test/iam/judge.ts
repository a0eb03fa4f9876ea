import { runSimulation, type Simulation } from "@cloud-copilot/iam-simulate";

import { type Call, shown } from "./call.ts";
import type { Policy, Statement } from "./grants.ts";

export type Verdict = "Allowed" | "ImplicitlyDenied" | "ExplicitlyDenied";

/** Somebody whom IAM itself refuses nothing: what stops such a one is a Deny. */
export const ADMINISTRATOR = "arn:aws:iam::000000000000:role/administrator";

const EVERYTHING: Policy = {
  owner: "administrator",
  kind: "identity",
  arn: ADMINISTRATOR,
  statements: [{ Effect: "Allow", Action: "*", Resource: "*" }],
};

/** Over TLS, from this account, unless the call says otherwise. */
const USUAL = { "aws:SecureTransport": "true" };

/** The resource whose policy speaks of a call's: an index is ruled by its table. */
const ruledBy = (resource: string): string => resource.split("/index/")[0] ?? resource;

const document = (statements: readonly Statement[]) => ({ Version: "2012-10-17", Statement: statements });

const simulationOf = (policies: readonly Policy[], { principal, action, resource, context }: Call): Simulation => {
  const identity = [...policies, EVERYTHING].filter(({ kind, arn }) => kind === "identity" && arn === principal);
  const kind = action === "sts:AssumeRole" ? "trust" : "resource";
  const ofResource = policies.filter((policy) => policy.kind === kind && policy.arn === ruledBy(resource));
  const statements = ofResource.flatMap((policy) => policy.statements);
  return {
    request: {
      principal,
      action,
      resource: { resource, accountId: "000000000000" },
      contextVariables: { ...USUAL, ...context },
    },
    identityPolicies: identity.map((policy, index) => ({ name: `${policy.owner}-${index}`, policy: document(policy.statements) })),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    ...(statements.length > 0 && { resourcePolicy: document(statements) }),
  };
};

/**
 * The evaluator drops the keys of an encryption context, whose names are the caller's own: it looks them up letter by
 * letter in the list of condition keys. It keeps tags, whose names are as free: each key stands in as one.
 */
const withContextKeys = (simulation: Simulation): Simulation =>
  JSON.parse(
    JSON.stringify(simulation).replaceAll(
      /"kms:EncryptionContext:([\w:]+)":/g,
      (_match, key: string) => `"aws:RequestTag/${key.replaceAll(":", "-")}":`,
    ),
  ) as Simulation;

/**
 * What IAM would say to a call under these policies.
 *
 * @throws Error where the call itself is wrong: an action that does not exist, a resource that is not of its kind, a
 * condition key that the action does not have; and for a policy that is malformed.
 */
export const decide = async (policies: readonly Policy[], call: Call): Promise<Verdict> => {
  const answer = await runSimulation(withContextKeys(simulationOf(policies, call)), {});
  if (answer.resultType !== "single") {
    throw new Error(`${shown(call)}: ${answer.resultType === "error" ? JSON.stringify(answer.errors) : "names more than one resource"}`);
  }
  const unknown = answer.result.ignoredContextKeys ?? [];
  if (unknown.length > 0) throw new Error(`${shown(call)}: the action has no condition key ${unknown.join(", ")}`);
  return answer.overallResult as Verdict;
};
