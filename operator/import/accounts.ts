import * as z from "zod";

import { hashOf } from "../../adapters/dynamodb/keys.ts";
import { type AccountTerms, balances, encodeFact, positions } from "../../adapters/wire/feed.ts";
import { type Contact, contact } from "../../adapters/wire/parties.ts";
import { accountId, brokerId, clientClass, instant, policyId } from "../../adapters/wire/scalars.ts";
import type { Position } from "../../core/account.ts";
import type { Instrument } from "../../core/instrument.ts";
import type { Fact } from "../../core/ledger.ts";
import { LIMITS } from "../../core/limits.ts";
import { decimal } from "../../core/money.ts";
import type { Policy } from "../../core/policy.ts";
import { byId, type Entry, judged, readEntries, type SourceFile, textIn } from "./entries.ts";
import type { Findings, Place } from "./finding.ts";
import type { Held } from "./held.ts";
import { placeOf } from "./table.ts";

export type SnapshotFact = Fact & { readonly kind: "snapshot" };

/** An account of the files: whose it is, and the fact that says what it holds. */
export interface AccountRead {
  readonly accountId: string;
  readonly place: Place;
  readonly terms: AccountTerms;
  readonly fact: SnapshotFact;
}

/** Terms of the files and of the stage. */
export interface Terms {
  instrument(id: string): Instrument | null;
  /** "default" is the stage's own. */
  policyIdOf(id: string): string;
  policy(id: string): Promise<Policy | null>;
  /** False where nothing can be said about an id that is not found: it may be the stage's, and no stage was named. */
  readonly knowsInstruments: boolean;
  knowsPolicy(id: string): boolean;
  /** Ids of rows of the files that did not read: their accounts are not at fault. */
  readonly namedInstruments: ReadonlySet<string>;
  readonly namedPolicies: ReadonlySet<string>;
}

const accountRow = z.strictObject({
  accountId,
  brokerId,
  clientClass,
  policyId,
  sequence: z.number().int().min(1, "sequences start at 1"),
  asOf: instant,
  balances,
});

const positionRow = positions.in.element.extend({ accountId });
type PositionRow = z.output<typeof positionRow>;

interface Leg {
  readonly entry: Entry;
  readonly position: PositionRow;
}

/** What is wrong with a position in a known instrument. */
const judgePosition = ({ entry, position }: Leg, instrument: Instrument, findings: Findings): void => {
  const at = (column: string): Place => placeOf(entry.row, column);
  const { instrumentId, quantity, entryPrice } = position;
  if (instrument.kind === "spot") {
    findings.fault(
      at("instrumentId"),
      `${instrumentId} is a spot pair: no position is held in it`,
      "Write the holding as a balance of its account",
    );
  }
  if (quantity % instrument.lotSize !== 0n) {
    const what = `${decimal(quantity)} is no whole number of lots of ${decimal(instrument.lotSize)}`;
    findings.fault(at("quantity"), what, `Write contracts of ${instrumentId}, not units of an asset`);
  }
  if (entryPrice <= 0n && !instrument.allowNonPositive)
    findings.fault(at("entryPrice"), "a price of 0 or below", "Write the average price of the entry");
};

/** Finds a position in an instrument that neither the files nor the stage have. */
const judgeInstrument = (place: Place, id: unknown, terms: Terms, findings: Findings): void => {
  if (typeof id !== "string" || findings.has(place) || !terms.knowsInstruments) return;
  if (terms.instrument(id) !== null || terms.namedInstruments.has(id)) return;
  findings.fault(place, `unknown instrument ${id}`, "Correct the id, or give the instrument with --instruments");
};

/** Positions by account, each once. One whose account is not in the file is a finding. */
const readLegs = (
  source: SourceFile | undefined,
  accounts: ReadonlyMap<string, Entry>,
  { terms, findings }: Pick<Context, "terms" | "findings">,
): ReadonlyMap<string, readonly Leg[]> => {
  const entries = readEntries(source, "positions", findings);
  const legs = entries.flatMap((entry): Leg[] => {
    const position = judged(entry, positionRow, entry.value, findings);
    return position === null ? [] : [{ entry, position }];
  });
  const nameOf = (entry: Entry): string => {
    const [account, instrument] = [textIn(entry, "accountId"), textIn(entry, "instrumentId")];
    return account === "" || instrument === "" ? "" : `of ${account} in ${instrument}`;
  };
  const once = new Set(byId(entries, "position", nameOf, findings).values());
  for (const leg of legs) {
    const instrument = terms.instrument(leg.position.instrumentId);
    if (instrument !== null) judgePosition(leg, instrument, findings);
  }
  for (const { row, value } of entries) judgeInstrument(placeOf(row, "instrumentId"), value["instrumentId"], terms, findings);
  for (const entry of entries) {
    const id = textIn(entry, "accountId");
    if (id === "" || accounts.has(id)) continue;
    const what = `a position of ${id}, which is not in the file of accounts`;
    findings.fault(placeOf(entry.row, "accountId"), what, "Add the account, or correct the id");
  }
  return Map.groupBy(
    legs.filter(({ entry }) => once.has(entry)),
    ({ position }) => position.accountId,
  );
};

/** Assets that the policy has no terms for: an account that owes one, or trades in it, is never decided. */
const judgeAssets = (entry: Entry, read: z.output<typeof accountRow>, policy: Policy, legs: readonly Leg[], context: Context): void => {
  const { terms, findings } = context;
  for (const [asset, amount] of read.balances) {
    const place = placeOf(entry.row, `balances.${asset}`);
    if (policy.collateral.has(asset) || amount === 0n) continue;
    if (amount < 0n)
      findings.fault(
        place,
        `a debt in ${asset}, for which policy ${policy.policyId} has no terms`,
        "Add its collateral terms to the policy",
      );
    else
      findings.note(
        place,
        `${asset} counts nothing under policy ${policy.policyId}`,
        "Add its collateral terms to the policy where it should count",
      );
  }
  for (const leg of legs) {
    const settles = terms.instrument(leg.position.instrumentId)?.settleAsset;
    if (settles === undefined || policy.collateral.has(settles)) continue;
    const what = `settles in ${settles}, for which policy ${policy.policyId} has no terms: the account could not be decided`;
    findings.fault(
      placeOf(leg.entry.row, "instrumentId"),
      what,
      "Add its collateral terms to the policy, or give the account another policy",
    );
  }
};

interface Context {
  readonly held: Held;
  readonly terms: Terms;
  /** Brokers that the command line names as right although the stage does not know them. */
  readonly brokers: ReadonlySet<string>;
  readonly findings: Findings;
}

const judgeBroker = async (entry: Entry, { held, brokers, findings }: Context): Promise<void> => {
  const id = textIn(entry, "brokerId");
  const place = placeOf(entry.row, "brokerId");
  if (id === "" || findings.has(place) || brokers.has(id) || (await held.broker(id))) return;
  const mend = `Correct the id; for a broker without a webhook endpoint and a mode of its own, give --broker ${id}`;
  findings.fault(place, `unknown broker ${id}`, mend);
};

/** The policy that a row names; null with a finding where nobody has it. */
const judgedPolicy = async (entry: Entry, { terms, findings }: Context): Promise<Policy | null> => {
  const id = textIn(entry, "policyId");
  const place = placeOf(entry.row, "policyId");
  const policy = id === "" || findings.has(place) ? null : await terms.policy(id);
  const isKnown = policy !== null || id === "" || findings.has(place) || terms.namedPolicies.has(terms.policyIdOf(id));
  if (!isKnown && terms.knowsPolicy(id))
    findings.fault(place, `unknown policy ${id}`, "Correct the id, or give the policy with --policies");
  return policy;
};

const snapshotOf = (read: z.output<typeof accountRow>, held: readonly Position[]): SnapshotFact => {
  const bare = {
    kind: "snapshot" as const,
    externalId: "content",
    sequence: read.sequence,
    occurredAt: read.asOf,
    balances: read.balances,
    positions: [...held].sort((a, b) => (a.instrumentId < b.instrumentId ? -1 : 1)),
  };
  // A function of what it says: an import that is run again sends a fact that the book knows (I17).
  return { ...bare, externalId: `import-${read.sequence}-${hashOf(JSON.stringify(encodeFact(bare)))}` };
};

export interface AccountsRead {
  /** Those whose rows read; whether they agree with everything else is in the findings. */
  readonly accounts: readonly AccountRead[];
  /** Every id of the file, of rows with a fault too. */
  readonly named: ReadonlySet<string>;
}

/** Reads accounts with their positions: each becomes one snapshot fact with the account's own sequence (R16). */
export const readAccounts = async (
  files: { readonly accounts?: SourceFile | undefined; readonly positions?: SourceFile | undefined },
  context: Context,
): Promise<AccountsRead> => {
  const { findings } = context;
  const entries = byId(readEntries(files.accounts, "accounts", findings), "account", (entry) => textIn(entry, "accountId"), findings);
  const legsOf = readLegs(files.positions, entries, context);
  const accounts: AccountRead[] = [];
  for (const [id, entry] of entries) {
    const read = judged(entry, accountRow, { balances: {}, ...entry.value }, findings);
    await judgeBroker(entry, context);
    const policy = await judgedPolicy(entry, context);
    if (read === null) continue;
    const legs = legsOf.get(id) ?? [];
    if (policy !== null) judgeAssets(entry, read, policy, legs, context);
    if (legs.length > LIMITS.positionsMax) {
      findings.fault(placeOf(entry.row), `${legs.length} positions, at most ${LIMITS.positionsMax} fit an account`, "Split the account");
      continue;
    }
    const held = legs.map(({ position: { instrumentId, quantity, entryPrice } }) => ({ instrumentId, quantity, entryPrice }));
    const owner = { brokerId: read.brokerId, clientClass: read.clientClass, policyId: read.policyId };
    accounts.push({ accountId: id, place: placeOf(entry.row), terms: owner, fact: snapshotOf(read, held) });
  }
  return { accounts, named: new Set(entries.keys()) };
};

/** Reads contacts. An account without one that is in the files or in the stage is a finding. */
export const readContacts = async (
  source: SourceFile | undefined,
  accounts: { readonly named: ReadonlySet<string>; readonly isGiven: boolean },
  { held, findings }: Pick<Context, "held" | "findings">,
): Promise<readonly Contact[]> => {
  const entries = byId(readEntries(source, "contacts", findings), "contact", (entry) => textIn(entry, "accountId"), findings);
  const stored = await held.accounts([...entries.keys()].filter((id) => id !== "" && !accounts.named.has(id)));
  return [...entries].flatMap(([id, entry]) => {
    const read = judged(entry, contact, entry.value, findings);
    const isKnown = accounts.named.has(id) || stored.has(id) || !(held.isStage || accounts.isGiven);
    if (!isKnown)
      findings.fault(placeOf(entry.row, "accountId"), `a contact of ${id}, which is no account`, "Add the account, or correct the id");
    return read === null ? [] : [read];
  });
};
