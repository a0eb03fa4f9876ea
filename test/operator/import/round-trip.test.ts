import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { decimal, type Money, type Price, type Quantity } from "../../../core/money.ts";
import type { ImportFiles } from "../../../operator/import/import.ts";
import { startTables, type TestTables } from "../../engine.ts";
import { stageOn } from "../../functions/stage.ts";
import { source } from "./files.ts";
import { BROKERS, CSV, runOn } from "./on-stage.ts";

let tables: TestTables;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

const amount = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n });
const position = fc.record({
  quantity: fc.bigInt({ min: -(10n ** 8n), max: 10n ** 8n }).filter((lots) => lots !== 0n),
  entryPrice: fc.bigInt({ min: 1n, max: 10n ** 15n }),
});
const bookAccount = fc.record({
  brokerId: fc.constantFrom(...BROKERS),
  clientClass: fc.constantFrom("retail", "professional"),
  sequence: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  usdt: amount,
  btc: fc.option(amount, { nil: undefined }),
  perp: fc.option(position, { nil: undefined }),
  coin: fc.option(position, { nil: undefined }),
});
type BookAccount = typeof bookAccount extends fc.Arbitrary<infer Value> ? Value : never;

const text = (value: bigint): string => decimal(value as Money);
const legsOf = ({ perp, coin }: BookAccount): [string, bigint, bigint][] => [
  // Whole lots: 0.001 contracts of the one, whole contracts of the other.
  ...(coin === undefined ? [] : [["BTCUSD-PERP", coin.quantity * 10n ** 8n, coin.entryPrice] as [string, bigint, bigint]]),
  ...(perp === undefined ? [] : [["BTC-PERP", perp.quantity * 10n ** 5n, perp.entryPrice] as [string, bigint, bigint]]),
];

/** A book in the format of the documentation, as a venue would export it. */
const exported = (book: readonly BookAccount[], form: "csv" | "json"): Pick<ImportFiles, "accounts" | "positions"> => {
  const accounts = book.map((account, index) => ({
    accountId: `r-${index}`,
    ...{ brokerId: account.brokerId, clientClass: account.clientClass, policyId: "standard", sequence: account.sequence },
    asOf: "2020-03-12T00:00:00.000Z",
    balances: { USDT: text(account.usdt), ...(account.btc !== undefined && { BTC: text(account.btc) }) },
  }));
  const positions = book.flatMap((account, index) =>
    legsOf(account).map(([instrumentId, quantity, entryPrice]) => ({
      accountId: `r-${index}`,
      instrumentId,
      quantity: text(quantity),
      entryPrice: text(entryPrice),
    })),
  );
  if (form === "json")
    return { accounts: source("a.json", JSON.stringify(accounts)), positions: source("p.json", JSON.stringify(positions, null, 1)) };
  const lines = accounts.map(({ balances, ...rest }) => [...Object.values(rest), balances.USDT, balances.BTC ?? ""].join(","));
  return {
    accounts: source(
      "a.csv",
      ["accountId,brokerId,clientClass,policyId,sequence,asOf,balances.USDT,balances.BTC", ...lines, ""].join("\n"),
    ),
    positions: source(
      "p.csv",
      ["accountId,instrumentId,quantity,entryPrice", ...positions.map((row) => Object.values(row).join(",")), ""].join("\n"),
    ),
  };
};

test("R16 any book that is exported in the format and imported is the same book", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(bookAccount, { minLength: 1, maxLength: 5 }), fc.constantFrom("csv", "json"), async (book, form) => {
      const stage = stageOn(await tables.fresh(), { settings: { feedQueueUrl: "feed" } });
      await runOn(stage, { ...CSV, accounts: undefined, positions: undefined, contacts: undefined }, true);
      const { faults } = await runOn(stage, { ...exported(book, form as "csv" | "json"), brokers: BROKERS }, true);
      expect(faults).toEqual([]);
      for (const [index, account] of book.entries()) {
        const held = await stage.load(`r-${index}`);
        const balances = [["BTC", account.btc ?? 0n] as const, ["USDT", account.usdt] as const].filter(([, value]) => value !== 0n);
        expect([...held.balances]).toEqual(balances);
        expect(held.positions).toEqual(
          legsOf(account)
            .map(([instrumentId, quantity, entryPrice]) => ({
              instrumentId,
              quantity: quantity as Quantity,
              entryPrice: entryPrice as Price,
            }))
            .sort((a, b) => (a.instrumentId < b.instrumentId ? -1 : 1)),
        );
        expect(held.sourceSequence).toBe(account.sequence);
      }
      expect((await runOn(stage, { ...exported(book, form as "csv" | "json"), brokers: BROKERS }, true)).messages).toBe(0);
    }),
    { numRuns: 12 },
  );
});
