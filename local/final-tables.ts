import type { AttributeValue, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { ScanCommand } from "@aws-sdk/client-dynamodb";

import { money } from "../core/money.ts";

/**
 * The tables as they stand when a replay has ended, read by a scan and by code of its own: the
 * invariants must not trust the stores that they judge.
 */
export interface FinalTables {
  readonly accounts: readonly AccountRow[];
  readonly calls: readonly CallRow[];
  readonly orders: readonly OrderRow[];
  /** Rows that say "this external id was applied". */
  readonly applied: readonly { readonly accountId: string; readonly externalId: string }[];
  /** Journals by account, in order of sequence. */
  readonly journals: ReadonlyMap<string, readonly JournalRow[]>;
}

export interface AccountRow {
  readonly accountId: string;
  readonly version: number;
  readonly head: string;
  /** Live calls by scope. */
  readonly openCalls: ReadonlyMap<string, string>;
  /** The live calls as the account's own row holds them, one a scope. */
  readonly lives: readonly { readonly call: CallRow; readonly orders: readonly OrderRow[] }[];
  /** By asset; an isolated pool's by its scope and asset. */
  readonly cash: ReadonlyMap<string, bigint>;
  /** Of CROSS and of pools. */
  readonly positions: ReadonlyMap<string, bigint>;
}

export interface CallRow {
  readonly callId: string;
  readonly accountId: string;
  readonly scope: string;
  readonly status: string;
  readonly version: number;
  readonly attempt: number;
  readonly issuedAt: number;
  readonly graceMs: number;
  readonly deadlineAt: number | null;
  readonly liquidationReason: "deadline" | "closeOut" | null;
}

export interface OrderRow {
  readonly orderId: string;
  readonly callId: string;
  readonly accountId: string;
  readonly attempt: number;
  readonly instrumentId: string;
  readonly side: "buy" | "sell";
  readonly quantity: bigint;
  readonly filled: bigint;
  readonly cancelled: bigint;
  readonly status: string;
}

export interface JournalRow {
  readonly key: number;
  /** The exact text that was hashed. */
  readonly text: string;
  readonly hash: string;
  readonly envelope: Envelope;
}

/** What the invariants read of an envelope. Amounts are decimals as text. */
export interface Envelope {
  readonly accountId: string;
  readonly seq: number;
  readonly at: string;
  readonly prevHash: string;
  /** After a restore: the entry that this one follows; those between are gone (S54). */
  readonly follows?: number;
  readonly calls: readonly {
    readonly callId: string;
    readonly version: number;
    readonly status: string;
    readonly deadlineAt: string | null;
  }[];
  readonly orders: readonly { readonly orderId: string; readonly status: string }[];
  readonly entries: readonly {
    readonly fact: EnvelopeFact;
    readonly postings: readonly { readonly asset: string; readonly amount: string; readonly scope?: string }[];
  }[];
  readonly events: readonly EnvelopeEvent[];
}

export interface EnvelopeFact {
  readonly kind: string;
  readonly externalId: string;
  readonly asset?: string;
  readonly amount?: string;
  readonly instrumentId?: string;
  readonly quantity?: string;
  readonly filled?: string;
  readonly orderId?: string | null;
  readonly balances?: Readonly<Record<string, string>>;
  readonly positions?: readonly { readonly instrumentId: string; readonly quantity: string }[];
  readonly closedOrders?: readonly { readonly orderId: string; readonly filled: string }[];
}

export interface EnvelopeEvent {
  readonly type: string;
  readonly figures: { readonly equity: string; readonly maintenanceRequirement: string } | null;
  readonly call: {
    readonly callId: string;
    readonly liquidationReason: "deadline" | "closeOut" | null;
    /** Absent in entries from before calls explained themselves. */
    readonly boundBy?: string | null;
  } | null;
}

/** Where in {@link AccountRow.cash} a posting belongs. */
export const balanceKey = ({ scope, asset }: { readonly scope?: string; readonly asset: string }): string =>
  scope === undefined ? asset : `${scope} ${asset}`;

type Row = Record<string, AttributeValue>;

const scan = async (db: DynamoDBClient, table: string): Promise<Row[]> => {
  const rows: Row[] = [];
  let from: Row | undefined;
  do {
    const page = await db.send(
      new ScanCommand({ TableName: table, ConsistentRead: true, ...(from !== undefined && { ExclusiveStartKey: from }) }),
    );
    rows.push(...(page.Items ?? []));
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
  return rows;
};

/** A row without a part that it must have is a fault of the pipeline: the check stops and says which. */
const textOf = (row: Row, name: string): string => {
  const value = row[name]?.S ?? row[name]?.N;
  if (value === undefined) throw new Error(`row ${row["pk"]?.S} / ${row["sk"]?.S} has no ${name}`);
  return value;
};

/** Reads "name:decimal[:...];..." of the packed attributes: the name and its first decimal. */
const unpacked = (packed: string): Map<string, bigint> =>
  new Map(
    packed === "" ? [] : packed.split(";").map((part) => [part.split(":")[0] as string, money(part.split(":")[1] as string)] as const),
  );

const instantOf = (text: unknown): number | null => (typeof text === "string" ? Date.parse(text) : null);

/** Records as JSON: of rows of their own, and of an account's live call. */
const callOf = (body: ReturnType<typeof JSON.parse>): CallRow => ({
  ...body,
  issuedAt: Date.parse(body.issuedAt),
  deadlineAt: instantOf(body.deadlineAt),
});

const orderOf = (body: ReturnType<typeof JSON.parse>): OrderRow => ({
  ...body,
  quantity: money(body.quantity),
  filled: money(body.filled),
  cancelled: money(body.cancelled),
});

const liveOf = (live: ReturnType<typeof JSON.parse>): AccountRow["lives"] =>
  live === null ? [] : [{ call: callOf(live.call), orders: live.orders.map(orderOf) }];

const accountOf = (row: Row): AccountRow => {
  const pools: ReturnType<typeof JSON.parse>[] = JSON.parse(row["pools"]?.S ?? "[]");
  return {
    accountId: textOf(row, "sk").slice("ACC#".length),
    version: Number(textOf(row, "version")),
    head: textOf(row, "head"),
    openCalls: new Map(
      (row["open"]?.S ?? "")
        .split(";")
        .filter(Boolean)
        .map((part) => part.split(":") as [string, string]),
    ),
    lives: [...liveOf(JSON.parse(row["live"]?.S ?? "null")), ...pools.flatMap(({ live }) => liveOf(live))],
    cash: new Map([
      ...unpacked(textOf(row, "cash")),
      ...pools.map(({ instrumentId, asset, cash }) => [balanceKey({ scope: `ISO#${instrumentId}`, asset }), money(cash)] as const),
    ]),
    positions: new Map([
      ...unpacked(textOf(row, "positions")),
      ...pools.flatMap(({ instrumentId, position }) => (position === null ? [] : [[instrumentId, money(position.quantity)] as const])),
    ]),
  };
};

const callRowOf = (row: Row): CallRow => ({ ...callOf(JSON.parse(textOf(row, "body"))), status: textOf(row, "status") });

const orderRowOf = (row: Row): OrderRow => ({ ...orderOf(JSON.parse(textOf(row, "body"))), status: textOf(row, "status") });

const journalOf = (row: Row): JournalRow => {
  const text = textOf(row, "body");
  return { key: Number(textOf(row, "sk").slice("SEQ#".length)), text, hash: textOf(row, "hash"), envelope: JSON.parse(text) };
};

/** Reads what the invariants need of the book and the journal. @throws Error that names a row without its parts. */
export const readFinalTables = async (
  db: DynamoDBClient,
  tables: { readonly book: string; readonly journal: string },
): Promise<FinalTables> => {
  const [book, journal] = [await scan(db, tables.book), await scan(db, tables.journal)];
  const under = (prefix: string): Row[] => book.filter((row) => row["sk"]?.S?.startsWith(prefix));
  const journals = new Map<string, JournalRow[]>();
  for (const row of journal.filter((one) => one["sk"]?.S?.startsWith("SEQ#"))) {
    const accountId = textOf(row, "pk").slice("ACC#".length);
    journals.set(accountId, [...(journals.get(accountId) ?? []), journalOf(row)]);
  }
  for (const rows of journals.values()) rows.sort((a, b) => a.key - b.key);
  return {
    accounts: under("ACC#").map(accountOf),
    calls: under("CALL#").map(callRowOf),
    orders: under("ORDER#").map(orderRowOf),
    applied: under("ENTRY#").map((row) => ({
      accountId: textOf(row, "pk").slice("ACC#".length),
      externalId: textOf(row, "sk").slice("ENTRY#".length),
    })),
    journals,
  };
};
