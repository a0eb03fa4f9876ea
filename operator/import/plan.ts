import { isSameInstrument, isSamePolicy } from "../../adapters/change-terms.ts";
import type { Contact } from "../../adapters/wire/parties.ts";
import type { MarginAccount } from "../../core/account.ts";
import type { Instrument } from "../../core/instrument.ts";
import type { Policy } from "../../core/policy.ts";
import type { AccountRead } from "./accounts.ts";
import type { Findings } from "./finding.ts";
import type { Held } from "./held.ts";

/** What an import does with a thing. `older`: the book has applied a later sequence of the venue already. */
export const STATES = ["new", "changed", "unchanged", "older"] as const;
export type State = (typeof STATES)[number];

export interface Planned<Thing> {
  readonly id: string;
  readonly state: State;
  readonly thing: Thing;
}

/** Everything that an import would do, in its order. */
export interface Plan {
  readonly policies: readonly Planned<Policy>[];
  readonly instruments: readonly Planned<Instrument>[];
  readonly contacts: readonly Planned<Contact>[];
  readonly accounts: readonly Planned<AccountRead>[];
}

const stateOf = (stored: unknown, isSame: boolean): State =>
  stored === null || stored === undefined ? "new" : isSame ? "unchanged" : "changed";

const holds = (account: MarginAccount, { fact }: AccountRead): boolean => {
  const given = [...fact.balances].filter(([, amount]) => amount !== 0n);
  const balances = given.length === account.balances.size && given.every(([asset, amount]) => account.balances.get(asset) === amount);
  return (
    balances &&
    fact.positions.length === account.positions.length &&
    fact.positions.every((position, index) => {
      const own = account.positions[index];
      return own?.instrumentId === position.instrumentId && own.quantity === position.quantity && own.entryPrice === position.entryPrice;
    })
  );
};

/** An account's terms are those that it was opened with: facts do not move it to another owner. */
const judgeTerms = (account: MarginAccount, { place, terms }: AccountRead, findings: Findings): void => {
  for (const column of ["brokerId", "clientClass", "policyId"] as const) {
    if (account[column] === terms[column]) continue;
    const what = `the stage has the account under ${account[column]}, the file under ${terms[column]}`;
    findings.fault({ ...place, column }, what, "Write what the stage has: an import opens accounts and does not move them");
  }
};

const stateOfAccount = (account: MarginAccount | undefined, read: AccountRead, findings: Findings): State => {
  if (account === undefined) return "new";
  const { place, fact } = read;
  judgeTerms(account, read, findings);
  if (fact.sequence > account.sourceSequence) return "changed";
  if (fact.sequence < account.sourceSequence) return "older";
  if (!holds(account, read)) {
    const what = `differs from what the book holds at the same sequence ${fact.sequence}`;
    findings.fault(place, what, "Let the venue say which is right, and give a snapshot with a later sequence");
  } else if (account.outOfSync) {
    const column = { ...place, column: "sequence" };
    findings.note(column, `the account is OUT_OF_SYNC since sequence ${fact.sequence}`, "Only a snapshot with a later sequence heals it");
  }
  return "unchanged";
};

/** Compares what was read with what the stage holds. What contradicts the stage is a finding. */
export const planOf = async (
  read: {
    readonly policies: Iterable<Policy>;
    readonly instruments: Iterable<Instrument>;
    readonly contacts: readonly Contact[];
    readonly accounts: readonly AccountRead[];
  },
  held: Held,
  findings: Findings,
): Promise<Plan> => {
  const listed = await held.instruments();
  const policies: Planned<Policy>[] = [];
  for (const thing of read.policies) {
    const stored = await held.policy(thing.policyId);
    policies.push({ id: thing.policyId, state: stateOf(stored, stored !== null && isSamePolicy(stored, thing)), thing });
  }
  const instruments = [...read.instruments].map((thing) => {
    const stored = listed.get(thing.instrumentId);
    return { id: thing.instrumentId, state: stateOf(stored, stored !== undefined && isSameInstrument(stored, thing)), thing };
  });
  const contacts: Planned<Contact>[] = [];
  for (const thing of read.contacts) {
    const stored = await held.contact(thing.accountId);
    const isSame = stored !== null && Object.entries(thing).every(([key, value]) => stored[key as keyof Contact] === value);
    contacts.push({ id: thing.accountId, state: stateOf(stored, isSame), thing });
  }
  const stored = await held.accounts(read.accounts.map(({ accountId }) => accountId));
  const accounts = read.accounts.map((thing) => ({
    id: thing.accountId,
    state: stateOfAccount(stored.get(thing.accountId), thing, findings),
    thing,
  }));
  return { policies, instruments, contacts, accounts };
};
