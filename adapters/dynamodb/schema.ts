/**
 * Shapes of the four tables: what lib/ declares, what the local cloud creates and what the stores
 * rely on. Key values are upper case with a fixed prefix, because an index that folds case
 * must not confuse two of them.
 */

export interface TableShape {
  readonly partitionKey: "pk";
  readonly sortKey: "sk";
  /** Sparse indexes, keys only: an item is in one while its two attributes are present. */
  readonly indexes: Readonly<Record<string, { readonly partitionKey: string; readonly sortKey: string }>>;
  readonly stream: "NEW_IMAGE" | null;
  readonly timeToLive: string | null;
}

export const TABLES = {
  /** Accounts, calls, liquidation orders, applied entries, policies, pending changes of terms. */
  book: {
    partitionKey: "pk",
    sortKey: "sk",
    indexes: {
      /** Live calls by deadline: `DUE#<0-15>` / `<deadlineAt>#<accountId>#<callId>`. */
      deadlines: { partitionKey: "duePk", sortKey: "dueSk" },
      /** Live orders by state: `<PENDING|SENT>#<0-15>` / `<since>#<accountId>#<orderId>`. */
      orders: { partitionKey: "statePk", sortKey: "stateSk" },
    },
    stream: null,
    timeToLive: null,
  },
  /** Instruments, newest marks, held prices, snapshots, the state of the sweep. */
  marks: { partitionKey: "pk", sortKey: "sk", indexes: {}, stream: null, timeToLive: "expiresAt" },
  /** Envelopes: outbox and audit log in one. */
  journal: { partitionKey: "pk", sortKey: "sk", indexes: {}, stream: "NEW_IMAGE", timeToLive: null },
  /** Contacts, webhook endpoints, deliveries, API idempotency keys. */
  outbound: { partitionKey: "pk", sortKey: "sk", indexes: {}, stream: null, timeToLive: "expiresAt" },
} as const satisfies Record<string, TableShape>;

export type TableName = keyof typeof TABLES;

/** Shards of the sparse indexes: a GSI partition takes 1,000 writes a second. */
export const INDEX_SHARDS = 16;
