import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { decodeAccount, decodePage, encodeAccount } from "../../../adapters/dynamodb/account-codec.ts";
import { callItem, decodeCall } from "../../../adapters/dynamodb/call-codec.ts";
import {
  accountKey,
  indexRow,
  indexShardOf,
  orderSk,
  policySk,
  sequenceSk,
  shardPk,
  stateSk,
  upTo,
} from "../../../adapters/dynamodb/keys.ts";
import {
  packAmounts,
  packOpenCalls,
  packPositions,
  readFixed,
  unpackAmounts,
  unpackOpenCalls,
  unpackPositions,
} from "../../../adapters/dynamodb/packed.ts";
import { LIMITS } from "../../../core/limits.ts";
import { decimal, type Money, money, price, quantity } from "../../../core/money.ts";
import { decodeAccount as decodeBefore } from "../../local/previous/account-codec.ts";
import { account, call, order, T0 } from "../samples.ts";

describe("counts of an account's row", () => {
  test("a row from before the instant of the newest fact was kept reads as one that does not know it", () => {
    const written = encodeAccount({ ...account(), version: 1, callsOpened: 2, sourceSequence: 41, sourceAt: T0 }, "hash", 4);
    expect([written["counts"], written["told"]]).toEqual([{ S: "2;41" }, { N: "1584007200000" }]);
    expect(decodePage([written]).accounts[0]).toMatchObject({ callsOpened: 2, sourceSequence: 41, sourceAt: T0 });
    const { told: _, ...old } = written;
    expect(decodePage([old]).accounts[0]).toMatchObject({ callsOpened: 2, sourceSequence: 41, sourceAt: 0 });
    expect(decodePage([{ ...written, told: { N: "-1" } }]).unreadable).toHaveLength(1);
  });
});

describe("the fast reader of decimals", () => {
  const fixed = fc.bigInt({ min: -(10n ** 27n), max: 10n ** 27n });
  const near = fc.bigInt({ min: -(10n ** 16n), max: 10n ** 16n });

  test("reads what the exact reader reads, anywhere in a text", () => {
    fc.assert(
      fc.property(fc.oneof(fixed, near), fc.string({ maxLength: 5 }), fc.string({ maxLength: 5 }), (value, before, after) => {
        const text = decimal(value as Money);
        return readFixed(`${before}${text}${after}`, before.length, before.length + text.length) === value;
      }),
      { numRuns: 2_000 },
    );
  });

  test("reads or refuses any text exactly as the exact reader does", () => {
    const exact = (text: string): bigint | null => {
      try {
        return money(text);
      } catch {
        return null;
      }
    };
    const fast = (text: string): bigint | null => {
      try {
        return readFixed(text, 0, text.length);
      } catch {
        return null;
      }
    };
    const texts = fc.stringMatching(/^-?[0-9.]{0,24}[0-9.eE+ -]?$/);
    fc.assert(
      fc.property(texts, (text) => fast(text) === exact(text)),
      { numRuns: 5_000 },
    );
    for (const text of ["", "-", ".", "1.", ".1", "-.1", "--1", "1.2.3", "1e3", "0.000000001", "0.000000010", "-0", "00012"]) {
      expect([text, fast(text)]).toEqual([text, exact(text)]);
    }
  });
});

describe("packed attributes", () => {
  const names = fc.stringMatching(/^[A-Z0-9][A-Z0-9._-]{0,15}$/);
  const amounts = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n });

  test("amounts and positions come back as they were", () => {
    fc.assert(
      fc.property(fc.dictionary(names, amounts, { noNullPrototype: true }), (given) => {
        const map = new Map(Object.entries(given).map(([name, value]) => [name, value as Money]));
        expect(new Map([...unpackAmounts(packAmounts(map))].sort())).toEqual(new Map([...map].sort()));
      }),
    );
    fc.assert(
      fc.property(fc.dictionary(names, fc.tuple(amounts, amounts), { noNullPrototype: true }), (given) => {
        const held = Object.entries(given)
          .filter(([, [size]]) => size !== 0n)
          .map(
            ([instrumentId, [size, entry]]) =>
              ({ instrumentId, quantity: size, entryPrice: entry }) as ReturnType<typeof unpackPositions>[0],
          )
          .sort((a, b) => (a.instrumentId < b.instrumentId ? -1 : 1));
        expect(unpackPositions(packPositions(held))).toEqual(held);
      }),
    );
  });

  test("the text is legible: instrument, quantity, entry price", () => {
    const held = [
      { instrumentId: "ETH-PERP", quantity: quantity("-2"), entryPrice: price("194.5") },
      { instrumentId: "BTC-PERP", quantity: quantity("0.5"), entryPrice: price("7935") },
    ];
    expect(packPositions(held)).toBe("BTC-PERP:0.5:7935;ETH-PERP:-2:194.5");
    expect(packAmounts(new Map([["USDT", money("1.5")]]))).toBe("USDT:1.5");
    expect(packOpenCalls({ CROSS: "MC-A-1", "ISO#BTC-PERP": "MC-A-2" })).toBe("CROSS:MC-A-1;ISO#BTC-PERP:MC-A-2");
    expect(unpackOpenCalls("CROSS:MC-A-1;ISO#BTC-PERP:MC-A-2")).toEqual({ CROSS: "MC-A-1", "ISO#BTC-PERP": "MC-A-2" });
  });

  test.each(["BTC:1", "BTC:1:2:3", ":1:2", "BTC::2", "BTC:1:2;;", "BTC:1:2;BTC:1:2", "BTC:1:x"])("%s is no list of positions", (packed) =>
    expect(() => unpackPositions(packed)).toThrow(),
  );
  test.each(["BTC", ":1", "BTC:", "BTC:1;;USDT:1", "BTC:1;BTC:2"])("%s is no list of amounts", (packed) =>
    expect(() => unpackAmounts(packed)).toThrow(),
  );
  test.each(["a:b", "a;b", "", "a b"])("the name %j cannot be packed", (name) =>
    expect(() => packAmounts(new Map([[name, money("1")]]))).toThrow("cannot be packed"),
  );
});

test("an account of ten positions is a small item: under 500 bytes, a sweep reads all of them", () => {
  const positions = Array.from({ length: 10 }, (_, index) => ({
    instrumentId: `COIN${index}-PERP`,
    quantity: quantity("-12.5"),
    entryPrice: price("7935.1"),
  }));
  const item = encodeAccount({ ...account(), version: 3, positions, balances: new Map([["USDT", money("10000.5")]]) }, "h".repeat(43), 16);
  const bytes = Object.entries(item).reduce((sum, [name, value]) => sum + name.length + String(Object.values(value)[0]).length, 0);
  expect(bytes).toBeLessThan(500);
});

test("R15 a call's row from before its fields were added reads: nothing confirms, nothing was extended", () => {
  const stored = call({ accountId: "A-1", confirmingAmount: money("5.4"), extendedAt: T0 + 1 });
  const item = callItem(stored, 16);
  expect(decodeCall(item)).toEqual(stored);
  const { confirmingAmount, extendedAt, ...old } = JSON.parse(item["body"]?.S ?? "") as Record<string, unknown>;
  expect([confirmingAmount, extendedAt]).toEqual(["5.4", "2020-03-12T10:00:00.001Z"]);
  expect(decodeCall({ ...item, body: { S: JSON.stringify(old) } })).toEqual({ ...stored, confirmingAmount: 0n, extendedAt: null });
});

test("an account of the most positions is far below the 400 kB of an item", () => {
  const positions = Array.from({ length: LIMITS.positionsMax }, (_, index) => ({
    instrumentId: `${"X".repeat(36)}${index.toString().padStart(4, "0")}`,
    quantity: quantity("-99999999999.99999999"),
    entryPrice: price("99999999999.99999999"),
  }));
  const held = { ...account(), version: 1, positions };
  expect(JSON.stringify(encodeAccount(held, "", 16)).length).toBeLessThan(100_000);
  const cures = positions.map(({ instrumentId }) => ({
    kind: "reduce" as const,
    instrumentId,
    side: "buy" as const,
    quantity: quantity("99999999999.99999999"),
  }));
  const one = call({ accountId: "A-1", cures });
  const orders = Array.from({ length: LIMITS.transactionRowsMax }, (_, index) => order(one, index));
  const called = { ...held, openCalls: { CROSS: one.callId }, live: { call: one, orders } };
  expect(JSON.stringify(encodeAccount(called, "", 16)).length).toBeLessThan(250_000);
});

describe("two versions of an account's row live side by side (I26, S33)", () => {
  const RESTORED_AT = T0 + 1;
  const base = { ...account(), version: 1 };
  test.each([
    ["in sync", { outOfSync: false, restoredAt: null }, 1, "1", undefined],
    ["in sync", { outOfSync: false, restoredAt: null }, 2, "2", undefined],
    ["with a gap", { outOfSync: true, restoredAt: null }, 1, "1", { BOOL: true }],
    ["with a gap", { outOfSync: true, restoredAt: null }, 2, "2", { N: "0" }],
    ["restored", { outOfSync: true, restoredAt: RESTORED_AT }, 1, "2", { N: "1584007200001" }],
    ["restored", { outOfSync: true, restoredAt: RESTORED_AT }, 2, "2", { N: "1584007200001" }],
  ] as const)("%s (%j), asked to write version %i", (_, state, asked, schema, gap) => {
    const row = encodeAccount({ ...base, ...state }, "", 16, asked);
    expect([row["schema"]?.N, row["gap"]]).toEqual([schema, gap]);
    expect(decodeAccount(row)).toEqual({ ...base, ...state });
  });

  test("R9 with isolated pools it is of version 3, whatever is asked: the release before refuses it", () => {
    const one = call({ accountId: base.accountId, scope: "ISO#BTC-PERP" });
    const pooled = {
      ...base,
      openCalls: { "ISO#BTC-PERP": one.callId } as const,
      pools: new Map([
        [
          "BTC-PERP",
          {
            ...{ instrumentId: "BTC-PERP", asset: "USDT", cash: money("-0.00000001"), level: "CALL" as const, episode: null },
            position: { instrumentId: "BTC-PERP", quantity: quantity("-2"), entryPrice: price("7935.1") },
            live: { call: one, orders: [order(one, 0)] },
          },
        ],
        [
          "ETH-PERP",
          {
            instrumentId: "ETH-PERP",
            asset: "USDT",
            cash: money("5"),
            level: "HEALTHY" as const,
            episode: null,
            position: null,
            live: null,
          },
        ],
      ]),
    };
    for (const asked of [1, 2] as const) {
      const row = encodeAccount(pooled, "", 16, asked);
      expect(row["schema"]).toEqual({ N: "3" });
      expect(decodeAccount(row)).toEqual(pooled);
      expect(() => decodeBefore(row)).toThrow("schema version 3");
    }
    const row = encodeAccount(pooled, "", 16);
    const { pools: _, ...without } = row;
    expect(() => decodeAccount(without)).toThrow("no text in pools");
    expect(() => decodeAccount({ ...row, open: { S: "ISO#ETH-PERP:MC-AAAAAAAAAAAA-1" } })).toThrow("another call than its account names");
    expect(encodeAccount({ ...pooled, openCalls: {}, pools: new Map() }, "", 16)).toEqual(encodeAccount(base, "", 16));
  });

  test("M3 with open orders or leverage it is of version 4, with or without pools: the release before refuses it", () => {
    const standing = new Map([
      ["BTC-PERP", { buys: quantity("0.5"), sells: quantity("0"), leverage: null, kept: null }],
      ["ETH-PERP", { buys: quantity("0"), sells: quantity("12.00000001"), leverage: quantity("12.5"), kept: null }],
      ["SOL-PERP", { buys: quantity("0"), sells: quantity("0"), leverage: null, kept: { callId: "MC-A-1", leverage: quantity("5") } }],
      ["XRP-PERP", { buys: quantity("1"), sells: quantity("0"), leverage: quantity("3"), kept: { callId: "MC-A-1", leverage: null } }],
    ]);
    const packed = "BTC-PERP:0.5:0::;ETH-PERP:0:12.00000001:12.5:;SOL-PERP:0:0::MC-A-1=5;XRP-PERP:1:0:3:MC-A-1=";
    const pool = { instrumentId: "BTC-PERP", asset: "USDT", cash: money("5"), position: null, level: "HEALTHY" as const };
    const pools = new Map([["BTC-PERP", { ...pool, episode: null, live: null }]]);
    for (const account of [
      { ...base, standing },
      { ...base, standing, pools },
    ]) {
      const row = encodeAccount(account, "", 16, 1);
      expect([row["schema"], row["standing"]]).toEqual([{ N: "4" }, { S: packed }]);
      expect(decodeAccount(row)).toEqual(account);
      expect(() => decodeBefore(row)).toThrow("schema version 4");
      for (const spoiled of ["", "A:1:1", "B:1:1::;A:1:1::", "A:1:1:1", "A:1:x::", "A:1:1:::1"])
        expect(() => decodeAccount({ ...row, standing: { S: spoiled } })).toThrow();
    }
    expect(encodeAccount({ ...base, standing: new Map() }, "", 16)).toEqual(encodeAccount(base, "", 16));
  });

  test.each([
    ["a version that is to come", { schema: { N: "5" } }, "schema version 5"],
    ["a version that never was", { schema: { N: "0" } }, "schema version 0"],
    ["none", { schema: { S: "2" } }, "schema version missing"],
    ["the gap of version 2 in version 1", { schema: { N: "1" }, gap: { N: "0" } }, "no gap of version 1 in gap"],
    ["the gap of version 1 in version 2", { schema: { N: "2" }, gap: { BOOL: true } }, "no whole number in gap"],
  ])("%s is refused, not guessed", (_, spoiled, words) => {
    expect(() => decodeAccount({ ...encodeAccount(base, "", 16), ...spoiled })).toThrow(words);
  });
});

test("a page reads each row by itself", () => {
  const row = encodeAccount({ ...account("A-1"), version: 1 }, "", 16);
  const page = decodePage([row, {}, { ...row, sk: { S: "ACC#A-2" }, schema: { N: "9" } }]);
  expect(page.accounts.map((one) => one.accountId)).toEqual(["A-1"]);
  expect(page.unreadable.map((one) => one.accountId)).toEqual(["", "A-2"]);
});

describe("keys", () => {
  test("the key of an account is the first twelve base32 characters of its hash", () => {
    expect(accountKey("A-1")).toBe("XRHHX2MCVN46");
  });

  test("sort in the order of what they count", () => {
    expect([shardPk(7), sequenceSk(12), orderSk("MC-A-1", 3), policySk("standard", 2)]).toEqual([
      "SHARD#007",
      "SEQ#000000000012",
      "ORDER#MC-A-1#003",
      "standard#v2",
    ]);
    expect(stateSk(5, "A", "O") < upTo(5)).toBe(true);
    expect(stateSk(6, "A", "O") < upTo(5)).toBe(false);
    expect(() => upTo(-2)).toThrow(RangeError);
  });

  test("an index row gives back what it names", () => {
    expect(indexRow(stateSk(1_584_007_200_000, "A-1", "MC-A-1-1-BTC-PERP"))).toEqual({
      at: 1_584_007_200_000,
      accountId: "A-1",
      id: "MC-A-1-1-BTC-PERP",
    });
    expect(() => indexRow("5#A")).toThrow("three parts");
  });

  test.each([
    [256, 16],
    [16, 16],
    [4, 4],
    [1, 1],
  ])("accounts of a book of %i shards spread over %i shards of an index", (shards, expected) => {
    const used = new Set(Array.from({ length: 500 }, (_, index) => indexShardOf(`A-${index}`, shards)));
    expect(used.size).toBe(expected);
  });
});
