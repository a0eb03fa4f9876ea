import type { MiddlewareObj } from "@middy/core";

import { Contended } from "../adapters/decide-account.ts";
import { UnknownPolicy } from "../adapters/dynamodb/policies.ts";
import { toldOf } from "../adapters/lambda/told.ts";
import { MESSAGE_BYTES_MAX } from "../adapters/wire/parse.ts";
import type { World } from "../adapters/world.ts";
import { TermsError } from "../core/terms-error.ts";
import { Problem, problemBody } from "./problem.ts";
import type { ApiEvent, ApiReply } from "./route.ts";

/** Bodies become messages: what no message holds is refused before it is read (C14). */
export const limitBody = (): MiddlewareObj<ApiEvent, ApiReply> => ({
  before: ({ event }) => {
    if (typeof event.body !== "string" || event.body.length <= MESSAGE_BYTES_MAX) return;
    throw new Problem("too-large", {
      detail: `the body has more than ${MESSAGE_BYTES_MAX} bytes`,
      mend: "Split it: marks and feed entries may be posted in parts.",
    });
  },
});

/** What the body parser and the router refuse carries a status and nothing to tell. */
const ofStatus = (status: unknown): Problem | null => {
  if (status === 404) {
    return new Problem("not-found", { detail: "no route has this method and path", mend: "GET /openapi.json lists the routes." });
  }
  if (status === 415) {
    const mend = "Send the header content-type: application/json.";
    return new Problem("unsupported-media-type", { detail: "the content type is not application/json", mend });
  }
  if (status === 422) {
    const mend = "Send one JSON value in UTF-8, without the keys __proto__ and constructor.";
    return new Problem("not-json", { detail: "the body could not be read as JSON", mend });
  }
  return null;
};

const problemOf = (error: unknown): Problem => {
  if (error instanceof Problem) return error;
  if (error instanceof Contended) return new Problem("busy", { detail: error.message, mend: "Send the same request again in a second." });
  if (error instanceof TermsError) {
    const faults = [{ where: `${error.subject}, ${error.place}`, what: error.message }];
    return new Problem("invalid-request", { detail: "these terms would make a wrong requirement", mend: error.mend, faults });
  }
  if (error instanceof UnknownPolicy) {
    return new Problem("conflict", { detail: error.message, mend: "PUT /policies/{policyId} stores it." });
  }
  const known = ofStatus((error as { readonly statusCode?: unknown } | null)?.statusCode);
  return (
    known ??
    new Problem("internal", {
      detail: "it was logged under the request's id",
      mend: "Send it again; if it fails again, tell the operator the request's id.",
    })
  );
};

/** Answers every failure as problem+json (RFC 9457), without a stack, and logs what was not the caller's. */
export const tellProblems = (world: World): MiddlewareObj<ApiEvent, ApiReply> => ({
  onError: (request) => {
    const { requestId, http } = request.event.requestContext;
    const problem = problemOf(request.error);
    world.log.count(problem.status >= 500 ? "ApiFailed" : "ApiRefused");
    const told = { requestId, method: http.method, kind: problem.kind };
    if (problem.kind === "internal") world.log.error("request failed", { ...told, ...toldOf(request.error) });
    else world.log.info("request refused", told);
    request.response = {
      statusCode: problem.status,
      headers: {
        "content-type": "application/problem+json",
        "cache-control": "no-store",
        ...(problem.kind === "busy" && { "retry-after": "1" }),
      },
      body: JSON.stringify(problemBody(problem, requestId)),
    };
  },
});
