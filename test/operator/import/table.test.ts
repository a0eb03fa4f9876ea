import { expect, test } from "vitest";

import { Findings, lineOf } from "../../../operator/import/finding.ts";
import { readTable } from "../../../operator/import/table.ts";

const COLUMNS = { required: ["accountId", "asset"], optional: ["amount", "balances.*"] };
const read = (file: string, content: string | Buffer) => {
  const findings = new Findings();
  const rows = readTable(file, Buffer.from(content as string), COLUMNS, findings);
  const cells = rows.map(({ line, cells: own }) => [line, Object.fromEntries([...own].map(([name, { text }]) => [name, text]))]);
  return { cells, findings: findings.all.map(lineOf) };
};
const HEADER = "accountId,asset,amount";
const NOTED = "It was left out; save as UTF-8 without BOM to be rid of this note";
const KNOWN = "known are accountId,asset,amount,balances.*";

test.each([
  ["csv", "t.csv", `${HEADER}\nA-1,USDT,5\n\nA-2,"BTC",\n`],
  ["json", "t.json", '[\n{"accountId": "A-1", "asset": "USDT", "amount": "5"},\n\n{"accountId": "A-2", "asset": "BTC"}]'],
])("reads %s with its lines", (_, file, content) => {
  expect(read(file, content)).toEqual({
    cells: [
      [2, { accountId: "A-1", asset: "USDT", amount: "5" }],
      [4, { accountId: "A-2", asset: "BTC" }],
    ],
    findings: [],
  });
});

test("joins keys by dots, so that both forms have the same columns", () => {
  const row = { accountId: "A-1", asset: "USDT", "balances.USDT": "1", "balances.BTC": "2" };
  expect(read("t.csv", "accountId,asset,balances.USDT,balances.BTC\nA-1,USDT,1,2\n").cells).toEqual([[2, row]]);
  const nested = '[ { "accountId": "A-1", "asset": "USDT",\n "balances": { "USDT": "1", "BTC": "2" } } ]';
  expect(read("t.json", nested).cells).toEqual([[1, row]]);
});

test("keeps what a JSON number is written as, digit by digit", () => {
  expect(read("t.json", '[{"accountId":"A","asset":"B","amount":0.10000000000000000001}]').cells).toEqual([
    [1, { accountId: "A", asset: "B", amount: "0.10000000000000000001" }],
  ]);
});

test.each([
  ["an empty file", "t.csv", "", ["t.csv: the file is empty. Give a file with a header and rows, or leave the option out"]],
  ["only blanks", "t.json", " \n\n", ["t.json: the file is empty. Give a file with a header and rows, or leave the option out"]],
  [
    "no header",
    "t.csv",
    "A-1,USDT,5\n",
    ["t.csv:1: the header is missing: the first line names no known column. Start the file with accountId,asset"],
  ],
  ["a column twice", "t.csv", "accountId,asset,asset\nA,B,C\n", ["t.csv:1 asset: the column is there twice. Keep one of them"]],
  ["an unknown column", "t.csv", "accountId,asset,amonut\nA,B,5\n", [`t.csv:1 amonut: an unknown column. Remove it; ${KNOWN}`]],
  ["a missing column", "t.csv", "accountId,amount\nA,5\n", ["t.csv:1 asset: the column is missing. Add it to the header and to each row"]],
  [
    "the header again",
    "t.csv",
    `${HEADER}\nA,B,5\n${HEADER}\nC,D,6\n`,
    ["t.csv:3: the header again. Remove the line: files that were joined keep one header"],
  ],
  [
    "a number with a thousands separator splits its row",
    "t.csv",
    `${HEADER}\nA,B,1,000\n`,
    ["t.csv:2: 4 cells where the header has 3. Give each row one cell a column; a comma inside a cell stands in quotes, a number has none"],
  ],
  ["semicolons", "t.csv", "accountId;asset\nA;B\n", ['t.csv:1: cells are separated by ";". Save it with commas between cells']],
  [
    "a row after a cell of two lines",
    "t.csv",
    `${HEADER}\n"A\nB",,5\nC,,6\n`,
    ["t.csv:2 asset: no value. Give one", "t.csv:4 asset: no value. Give one"],
  ],
  [
    "a quote inside a cell",
    "t.csv",
    `${HEADER}\nA,B"C,5\n`,
    ["t.csv:2: not CSV (INVALID_OPENING_QUOTE). Close each quote, and double a quote inside quotes"],
  ],
  ["an empty cell that is required", "t.csv", `${HEADER}\nA,,5\n`, ["t.csv:2 asset: no value. Give one"]],
  [
    "Latin-1",
    "t.csv",
    Buffer.from(`${HEADER}\nA,B,5\nC,D\xe9,5\n`, "latin1"),
    ["t.csv:3: a byte that is not UTF-8. Save the file as UTF-8"],
  ],
  ["a byte order mark", "t.csv", `\uFEFF${HEADER}\nA,B,5\n`, [`note t.csv:1: starts with a byte order mark. ${NOTED}`]],
  [
    "CRLF",
    "t.csv",
    `${HEADER}\nA,B,5\r\n`,
    ["note t.csv:2: a line ends with CRLF. Read as LF; save with LF line ends to be rid of this note"],
  ],
  [
    "broken JSON",
    "t.json",
    '[\n{"accountId": "A",}\n]',
    ["t.json:2: not JSON: Expected double-quoted property name. Correct the text from there on"],
  ],
  [
    "cut off JSON",
    "t.json",
    '[\n{"accountId": "A"',
    ["t.json:2: not JSON: Expected ',' or '}' after property value. Correct the text from there on"],
  ],
  [
    "JSON that is no list",
    "t.json",
    '{"accounts": []}',
    ["t.json:1: not a list. Give one JSON list, [ {...}, {...} ], with an object a row"],
  ],
  [
    "a row that is no object",
    "t.json",
    '[\n"A"]',
    [
      "t.json:2: a row that is no object. Give each row as { ... }",
      "t.json:2 accountId: no value. Give one",
      "t.json:2 asset: no value. Give one",
    ],
  ],
  [
    "a key twice",
    "t.json",
    '[{"accountId":"A","asset":"B",\n"asset":"C"}]',
    ["t.json:2 asset: the key is there twice in one object. Keep one of them"],
  ],
  [
    "an unknown key",
    "t.json",
    '[{"accountId":"A","asset":"B",\n"__proto__":{"x":1}}]',
    [`t.json:2 __proto__.x: an unknown key. Remove it; ${KNOWN}`],
  ],
])("names the line of %s", (_, file, content, expected) => {
  expect(read(file, content).findings).toEqual(expected);
});

test("refuses a name that does not say the form", () => {
  expect(() => read("t.xlsx", "x")).toThrow("t.xlsx: is neither .csv nor .json; the name's ending says how it is read");
});
