import { describe, expect, test } from "vitest";

import { decimal } from "../../../core/money.ts";
import { readTheirs } from "../../../operator/compare/theirs.ts";

const HEAD = "account,kind,at,amountDue,marks,balances,positions,tiers,fees,haircuts,trigger,callLevel,priceType,deadlineAt";
const FULL = `${HEAD}
A-1,call,2026-01-05T12:00:00Z,4.60,BTC-PERP=95;ETH-PERP=9.5,USDT=9.9;BTC=-1,BTC-PERP=1@100;ETH-PERP=-2@10,BTC-PERP=0:100000/5000|1000:200000/10000,BTC-PERP=500,BTC=0:150000/100000|1000:200000/150000,inclusive,400000,last,2026-01-05T12:16:00Z
A-1,statement,2026-01-05T11:00:00Z,,,,,,,,,,,
`;

describe("their file", () => {
  test("reads from CSV what it reads from JSON, in the order of time", () => {
    const rows = [
      {
        ...{ account: "A-1", kind: "call", at: "2026-01-05T12:00:00Z", amountDue: "4.60" },
        ...{ marks: { "BTC-PERP": "95", "ETH-PERP": "9.5" }, balances: { USDT: "9.9", BTC: "-1" } },
        positions: [
          { instrumentId: "BTC-PERP", quantity: "1", entryPrice: "100" },
          { instrumentId: "ETH-PERP", quantity: "-2", entryPrice: "10" },
        ],
        tiers: {
          "BTC-PERP": [
            { floor: "0", rateIm: 100_000, rateMm: 5_000 },
            { floor: "1000", rateIm: 200_000, rateMm: 10_000 },
          ],
        },
        fees: { "BTC-PERP": 500 },
        haircuts: {
          BTC: [
            { floor: "0", haircutIm: 150_000, haircutMm: 100_000 },
            { floor: "1000", haircutIm: 200_000, haircutMm: 150_000 },
          ],
        },
        ...{ trigger: "inclusive", callLevel: 400_000, priceType: "last", deadlineAt: "2026-01-05T12:16:00Z" },
      },
      { account: "A-1", kind: "statement", at: "2026-01-05T11:00:00Z" },
    ];
    const csv = readTheirs("theirs.csv", FULL);
    const json = readTheirs("theirs.json", JSON.stringify({ rows }));
    expect(csv.rows.map(({ kind, place }) => `${kind} of ${place}`)).toEqual(["statement of line 3", "call of line 2"]);
    expect(csv.rows.map(({ place: _, ...row }) => row)).toEqual(json.rows.map(({ place: _, ...row }) => row));
    expect(csv.rows[1]?.terms).toMatchObject({ inclusive: true, callLevel: 400_000, priceType: "last", deadlineAt: 1_767_615_360_000 });
  });

  test.each([
    ["12", "1"],
    ["12.5", "0.1"],
    ["12.50", "0.1"],
    ["12.34", "0.01"],
    ["12.12345678", "0.00000001"],
  ])("its unit is the least that an amount shows: %s", (amountDue, unit) => {
    const { unit: read } = readTheirs("theirs.csv", `account,kind,at,amountDue\nA-1,call,2026-01-05T12:00:00Z,${amountDue}\n`);
    expect(decimal(read as never)).toBe(unit);
  });

  test.each([
    ["no line", "", "theirs.csv: is empty; its first line names the columns: account,kind,at"],
    ["a column that nobody knows", "account,kind,at,price\n", "theirs.csv: line 1: column price is unknown or named twice"],
    ["a column twice", "account,kind,at,at\n", "theirs.csv: line 1: column at is unknown or named twice"],
    ["a quote that never ends", 'account,kind,at\n"A-1,call\n', "theirs.csv: line 2:"],
  ])("refuses %s", (_, text, words) => {
    expect(() => readTheirs("theirs.csv", text)).toThrow(words);
  });

  test("names every line that cannot be used, with its column, before anything is compared", () => {
    const text = `account,kind,at,amountDue,marks,tiers,fees
A-1,call,2026-01-05T12:00:00Z,4.6,,,
A-1,call,2026-01-05T12:00:00Z,1e3,,,
A 1,margin,yesterday,4.6,,,
A-1,call,2026-01-05T12:00:00Z,4.6,BTC-PERP:95,,
A-1,call,2026-01-05T12:00:00Z,4.6,,BTC-PERP=0:10%/5%,
A-1,call,2026-01-05T12:00:00Z,4.6,,BTC-PERP=10:100000/5000,
A-1,call,2026-01-05T12:00:00Z,4.6,,,BTC-PERP=0.05
A-1,call
`;
    const refusal = (): string => {
      try {
        return readTheirs("theirs.csv", text).rows.join();
      } catch (error) {
        return (error as Error).message;
      }
    };
    const lines = refusal().split("\n");
    expect(lines[0]).toBe("theirs.csv cannot be used:");
    expect(lines.slice(1).map((line) => line.trim().slice(0, 22))).toEqual([
      "line 3: amountDue: not",
      "line 4: account: 1-64 ",
      "line 4: kind: Invalid ",
      "line 4: at: Invalid IS",
      'line 5: "BTC-PERP:95" ',
      'line 6: "0:10%/5%" is ',
      "line 7: tiers of BTC-P",
      'line 8: "0.05" is not ',
      "line 9: has 2 cells, t",
    ]);
  });

  test("JSON that is none, or has no rows, is refused", () => {
    expect(() => readTheirs("theirs.json", "{")).toThrow("theirs.json: is no JSON");
    expect(() => readTheirs("theirs.json", "[]")).toThrow('theirs.json: must be one object with one list, "rows"');
    expect(() => readTheirs("theirs.json", '{"rows":[{"account":"A-1"}]}')).toThrow("row 1: kind:");
  });
});
