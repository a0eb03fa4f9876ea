import { inspect } from "node:util";

/**
 * A value that must not be read by accident: in a log line, an error, JSON or a template it shows
 * as [redacted] (C9). `reveal` is the only way to it.
 */
export interface Secret {
  readonly reveal: () => string;
  readonly toString: () => string;
  readonly toJSON: () => string;
}

const REDACTED = "[redacted]";

export const secret = (value: string): Secret =>
  Object.freeze({
    reveal: () => value,
    toString: () => REDACTED,
    toJSON: () => REDACTED,
    [Symbol.toPrimitive]: () => REDACTED,
    [inspect.custom]: () => REDACTED,
  });
