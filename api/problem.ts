import type * as z from "zod";

import type { changePlan } from "../adapters/wire/change-plan.ts";

/** Kinds of refusal. The name is the last part of the problem's `type`; docs/reference/api.md explains each. */
const KINDS = {
  "invalid-request": { status: 400, title: "The request does not have the form that this route takes" },
  "not-json": { status: 400, title: "The body is not JSON" },
  forbidden: { status: 403, title: "This caller may not do that" },
  "not-found": { status: 404, title: "There is no such thing" },
  conflict: { status: 409, title: "The state of things does not allow it" },
  held: { status: 409, title: "The change would breach too many accounts at once" },
  "book-too-large": { status: 409, title: "The book is too large to judge the change in one request" },
  "notice-too-short": { status: 409, title: "The change raises a rate with too little notice" },
  "too-large": { status: 413, title: "The body is too large" },
  "unsupported-media-type": { status: 415, title: "The body is not declared as JSON" },
  "key-reused": { status: 422, title: "The idempotency key belongs to another request" },
  busy: { status: 503, title: "It was written by others each time" },
  internal: { status: 500, title: "The request failed on this side" },
} as const;
export type ProblemKind = keyof typeof KINDS;

/** One thing that is wrong: a JSON pointer into the request, and what is wrong there. Never the value itself. */
export interface Fault {
  readonly where: string;
  readonly what: string;
}

interface Words {
  readonly detail: string;
  readonly mend: string;
  readonly faults?: readonly Fault[];
  readonly plan?: z.input<typeof changePlan>;
}

/** A refusal that the caller is told of, as problem+json (RFC 9457): what, where and how to mend it. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly kind: ProblemKind;
  readonly mend: string;
  readonly faults: readonly Fault[];
  /** What a change that the breaker holds would do (R17). */
  readonly plan: z.input<typeof changePlan> | null;

  constructor(kind: ProblemKind, words: Words) {
    super(words.detail);
    this.kind = kind;
    this.mend = words.mend;
    this.faults = words.faults ?? [];
    this.plan = words.plan ?? null;
  }

  get status(): number {
    return KINDS[this.kind].status;
  }
}

/** Most faults told at once: a body of a thousand bad rows must not answer with a megabyte. */
const FAULTS_MAX = 20;

/** A part of a path in a JSON pointer (RFC 6901), cut where a caller's own key is long. */
const token = (part: PropertyKey): string => String(part).slice(0, 80).replaceAll("~", "~0").replaceAll("/", "~1");

const faultsOf = (issue: z.core.$ZodIssue, root: string): Fault[] => {
  const where = [root, ...issue.path.map(token)].join("/");
  if (issue.code !== "unrecognized_keys") return [{ where, what: issue.message }];
  return issue.keys.map((key) => ({ where: `${where}/${token(key)}`, what: "unknown field" }));
};

/** What zod found wrong, by place. `root` names the part of the request: "path", "query" or "body". */
export const refuse = (error: z.ZodError, root: string): Problem => {
  const faults = error.issues.flatMap((issue) => faultsOf(issue, root));
  const more = faults.length > FAULTS_MAX ? `, the first ${FAULTS_MAX} are listed` : "";
  return new Problem("invalid-request", {
    detail: `${faults.length} ${faults.length === 1 ? "place is" : "places are"} wrong in the ${root}${more}`,
    mend: "Mend each place named in faults; GET /openapi.json holds the schema of every request.",
    faults: faults.slice(0, FAULTS_MAX),
  });
};

/** The body and status of a problem. `requestId` finds the request in the logs. */
export const problemBody = (problem: Problem, requestId: string): Readonly<Record<string, unknown>> => ({
  type: `urn:plimsoll:problem:${problem.kind}`,
  title: KINDS[problem.kind].title,
  status: problem.status,
  detail: problem.message,
  mend: problem.mend,
  ...(problem.faults.length > 0 && { faults: problem.faults }),
  ...(problem.plan !== null && { plan: problem.plan }),
  requestId,
});

/** The statuses that a contract names for every route. */
export const PROBLEM_STATUSES = [...new Set(Object.values(KINDS).map(({ status }) => status))].sort();
