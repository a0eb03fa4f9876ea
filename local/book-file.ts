import { readFileSync } from "node:fs";

import * as z from "zod";

import { balances, positions } from "../adapters/wire/feed.ts";
import { placesOf } from "../adapters/wire/parse.ts";
import { contactBody } from "../adapters/wire/parties.ts";
import { statedPools } from "../adapters/wire/pools.ts";
import { accountId, brokerId, clientClass, policyId } from "../adapters/wire/scalars.ts";
import { type BookAccount, BROKERS } from "./book.ts";
import type { Market } from "./market.ts";
import { Refusal } from "./options.ts";
import { COIN_POLICY_ID, DEFAULT_POLICY_ID } from "./terms.ts";

/**
 * The book file of `--book`: JSON, an object with one list `accounts`. Balances and positions are
 * written as the API's feed takes them; everything but the account id and the holdings has a default.
 *
 * ```json
 * { "accounts": [ { "accountId": "desk-1", "balances": { "USDT": "25000" },
 *     "positions": [ { "instrumentId": "BTC-PERP", "quantity": "12", "entryPrice": "7935" } ] } ] }
 * ```
 */
const account = z.strictObject({
  accountId,
  brokerId: brokerId.default(BROKERS[0][0]),
  clientClass: clientClass.default("retail"),
  policyId: policyId.default(DEFAULT_POLICY_ID),
  balances,
  positions,
  pools: statedPools,
  contact: contactBody.optional(),
});

const bookFile = z.strictObject({ accounts: z.array(account).min(1).max(1_000_000) });

const contentOf = (file: string): unknown => {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Refusal(
      `${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? "unreadable"}); give --book the path of a JSON file`,
    );
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal(`${file}: is no JSON (${(error as Error).message.split("\n")[0]}); see examples/books for the form`);
  }
};

/** What of an account the replayed venue does not have; null when it has everything. */
const unknownOf = (one: BookAccount, market: Market, policies: readonly string[]): string | null => {
  const listed = new Set(market.listings.filter(({ kind }) => kind !== "spot").map(({ instrumentId }) => instrumentId));
  const named = [...one.positions, ...[...(one.pools ?? new Map()).keys()].map((instrumentId) => ({ instrumentId }))];
  const stranger = named.find((held) => !listed.has(held.instrumentId));
  if (stranger !== undefined) return `instrument ${stranger.instrumentId} has no prices; listed are ${[...listed].join(", ")}`;
  const assets = new Set([market.valuationAsset, ...market.collateral.map(({ asset }) => asset)]);
  const coin = [...one.balances.keys()].find((asset) => !assets.has(asset));
  if (coin !== undefined) return `asset ${coin} has no price; priced are ${[...assets].join(", ")}`;
  return policies.includes(one.policyId) ? null : `policy ${one.policyId} is unknown; known are ${policies.join(", ")}`;
};

/**
 * Reads a book.
 *
 * @param policies ids that its accounts may name.
 * @throws Refusal in one line that names the file, the place and what is wrong there.
 */
export const readBook = (
  file: string,
  market: Market,
  policies: readonly string[] = [DEFAULT_POLICY_ID, COIN_POLICY_ID],
): BookAccount[] => {
  const read = bookFile.safeParse(contentOf(file));
  if (!read.success) throw new Refusal(`${file}: ${placesOf(read.error)}`);
  const seen = new Set<string>();
  return read.data.accounts.map((one) => {
    if (seen.has(one.accountId)) throw new Refusal(`${file}: account ${one.accountId} is there twice; give each once`);
    seen.add(one.accountId);
    const email = `${one.accountId.toLowerCase()}@${one.brokerId}.example`;
    const { pools = [], ...rest } = one;
    const isolated = pools.length === 0 ? {} : { pools: new Map(pools.map(({ instrumentId, cash }) => [instrumentId, cash])) };
    const complete = {
      ...rest,
      ...isolated,
      contact: one.contact ?? { email, name: null, timeZone: "UTC", locale: "en", antiPhishingCode: null },
    };
    const unknown = unknownOf(complete, market, policies);
    if (unknown !== null) throw new Refusal(`${file}: account ${one.accountId}: ${unknown}`);
    return complete;
  });
};
