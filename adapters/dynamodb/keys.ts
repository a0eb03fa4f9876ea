import { createHash, hash } from "node:crypto";

import { INDEX_SHARDS } from "./schema.ts";

/**
 * Keys of items and ids that name things: pure functions of what they name, so that a replay writes
 * the same key and loses the conditional put.
 */

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** SHA-256 of UTF-8 text as 43 characters of base64url. */
export const hashOf = (text: string): string => hash("sha256", text, "base64url");

/** The opaque stand-in for an account id: the first 60 bits of its SHA-256 in base32. */
export const accountKey = (accountId: string): string => {
  const bytes = digest(accountId);
  let bits = 0n;
  for (let index = 0; index < 8; index += 1) bits = (bits << 8n) | BigInt(bytes[index] as number);
  let key = "";
  for (let shift = 59n; shift >= 4n; shift -= 5n) key += BASE32[Number((bits >> shift) & 31n)];
  return key;
};

/** The stand-in of an account whose book was restored at this instant (S54): ids made with it are made nowhere else. */
export const keyAfterRestore = (accountId: string, restoredAt: number): string => accountKey(`${accountId}\n${restoredAt}`);

/**
 * The least sequence of an account's journal after a restore at this instant: its hundredths of a second since 1970.
 * An account is written less than a hundred times a second, so it had none as high, and its readers see no step back.
 */
export const sequenceAfterRestore = (restoredAt: number): number => Math.floor(restoredAt / 10);

/** The shard of an account: the first byte of its hash, so that a get needs no index. */
export const shardOf = (accountId: string, shards: number): number => (digest(accountId)[0] as number) % shards;

/** Shards of the sparse indexes of a stage: never more than its book has, since each costs the sweep of overdue calls three queries. */
export const indexShardsOf = (shards: number): number => Math.min(INDEX_SHARDS, shards);

/** The shard of an account's rows in the sparse indexes, from another byte than {@link shardOf}. */
export const indexShardOf = (accountId: string, shards: number): number => (digest(accountId)[1] as number) % indexShardsOf(shards);

/** An event's id: the same for every replay of the transaction that said it. */
export const eventIdOf = (accountId: string, sequence: number, index: number): string =>
  `evt_${hashOf(`${accountId}\n${sequence}\n${index}`).slice(0, 32)}`;

/** Instants in sort keys: 13 digits hold every instant until the year 2286. */
const sortable = (instant: number): string => {
  if (!Number.isSafeInteger(instant) || instant < 0 || instant > 9_999_999_999_999) throw new RangeError(`not an instant: ${instant}`);
  return instant.toString().padStart(13, "0");
};

export const shardPk = (shard: number): string => `SHARD#${shard.toString().padStart(3, "0")}`;
export const accountPk = (accountId: string): string => `ACC#${accountId}`;
export const callSk = (callId: string): string => `CALL#${callId}`;
/** Every order of a call, in the order of their numbers. */
export const ordersOfCall = (callId: string): string => `ORDER#${callId}#`;
export const orderSk = (callId: string, index: number): string => `${ordersOfCall(callId)}${index.toString().padStart(3, "0")}`;
export const entrySk = (externalId: string): string => `ENTRY#${externalId}`;
export const sequenceSk = (sequence: number): string => `SEQ#${sequence.toString().padStart(12, "0")}`;
export const policySk = (policyId: string, version: number): string => `${policyId}#v${version}`;
export const changePk = "CHANGE";
export const changeSk = (kind: string, id: string): string => `${kind}#${id}`;
export const pastChangePk = "CHANGE#PAST";
export const pastChangeSk = (endedAt: number, kind: string, id: string): string => `${sortable(endedAt)}#${kind}#${id}`;
/** A pending change's id: of its content, so that who approves it approves these terms and this instant (S19). */
export const changeIdOf = (kind: string, id: string, content: string): string => `CH-${hashOf(`${kind}\n${id}\n${content}`).slice(0, 24)}`;

export const duePk = (indexShard: number): string => `DUE#${indexShard}`;
export const dueSk = (dueAt: number, accountId: string, callId: string): string => `${sortable(dueAt)}#${accountId}#${callId}`;
export const statePk = (state: "PENDING" | "SENT", indexShard: number): string => `${state}#${indexShard}`;
export const stateSk = (since: number, accountId: string, orderId: string): string => `${sortable(since)}#${accountId}#${orderId}`;
/** Sort keys below this one are at or before the instant. */
export const upTo = (instant: number): string => sortable(instant + 1);

/** Splits `<instant>#<accountId>#<id>` of the sparse indexes. Neither id contains a "#". */
export const indexRow = (sk: string): { readonly at: number; readonly accountId: string; readonly id: string } => {
  const [at, accountId, id] = sk.split("#");
  if (at === undefined || accountId === undefined || id === undefined) throw new Error("an index row without its three parts");
  return { at: Number(at), accountId, id };
};
