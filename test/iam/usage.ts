import { listed } from "../../lib/checks/template.ts";
import type { Call } from "./call.ts";
import type { Policy, Statement } from "./grants.ts";
import { decide, type Verdict } from "./judge.ts";

/** The smallest thing that a policy says: one principal, one action, one resource. */
export interface Grant {
  readonly policy: Policy;
  readonly statement: Statement;
  readonly principal: string | null;
  readonly action: string;
  readonly resource: string | null;
}

/** A call and what must become of it. */
export interface Expected {
  readonly call: Call;
  readonly verdict: Verdict;
}

const servicesOf = ({ Principal }: Statement): readonly (string | null)[] => {
  const service = (Principal as { readonly Service?: unknown } | undefined)?.Service;
  return service === undefined ? [null] : (listed(service) as readonly string[]);
};

const texts = (value: string | readonly string[] | undefined): readonly (string | null)[] =>
  value === undefined ? [null] : (listed(value) as readonly string[]);

/** Everything that the policies say, split into its smallest parts. */
export const grantsIn = (policies: readonly Policy[]): readonly Grant[] =>
  policies.flatMap((policy) =>
    policy.statements.flatMap((statement) =>
      servicesOf(statement).flatMap((principal) =>
        texts(statement.Action).flatMap((action) =>
          texts(statement.Resource).map((resource): Grant => ({ policy, statement, principal, action: action ?? "", resource })),
        ),
      ),
    ),
  );

/** Whether a policy has a say in a call. */
const speaksOf = ({ kind, arn }: Policy, { principal, action, resource }: Call): boolean => {
  if (kind === "identity") return principal === arn;
  return (resource.split("/index/")[0] ?? "") === arn && (kind === "trust") === (action === "sts:AssumeRole");
};

const replaced = (policies: readonly Policy[], policy: Policy, statements: readonly Statement[], alone: boolean): readonly Policy[] =>
  policies
    .filter((other) => other === policy || !alone || other.kind !== policy.kind || other.arn !== policy.arn)
    .map((other) => (other === policy ? { ...policy, statements } : other));

const onlyGrant = (policies: readonly Policy[], { policy, statement, principal, action, resource }: Grant): readonly Policy[] => {
  const part: Statement = {
    ...statement,
    Action: action,
    ...(resource !== null && { Resource: resource }),
    ...(principal !== null && { Principal: { Service: principal } }),
  };
  return replaced(policies, policy, [part], true);
};

/** The calls that a grant allows, or refuses, by itself: with it they are, with nothing in its place they are not. */
export const served = async (policies: readonly Policy[], grant: Grant, expected: readonly Expected[]): Promise<readonly Call[]> => {
  const wanted: Verdict = grant.statement.Effect === "Allow" ? "Allowed" : "ExplicitlyDenied";
  const alone = onlyGrant(policies, grant);
  const nothing = replaced(policies, grant.policy, [], true);
  const isServed = async (call: Call): Promise<boolean> =>
    (await decide(alone, call)) === wanted && (await decide(nothing, call)) !== wanted;
  const calls = expected.filter(({ call, verdict }) => verdict === wanted && speaksOf(grant.policy, call));
  const judged = await Promise.all(calls.map(async ({ call }) => ((await isServed(call)) ? [call] : [])));
  return judged.flat();
};

/** What calls would come to without one statement: those whose verdict changes. */
export const changedWithout = async (
  policies: readonly Policy[],
  policy: Policy,
  dropped: Statement,
  expected: readonly Expected[],
): Promise<readonly Call[]> => {
  const others = replaced(
    policies,
    policy,
    policy.statements.filter((statement) => statement !== dropped),
    false,
  );
  const concerned = expected.filter(({ call }) => speaksOf(policy, call));
  const judged = await Promise.all(concerned.map(async ({ call, verdict }) => ((await decide(others, call)) === verdict ? [] : [call])));
  return judged.flat();
};
