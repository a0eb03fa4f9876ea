import { inspect } from "node:util";

import { describe, expect, test } from "vitest";
import * as z from "zod";

import { allowed, LOG_FIELDS } from "../../../adapters/lambda/log-fields.ts";
import { stripped, toldOf } from "../../../adapters/lambda/told.ts";
import { secret } from "../../../adapters/secret.ts";
import { Malformed, parseMessage, placesOf } from "../../../adapters/wire/parse.ts";

const CANARY = "holder.canary@example.com";

/** What the named class of a service's client is, with its words. */
const serviceError = (name: string, message: string): Error =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode: 400 } });

const thrownBy = (act: () => unknown): Error => {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
};

describe("C9: what a log tells of an error", () => {
  test.each<[name: string, error: unknown, told: object]>([
    ["our own words name places", new Malformed("marks.0.price: not a plain decimal"), { reason: "marks.0.price: not a plain decimal" }],
    [
      "a service's words are its caller's values",
      serviceError("AccessDeniedException", `not allowed on identity/${CANARY}`),
      { status: 400 },
    ],
    ["a parser quotes what it read", thrownBy(() => JSON.parse(`{"to": ${CANARY}`)), {}],
    ["a number is quoted", thrownBy(() => BigInt(CANARY)), {}],
    ["words over several lines that look like frames", new Error(`no\n    at ${CANARY}`), {}],
    ["what is no error at all", CANARY, {}],
  ])("%s", (_, error, told) => {
    const name = error instanceof Error ? error.name : "unknown";
    expect(toldOf(error)).toMatchObject({ error: name, ...told });
    expect(JSON.stringify(toldOf(error))).not.toContain(CANARY);
    const thrownOn = stripped(error);
    expect(thrownOn.name).toBe(name);
    expect(inspect(thrownOn, { depth: 9 })).not.toContain(CANARY);
  });

  test("where it was thrown is told instead of the words", () => {
    expect(toldOf(new TypeError(CANARY)).at).toMatch(/^ +at .*told\.test\.ts/);
  });
});

describe("C9: the fields of a log line", () => {
  test("a name that is not on the list is dropped, and so is a value that may hold anything", () => {
    const given = {
      accountId: "A1",
      attempts: 2,
      current: true,
      email: CANARY,
      reason: { to: CANARY },
      url: CANARY,
      status: secret(CANARY),
    };
    expect(allowed(given)).toEqual({ accountId: "A1", attempts: 2 });
  });

  test("no name on the list is that of personal data or of a secret", () => {
    const forbidden = /mail|name|url|body|secret|token|signature|header|key|address|phone|subject|text/i;
    expect(LOG_FIELDS.filter((field) => forbidden.test(field))).toEqual([]);
  });
});

describe("C9: words about a message that does not read", () => {
  const schema = z.strictObject({ balances: z.record(z.string().regex(/^[A-Z]+$/), z.string().regex(/^\d+$/, "not a number")) });
  test.each<[name: string, body: unknown, words: string]>([
    ["a value", { balances: { USDT: CANARY } }, "balances.USDT: not a number"],
    ["a key", { balances: { [CANARY]: "1" } }, "balances.?: Invalid key in record"],
    ["a field that nobody knows", { balances: {}, [CANARY]: 1 }, "unknown fields: ?"],
    ["a field with an ordinary name", { balances: {}, email: CANARY }, "unknown fields: email"],
  ])("%s is not repeated", (_, body, words) => {
    const read = schema.safeParse(body);
    expect(read.success ? "" : placesOf(read.error)).toBe(words);
    expect(() => parseMessage(schema, JSON.stringify(body))).toThrow(words);
  });
});
