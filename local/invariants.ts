import { createHash } from "node:crypto";

import { money } from "../core/money.ts";
import { isExplained, type ShownStatement } from "./explained.ts";
import { balanceKey, type CallRow, type Envelope, type FinalTables, type JournalRow, type OrderRow } from "./final-tables.ts";
import type { VenueRecord } from "./venue.ts";
import { type Ledger, ledger, type Verdict } from "./verdict.ts";

/** What reached somebody: ids as they stood in the notice. */
export interface Notice {
  readonly channel: "email" | "webhook";
  readonly callId: string | null;
}

/** What is judged: the final tables, what the venue knows, and what was sent. */
export interface Evidence {
  readonly tables: FinalTables;
  readonly venue: VenueRecord;
  readonly notices: readonly Notice[];
  /** Fresh statements of the accounts that were called, as the API shows them. */
  readonly statements: readonly ShownStatement[];
}

/** Characters of an id before the number of its call: `MC-` and the account's key. */
const KEYED = "MC-ABCDEFGHIJKL".length;

const ENDED = new Set(["MET", "CANCELLED", "CLOSED_FLAT", "LIQUIDATED", "LIQUIDATION_FAILED"]);
const EDGES: Readonly<Record<string, readonly string[]>> = {
  "": ["OPEN", "LIQUIDATING"],
  OPEN: ["OPEN", "MET", "CANCELLED", "CLOSED_FLAT", "LIQUIDATING"],
  LIQUIDATING: ["LIQUIDATING", "LIQUIDATED", "LIQUIDATION_FAILED", "MET"],
};

const envelopesOf = (tables: FinalTables): Envelope[] => [...tables.journals.values()].flatMap((rows) => rows.map((row) => row.envelope));

const byId = <T>(rows: readonly T[], id: (row: T) => string): Map<string, T> => new Map(rows.map((row) => [id(row), row]));

const abs = (value: bigint): bigint => (value < 0n ? -value : value);

/** A live call with the orders of its present attempt, in one line. */
const liveText = (call: CallRow, orders: readonly OrderRow[]): string => {
  const present = orders.filter(({ callId, attempt }) => callId === call.callId && attempt === call.attempt);
  const shown = present.map(({ orderId, status, filled, cancelled }) => `${orderId} ${status} ${filled} ${cancelled}`).sort();
  return `${call.callId} version ${call.version} ${call.status} [${shown.join(", ")}]`;
};

/** I01: at most one live call per account and scope, and the account names exactly it, as its own rows have it. */
const i01 = ({ tables }: Evidence): Verdict => {
  const book = ledger();
  const ordersOf = Map.groupBy(tables.orders, ({ accountId }) => accountId);
  const live = Map.groupBy(
    tables.calls.filter(({ status }) => !ENDED.has(status)),
    ({ accountId }) => accountId,
  );
  for (const account of tables.accounts) {
    const calls = live.get(account.accountId) ?? [];
    const named = [...account.openCalls].map(([scope, callId]) => `${scope} ${callId}`).sort();
    const there = calls.map((call) => `${call.scope} ${call.callId}`).sort();
    book.check(
      named.join() === there.join(),
      () => `${account.accountId}: names ${named.join() || "no call"}, live is ${there.join() || "none"}`,
    );
    const held =
      account.lives
        .map(({ call, orders }) => liveText(call, orders))
        .sort()
        .join() || "none";
    const own = ordersOf.get(account.accountId) ?? [];
    const rows =
      calls
        .map((call) => liveText(call, own))
        .sort()
        .join() || "none";
    book.check(held === rows, () => `${account.accountId}: holds ${held}, its rows have ${rows}`);
    book.check(new Set(calls.map((call) => call.scope)).size === calls.length, () => `${account.accountId}: two live calls of one scope`);
  }
  return book.verdict();
};

/** I02: calls move only along the edges of R8, each write counted, and nothing moves once it has ended. */
const i02 = ({ tables }: Evidence): Verdict => {
  const book = ledger();
  const last = new Map<string, { status: string; version: number }>();
  for (const envelope of envelopesOf(tables)) {
    for (const { callId, status, version } of envelope.calls) {
      const before = last.get(callId) ?? { status: "", version: 0 };
      book.check(
        (EDGES[before.status] ?? []).includes(status) && version > before.version,
        () => `${callId}: ${before.status || "nothing"} (${before.version}) to ${status} (${version})`,
      );
      last.set(callId, { status, version });
    }
  }
  for (const call of tables.calls) {
    const told = last.get(call.callId);
    book.check(
      told?.status === call.status && told.version === call.version,
      () => `${call.callId}: ${call.status} is not what its journal ends in`,
    );
  }
  return book.verdict();
};

/**
 * I04: no call is liquidated before its promised deadline, but below maintenance margin. Judged where the
 * call becomes LIQUIDATING: later attempts of the same liquidation carry it to its target (R14).
 */
const i04 = ({ tables }: Evidence): Verdict => {
  const book = ledger();
  const last = new Map<string, { status: string; deadlineAt: string | null }>();
  for (const envelope of envelopesOf(tables)) {
    for (const call of envelope.calls) {
      const before = last.get(call.callId) ?? { status: "", deadlineAt: null };
      last.set(call.callId, { status: call.status, deadlineAt: call.deadlineAt ?? before.deadlineAt });
      if (call.status !== "LIQUIDATING" || before.status === "LIQUIDATING") continue;
      const event = envelope.events.find((one) => one.type === "liquidation.started" && one.call?.callId === call.callId);
      const figures = event?.figures ?? null;
      const below = figures !== null && money(figures.equity) < money(figures.maintenanceRequirement);
      const after = before.deadlineAt !== null && Date.parse(envelope.at) >= Date.parse(before.deadlineAt);
      const reason = event?.call?.liquidationReason ?? "no reason";
      book.check(
        reason === "closeOut" ? below : after,
        () => `${call.callId}: ${reason} at ${envelope.at}, deadline ${before.deadlineAt ?? "none"}`,
      );
    }
  }
  return book.verdict();
};

/** I05: a promised deadline never moves earlier, and leaves at least the grace. */
const i05 = ({ tables }: Evidence): Verdict => {
  const book = ledger();
  const promised = new Map<string, number>();
  for (const envelope of envelopesOf(tables)) {
    for (const { callId, deadlineAt } of envelope.calls) {
      if (deadlineAt === null) continue;
      const before = promised.get(callId) ?? 0;
      book.check(Date.parse(deadlineAt) >= before, () => `${callId}: deadline moved earlier to ${deadlineAt}`);
      promised.set(callId, Date.parse(deadlineAt));
    }
  }
  for (const call of tables.calls) {
    if (call.deadlineAt !== null) book.check(call.deadlineAt >= call.issuedAt + call.graceMs, () => `${call.callId}: less than its grace`);
  }
  return book.verdict();
};

/** I06: no order for a call that was met, cancelled or closed flat when it was decided; and none of a met call was sent. */
const i06 = ({ tables }: Evidence): Verdict => {
  const book = ledger();
  const status = new Map<string, string>();
  const decided = new Set<string>();
  const orders = byId(tables.orders, (order) => order.orderId);
  for (const envelope of envelopesOf(tables)) {
    for (const call of envelope.calls) status.set(call.callId, call.status);
    for (const { orderId, status: state } of envelope.orders) {
      const callId = orders.get(orderId)?.callId ?? "";
      const first = !decided.has(orderId);
      decided.add(orderId);
      if (first || state === "SENT")
        book.check(status.get(callId) === "LIQUIDATING", () => `${orderId}: ${state} while its call is ${status.get(callId)}`);
    }
  }
  for (const order of tables.orders) book.check(decided.has(order.orderId), () => `${order.orderId}: no journal entry decides it`);
  return book.verdict();
};

/** I09: an order's id is a pure function of call, attempt and instrument; each is sent and accepted at most once. */
const i09 = ({ tables, venue }: Evidence): Verdict => {
  const book = ledger();
  const rows = new Map<string, number>();
  const sent = new Map<string, number>();
  for (const { orders } of envelopesOf(tables))
    for (const { orderId, status } of orders) if (status === "SENT") sent.set(orderId, (sent.get(orderId) ?? 0) + 1);
  const restored = new Set(envelopesOf(tables).flatMap(({ accountId, follows }) => (follows === undefined ? [] : [accountId])));
  for (const order of tables.orders) {
    rows.set(order.orderId, (rows.get(order.orderId) ?? 0) + 1);
    const id = `${order.callId}-${order.attempt}-${order.instrumentId}`;
    // After a restore an older call's next attempts have the account's new key, of the same length (S54).
    const isIts = order.orderId === id || (restored.has(order.accountId) && order.orderId.slice(KEYED) === id.slice(KEYED));
    book.check(isIts && rows.get(order.orderId) === 1, () => `${order.orderId}: is not the one ${id}`);
    book.check((sent.get(order.orderId) ?? 0) <= 1, () => `${order.orderId}: sent ${sent.get(order.orderId)} times`);
  }
  for (const orderId of venue.orders.keys()) book.check(rows.has(orderId), () => `${orderId}: accepted by the venue, unknown to the book`);
  return book.verdict();
};

/** Live quantities of orders by account and instrument, as the journal goes on. */
const liveQuantity = (live: ReadonlyMap<string, OrderRow>, accountId: string, instrumentId: string): bigint =>
  [...live.values()].reduce(
    (sum, order) => sum + (order.accountId === accountId && order.instrumentId === instrumentId ? order.quantity : 0n),
    0n,
  );

const applyEntries = (book: Ledger, positions: Map<string, bigint>, envelope: Envelope): void => {
  for (const { fact } of envelope.entries) {
    if (fact.kind === "snapshot") {
      positions.clear();
      for (const held of fact.positions ?? []) positions.set(held.instrumentId, money(held.quantity));
    }
    if (fact.kind !== "fill" || fact.instrumentId === undefined || fact.quantity === undefined) continue;
    const before = positions.get(fact.instrumentId) ?? 0n;
    const change = money(fact.quantity);
    if (typeof fact.orderId === "string") {
      const reduces = before !== 0n && before > 0n !== change > 0n && abs(change) <= abs(before);
      book.check(reduces, () => `${envelope.accountId} ${envelope.seq}: fill ${fact.quantity} against a position of ${before}`);
    }
    positions.set(fact.instrumentId, before + change);
  }
};

/** I10: orders never ask for more than the position they close, fills never turn it round, and the account holds what the facts add up to. */
const i10 = ({ tables }: Evidence): Verdict => {
  const book = ledger();
  const orders = byId(tables.orders, (order) => order.orderId);
  const accounts = byId(tables.accounts, (account) => account.accountId);
  for (const [accountId, rows] of tables.journals) {
    const positions = new Map<string, bigint>();
    const live = new Map<string, OrderRow>();
    for (const { envelope } of rows) {
      applyEntries(book, positions, envelope);
      for (const { orderId, status } of envelope.orders) {
        const order = orders.get(orderId);
        const planned = status === "PENDING" && !live.has(orderId);
        if (order !== undefined) live.set(orderId, order);
        if (status !== "PENDING" && status !== "SENT") live.delete(orderId);
        if (order === undefined || !planned) continue;
        const held = positions.get(order.instrumentId) ?? 0n;
        const reduces = order.side === "sell" ? held > 0n : held < 0n;
        book.check(
          reduces && liveQuantity(live, accountId, order.instrumentId) <= abs(held),
          () => `${orderId}: ${order.quantity} against ${held}`,
        );
      }
    }
    const holds = [...positions]
      .filter(([, quantity]) => quantity !== 0n)
      .map(([id, quantity]) => `${id} ${quantity}`)
      .sort();
    const stored = [...(accounts.get(accountId)?.positions ?? [])].map(([id, quantity]) => `${id} ${quantity}`).sort();
    book.check(holds.join() === stored.join(), () => `${accountId}: holds ${stored.join()}, its facts say ${holds.join()}`);
  }
  return book.verdict();
};

/** I11: what was filled, returned and is still open is what was ordered, and the fills are those of the venue. */
const i11 = ({ tables, venue }: Evidence): Verdict => {
  const book = ledger();
  const filled = new Map<string, bigint>();
  for (const { entries } of envelopesOf(tables)) {
    for (const { fact } of entries) {
      if (fact.kind === "fill" && typeof fact.orderId === "string") {
        filled.set(fact.orderId, (filled.get(fact.orderId) ?? 0n) + abs(money(fact.quantity ?? "0")));
      }
      // A snapshot has the last word on orders whose fills were lost with a gap or a restore (R16, S54).
      for (const { orderId, filled: told } of fact.closedOrders ?? []) filled.set(orderId, money(told));
    }
  }
  for (const order of tables.orders) {
    const done = order.filled + order.cancelled;
    const live = order.status === "PENDING" || order.status === "SENT";
    const at = venue.orders.get(order.orderId)?.filled ?? 0n;
    book.check(
      live ? done <= order.quantity : done === order.quantity,
      () => `${order.orderId}: ${order.filled} + ${order.cancelled} of ${order.quantity}`,
    );
    book.check(
      order.filled === (filled.get(order.orderId) ?? 0n) && (live || order.filled === at),
      () => `${order.orderId}: filled ${order.filled}, the venue ${at}`,
    );
  }
  return book.verdict();
};

/** What a fact of cash must post, asset by asset, where it says so itself. */
const statedPosting = (fact: Envelope["entries"][number]["fact"]): Map<string, bigint> | null => {
  if (fact.asset === undefined || fact.amount === undefined) return null;
  // A deposit that still confirms has moved nothing (R15).
  const amount = fact.kind === "deposit_pending" ? 0n : money(fact.amount);
  return new Map([[fact.asset, fact.kind === "withdrawal" ? -amount : amount]]);
};

/** True where the venue told every fact of the account that the journal has: then its own books know the cash. */
const isVenues = (rows: readonly JournalRow[], sent: readonly string[] | undefined): boolean => {
  const told = new Set(sent);
  return rows.every(({ envelope }) => envelope.entries.every(({ fact }) => told.has(fact.externalId)));
};

/**
 * I14: each account's cash is the sum of its journalled postings, in each scope and asset, to the last unit; and it is
 * what the venue's own books have, premiums, profits, fees and transfers by the venue's own arithmetic.
 */
const i14 = ({ tables, venue }: Evidence): Verdict => {
  const book = ledger();
  for (const account of tables.accounts) {
    const sums = new Map<string, bigint>();
    for (const { envelope } of tables.journals.get(account.accountId) ?? []) {
      for (const { fact, postings } of envelope.entries) {
        for (const one of postings) sums.set(balanceKey(one), (sums.get(balanceKey(one)) ?? 0n) + money(one.amount));
        for (const [asset, stated] of statedPosting(fact) ?? []) {
          const posted = postings.reduce((sum, posting) => sum + (posting.asset === asset ? money(posting.amount) : 0n), 0n);
          book.check(posted === stated, () => `${account.accountId}: ${fact.externalId} posts ${posted}, it says ${stated}`);
        }
      }
    }
    for (const asset of new Set([...sums.keys(), ...account.cash.keys()])) {
      const [sum, cash] = [sums.get(asset) ?? 0n, account.cash.get(asset) ?? 0n];
      book.check(sum === cash, () => `${account.accountId}: ${cash} ${asset}, its postings add up to ${sum}`);
    }
    const own = venue.accounts.get(account.accountId)?.cash;
    if (own === undefined || !isVenues(tables.journals.get(account.accountId) ?? [], venue.facts.get(account.accountId))) continue;
    for (const key of new Set([...own.keys(), ...account.cash.keys()])) {
      const [theirs, cash] = [own.get(key) ?? 0n, account.cash.get(key) ?? 0n];
      book.check(theirs === cash, () => `${account.accountId}: ${cash} ${key}, the venue has ${theirs}`);
    }
  }
  return book.verdict();
};

/** I17: every fact that the venue sent was applied, once. */
const i17 = ({ tables, venue }: Evidence): Verdict => {
  const book = ledger();
  const journalled = new Map<string, number>();
  const count = (key: string): void => void journalled.set(key, (journalled.get(key) ?? 0) + 1);
  for (const envelope of envelopesOf(tables)) for (const { fact } of envelope.entries) count(`${envelope.accountId} ${fact.externalId}`);
  for (const { accountId, externalId } of tables.applied) {
    const times = journalled.get(`${accountId} ${externalId}`) ?? 0;
    book.check(times === 1, () => `${accountId}: ${externalId} journalled ${times} times`);
  }
  const applied = new Set(tables.applied.map(({ accountId, externalId }) => `${accountId} ${externalId}`));
  for (const key of journalled.keys()) book.check(applied.has(key), () => `${key}: journalled without its row`);
  for (const [accountId, sent] of venue.facts) {
    for (const externalId of sent)
      book.check(applied.has(`${accountId} ${externalId}`), () => `${accountId}: ${externalId} was sent, not applied`);
  }
  return book.verdict();
};

/** I20: one journal entry per version of an account, without a gap but one that a restore declares (S54), each the hash of its text and of the one before. */
const i20 = ({ tables }: Evidence): Verdict => {
  const book = ledger();
  for (const account of tables.accounts) {
    const rows = tables.journals.get(account.accountId) ?? [];
    let before = "";
    let last = 0;
    for (const row of rows) {
      const { envelope } = row;
      const due = envelope.follows === last && envelope.seq > last ? envelope.seq : last + 1;
      const chained = envelope.prevHash === before && row.hash === createHash("sha256").update(row.text).digest("base64url");
      const placed = row.key === due && envelope.seq === due && envelope.accountId === account.accountId;
      book.check(chained && placed, () => `${account.accountId}: entry ${due} is ${placed ? "not chained" : `number ${row.key}`}`);
      before = row.hash;
      last = row.key;
    }
    book.check(
      last === account.version && account.head === before,
      () => `${account.accountId}: version ${account.version}, ${rows.length} entries`,
    );
  }
  return book.verdict();
};

/** I22: nobody was told of a call that does not exist. */
const i22 = ({ tables, notices }: Evidence): Verdict => {
  const book = ledger();
  const calls = new Set(tables.calls.map((call) => call.callId));
  for (const { channel, callId } of notices) {
    if (callId !== null) book.check(calls.has(callId), () => `${channel}: ${callId} does not exist`);
  }
  return book.verdict();
};

const CHECKS = {
  I01: i01,
  I02: i02,
  I04: i04,
  I05: i05,
  I06: i06,
  I09: i09,
  I10: i10,
  I11: i11,
  I14: i14,
  I17: i17,
  I20: i20,
  I22: i22,
  explained: ({ tables, statements }: Evidence) => isExplained(envelopesOf(tables), statements),
} as const;
export type InvariantId = keyof typeof CHECKS;

/** Judges every invariant that the final tables can show. */
export const judgeInvariants = (evidence: Evidence): Record<InvariantId, Verdict> =>
  Object.fromEntries(Object.entries(CHECKS).map(([id, check]) => [id, check(evidence)])) as Record<InvariantId, Verdict>;
