import type { EventText } from "../../adapters/wire/events.ts";
import type { Item } from "../db/expressions.ts";
import type { Written } from "../db/memory-tables.ts";
import type { MarkState } from "../model/margin.ts";

/** What was broken, when, and by what: enough to find it in the trace. */
export class Violation extends Error {
  override readonly name = "Violation";
  readonly id: string;
  readonly at: number;
  constructor(id: string, at: number, words: string) {
    super(words);
    this.id = id;
    this.at = at;
  }
}

/** A call as its row has it; instants as they stand there. */
export interface CallRow {
  readonly callId: string;
  readonly accountId: string;
  readonly brokerId: string;
  readonly scope: string;
  readonly status: string;
  readonly version: number;
  readonly amountDue: string;
  readonly metAmount: string;
  readonly onBadMarks: boolean;
  readonly onUnmet: "reduce" | "restrict";
  readonly issuedAt: string;
  readonly graceMs: number;
  readonly deadlineAt: string | null;
  readonly noticeAcceptedAt: string | null;
  readonly deadlineMovedForNotice: boolean;
  readonly extendedAt: string | null;
  readonly overdueAt: string | null;
  readonly metBy: "payment" | "market" | null;
  readonly liquidationReason: "deadline" | "closeOut" | null;
  readonly attempt: number;
  readonly endedAt: string | null;
}

export interface OrderRow {
  readonly orderId: string;
  readonly callId: string;
  readonly accountId: string;
  readonly attempt: number;
  readonly instrumentId: string;
  readonly side: "buy" | "sell";
  readonly quantity: string;
  readonly filled: string;
  readonly cancelled: string;
  readonly limitPrice: string;
  readonly status: string;
}

export interface AccountRow {
  readonly accountId: string;
  readonly policyId: string;
  readonly version: number;
  readonly head: string;
  readonly level: string;
  readonly open: string;
  readonly outOfSync: boolean;
  readonly cash: ReadonlyMap<string, bigint>;
  readonly reserved: ReadonlyMap<string, bigint>;
  readonly positions: readonly { readonly instrumentId: string; readonly quantity: bigint; readonly entryPrice: bigint }[];
  readonly episode: { readonly handedOverAt: string | null } | null;
  readonly live: { readonly call: CallRow; readonly orders: readonly OrderRow[] } | null;
  /** Isolated pools by instrument; what stands above is of CROSS. */
  readonly pools: ReadonlyMap<string, PoolRow>;
}

type PoolRow = Pick<AccountRow, "level" | "episode" | "live" | "positions"> & { readonly cash: bigint };

/** Scopes of an account's row, CROSS first. */
export const scopesIn = ({ pools }: AccountRow): readonly string[] => ["CROSS", ...[...pools.keys()].map((id) => `ISO#${id}`)];

const NO_POOL: PoolRow = { cash: 0n, level: "HEALTHY", episode: null, live: null, positions: [] };

/** What of an account's row one scope is: only that may decide the scope's call. */
export const rowIn = (account: AccountRow, scope: string): AccountRow => {
  if (scope === "CROSS") return account;
  const { cash, ...pool } = account.pools.get(scope.slice(4)) ?? NO_POOL;
  return { ...account, ...pool, cash: new Map([["USDT", cash]]), reserved: new Map(), pools: new Map() };
};

export interface Envelope {
  readonly accountId: string;
  readonly brokerId: string;
  readonly seq: number;
  readonly at: string;
  readonly causedBy: string;
  readonly snapshotId: string | null;
  readonly publish: boolean;
  readonly prevHash: string;
  readonly entries: readonly {
    readonly fact: {
      readonly kind: string;
      readonly externalId: string;
      readonly sequence: number;
      readonly amount?: string;
      readonly instrumentId?: string;
    };
    readonly postings: readonly { readonly asset: string; readonly amount: string; readonly scope?: string }[];
  }[];
  readonly events: readonly EventText[];
  /** Null for an act; `kept` where a call or the level changed. */
  readonly decision?: { readonly kept?: { readonly account: Item } } | null;
}

/** A row that a transaction changed, before and after. */
export interface Changed<Row> {
  readonly before: Row | null;
  readonly after: Row;
}

/** One transaction of the book, read by code that the stores do not share. */
export interface Commit {
  /** True time. */
  readonly at: number;
  /** When the request was made: what it decides on was read before. Equal to `at` for what nobody asked for. */
  readonly askedAt: number;
  readonly account: Changed<AccountRow> | null;
  /** The account's row as it was; undefined for one that was not there. */
  readonly accountBefore: Item | undefined;
  readonly envelope: Envelope | null;
  /** The journal's row, and the text that was hashed. */
  readonly envelopeRow: Item | undefined;
  readonly envelopeText: string;
  readonly hash: string;
  readonly calls: readonly Changed<CallRow>[];
  readonly orders: readonly Changed<OrderRow>[];
  /** External ids that became applied, and whether they were before. */
  readonly entries: readonly { readonly externalId: string; readonly isNew: boolean }[];
}

/** A mark from an instant on, until the next one. */
export interface MarkSince {
  readonly from: number;
  readonly mark: MarkState;
}

/** A plain decimal of a row, exactly. */
export const fixedOf = (text: string): bigint => {
  const [whole = "0", fraction = ""] = text.replace("-", "").split(".");
  const value = BigInt(whole) * 100_000_000n + BigInt(fraction.padEnd(8, "0").slice(0, 8));
  return text.startsWith("-") ? -value : value;
};
/** A fixed-point amount as a number: for the model, never for what must be exact. */
export const floatOf = (value: bigint): number => Number(value) / 1e8;

const amounts = (packed: string | undefined): Map<string, bigint> =>
  new Map(
    (packed ?? "")
      .split(";")
      .filter((part) => part !== "")
      .map((part) => [part.slice(0, part.indexOf(":")), fixedOf(part.slice(part.indexOf(":") + 1))]),
  );

interface StoredPool {
  readonly instrumentId: string;
  readonly cash: string;
  readonly position: { readonly quantity: string; readonly entryPrice: string } | null;
  readonly level: string;
  readonly episode: AccountRow["episode"];
  readonly live: AccountRow["live"];
}

const poolRows = (text: string | undefined): AccountRow["pools"] =>
  new Map(
    (JSON.parse(text ?? "[]") as StoredPool[]).map(({ instrumentId, cash, position, level, episode, live }) => {
      const positions =
        position === null ? [] : [{ instrumentId, quantity: fixedOf(position.quantity), entryPrice: fixedOf(position.entryPrice) }];
      return [instrumentId, { cash: fixedOf(cash), level, episode, live, positions }];
    }),
  );

const accountRow = (item: Item): AccountRow => ({
  accountId: item["sk"]?.S?.slice(4) ?? "",
  version: Number(item["version"]?.N),
  policyId: (item["identity"]?.S ?? "").split(";")[3] ?? "",
  head: item["head"]?.S ?? "",
  level: item["level"]?.S ?? "",
  open: item["open"]?.S ?? "",
  outOfSync: item["gap"] !== undefined,
  cash: amounts(item["cash"]?.S),
  reserved: amounts(item["reserved"]?.S),
  positions: (item["positions"]?.S ?? "")
    .split(";")
    .filter((part) => part !== "")
    .map((part) => {
      const [instrumentId = "", quantity = "0", entryPrice = "0"] = part.split(":");
      return { instrumentId, quantity: fixedOf(quantity), entryPrice: fixedOf(entryPrice) };
    }),
  episode: item["episode"]?.S === undefined ? null : (JSON.parse(item["episode"].S) as AccountRow["episode"]),
  live: item["live"]?.S === undefined ? null : (JSON.parse(item["live"].S) as AccountRow["live"]),
  pools: poolRows(item["pools"]?.S),
});

const bodyOf = <Row>(item: Item): Row => JSON.parse(item["body"]?.S ?? "null") as Row;

const rows = new WeakMap<Item, unknown>();
/** Items never change, so each is read once. */
const readOnce = <Row>(item: Item, read: (item: Item) => Row): Row => {
  const known = rows.get(item) as Row | undefined;
  if (known !== undefined) return known;
  const row = read(item);
  rows.set(item, row);
  return row;
};

const changed = <Row>({ before, after }: Written, read: (item: Item) => Row): Changed<Row> => ({
  before: before === undefined ? null : readOnce(before, read),
  after: readOnce(after as Item, read),
});

/** Reads one request's writes to the book and the journal; null where it touched no account. */
export const commitOf = (written: readonly Written[], at: number, askedAt: number): Commit | null => {
  let account: Commit["account"] = null;
  let accountBefore: Item | undefined;
  let envelope: Envelope | null = null;
  let envelopeRow: Item | undefined;
  let [envelopeText, hash] = ["", ""];
  const calls: Changed<CallRow>[] = [];
  const orders: Changed<OrderRow>[] = [];
  const entries: { externalId: string; isNew: boolean }[] = [];
  let isOurs = false;
  for (const one of written) {
    const sk = one.after?.["sk"]?.S ?? "";
    if (one.after === undefined) continue;
    if (one.table.endsWith("-journal")) {
      envelopeRow = one.after;
      envelopeText = one.after["body"]?.S ?? "";
      hash = one.after["hash"]?.S ?? "";
      envelope = JSON.parse(envelopeText) as Envelope;
      isOurs = true;
    } else if (one.table.endsWith("-book")) {
      if (sk.startsWith("ACC#")) {
        account = changed(one, accountRow);
        accountBefore = one.before;
      } else if (sk.startsWith("CALL#")) calls.push(changed(one, bodyOf<CallRow>));
      else if (sk.startsWith("ORDER#")) orders.push(changed(one, bodyOf<OrderRow>));
      else if (sk.startsWith("ENTRY#")) entries.push({ externalId: sk.slice(6), isNew: one.before === undefined });
      else continue;
      isOurs = true;
    }
  }
  return isOurs ? { at, askedAt, account, accountBefore, envelope, envelopeRow, envelopeText, hash, calls, orders, entries } : null;
};

/** Reads a mark's row. */
export const markStateOf = (item: Item): MarkState => ({
  price: Number(item["price"]?.S),
  asOf: Number(item["asOf"]?.N),
  candidate:
    item["candidateAsOf"] === undefined ? null : { price: Number(item["candidatePrice"]?.S), asOf: Number(item["candidateAsOf"].N) },
});
