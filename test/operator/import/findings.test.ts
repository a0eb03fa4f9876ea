import { describe, expect, test } from "vitest";

import type { ImportFiles } from "../../../operator/import/import.ts";
import { changed, found, source, textOf } from "./files.ts";

test("the examples have no finding", async () => {
  expect(await found({})).toEqual([]);
});

const PLAIN = "Write a plain decimal such as 1250.5";

describe("a value that does not read", () => {
  test.each([
    ["1,000 in quotes", '"1,000"', `"1,000" has a thousands separator. ${PLAIN}`],
    ["1 000.5", "1 000.5", `"1 000.5" has a thousands separator. ${PLAIN}`],
    ["1'000'000", "1'000'000", `"1'000'000" has a thousands separator. ${PLAIN}`],
    ["a decimal comma", '"12,5"', `"12,5" has a decimal comma. ${PLAIN}: the mark is a point`],
    ["an exponent", "1.2e7", `"1.2e7" has an exponent. ${PLAIN}, with all its digits`],
    ["a unit", "25000 USDT", `"25000 USDT" has a unit in it. ${PLAIN}: the unit is the column's, for every row the same`],
    ["thousands in a letter", "25k", `"25k" has a unit in it. ${PLAIN}: the unit is the column's, for every row the same`],
    ["a currency sign", "$25000", `"$25000" has a unit in it. ${PLAIN}: the unit is the column's, for every row the same`],
    ["a percent sign", "50%", '"50%" has a percent sign. Write the fraction: 0.5 % is 0.005'],
    ["blanks", " 25000", '" 25000" has blanks around it. Remove them'],
    ["nine decimals", "0.123456789", '"0.123456789" has more than 8 decimals. Round it to 8 decimals: nothing is rounded here'],
    ["a word", "n/a", `"n/a" is no plain decimal. ${PLAIN}`],
    ["a plus sign", "+5", `"+5" is no plain decimal. ${PLAIN}`],
  ])("%s", async (_, cell, expected) => {
    const accounts = changed("accounts.csv", "25000,", `${cell},`);
    expect(await found({ accounts })).toEqual([`accounts.csv:2 balances.USDT: ${expected}`]);
  });

  test.each([
    [
      "accounts.csv",
      "1041",
      "1041.5",
      'accounts.csv:2 sequence: "1041.5" is no whole number. Write digits alone: one minute is 60000 (ms), 0.5 % is 5000 (parts per million)',
    ],
    ["accounts.csv", "1041", "0", "accounts.csv:2 sequence: sequences start at 1. Correct it; docs/reference/import.md has the form"],
    [
      "accounts.csv",
      "2020-03-12T00:00:00.000Z",
      "12.3.2020",
      "accounts.csv:2 asOf: Invalid ISO datetime. Correct it; docs/reference/import.md has the form",
    ],
    [
      "accounts.csv",
      "desk-long",
      "desk long",
      "accounts.csv:2 accountId: 1-64 characters of A-Z a-z 0-9 . _ -. Correct it; docs/reference/import.md has the form",
    ],
    [
      "instruments.csv",
      ",false,0,0.001",
      ",no,0,0.001",
      'instruments.csv:2 allowNonPositive: "no" is neither true nor false. Write true or false',
    ],
    [
      "policies.csv",
      "750000,500000,200000",
      "75,50,20",
      "policies.csv:2 levels.warning: 75 parts per million are at most 0.01 %: this looks like percent. 50 % is 500000",
    ],
  ])("%s: %s is %s", async (name, from, to, expected) => {
    const file = changed(name, from, to);
    const [first] = await found({ [name.replace(".csv", "")]: file });
    expect(first).toBe(expected);
  });
});

describe("a JSON value of the wrong type", () => {
  test.each([
    [
      '"USDT": "25000"',
      '"USDT": 25000',
      "accounts.json:9 balances.USDT: a JSON number where decimal text is due. Put it in quotes: a JSON number loses digits",
    ],
    [
      '"sequence": 1041',
      '"sequence": "1041"',
      "accounts.json:7 sequence: text where a JSON number or true or false is due. Write it without quotes",
    ],
    ['"brokerId": "meridian"', '"brokerId": null', "accounts.json:4 brokerId: null. Give a value"],
    ['"brokerId": "meridian"', '"brokerId": 7', "accounts.json:4 brokerId: a JSON number where text is due. Put it in quotes"],
    [
      '"balances": { "USDT": "25000" }',
      '"balances": { "usdt!": "25000" }',
      "accounts.json:9 balances.usdt!: an unknown key. Remove it; known are accountId,brokerId,clientClass,policyId,sequence,asOf,balances.*",
    ],
  ])("%s as %s", async (from, to, expected) => {
    expect(await found({ accounts: changed("accounts.json", from, to) })).toEqual([expected]);
  });
});

const HEADER = "accountId,brokerId,clientClass,policyId,sequence,asOf,balances.USDT\n";
const ONE = `${HEADER}A-1,B,retail,standard,1,2020-03-12T00:00:00.000Z,5\n`;
const LEGS = "accountId,instrumentId,quantity,entryPrice\n";

test("one fault hides no other, in a row and in a file", async () => {
  const accounts = source(
    "a.csv",
    `${HEADER}A-1,B B,retail,standart,1.5,yesterday,5k\nA 2,B,RETAIL,standard,0,2020-03-12T00:00:00.000Z,5\n`,
  );
  const positions = source("p.csv", `${LEGS}A-3,ETH-PERP,"1,000",\n`);
  const contacts = source("c.csv", "accountId,email,timeZone,locale\nA-1,nobody,Mars/Olympus,english\n");
  const instruments = changed("instruments.csv", "BTC-PERP,linear,,BTC,USDT,1,500", "BTC-PERP,lineal,soon,BTC,BTC,1,5 bp");
  const lines = (await found({ accounts, positions, contacts, instruments })).map((line) => line.split(". ")[0]);
  expect(lines).toEqual([
    'instruments.csv:2 feePpm: "5 bp" is no whole number',
    'instruments.csv:2 kind: Invalid option: expected one of "linear"|"inverse"|"option"|"spot"',
    "instruments.csv:2 expiryAt: Invalid ISO datetime",
    "tiers.csv:2 floorAsset: floors in USDT",
    "tiers.csv:3 floorAsset: floors in USDT",
    "tiers.csv:4 floorAsset: floors in USDT",
    "tiers.csv:5 floorAsset: floors in USDT",
    'a.csv:2 sequence: "1.5" is no whole number',
    'a.csv:2 balances.USDT: "5k" has a unit in it',
    "a.csv:2 brokerId: 1-32 characters of A-Z a-z 0-9 ",
    "a.csv:2 asOf: Invalid ISO datetime",
    "a.csv:2 policyId: unknown policy standart",
    "a.csv:3 accountId: 1-64 characters of A-Z a-z 0-9 ",
    "a.csv:3 clientClass: 1-32 characters of a-z 0-9 _ -",
    "a.csv:3 sequence: sequences start at 1",
    "p.csv:2 entryPrice: no value",
    'p.csv:2 quantity: "1,000" has a thousands separator',
    "p.csv:2 instrumentId: unknown instrument ETH-PERP",
    "p.csv:2 accountId: a position of A-3, which is not in the file of accounts",
    "c.csv:2 email: Invalid email address",
    "c.csv:2 timeZone: not a time zone",
    "c.csv:2 locale: a language tag such as en or pt-BR",
  ]);
});

describe("files that do not agree", () => {
  test.each<[string, Partial<ImportFiles>, string[]]>([
    [
      "an account twice",
      {
        accounts: source("a.csv", `${ONE}A-1,B,retail,standard,2,2020-03-12T00:00:00.000Z,5\n`),
        positions: source("p.csv", LEGS),
        contacts: undefined,
      },
      ["a.csv:3: account A-1 is there twice: the first is on line 2. Keep one of them"],
    ],
    [
      "a position twice, of an account that is not there, in an unknown instrument, in part of a lot, at no price",
      {
        accounts: source("a.csv", ONE),
        positions: source(
          "p.csv",
          `${LEGS}A-1,BTC-PERP,1,100\nA-1,BTC-PERP,2,100\nA-2,BTC-PERP,1,100\nA-1,ETH-PERP,1,100\nA-1,BTCUSD-PERP,0.5,0\n`,
        ),
        contacts: undefined,
      },
      [
        "p.csv:3: position of A-1 in BTC-PERP is there twice: the first is on line 2. Keep one of them",
        "p.csv:4 accountId: a position of A-2, which is not in the file of accounts. Add the account, or correct the id",
        "p.csv:5 instrumentId: unknown instrument ETH-PERP. Correct the id, or give the instrument with --instruments",
        "p.csv:6 quantity: 0.5 is no whole number of lots of 1. Write contracts of BTCUSD-PERP, not units of an asset",
        "p.csv:6 entryPrice: a price of 0 or below. Write the average price of the entry",
      ],
    ],
    [
      "an unknown policy",
      { accounts: source("a.csv", ONE.replace("standard", "standart")), positions: source("p.csv", LEGS), contacts: undefined },
      ["a.csv:2 policyId: unknown policy standart. Correct the id, or give the policy with --policies"],
    ],
    [
      "assets that the policy has no terms for",
      {
        accounts: source("a.csv", `${HEADER.trim()},balances.ETH,balances.DOGE\nA-1,B,retail,standard,1,2020-03-12T00:00:00.000Z,5,7,-1\n`),
        positions: source("p.csv", LEGS),
        contacts: undefined,
      },
      [
        "a.csv:2 balances.DOGE: a debt in DOGE, for which policy standard has no terms. Add its collateral terms to the policy",
        "note a.csv:2 balances.ETH: ETH counts nothing under policy standard. Add its collateral terms to the policy where it should count",
      ],
    ],
    [
      "a position that settles in such an asset",
      {
        haircuts: source("h.csv", textOf("haircuts.csv").split("\n").slice(0, 2).join("\n")),
        accounts: source("a.csv", ONE),
        positions: source("p.csv", `${LEGS}A-1,BTCUSD-PERP,1,100\n`),
        contacts: undefined,
      },
      [
        "p.csv:2 instrumentId: settles in BTC, for which policy standard has no terms: the account could not be decided. Add its collateral terms to the policy, or give the account another policy",
      ],
    ],
    [
      "a contact of nobody",
      { contacts: changed("contacts.csv", "desk-coin,", "desk-coni,") },
      ["contacts.csv:3 accountId: a contact of desk-coni, which is no account. Add the account, or correct the id"],
    ],
    [
      "a contact that cannot be written to, without its words",
      { contacts: changed("contacts.csv", "desk-coin@harbour.example", "desk-coin") },
      ["contacts.csv:3 email: Invalid email address. Correct it; docs/reference/import.md has the form"],
    ],
    [
      "a policy without collateral",
      { haircuts: undefined },
      ["policies.csv:2: policy standard has no collateral terms. Give its rows with --haircuts, at least one of its valuation asset"],
    ],
    [
      "levels that do not fall",
      { policies: changed("policies.csv", "750000,500000,200000", "500000,750000,200000") },
      [
        "policies.csv:2: levels: thresholds do not fall from warning over call to restricted. Order them warning ≥ call > restricted > 0 (R1)",
      ],
    ],
  ])("%s", async (_, over, expected) => {
    expect(await found(over)).toEqual(expected);
  });
});
