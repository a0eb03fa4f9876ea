import type { MiniStack } from "./ministack.ts";
import { signedRequest } from "./signed-request.ts";

/** Routes that the story does not call, each as a caller that may, and some that IAM must refuse. */
const PROBES = [
  ["auditor", "GET", "/health", null],
  ["marks", "GET", "/openapi.json", null],
  ["operator", "GET", "/calls", null],
  ["auditor", "GET", "/accounts/silent", null],
  ["auditor", "GET", "/accounts/silent/calls", null],
  ["auditor", "GET", "/accounts/silent/calls/MC-LKNZ7SHJQ3GC-1", null],
  ["auditor", "GET", "/accounts/silent/orders", null],
  ["operator", "POST", "/accounts/silent/calls/MC-LKNZ7SHJQ3GC-1/acknowledgement", {}],
  ["operator", "POST", "/accounts/silent/calls/MC-LKNZ7SHJQ3GC-1/cancellation", { reason: "asked by the comparison" }],
  ["feed", "POST", "/withdrawal-checks", { accountId: "untouched", asset: "USDT", amount: "100" }],
  ["operator", "POST", "/marks", {}],
  ["marks", "POST", "/feed-entries", {}],
  ["feed", "GET", "/calls", null],
] as const;

/** Asks each. @returns a line each: who asked what, and the answer's status. */
export const probeApi = async ({ apiUrl, region, keysOf }: MiniStack): Promise<string[]> => {
  const lines: string[] = [];
  for (const [caller, method, path, body] of PROBES) {
    const headers = { "content-type": "application/json", "idempotency-key": "comparison-1" };
    const wish = {
      method,
      url: `${apiUrl}${path}`,
      body: body === null ? "" : JSON.stringify(body),
      headers,
      service: "execute-api",
      region,
    };
    const { status } = await signedRequest(wish, keysOf(caller));
    lines.push(`${caller} ${method} ${path} ${status}`);
  }
  return lines;
};
