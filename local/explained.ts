import type * as z from "zod";

import { accountReply } from "../adapters/wire/api.ts";
import type { Envelope } from "./final-tables.ts";
import type { ReplayCloud } from "./replay.ts";
import { ledger, type Verdict } from "./verdict.ts";

/** What a statement requires and the parts that it names, of one scope of an account. */
export interface ShownStatement {
  readonly accountId: string;
  readonly scope: string;
  readonly initial: bigint;
  readonly maintenance: bigint;
  readonly components: readonly { readonly name: string; readonly initial: bigint; readonly maintenance: bigint }[];
}

type Shown = z.output<typeof accountReply>["statement"];

const shown = (accountId: string, scope: string, { low, components }: Shown): ShownStatement => ({
  accountId,
  scope,
  initial: low.initial,
  maintenance: low.maintenance,
  components,
});

/** Asks the API for fresh statements of accounts, each scope one. @throws Error in the API's own words. */
export const readStatements = async (cloud: Pick<ReplayCloud, "request">, accountIds: Iterable<string>): Promise<ShownStatement[]> => {
  const statements: ShownStatement[] = [];
  for (const accountId of accountIds) {
    const { status, body } = await cloud.request("GET", `/accounts/${accountId}`, null, "operator");
    if (status !== 200) throw new Error(`GET /accounts/${accountId} was answered ${status}: ${JSON.stringify(body).slice(0, 400)}`);
    const reply = accountReply.parse(body);
    statements.push(shown(accountId, "CROSS", reply.statement));
    for (const pool of reply.pools) statements.push(shown(accountId, `ISO#${pool.instrumentId}`, pool.statement));
  }
  return statements;
};

const REQUIREMENTS = ["initial", "maintenance"] as const;

/**
 * Every call explains itself: when it was issued, or born in liquidation, it names the part of the requirement that was
 * the largest or the debts, and the parts of a fresh statement add up to its requirement. Each part is rounded up by itself, so that
 * their sum is above the requirement by at most one unit of 1e-8 a part.
 */
export const isExplained = (envelopes: readonly Envelope[], statements: readonly ShownStatement[]): Verdict => {
  const book = ledger();
  for (const { events } of envelopes) {
    for (const { type, call } of events) {
      if (call === null || (type !== "margin_call.issued" && type !== "liquidation.started")) continue;
      book.check((call.boundBy ?? "") !== "", () => `${call.callId}: ${type} without what bound it`);
    }
  }
  for (const { accountId, scope, components, ...required } of statements) {
    for (const requirement of REQUIREMENTS) {
      const sum = components.reduce((total, part) => total + part[requirement], 0n);
      const over = sum - required[requirement];
      book.check(
        over >= 0n && over <= BigInt(components.length) && components.every(({ name }) => name !== ""),
        () => `${accountId} ${scope}: its parts add up to ${sum}, ${requirement} is ${required[requirement]}`,
      );
    }
  }
  return book.verdict();
};
