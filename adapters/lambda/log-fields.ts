/**
 * Everything that a log line may hold beside its words (C9): ids, counts and reasons. A name that is not here
 * does not compile, and what is written past the compiler is dropped. An address, a name, a body, a URL or a
 * header has no name here, and gets none.
 */
export const LOG_FIELDS = [
  "accountId",
  "accounts",
  "at",
  "attempts",
  "breaching",
  "brokerId",
  "callId",
  "changeId",
  "endpointId",
  "error",
  "eventId",
  "heldMs",
  "instrumentId",
  "kind",
  "messageId",
  "method",
  "reason",
  "requestId",
  "sampled",
  "sequence",
  "source",
  "status",
] as const;

export type LogFields = { readonly [Name in (typeof LOG_FIELDS)[number]]?: string | number | boolean | undefined };

const ALLOWED: ReadonlySet<string> = new Set(LOG_FIELDS);

/** The fields that may be written, of those that are given. Only plain values: an object may hold anything. */
export const allowed = (fields: Readonly<Record<string, unknown>>): Record<string, string | number | boolean> =>
  Object.fromEntries(
    Object.entries(fields).filter(
      (field): field is [string, string | number | boolean] =>
        ALLOWED.has(field[0]) && ["string", "number", "boolean"].includes(typeof field[1]),
    ),
  );
