import { readFileSync } from "node:fs";
import * as z from "zod";

import {
  applyChange,
  type Change,
  ChangeHeld,
  type ChangeOutcome,
  instrumentChange,
  planChange,
  policyChange,
} from "../adapters/change-terms.ts";
import { instrumentBody } from "../adapters/wire/instrument.ts";
import { placesOf } from "../adapters/wire/parse.ts";
import { policyBody } from "../adapters/wire/policy.ts";
import { instrumentId, iso, policyId } from "../adapters/wire/scalars.ts";
import type { World } from "../adapters/world.ts";
import { type AcceptedBreaches, type Affected, breachesOf, breachShareOf, type ChangePlan } from "../core/change-plan.ts";
import { decimal } from "../core/money.ts";
import { Refusal } from "./command-line.ts";

/** Terms in a file: the body of the API's PUT, and the id of the policy or the instrument in it. */
export interface TermsFile {
  readonly kind: "policy" | "instrument";
  readonly id: string;
  readonly plan: (world: World) => Promise<ChangeOutcome>;
  readonly apply: (world: World, accepted: AcceptedBreaches) => Promise<ChangeOutcome>;
}

const termsFile = <Terms extends { readonly version: number }>(
  named: Pick<TermsFile, "kind" | "id">,
  changeIn: (world: World) => Change<Terms>,
): TermsFile => ({
  ...named,
  plan: (world) => planChange(changeIn(world)),
  apply: (world, accepted) => applyChange(changeIn(world), accepted),
});

const jsonIn = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Refusal(`The file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
};

const policyFile = policyBody.in.omit({ version: true });
const instrumentFile = instrumentBody.in.omit({ version: true });

/** Reads terms under a version. @throws Refusal that names each place that is wrong. */
const readAs = <Terms>(path: string, schema: z.ZodType<Terms>, content: unknown): Terms => {
  const read = schema.safeParse(content);
  if (!read.success) throw new Refusal(`The terms in ${path} cannot be used: ${placesOf(read.error)}`);
  return read.data;
};

/** Reads a policy or an instrument from a file. @throws Refusal that says what is wrong where. */
export const readTermsFile = (path: string): TermsFile => {
  const content = jsonIn(path);
  const { policyId: policy, instrumentId: instrument } = (content ?? {}) as Record<string, unknown>;
  if ((policy === undefined) === (instrument === undefined)) {
    throw new Refusal(`${path} must hold a policy with its policyId or an instrument with its instrumentId`);
  }
  if (policy !== undefined) {
    const id = readAs(path, policyId, policy);
    const terms = z.encode(policyFile, readAs(path, policyFile, content));
    const make = (version: number) => readAs(path, policyBody, { ...terms, version });
    make(1);
    return termsFile({ kind: "policy", id }, (world) => policyChange(world, id, make));
  }
  const id = readAs(path, instrumentId, instrument);
  const terms = z.encode(instrumentFile, readAs(path, instrumentFile, content));
  const make = (version: number) => readAs(path, instrumentBody, { ...terms, version });
  make(1);
  return termsFile({ kind: "instrument", id }, (world) => instrumentChange(world, id, make));
};

/** Parts per million of a ratio as a decimal: 412,345 is 0.412. */
const ratioOf = (ppm: number | null): string => (ppm === null ? "none" : (ppm / 1_000_000).toFixed(3));
const percent = (ppm: number): string => `${(ppm / 10_000).toFixed(2)} %`;

const lineOf = ({ accountId, effect, levelBefore, levelAfter, headroomBefore, headroomAfter, due }: Affected): string => {
  const owes = due === null ? "" : `, due ${decimal(due.amount)} ${due.asset}`;
  const from = `${levelBefore ?? "undecided"} to ${levelAfter ?? "undecided"}`;
  return `  ${accountId}  ${effect}: ${from}, headroom ${ratioOf(headroomBefore)} to ${ratioOf(headroomAfter)}${owes}`;
};

/** A plan as an operator reads it, a line each. */
export const linesOf = (plan: ChangePlan, shareMaxPpm: number): readonly string[] => {
  const { undecided, closedOut, called, warned, released } = plan.counts;
  const due = [...plan.due].map(([asset, amount]) => `${decimal(amount)} ${asset}`);
  return [
    plan.marksAt === 0
      ? "on no marks at all"
      : `on marks up to ${iso(plan.marksAt)}; instruments without a GOOD mark: ${plan.notGood} (R3)`,
    `${plan.accounts} accounts, ${plan.atRisk} of them with a position or a debt`,
    `${plan.withCall} with a live call, which keeps its policy (R11)`,
    `newly closed out  ${closedOut}`,
    `newly called      ${called}`,
    `newly warned      ${warned}`,
    `released          ${released}`,
    `left undecided    ${undecided}`,
    `due from new calls: ${due.length === 0 ? "nothing" : due.join(", ")}`,
    `${breachesOf(plan)} of ${plan.atRisk} would breach at once: ${percent(breachShareOf(plan))}, and the stage lets ${percent(shareMaxPpm)} through (R17)`,
    ...(plan.worst.length === 0 ? [] : ["the most affected:", ...plan.worst.map(lineOf)]),
  ];
};

const titleOf = ({ kind, id }: TermsFile, { version, plan }: ChangeOutcome): string =>
  plan === null ? `${kind} ${id}: version ${version} holds these terms already` : `${kind} ${id}, version ${version}`;

/** Shows what the terms of a file would do. Writes nothing. @returns 0. */
export const planTerms = async (world: World, file: TermsFile, say: (line: string) => void): Promise<number> => {
  const outcome = await file.plan(world);
  say(titleOf(file, outcome));
  if (outcome.plan !== null) for (const line of linesOf(outcome.plan, world.settings.breachShareMaxPpm)) say(line);
  return 0;
};

/**
 * Stores the terms of a file through the breaker (R17), on a plan of this moment. @returns 0 where a version
 * holds them, 1 where the breaker holds them: the lines say with which figures they go through.
 */
export const applyTerms = async (
  world: World,
  file: TermsFile,
  accepted: AcceptedBreaches,
  say: (line: string) => void,
): Promise<number> => {
  const { breachShareMaxPpm } = world.settings;
  try {
    const outcome = await file.apply(world, accepted);
    say(titleOf(file, outcome));
    if (outcome.plan !== null) {
      for (const line of linesOf(outcome.plan, breachShareMaxPpm)) say(line);
      say("stored: every function decides on it within 30 seconds");
    }
    return 0;
  } catch (error) {
    if (!(error instanceof ChangeHeld)) throw error;
    const { called, closedOut, undecided } = error.plan.counts;
    say(`${file.kind} ${file.id}: held, nothing was stored: ${error.message}`);
    for (const line of linesOf(error.plan, breachShareMaxPpm)) say(line);
    say(
      error.why === "undecided"
        ? `mend the terms: ${undecided} accounts hold or owe what they have no terms for`
        : `to go on: --accept-newly-called ${called} --accept-newly-closed-out ${closedOut}`,
    );
    return 1;
  }
};
