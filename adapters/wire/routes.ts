/**
 * Every route of the HTTP API: the one list that the router, the infrastructure, the generated
 * contract and the permissions are made from. It imports nothing, so that lib/ may read it.
 *
 * `action` names the route in the permissions (C2) and is its operationId; it is unique.
 * `access` is "public" for the health check alone; everything else is signed by the caller (IAM).
 */
export interface RouteLine {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: `/${string}`;
  readonly action: string;
  readonly access: "public" | "iam";
}

export const ROUTES = [
  { method: "GET", path: "/health", action: "readHealth", access: "public" },
  { method: "GET", path: "/openapi.json", action: "readContract", access: "iam" },
  { method: "GET", path: "/calls", action: "listLiveCalls", access: "iam" },
  { method: "GET", path: "/accounts/{accountId}", action: "readAccount", access: "iam" },
  { method: "POST", path: "/accounts/{accountId}/what-if", action: "askWhatIf", access: "iam" },
  { method: "GET", path: "/accounts/{accountId}/calls", action: "listCalls", access: "iam" },
  { method: "GET", path: "/accounts/{accountId}/calls/{callId}", action: "readCall", access: "iam" },
  { method: "GET", path: "/accounts/{accountId}/orders", action: "listOrders", access: "iam" },
  { method: "POST", path: "/accounts/{accountId}/calls/{callId}/acknowledgement", action: "acknowledgeCall", access: "iam" },
  { method: "POST", path: "/accounts/{accountId}/calls/{callId}/cancellation", action: "cancelCall", access: "iam" },
  { method: "PUT", path: "/accounts/{accountId}/contact", action: "putContact", access: "iam" },
  { method: "POST", path: "/withdrawal-checks", action: "checkWithdrawal", access: "iam" },
  { method: "POST", path: "/marks", action: "postMarks", access: "iam" },
  { method: "POST", path: "/feed-entries", action: "postFeedEntries", access: "iam" },
  { method: "PUT", path: "/instruments/{instrumentId}", action: "putInstrument", access: "iam" },
  { method: "PUT", path: "/policies/{policyId}", action: "putPolicy", access: "iam" },
  { method: "GET", path: "/risk", action: "readRisk", access: "iam" },
  { method: "GET", path: "/changes", action: "listChanges", access: "iam" },
  { method: "POST", path: "/changes/{changeId}/approval", action: "approveChange", access: "iam" },
  { method: "POST", path: "/changes/{changeId}/withdrawal", action: "withdrawChange", access: "iam" },
  { method: "PUT", path: "/brokers/{brokerId}/endpoints/{endpointId}", action: "putEndpoint", access: "iam" },
] as const satisfies readonly RouteLine[];

/** What a caller may be allowed to do: one action a route. */
export type Action = (typeof ROUTES)[number]["action"];
