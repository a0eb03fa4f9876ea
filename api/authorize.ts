import type { Action } from "../adapters/wire/routes.ts";
import type { Settings } from "../adapters/world.ts";

/** Who a caller may be; the stage's configuration maps IAM identities to principals, nothing in a request does. */
export type Role = Settings["principals"][string]["role"];

export interface Principal {
  /** The configured ARN: what logs and the journal name. */
  readonly principalId: string;
  readonly role: Role;
  readonly brokerId: string | null;
  readonly accountId: string | null;
}

/**
 * What an action is about. `unread` asks, before a request's parameters and body are looked at, whether
 * the principal might do this to anything at all. `brokerId` is null where an account is not in the book.
 */
export type Resource =
  | { readonly kind: "unread" }
  | { readonly kind: "deployment" }
  | { readonly kind: "account"; readonly accountId: string; readonly brokerId: string | null }
  | { readonly kind: "broker"; readonly brokerId: string };

/** `any`: every resource of the deployment. `own`: the principal's own account, or accounts of its own broker. */
type Reach = "any" | "own";

/**
 * The permissions of the deployment, whole (C2). What is not written here is denied. Prices and facts have
 * roles of their own, so that no operator can move a mark or a balance and no feed can read an account.
 */
export const GRANTS: Readonly<Record<Role, Readonly<Partial<Record<Action, Reach>>>>> = {
  operator: {
    readContract: "any",
    listLiveCalls: "any",
    readAccount: "any",
    askWhatIf: "any",
    listCalls: "any",
    readCall: "any",
    listOrders: "any",
    acknowledgeCall: "any",
    cancelCall: "any",
    putContact: "any",
    checkWithdrawal: "any",
    putInstrument: "any",
    putPolicy: "any",
    readRisk: "any",
    listChanges: "any",
    approveChange: "any",
    withdrawChange: "any",
    putEndpoint: "any",
  },
  auditor: {
    readContract: "any",
    listLiveCalls: "any",
    readAccount: "any",
    askWhatIf: "any",
    listCalls: "any",
    readCall: "any",
    listOrders: "any",
    readRisk: "any",
    listChanges: "any",
  },
  marks: { readContract: "any", postMarks: "any" },
  feed: { readContract: "any", postFeedEntries: "any", checkWithdrawal: "any" },
  broker: {
    readContract: "any",
    readAccount: "own",
    askWhatIf: "own",
    listCalls: "own",
    readCall: "own",
    listOrders: "own",
    acknowledgeCall: "own",
    putContact: "own",
    checkWithdrawal: "own",
    putEndpoint: "own",
  },
  holder: {
    readContract: "any",
    readAccount: "own",
    askWhatIf: "own",
    listCalls: "own",
    readCall: "own",
    listOrders: "own",
    acknowledgeCall: "own",
    checkWithdrawal: "own",
  },
};

const owns = (principal: Principal, resource: Resource): boolean => {
  if (resource.kind === "unread") return true;
  if (principal.role === "holder") {
    return resource.kind === "account" && principal.accountId !== null && resource.accountId === principal.accountId;
  }
  if (principal.role !== "broker" || principal.brokerId === null || resource.kind === "deployment") return false;
  return resource.brokerId === principal.brokerId;
};

/**
 * Whether a principal may do an action to a resource (C2): the only place that decides it. Pure; denies
 * whatever {@link GRANTS} does not name, an unknown caller (null) included.
 */
export const authorize = (principal: Principal | null, action: Action, resource: Resource): boolean => {
  if (principal === null || !Object.hasOwn(GRANTS, principal.role)) return false;
  const grants = GRANTS[principal.role];
  const reach = Object.hasOwn(grants, action) ? grants[action] : undefined;
  if (reach === undefined) return false;
  return reach === "any" || owns(principal, resource);
};

/** "arn:aws:sts::<account>:assumed-role/<role>/<session>" without its session, which the caller chose. */
const withoutSession = (arn: string): string => arn.replace(/^(arn:[a-z-]+:sts::\d{12}:assumed-role\/[^/]+)\/[^/]+$/, "$1");

/**
 * The principal behind a signed request; null for an identity that the stage does not name. An exact ARN
 * wins over the role that a session was assumed from.
 *
 * @param userArn `requestContext.authorizer.iam.userArn`, which API Gateway sets from the signature.
 */
export const principalOf = (principals: Settings["principals"], userArn: string | undefined): Principal | null => {
  if (userArn === undefined) return null;
  const principalId = [userArn, withoutSession(userArn)].find((arn) => Object.hasOwn(principals, arn));
  const named = principalId === undefined ? undefined : principals[principalId];
  if (principalId === undefined || named === undefined) return null;
  return { principalId, role: named.role, brokerId: named.brokerId ?? null, accountId: named.accountId ?? null };
};
