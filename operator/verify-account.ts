import { createBook } from "../adapters/dynamodb/book.ts";
import { type ChainVerdict, decodeEnvelope, type Envelope, verifyChain } from "../adapters/dynamodb/envelope.ts";
import { createInstruments } from "../adapters/dynamodb/instruments.ts";
import { type Item, text } from "../adapters/dynamodb/items.ts";
import { createJournal } from "../adapters/dynamodb/journal.ts";
import { accountKey } from "../adapters/dynamodb/keys.ts";
import { createMarks } from "../adapters/dynamodb/marks.ts";
import type { Shelf, Verdict } from "../adapters/recompute.ts";
import { recompute } from "../adapters/recompute.ts";
import type { World } from "../adapters/world.ts";
import type { Policy } from "../core/policy.ts";
import { walkBook } from "./walk-book.ts";

/** What became of one envelope of the journal. `fault` names one that cannot be decided again at all. */
export interface Verified {
  readonly row: Item;
  /** Null for a row that does not read; then the chain says where. */
  readonly envelope: Envelope | null;
  readonly verdict: Verdict | { readonly outcome: "failed"; readonly fault: string };
}

export interface VerifiedAccount {
  readonly chain: ChainVerdict;
  readonly envelopes: readonly Verified[];
}

const shelfOf = (world: World): Shelf => {
  const { instrument } = createInstruments(world);
  const { snapshot } = createMarks(world);
  const { policy } = createBook(world);
  return { instrument, snapshot, policy };
};

/** An account's row as it stands: its newest hash, or null where the book does not have it. */
const headOf = async (world: World, accountId: string): Promise<string | null> =>
  (await createBook(world).load(accountId))?.headHash ?? null;

const envelopeIn = (row: Item): Envelope | null => {
  try {
    return decodeEnvelope(row);
  } catch {
    return null;
  }
};

const verdictOn = async (shelf: Shelf, row: Item, under?: Policy): Promise<Verified["verdict"]> => {
  try {
    return await recompute(shelf, row, under);
  } catch (error) {
    if (!(error instanceof Error) || "$metadata" in error) throw error;
    return { outcome: "failed", fault: error.message };
  }
};

/**
 * Verifies an account's journal: its chain of hashes to the account's head (I20, I21), and each decision recomputed from
 * its record (I27).
 *
 * @param callId only the envelopes in which this call changed; all without it.
 * @param under another policy to decide under; each decision's own without it.
 * @returns null for an account that the book does not have.
 */
export const verifyAccount = async (
  world: World,
  accountId: string,
  { callId, under }: { readonly callId?: string | undefined; readonly under?: Policy | undefined } = {},
): Promise<VerifiedAccount | null> => {
  const head = await headOf(world, accountId);
  if (head === null) return null;
  const rows = await createJournal(world).rows(accountId);
  const shelf = shelfOf(world);
  const envelopes: Verified[] = [];
  for (const row of rows) {
    const envelope = envelopeIn(row);
    // A row that does not read may be any call's: it is shown with each.
    if (envelope !== null && callId !== undefined && !envelope.calls.some((call) => call.callId === callId)) continue;
    envelopes.push({ row, envelope, verdict: await verdictOn(shelf, row, under) });
  }
  return { chain: verifyChain(rows, head), envelopes };
};

/**
 * The account of a call. Its id holds a hash of the account's and no index leads back, so that the rows of the book are
 * looked through: a read of the whole book. Null where no account has the call's key.
 */
export const accountOfCall = async (world: World, callId: string): Promise<string | null> => {
  const key = callId.slice("MC-".length, callId.lastIndexOf("-"));
  let found: string | null = null;
  const visit = async (row: Item): Promise<string> => {
    const accountId = text(row, "sk").slice("ACC#".length);
    // Calls from before a restore have the account's first key, those after it the row's (S54).
    if (accountKey(accountId) === key || text(row, "identity").startsWith(`${key};`)) found = accountId;
    return "seen";
  };
  await walkBook(world, { name: "VERIFY", goal: callId, visit, remembers: false });
  return found;
};
