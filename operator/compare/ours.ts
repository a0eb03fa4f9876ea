import * as z from "zod";

import { canonical } from "../../adapters/dynamodb/canonical.ts";
import { verifyChain } from "../../adapters/dynamodb/envelope.ts";
import { type Item, json, SCHEMA, text } from "../../adapters/dynamodb/items.ts";
import { accountPk, sequenceSk } from "../../adapters/dynamodb/keys.ts";
import { encodeInstrument, instrumentBody } from "../../adapters/wire/instrument.ts";
import { placesOf } from "../../adapters/wire/parse.ts";
import { encodePolicy, policyBody } from "../../adapters/wire/policy.ts";
import {
  accountId,
  brokerId,
  clientClass,
  instant,
  instrumentId,
  policyId,
  priceText,
  schemaVersion,
  source,
} from "../../adapters/wire/scalars.ts";
import type { Instruments } from "../../core/instrument.ts";
import type { Mark, MarketSnapshot } from "../../core/mark.ts";
import type { Policy } from "../../core/policy.ts";
import { Refusal } from "../command-line.ts";

/** Our side: what the journal says, on which marks and terms. */
export interface OurBook {
  /** The newest version of each instrument: what facts are folded with. */
  readonly instruments: Instruments;
  /** By the instant at which they were taken. */
  readonly snapshots: readonly MarketSnapshot[];
  /** Every version of every policy, the newest first. */
  readonly policies: readonly Policy[];
  /** What the policy id "default" stands for. */
  readonly defaultPolicy: string;
  readonly accounts: readonly OurAccount[];
}

export interface OurAccount {
  readonly accountId: string;
  readonly brokerId: string;
  readonly clientClass: string;
  readonly policyId: string;
  /** Rows of the account's whole journal, in order, each as the table has it. */
  readonly journal: readonly Item[];
}

const mark = z.strictObject({
  instrumentId,
  price: priceText,
  asOf: instant,
  source,
  candidate: z.strictObject({ price: priceText, asOf: instant }).nullable(),
});

const exportFile = z.strictObject({
  schemaVersion,
  defaultPolicy: policyId,
  instruments: z.array(instrumentBody),
  policies: z.array(policyBody),
  snapshots: z.array(
    z.strictObject({
      snapshotId: z.string().min(1).max(80),
      takenAt: instant,
      /** Versions of the instruments that it was priced with. */
      instruments: z.record(instrumentId, z.number().int().min(1)),
      marks: z.array(mark),
    }),
  ),
  accounts: z.array(z.strictObject({ accountId, brokerId, clientClass, policyId, journal: z.array(z.looseObject({ hash: z.string() })) })),
});
type ExportText = z.input<typeof exportFile>;
type Exported = z.output<typeof exportFile>;

/** The journal's row that an exported envelope was read from: the same text, so that its hash can be checked. */
const journalRow = (accountIdOf: string, envelope: Readonly<Record<string, unknown>> & { readonly hash: string }): Item => {
  const { hash, ...body } = envelope;
  return {
    pk: { S: accountPk(accountIdOf) },
    sk: { S: sequenceSk(Number(body["seq"])) },
    schema: SCHEMA,
    publish: { BOOL: body["publish"] === true },
    body: { S: canonical(body) },
    hash: { S: hash },
  };
};

const journalOf = (name: string, account: Exported["accounts"][number]): readonly Item[] => {
  const rows = account.journal.map((envelope) => journalRow(account.accountId, envelope));
  const verdict = verifyChain(rows);
  if (!verdict.valid)
    throw new Refusal(`${name}: the journal of ${account.accountId} is not as it was written: envelope ${verdict.seq}: ${verdict.fault}`);
  return rows;
};

/**
 * Reads an export of our journal.
 * @throws Refusal for another form, and for a journal that was changed since: it names the account and the envelope (I21).
 */
export const readOurs = (name: string, written: string): OurBook => {
  let content: unknown;
  try {
    content = JSON.parse(written);
  } catch (error) {
    throw new Refusal(`${name}: is no JSON (${(error as Error).message.split("\n")[0]})`);
  }
  const read = exportFile.safeParse(content);
  if (!read.success) throw new Refusal(`${name}: is no export of a journal: ${placesOf(read.error)}`);
  const { data } = read;
  const versions = new Map(data.instruments.map((one) => [`${one.instrumentId} ${one.version}`, one]));
  const snapshots = data.snapshots.map(({ snapshotId, takenAt, instruments, marks }): MarketSnapshot => {
    const known = Object.entries(instruments).map(([id, version]) => {
      const instrument = versions.get(`${id} ${version}`);
      if (instrument === undefined) throw new Refusal(`${name}: snapshot ${snapshotId} names ${id} version ${version}, which is not there`);
      return [id, instrument] as const;
    });
    return {
      snapshotId,
      takenAt,
      instruments: new Map(known),
      marks: new Map(marks.map((one): [string, Mark] => [one.instrumentId, one])),
    };
  });
  return {
    instruments: new Map([...data.instruments].sort((a, b) => a.version - b.version).map((one) => [one.instrumentId, one])),
    defaultPolicy: data.defaultPolicy,
    policies: [...data.policies].sort((a, b) => b.version - a.version),
    snapshots: snapshots.sort((a, b) => a.takenAt - b.takenAt),
    accounts: data.accounts.map((account) => ({ ...account, journal: journalOf(name, account) })),
  };
};

/** Writes an export: one JSON object, with each envelope as the journal has it. */
export const writeOurs = ({ snapshots, policies, defaultPolicy, accounts, instruments: newest }: OurBook): string => {
  const versions = [newest, ...snapshots.map(({ instruments }) => instruments)].flatMap((some) => [...some.values()]);
  const instruments = new Map(versions.map((one) => [`${one.instrumentId} ${one.version}`, one]));
  const body: ExportText = {
    schemaVersion: 1,
    defaultPolicy,
    instruments: [...instruments.values()].map(encodeInstrument),
    policies: policies.map(encodePolicy),
    snapshots: snapshots.map(({ snapshotId, takenAt, instruments: own, marks }) => ({
      snapshotId,
      takenAt: new Date(takenAt).toISOString(),
      instruments: Object.fromEntries([...own.values()].map((one) => [one.instrumentId, one.version])),
      marks: [...marks.values()].map((one) => z.encode(mark, { ...one, candidate: one.candidate === null ? null : { ...one.candidate } })),
    })),
    accounts: accounts.map(({ journal, ...account }) => ({
      accountId: account.accountId,
      brokerId: account.brokerId,
      clientClass: account.clientClass,
      policyId: account.policyId,
      journal: journal.map((row) => ({ ...(json(row, "body") as object), hash: text(row, "hash") })),
    })),
  };
  return `${JSON.stringify(body, null, 1)}\n`;
};
