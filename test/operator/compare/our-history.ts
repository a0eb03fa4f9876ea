import { sealEnvelope } from "../../../adapters/dynamodb/envelope.ts";
import type { Item } from "../../../adapters/dynamodb/items.ts";
import { accountKey } from "../../../adapters/dynamodb/keys.ts";
import { type MarginAccount, newAccount } from "../../../core/account.ts";
import { decide } from "../../../core/decide.ts";
import type { Fact } from "../../../core/ledger.ts";
import type { MarketSnapshot } from "../../../core/mark.ts";
import type { PolicyInMode } from "../../../core/mode.ts";
import { money } from "../../../core/money.ts";
import type { OurBook } from "../../../operator/compare/ours.ts";
import { INSTRUMENTS, market, POLICY } from "../../core/call-fixtures.ts";

/** Our side, played: the core decides, and each change is journalled as the pipeline journals it. */
export interface OurHistory {
  /** Opens an account with these balances and positions, at sequence 1 of the venue's feed. */
  open(accountId: string, at: number, balances: Readonly<Record<string, string>>, positions: MarginAccount["positions"]): void;
  /** A fact of the venue at an instant, decided on the newest prices. */
  fact(accountId: string, at: number, fact: Fact): void;
  /** A sweep: every account is decided on these prices. */
  sweep(at: number, prices: Readonly<Record<string, string>>): void;
  book(): OurBook;
}

export const ourHistory = (policy: PolicyInMode = { ...POLICY, mode: "observe" }): OurHistory => {
  const { mode: _, ...terms } = policy;
  const accounts = new Map<string, MarginAccount>();
  const journals = new Map<string, Item[]>();
  const snapshots: MarketSnapshot[] = [];
  const instruments = new Map([...INSTRUMENTS].filter(([id]) => id === "BTC-PERP" || id === "BTC-USDT"));

  const change = (account: MarginAccount, at: number, facts: readonly Fact[]): void => {
    const snapshot = snapshots.at(-1) ?? { ...market(at, {}), instruments };
    const changed = decide(account, snapshot, policy, at, facts);
    if (changed === null) return;
    const decided = { snapshot, policy, now: at };
    const { row, hash } = sealEnvelope(changed, { causedBy: "test", snapshotId: snapshot.snapshotId, mode: policy.mode, decided }, at);
    accounts.set(account.accountId, { ...changed.after, headHash: hash });
    journals.set(account.accountId, [...(journals.get(account.accountId) ?? []), row]);
  };
  const held = (accountId: string): MarginAccount => accounts.get(accountId) as MarginAccount;

  return {
    open: (accountId, at, balances, positions) => {
      const identity = { accountId, key: accountKey(accountId), brokerId: "B1", clientClass: "retail", policyId: "standard" };
      const amounts = new Map(Object.entries(balances).map(([asset, amount]) => [asset, money(amount)]));
      const opening = { externalId: `open-${accountId}`, sequence: 1, occurredAt: at, balances: amounts, positions };
      change(newAccount(identity), at, [{ kind: "snapshot", ...opening }]);
    },
    fact: (accountId, at, fact) => change(held(accountId), at, [fact]),
    sweep: (at, prices) => {
      snapshots.push({ ...market(at, prices), instruments });
      for (const account of [...accounts.values()]) change(account, at, []);
    },
    book: () => ({
      instruments,
      snapshots,
      policies: [terms],
      defaultPolicy: "standard",
      accounts: [...journals].map(([accountId, journal]) => {
        const { brokerId, clientClass, policyId } = held(accountId);
        return { accountId, brokerId, clientClass, policyId, journal };
      }),
    }),
  };
};
