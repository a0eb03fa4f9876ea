import { readFileSync } from "node:fs";
import * as z from "zod";

import {
  applyChange,
  type Change,
  ChangeHeld,
  type ChangeOutcome,
  ChangePending,
  instrumentChange,
  NoticeTooShort,
  type Proposal,
  planChange,
  policyChange,
} from "../adapters/change-terms.ts";
import { instrumentBody } from "../adapters/wire/instrument.ts";
import { placesOf } from "../adapters/wire/parse.ts";
import { type StoredChange, schedule } from "../adapters/wire/pending-change.ts";
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
  /** Why it comes without notice (M3); null where the file names no emergency. */
  readonly emergency: string | null;
  readonly plan: (world: World) => Promise<ChangeOutcome>;
  readonly apply: (world: World, accepted: AcceptedBreaches) => Promise<ChangeOutcome>;
}

/** When the terms of a file are to hold, as it says beside them. */
interface Schedule {
  readonly effectiveAt?: number | undefined;
  readonly emergency?: { readonly reason: string } | undefined;
}

const termsFile = <Terms extends { readonly version: number }>(
  named: Pick<TermsFile, "kind" | "id">,
  { effectiveAt, emergency }: Schedule,
  changeIn: (world: World) => Change<Terms>,
): TermsFile => {
  // A command proves to nobody who runs it: its figures are no approval (S19).
  const proposal = (accepted: AcceptedBreaches): Proposal => ({ by: null, ...accepted, effectiveAt, emergency: emergency?.reason });
  return {
    ...named,
    emergency: emergency?.reason ?? null,
    plan: (world) => planChange(changeIn(world), Number.POSITIVE_INFINITY, proposal(NOBODY)),
    apply: (world, accepted) => applyChange(changeIn(world), proposal(accepted)).catch(refuseNotice),
  };
};

const NOBODY: AcceptedBreaches = { called: 0, closedOut: 0 };

/** A change that cannot be proposed so, in an operator's words. @throws Refusal, or the error where it is none of these. */
const refuseNotice = (error: unknown): never => {
  if (error instanceof NoticeTooShort) {
    const rises = error.rises.map(({ place, from, to }) => `  ${place}: from ${from} to ${to} ppm`);
    const mend = `Name effectiveAt ${iso(error.earliest)} or later in the file, or emergency with its reason.`;
    throw new Refusal([`${error.message}:`, ...rises, mend].join("\n"));
  }
  if (error instanceof ChangePending) {
    throw new Refusal(`${error.message}: npm run policy -- pending shows it, and withdraw --change ${error.changeId} takes it back`);
  }
  throw error;
};

const jsonIn = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Refusal(`The file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
};

const policyFile = policyBody.in.omit({ version: true }).extend(schedule);
const instrumentFile = instrumentBody.in.omit({ version: true }).extend(schedule);

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
    const { effectiveAt, emergency, ...given } = readAs(path, policyFile, content);
    const terms = z.encode(policyFile, given);
    const make = (version: number) => readAs(path, policyBody, { ...terms, version });
    make(1);
    return termsFile({ kind: "policy", id }, { effectiveAt, emergency }, (world) => policyChange(world, id, make));
  }
  const id = readAs(path, instrumentId, instrument);
  const { effectiveAt, emergency, ...given } = readAs(path, instrumentFile, content);
  const terms = z.encode(instrumentFile, given);
  const make = (version: number) => readAs(path, instrumentBody, { ...terms, version });
  make(1);
  return termsFile({ kind: "instrument", id }, { effectiveAt, emergency }, (world) => instrumentChange(world, id, make));
};

/** Parts per million of a ratio as a decimal: 412,345 is 0.412. */
const ratioOf = (ppm: number | null): string => (ppm === null ? "none" : (ppm / 1_000_000).toFixed(3));
const percent = (ppm: number): string => `${(ppm / 10_000).toFixed(2)} %`;

/** What bound the account before and after: a bracket, or a part of its policy's model. */
const boundOf = ({ boundBefore, boundAfter }: Affected): string => {
  if (boundAfter === null) return "";
  return boundBefore === boundAfter ? `, bound by ${boundAfter}` : `, bound by ${boundAfter} (before: ${boundBefore ?? "nothing"})`;
};

const lineOf = (one: Affected): string => {
  const { accountId, effect, levelBefore, levelAfter, headroomBefore, headroomAfter, due } = one;
  const owes = due === null ? "" : `, due ${decimal(due.amount)} ${due.asset}`;
  const from = `${levelBefore ?? "undecided"} to ${levelAfter ?? "undecided"}`;
  return `  ${accountId}  ${effect}: ${from}, headroom ${ratioOf(headroomBefore)} to ${ratioOf(headroomAfter)}${owes}${boundOf(one)}`;
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

/** What comes without notice, and why (M3). */
const noticeLines = ({ emergency }: TermsFile, { rises }: ChangeOutcome): readonly string[] =>
  rises.length === 0
    ? []
    : [
        emergency === null
          ? "refused without 24 h of notice (M3): name effectiveAt or an emergency with its reason"
          : `an emergency, without 24 h of notice (M3): ${emergency}`,
        ...rises.map(({ place, from, to }) => `  ${place}: from ${from} to ${to} ppm`),
      ];

/** Where a change waits, and what it waits for. */
export const waitingLines = ({ changeId, kind, id, effectiveAt, held, approvals }: StoredChange): readonly string[] => [
  `${changeId}  ${kind} ${id}, effective ${iso(effectiveAt)}: ${held === null ? "in shadow" : `held since ${iso(held.at)} (${held.why})`}`,
  ...approvals.map(
    ({ by, at, accepted }) => `  approved by ${by} at ${iso(at)}: at most ${accepted.called} called, ${accepted.closedOut} closed out`,
  ),
  ...(held === null ? [] : [`  two different principals release it: POST /changes/${changeId}/approval (S19)`]),
];

/** Shows what the terms of a file would do. Writes nothing. @returns 0. */
export const planTerms = async (world: World, file: TermsFile, say: (line: string) => void): Promise<number> => {
  const outcome = await file.plan(world);
  say(titleOf(file, outcome));
  for (const line of noticeLines(file, outcome)) say(line);
  if (outcome.plan !== null) for (const line of linesOf(outcome.plan, world.settings.breachShareMaxPpm)) say(line);
  return 0;
};

/**
 * Stores the terms of a file through the breaker (R17), on a plan of this moment. @returns 0 where a version
 * holds them or they wait for their instant, 1 where the breaker holds them: the lines say what they wait for.
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
    for (const line of noticeLines(file, outcome)) say(line);
    if (outcome.plan !== null) for (const line of linesOf(outcome.plan, breachShareMaxPpm)) say(line);
    if (outcome.pending !== null) for (const line of waitingLines(outcome.pending)) say(line);
    else if (outcome.plan !== null) say("stored: every function decides on it within 30 seconds");
    return outcome.pending?.held == null ? 0 : 1;
  } catch (error) {
    if (!(error instanceof ChangeHeld)) throw error;
    const { called, closedOut, undecided } = error.plan.counts;
    say(`${file.kind} ${file.id}: held, nothing was stored: ${error.message}`);
    for (const line of linesOf(error.plan, breachShareMaxPpm)) say(line);
    say(
      error.why === "undecided"
        ? `mend the terms: ${undecided} accounts hold or owe what they have no terms for`
        : `to have people decide: --accept-newly-called ${called} --accept-newly-closed-out ${closedOut}`,
    );
    return 1;
  }
};
