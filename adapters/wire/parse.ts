import type * as z from "zod";

/** Largest message that is read at all: the quota of a topic's message. */
export const MESSAGE_BYTES_MAX = 262_144;

/**
 * A message or body that does not have the form it must have. Its words name the places and what
 * was wrong there, never the values: they may be logged.
 */
export class Malformed extends Error {
  override readonly name = "Malformed";
}

/** Names of fields and of assets. Any other key is somebody's value, and is not repeated: these words are logged (C9). */
const FIELD = /^(?:[a-z][A-Za-z]{0,31}|[A-Z0-9]{1,20})$/;

const partOf = (part: PropertyKey): string => (typeof part === "number" || FIELD.test(String(part)) ? String(part) : "?");

const faultOf = (issue: z.core.$ZodIssue): string =>
  issue.code === "unrecognized_keys" ? `unknown fields: ${issue.keys.map(partOf).join(", ")}` : issue.message;

/** Where and what, for example "marks.0.price: not a plain decimal"; at most five places. */
export const placesOf = (error: z.ZodError): string =>
  error.issues
    .slice(0, 5)
    .map((issue) => (issue.path.length === 0 ? faultOf(issue) : `${issue.path.map(partOf).join(".")}: ${faultOf(issue)}`))
    .join("; ");

/**
 * Reads a message of a queue, a topic or a schedule.
 *
 * @throws Malformed for text that is no JSON, is too long, has another schema version or another
 *   form. Nothing is guessed: the message goes back to its queue and ends in the dead-letter queue (I26).
 */
export const parseMessage = <Schema extends z.ZodType>(schema: Schema, body: string): z.output<Schema> => {
  if (body.length > MESSAGE_BYTES_MAX) throw new Malformed(`longer than ${MESSAGE_BYTES_MAX} characters`);
  let content: unknown;
  try {
    content = JSON.parse(body);
  } catch {
    throw new Malformed("not JSON");
  }
  const read = schema.safeParse(content);
  if (!read.success) throw new Malformed(placesOf(read.error));
  return read.data;
};
