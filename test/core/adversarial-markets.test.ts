import fc from "fast-check";
import { expect, test } from "vitest";
import type { Position } from "../../core/account.ts";
import { decide } from "../../core/decide.ts";
import type { Instrument } from "../../core/instrument.ts";
import type { MarginModel } from "../../core/margin-model.ts";
import { STANDARD_MODEL } from "../../core/margin-model.ts";
import type { Mark, MarketSnapshot } from "../../core/mark.ts";
import { type Money, type Price, price, type Quantity } from "../../core/money.ts";
import type { Policy } from "../../core/policy.ts";
import { STANDARD_TERMS } from "../../core/portfolio/portfolio-terms.ts";
import { assess } from "../../core/statement.ts";
import { validatePolicy } from "../../core/terms.ts";
import "../seed.ts";
import { accountOf, bare, contract, markOf, NOW, policyWith, snapshotOf, spot } from "./margin-fixtures.ts";

const DAY = 86_400_000;
/** Any size that the wire lets through, evenly in its digits: from 1e-8 to 1e20. */
const sized = fc
  .tuple(fc.integer({ min: 0, max: 27 }), fc.integer({ min: 1, max: 9 }))
  .map(([digits, first]) => BigInt(first) * 10n ** BigInt(digits));
/** Mostly a size of this market, sometimes any. */
const near = (usual: bigint) => fc.oneof({ weight: 3, arbitrary: fc.bigInt(usual / 2n, usual * 2n) }, { weight: 1, arbitrary: sized });
const expiry = fc.constantFrom(-DAY, -1, 0, 1, 60_000, 29 * 60_000, DAY, 30 * DAY, 30 * 365 * DAY).map((left) => NOW + left);

const option = (id: string) =>
  fc
    .record({
      strike: near(price("60000")).map((units) => units as Price),
      right: fc.constantFrom("call" as const, "put" as const),
      style: fc.constantFrom("premium" as const, "futures" as const),
      settlement: fc.constantFrom("linear" as const, "inverse" as const),
      averagingMs: fc.constantFrom(0, 30 * 60_000),
      expiryAt: expiry,
      multiplier: near(100_000_000n).map((units) => units as Quantity),
    })
    .map(({ expiryAt, multiplier, ...terms }): Instrument => {
      const settleAsset = terms.settlement === "inverse" ? "BTC" : "USDT";
      return contract(id, { kind: "option", tiers: [], expiryAt, multiplier, settleAsset, option: { underlyingId: "BTC-FUT", ...terms } });
    });
const OPTIONS = ["O1", "O2", "O3"] as const;
const instruments = fc
  .tuple(...OPTIONS.map(option), expiry)
  .map(([one, two, three, expiryAt]): Instrument[] => [
    one as Instrument,
    two as Instrument,
    three as Instrument,
    contract("BTC-FUT", { expiryAt: expiryAt as number }),
    contract("BTC-PERP"),
    contract("ETH-PERP", { baseAsset: "ETH" }),
    contract("BTC-INV", { kind: "inverse", quoteAsset: "USD", settleAsset: "BTC" }),
    spot("BTC-USDT", "BTC"),
  ]);

/** A mark that is missing, old, in doubt, waiting for a second tick, or good. */
const mark = (id: string, usual: bigint, signed: boolean) => {
  const units = signed ? fc.oneof({ weight: 6, arbitrary: near(usual) }, fc.constantFrom(0n, -1n, -usual)) : near(usual);
  const patch = fc.record({
    price: units.map((value) => value as Price),
    asOf: fc.constantFrom(NOW, NOW - 60_000, NOW - 3_600_000, NOW - 30 * DAY),
    candidate: fc.option(units.map((value) => ({ price: value as Price, asOf: NOW - 1_000 }))),
    confidencePpm: fc.constantFrom(1_000_000, 500_000, 0),
  });
  return fc.option(patch.map((given): readonly [string, Mark] => [id, markOf(id, "1", given)]));
};
const marks = fc.tuple(
  ...OPTIONS.map((id) => mark(id, price("4000"), true)),
  ...["BTC-FUT", "BTC-PERP", "BTC-INV", "BTC-USDT"].map((id) => mark(id, price("60000"), false)),
  mark("ETH-PERP", price("3000"), false),
);
const market: fc.Arbitrary<MarketSnapshot> = fc.tuple(instruments, marks).map(([listed, given]) => ({
  ...snapshotOf(listed, {}),
  marks: new Map(given.filter((one) => one !== null)),
}));

const positions = fc.uniqueArray(fc.constantFrom(...OPTIONS, "BTC-FUT", "BTC-INV", "BTC-PERP", "ETH-PERP"), { minLength: 1 }).chain((ids) =>
  fc.tuple(
    ...[...ids].sort().map((instrumentId) =>
      fc.record({ units: near(100_000_000n), short: fc.boolean(), entry: near(price("5000")) }).map(
        ({ units, short, entry }): Position => ({
          instrumentId,
          quantity: (short ? -units : units) as Quantity,
          entryPrice: entry as Price,
        }),
      ),
    ),
  ),
);

/** Scenarios that know one unit only, and the other not: its own grid is its margin. */
const statistical = (unit: string, movePpm: number) => ({
  ...{ scenariosId: "S", version: 1, horizonDays: 1, units: [unit], confidence: 975_000, weight: 750_000 },
  history: Array.from({ length: 250 }, (_, day) => ({ name: `day ${day}`, movesPpm: [day % 2 === 0 ? movePpm : -999_999] })),
  stress: [{ name: "halved", movesPpm: [-500_000] }],
});
const MODELS: readonly MarginModel[] = [
  STANDARD_MODEL,
  { kind: "portfolio", terms: STANDARD_TERMS, statistical: null },
  { kind: "portfolio", terms: STANDARD_TERMS, statistical: statistical("BTC", 100_000) },
  { kind: "portfolio", terms: STANDARD_TERMS, statistical: statistical("ETH", Number.MAX_SAFE_INTEGER) },
];
const POLICIES: readonly Policy[] = MODELS.map((model) => validatePolicy(policyWith([bare("USDT"), bare("BTC", "BTC-USDT")], { model })));

/** Every number in a record, at any depth. */
const numbersIn = (value: unknown): number[] => {
  if (typeof value === "number") return [value];
  if (value instanceof Map) return numbersIn([...value.values()]);
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(numbersIn) : [];
};

test("M0: on any market an account has figures, IM not below MM, and a decision without a number that is none", () => {
  fc.assert(
    fc.property(market, positions, fc.constantFrom(...POLICIES), sized, (snapshot, held, policy, cash) => {
      const account = { ...accountOf({}, held), balances: new Map([["USDT", cash as Money]]) };
      const statement = assess(account, snapshot, policy, NOW);
      for (const { initial, maintenance } of [statement.low, statement.high])
        expect(initial >= maintenance && maintenance >= 0n).toBe(true);
      const { low, high, components, legs, collateral } = statement;
      const change = decide(account, snapshot, { ...policy, mode: "enforce" }, NOW);
      expect(numbersIn([low, high, components, legs, collateral, change]).every(Number.isFinite)).toBe(true);
      expect(change?.orders.every(({ quantity }) => quantity > 0n) ?? true).toBe(true);
    }),
    { numRuns: 500 },
  );
});
