import { hashOf } from "../../adapters/dynamodb/keys.ts";
import { instantOf } from "../time/instants.ts";
import {
  type AccountRow,
  type CallRow,
  type Changed,
  type Commit,
  type Envelope,
  fixedOf,
  type OrderRow,
  rowIn,
  scopesIn,
} from "./witness.ts";

/** Holds or breaks one property; what breaks ends the run. */
export type Check = (id: string, holds: boolean, words: () => string) => void;

const ENDED: ReadonlySet<string> = new Set(["MET", "CANCELLED", "CLOSED_FLAT", "LIQUIDATED", "LIQUIDATION_FAILED"]);
export const isLive = ({ status }: { readonly status: string }): boolean => !ENDED.has(status);

/** The live calls that an account's row holds, one a scope. */
const livesIn = (account: AccountRow | undefined): readonly CallRow[] =>
  account === undefined ? [] : scopesIn(account).flatMap((scope) => rowIn(account, scope).live?.call ?? []);

/** R8. */
const EDGES: Readonly<Record<string, readonly string[]>> = {
  "": ["OPEN", "LIQUIDATING"],
  OPEN: ["OPEN", "MET", "CANCELLED", "CLOSED_FLAT", "LIQUIDATING"],
  LIQUIDATING: ["LIQUIDATING", "LIQUIDATED", "LIQUIDATION_FAILED", "MET"],
};

interface Journal {
  seq: number;
  hash: string;
}

/** Properties of each transaction by itself and of what it follows (I01, I02, I05, I06, I11, I14, I17, I20). */
export class BookChecks {
  private readonly check: Check;
  private readonly journals = new Map<string, Journal>();
  private readonly liveCalls = new Map<string, Map<string, CallRow>>();
  private readonly applied = new Map<string, Set<string>>();
  /** Number of the newest fact of each account. */
  private readonly numbers = new Map<string, number>();
  private readonly graceSlackMs: number;
  /** @param graceSlackMs what of a grace may be missing: nothing, but where clocks are off by minutes. */
  constructor(check: Check, graceSlackMs: number) {
    this.check = check;
    this.graceSlackMs = graceSlackMs;
  }

  /** I20: one envelope in the same transaction, next in its account's chain, with the hash of what it says. */
  private journal({ account, envelope, envelopeText, hash }: Commit): void {
    this.check("I20", account !== null && envelope !== null, () => "a change of the book without its account or without its journal entry");
    if (account === null || envelope === null) return;
    const { accountId, version, head } = account.after;
    const last = this.journals.get(accountId) ?? { seq: 0, hash: "" };
    this.check(
      "I20",
      envelope.accountId === accountId && envelope.seq === last.seq + 1,
      () => `${accountId}: entry ${envelope.seq} after ${last.seq}`,
    );
    this.check("I20", envelope.prevHash === last.hash, () => `${accountId}: entry ${envelope.seq} does not follow its predecessor`);
    this.check("I20", hashOf(envelopeText) === hash && head === hash, () => `${accountId}: entry ${envelope.seq} has another hash`);
    this.check(
      "I03",
      version === envelope.seq && (account.before?.version ?? 0) === version - 1,
      () => `${accountId}: version ${account.before?.version} to ${version}`,
    );
    this.journals.set(accountId, { seq: envelope.seq, hash });
  }

  /** I01: at most one live call, and the account's row names it and holds what its own rows hold. */
  private oneLiveCall({ account, calls }: Commit): void {
    if (account === null) return;
    const { accountId, open } = account.after;
    const alive = this.liveCalls.get(accountId) ?? new Map<string, CallRow>();
    this.liveCalls.set(accountId, alive);
    for (const { after } of calls) {
      if (isLive(after)) alive.set(after.callId, after);
      else alive.delete(after.callId);
    }
    const named = [...alive.values()].map(({ scope, callId }) => `${scope}:${callId}`).sort();
    this.check("I01", open === named.join(";"), () => `${accountId}: names ${open || "no call"}, live is ${named.join() || "none"}`);
    const scopes = new Set([...scopesIn(account.after), ...[...alive.values()].map(({ scope }) => scope)]);
    for (const scope of scopes)
      this.oneOfScope(
        rowIn(account.after, scope),
        [...alive.values()].filter((call) => call.scope === scope),
      );
  }

  private oneOfScope({ accountId, live, positions, cash }: AccountRow, alive: readonly CallRow[]): void {
    this.check("I01", alive.length <= 1, () => `${accountId}: ${alive.map(({ callId }) => callId).join(" and ")} are live in one scope`);
    const [one] = alive;
    const isFlat = positions.length === 0 && (cash.get("USDT") ?? 0n) >= 0n;
    this.check("L03", !isFlat || one?.status !== "OPEN", () => `${one?.callId}: open on a flat account`);
    this.check(
      "I01",
      JSON.stringify(live?.call) === JSON.stringify(one),
      () => `${accountId}: holds another state of ${one?.callId} than its row`,
    );
  }

  private edges({ before, after }: Changed<CallRow>): void {
    const from = before?.status ?? "";
    this.check("I02", (EDGES[from] ?? []).includes(after.status), () => `${after.callId}: ${from || "nothing"} to ${after.status}`);
    this.check(
      "I02",
      after.version === (before?.version ?? 0) + 1,
      () => `${after.callId}: version ${before?.version ?? 0} to ${after.version}`,
    );
  }

  /** I05: a promised deadline leaves the whole grace from the instant at which the call is there, and never moves earlier. */
  private deadline({ before, after }: Changed<CallRow>, at: number): void {
    if (after.deadlineAt === null) return;
    const promised = instantOf(after.deadlineAt);
    if (before?.deadlineAt != null) {
      this.check("I05", promised >= instantOf(before.deadlineAt), () => `${after.callId}: deadline moved earlier, to ${after.deadlineAt}`);
      return;
    }
    if (after.status === "OPEN")
      this.check(
        "I05",
        promised >= at + after.graceMs - this.graceSlackMs,
        () => `${after.callId}: ${promised - at} ms left of a grace of ${after.graceMs} ms`,
      );
  }

  /** I05, R12: a first notice that was accepted late moves the deadline, so that the whole grace is left from then. */
  private lateNotice({ before, after }: Changed<CallRow>): void {
    this.check(
      "I05",
      before?.noticeAcceptedAt == null || after.noticeAcceptedAt === before.noticeAcceptedAt,
      () => `${after.callId}: first accepted at ${before?.noticeAcceptedAt}, then at ${after.noticeAcceptedAt}`,
    );
    const isLiquidated = before?.status === "OPEN" && after.status === "LIQUIDATING" && after.liquidationReason === "deadline";
    if (!isLiquidated || after.noticeAcceptedAt === null || after.deadlineAt === null || after.overdueAt !== null) return;
    const accepted = instantOf(after.noticeAcceptedAt);
    const isLate = accepted > instantOf(after.issuedAt) + 60_000;
    this.check(
      "I05",
      !isLate || instantOf(after.deadlineAt) >= accepted + after.graceMs,
      () => `${after.callId}: a notice of ${after.noticeAcceptedAt} left less than its grace`,
    );
  }

  /** I06: an order is born and leaves only while its call liquidates. I11: what it filled and returned never exceeds it. */
  private orders({ orders: changes, calls, account }: Commit): void {
    for (const { before, after } of changes) {
      const status =
        calls.find((call) => call.after.callId === after.callId)?.after.status ??
        livesIn(account?.after).find(({ callId }) => callId === after.callId)?.status ??
        "none";
      const leaves = after.status === "SENT" && before?.status !== "SENT";
      if (before === null || leaves)
        this.check("I06", status === "LIQUIDATING", () => `${after.orderId}: ${after.status} while its call is ${status}`);
      this.orderSums(before, after);
    }
  }

  private orderSums(before: OrderRow | null, after: OrderRow): void {
    const [quantity, filled, cancelled] = [fixedOf(after.quantity), fixedOf(after.filled), fixedOf(after.cancelled)];
    const isEnded = after.status === "FILLED" || after.status === "CANCELLED";
    this.check(
      "I11",
      filled + cancelled <= quantity && (!isEnded || filled + cancelled === quantity),
      () => `${after.orderId}: ${after.filled} filled and ${after.cancelled} returned of ${after.quantity}`,
    );
    this.check(
      "I11",
      before === null || filled >= fixedOf(before.filled),
      () => `${after.orderId}: fills went back from ${before?.filled} to ${after.filled}`,
    );
    this.check(
      "I09",
      after.orderId === `${after.callId}-${after.attempt}-${after.instrumentId}`,
      () => `${after.orderId}: is no function of call, attempt and instrument`,
    );
  }

  /** I17: each external id is applied once, for ever. */
  private once(accountId: string, { entries }: Envelope, rows: Commit["entries"]): void {
    const known = this.applied.get(accountId) ?? new Set<string>();
    this.applied.set(accountId, known);
    for (const { fact } of entries) {
      this.check("I17", !known.has(fact.externalId), () => `${accountId}: ${fact.externalId} is applied twice`);
      known.add(fact.externalId);
    }
    this.check(
      "I17",
      rows.every(({ isNew }) => isNew) && rows.length === entries.length,
      () => `${accountId}: facts and their rows differ`,
    );
  }

  /** I14: balances change by the postings of the entries and by nothing else, to the last unit. */
  private conserved({ account, envelope }: Commit): void {
    if (account === null || envelope === null) return;
    const { before, after } = account;
    const postings = envelope.entries.flatMap((entry) => entry.postings);
    for (const scope of new Set([...scopesIn(after), ...(before === null ? [] : scopesIn(before))])) {
      const own = postings.filter((posting) => (posting.scope ?? "CROSS") === scope);
      const sums = new Map(before === null ? [] : rowIn(before, scope).cash);
      for (const { asset, amount } of own) sums.set(asset, (sums.get(asset) ?? 0n) + fixedOf(amount));
      for (const [asset, sum] of sums) {
        const held = rowIn(after, scope).cash.get(asset) ?? 0n;
        this.check("I14", held === sum, () => `${envelope.accountId}: ${scope} ${asset} is ${held}, its postings make ${sum}`);
      }
    }
  }

  /**
   * I14: the book differs from the venue's statement only where facts that the statement counts never came. A book in
   * sync that has them all is what the venue has, to the last unit; one that holds more was told later.
   */
  private reconciled({ account, envelope }: Commit): void {
    if (account === null || envelope === null) return;
    const { accountId } = envelope;
    let last = this.numbers.get(accountId) ?? 0;
    let isInSync = account.before?.outOfSync !== true;
    for (const { fact } of envelope.entries) {
      if (fact.kind === "reconciliation") {
        this.check(
          "I14",
          !isInSync || fact.sequence > last,
          () => `${accountId}: has all ${last} facts and differs from ${fact.externalId}`,
        );
        isInSync = false;
      } else if (fact.sequence > last) {
        if (fact.kind === "snapshot") isInSync = true;
        else if (fact.sequence > last + 1) isInSync = false;
        last = fact.sequence;
      }
    }
    this.check(
      "I14",
      isInSync || account.after.outOfSync,
      () => `${accountId}: differs from the venue or lacks facts, and is not out of sync`,
    );
    this.numbers.set(accountId, last);
  }

  judge(commit: Commit): void {
    this.journal(commit);
    for (const call of commit.calls) {
      this.edges(call);
      this.deadline(call, commit.at);
      this.lateNotice(call);
    }
    this.oneLiveCall(commit);
    this.orders(commit);
    if (commit.envelope !== null) this.once(commit.envelope.accountId, commit.envelope, commit.entries);
    this.conserved(commit);
    this.reconciled(commit);
  }
}
