import { DEFAULT_POLICY_ID } from "../../adapters/decide-account.ts";
import type { World } from "../../adapters/world.ts";
import { readAccounts, readContacts, type Terms } from "./accounts.ts";
import { applyPlan } from "./apply.ts";
import type { SourceFile } from "./entries.ts";
import { type Finding, Findings } from "./finding.ts";
import { heldBy, NOTHING_HELD } from "./held.ts";
import { readInstruments, type TierSource } from "./instruments.ts";
import { type Plan, planOf } from "./plan.ts";
import { readPolicies } from "./policies.ts";

/** The files of one import; each may be left out. */
export interface ImportFiles {
  readonly policies?: SourceFile | undefined;
  readonly haircuts?: SourceFile | undefined;
  readonly instruments?: SourceFile | undefined;
  readonly tiers?: TierSource | undefined;
  readonly contacts?: SourceFile | undefined;
  readonly accounts?: SourceFile | undefined;
  readonly positions?: SourceFile | undefined;
  /** Brokers that are right although the stage does not know them. */
  readonly brokers: readonly string[];
}

export interface Imported {
  readonly findings: readonly Finding[];
  readonly plan: Plan;
  /** Symbols of a venue's tier file that no instrument here takes. */
  readonly leftOut: readonly string[];
  readonly applied: boolean;
}

const inOrder = ({ policies, haircuts, instruments, tiers, accounts, positions, contacts }: ImportFiles): string[] =>
  [policies, haircuts, instruments, tiers, accounts, positions, contacts].flatMap((source) => source?.file ?? []);

/**
 * Reads the files, checks them against each other and against what the stage holds, and, where `apply` is asked for and
 * there is no fault, does what is planned. With a fault nothing is applied.
 *
 * @param world of the stage; null to check the files alone.
 */
export const importFiles = async (files: ImportFiles, world: World | null, apply: boolean): Promise<Imported> => {
  const findings = new Findings(inOrder(files));
  const held = world === null ? NOTHING_HELD : heldBy(world);
  const { policies, named: namedPolicies } = await readPolicies(files, held, findings);
  const { instruments, named: namedInstruments, leftOut } = await readInstruments(files, held, findings);
  const stored = await held.instruments();
  const policyIdOf = (id: string): string => (id === DEFAULT_POLICY_ID ? (held.defaultPolicy ?? id) : id);
  const terms: Terms = {
    instrument: (id) => instruments.get(id) ?? stored.get(id) ?? null,
    policyIdOf,
    policy: async (id) => policies.get(policyIdOf(id)) ?? (await held.policy(policyIdOf(id))),
    knowsInstruments: held.isStage || files.instruments !== undefined,
    knowsPolicy: (id) => held.isStage || (files.policies !== undefined && id !== DEFAULT_POLICY_ID),
    namedPolicies,
    namedInstruments,
  };
  const { accounts, named } = await readAccounts(files, { held, terms, brokers: new Set(files.brokers), findings });
  const contacts = await readContacts(files.contacts, { named, isGiven: files.accounts !== undefined }, { held, findings });
  const plan = await planOf({ policies: policies.values(), instruments: instruments.values(), contacts, accounts }, held, findings);
  const applies = apply && world !== null && findings.faults.length === 0;
  if (applies) await applyPlan(plan, world);
  return { findings: findings.all, plan, leftOut, applied: applies };
};
