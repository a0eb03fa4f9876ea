import type { LogFields } from "./log-fields.ts";

/**
 * Errors whose words are our own and name places, never values (C9). Of any other error the words stay out of
 * every log: a parser quotes what it read, a service the address that it refused, a look-up the host.
 */
const OWN_WORDS: ReadonlySet<string> = new Set([
  "Contended",
  "EgressRefused",
  "MailRefused",
  "Malformed",
  "PartlyRefused",
  "RangeError",
  "UnknownAccount",
  "UnknownPolicy",
  "UnreadableRow",
]);

const WORDS_MAX = 500;
const FRAMES_MAX = 6;

/** Where an error was thrown, without its words, which may hold what somebody sent. */
export const framesOf = ({ message, stack = "" }: Error): string =>
  stack
    .slice(message !== "" && stack.includes(message) ? stack.indexOf(message) + message.length : 0)
    .split("\n")
    .filter((line) => line.startsWith("    at "))
    .slice(0, FRAMES_MAX)
    .join(" ");

const statusOf = (error: Error): number | undefined =>
  (error as { readonly $metadata?: { readonly httpStatusCode?: number } }).$metadata?.httpStatusCode;

/** What may be written down of an error: its name, our own words or else where it was thrown, a service's status. */
export const toldOf = (error: unknown): LogFields => {
  if (!(error instanceof Error)) return { error: "unknown" };
  const status = statusOf(error);
  const words = OWN_WORDS.has(error.name) ? { reason: error.message.slice(0, WORDS_MAX) } : { at: framesOf(error) };
  return { error: error.name, ...words, ...(status !== undefined && { status }) };
};

/** The same failure for the platform, which writes down words and stack of whatever is thrown. */
export const stripped = (error: unknown): Error => {
  const { error: name = "unknown", reason = "" } = toldOf(error);
  const told = new Error(String(reason));
  told.name = String(name);
  told.stack = `${told.name}: ${told.message}${error instanceof Error ? `\n${framesOf(error).replaceAll(" at ", "\n    at ")}` : ""}`;
  return told;
};
