import * as z from "zod";

import { type FeedMessage, feedMessage } from "../../adapters/wire/feed.ts";
import { instrumentBody } from "../../adapters/wire/instrument.ts";
import { Malformed, parseMessage, placesOf } from "../../adapters/wire/parse.ts";
import { policyBody } from "../../adapters/wire/policy.ts";
import { instrumentId, policyId } from "../../adapters/wire/scalars.ts";
import type { Script } from "../../local/replay.ts";
import type { InstrumentTerms, OwnTerms, PolicyTerms } from "../../local/terms.ts";
import { Refusal } from "../command-line.ts";
import { contentOf } from "../files.ts";

const termsFile = z.strictObject({
  instruments: z.array(z.looseObject({ instrumentId })).default([]),
  policies: z.array(z.looseObject({ policyId })).min(1),
});

const refuse = (path: string, findings: readonly string[]): Refusal =>
  new Refusal(`${path} cannot be used:\n${findings.map((finding) => `  ${finding}`).join("\n")}`);

/** Bodies of PUT without id and version: the ids are keys, the version is the API's to count. */
const bodyOf = (terms: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  const { instrumentId: _, policyId: __, version: ___, ...body } = terms;
  return body;
};

/**
 * Reads instruments and policies as `PUT /instruments` and `PUT /policies` take them, each with its id in it.
 * @throws Refusal with every finding.
 */
export const readTerms = (path: string): OwnTerms => {
  let content: unknown;
  try {
    content = JSON.parse(contentOf("terms", path));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`${path}: is no JSON (${(error as Error).message.split("\n")[0]})`);
  }
  const read = termsFile.safeParse(content);
  if (!read.success) throw refuse(path, [placesOf(read.error)]);
  const findings: string[] = [];
  const check = (name: string, judged: { readonly success: boolean; readonly error?: z.ZodError | undefined }): void => {
    if (!judged.success && judged.error !== undefined) findings.push(`${name}: ${placesOf(judged.error)}`);
  };
  for (const one of read.data.instruments) check(one.instrumentId, instrumentBody.safeParse({ ...one, version: 1 }));
  for (const one of read.data.policies) check(one.policyId, policyBody.safeParse({ ...one, version: 1 }));
  if (findings.length > 0) throw refuse(path, findings);
  return {
    instruments: new Map(read.data.instruments.map((one) => [one.instrumentId, bodyOf(one) as unknown as InstrumentTerms])),
    policies: new Map(read.data.policies.map((one) => [one.policyId, bodyOf(one) as unknown as PolicyTerms])),
  };
};

/**
 * Reads a history of facts: one message of the book feed a line, as `POST /feed-entries` takes it.
 * @throws Refusal with every finding by its line.
 */
export const readHistory = (path: string): readonly FeedMessage[] => {
  const findings: string[] = [];
  const messages = contentOf("facts", path)
    .split("\n")
    .flatMap((line, index) => {
      if (line.trim() === "") return [];
      try {
        const message = parseMessage(feedMessage, line);
        const first = message.entries.find(({ sequence, kind }) => sequence < 2 && kind !== "snapshot");
        if (first !== undefined) findings.push(`line ${index + 1}: sequence 1 leaves no number for what the book held before: begin at 2`);
        return [message];
      } catch (error) {
        if (!(error instanceof Malformed)) throw error;
        findings.push(`line ${index + 1}: ${error.message}`);
        return [];
      }
    });
  if (findings.length > 0) throw refuse(path, findings);
  return messages;
};

/**
 * Refuses a script that could not be what the exchange's own deployment would have seen: prices too far apart
 * for its rules of marks, and facts outside the path.
 */
export const checkScript = ({ market, steps, history = [], own, tailMs, accounts }: Script): void => {
  const findings: string[] = [];
  for (const { instrumentId: id, spacingMs } of market.listings) {
    const age = own?.instruments.get(id)?.markRule.ageMaxMs;
    if (age !== undefined && age < spacingMs)
      findings.push(`${id}: its marks are good for ${age / 1_000} s and its prices come every ${spacingMs / 1_000} s: give denser prices`);
  }
  const listed = new Set(market.listings.map(({ instrumentId: id }) => id));
  for (const id of own?.instruments.keys() ?? []) if (!listed.has(id)) findings.push(`${id}: no price file tells its price`);
  const [from, to] = [steps[0]?.at ?? 0, (steps.at(-1)?.at ?? 0) + tailMs];
  const outside = history.filter(({ entries }) => entries.some(({ occurredAt }) => occurredAt < from || occurredAt > to)).length;
  if (outside > 0)
    findings.push(
      `${outside} messages of the history lie outside the prices, ${new Date(from).toISOString()} to ${new Date(to).toISOString()}`,
    );
  const opened = new Set([...accounts, ...history.filter(({ account }) => account !== undefined)].map(({ accountId }) => accountId));
  const strangers = new Set(history.map(({ accountId }) => accountId).filter((id) => !opened.has(id)));
  if (strangers.size > 0) findings.push(`accounts that neither the book nor a message opens: ${[...strangers].slice(0, 5).join(", ")}`);
  if (findings.length > 0) throw new Refusal(`the history cannot be played:\n${findings.map((each) => `  ${each}`).join("\n")}`);
};
