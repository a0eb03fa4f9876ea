import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { CORPUS_VERSION, keep, readCorpus } from "../../simulation/command/corpus.ts";
import { askedOf, UsageError } from "../../simulation/command/options.ts";

describe("the command line", () => {
  test.each([
    [[], { what: "seeds", seeds: 1_000, from: 1, profile: "standard", json: false }],
    [["--seeds", "20", "--from", "5", "--json"], { what: "seeds", seeds: 20, from: 5, json: true }],
    [["--seed", "9", "--trace", "--profile", "calm"], { what: "trace", seed: 9, profile: "calm" }],
    [["--seed", "9"], { what: "seeds", from: 9, seeds: 1, keeps: false }],
    [["--mutants"], { what: "mutants" }],
    [["--sweep"], { what: "sweep", only: [] }],
    [["--sweep", "--only", "S42,S50"], { what: "sweep", only: ["S42", "S50"] }],
    [["--corpus"], { what: "corpus" }],
  ] as const)("%j is read", (args, asked) => {
    expect(askedOf(args)).toMatchObject(asked);
  });

  test.each([
    [["--profile", "stormy"], 'there is no profile "stormy": take one of standard, skewed, calm, sweeper'],
    [["--seed", "1.5"], '--seed takes a whole number from 0 on, not "1.5"'],
    [["--seed", "seven"], '--seed takes a whole number from 0 on, not "seven"'],
    [["--seeds", "0"], '--seeds takes a whole number from 1 on, not "0"'],
    [["--from", "99999999999999"], "--from takes a whole number"],
    [["--mutants", "--sweep"], "take one"],
    [["--trace"], "add --seed N"],
    [["--only", "S42"], "add --sweep"],
    [["--speed"], "--speed"],
    [["12"], "12"],
  ] as const)("%j is refused in words", (args, words) => {
    expect(() => askedOf(args)).toThrow(UsageError);
    expect(() => askedOf(args)).toThrow(words);
  });

  test("a wrong one ends with 2 and says how it is used, before anything is built", () => {
    const run = () =>
      execFileSync(process.execPath, ["simulation/simulate.ts", "--profile", "stormy"], { encoding: "utf8", stdio: "pipe" });
    expect(run).toThrow(expect.objectContaining({ status: 2, stderr: expect.stringContaining("npm run simulate -- --sweep") }));
  });
});

describe("the corpus", () => {
  const folder = (): string => mkdtempSync(join(tmpdir(), "plimsoll-corpus-"));
  const failing = { seed: 12, profile: "standard", faults: ["c17", "d3"], accounts: ["A-1"] } as const;

  test("keeps a failing case and reads it back", () => {
    const where = folder();
    keep(failing, "I14", "a balance", where);
    keep({ ...failing, seed: 13, faults: null, accounts: null }, "L03", "a call", where);
    expect(readCorpus(where)).toEqual([
      { version: CORPUS_VERSION, ...failing, broke: "I14", words: "a balance" },
      { version: CORPUS_VERSION, seed: 13, profile: "standard", faults: null, accounts: null, broke: "L03", words: "a call" },
    ]);
  });

  test("what a crash left half written is no entry, and spoils none", () => {
    const where = folder();
    keep(failing, "I14", "a balance", where);
    writeFileSync(join(where, "standard-12.json.part"), '{"version": 1, "se');
    expect(readCorpus(where)).toHaveLength(1);
    keep(failing, "I14", "again", where);
    expect(readdirSync(where)).toEqual(["standard-12.json"]);
  });

  test.each([
    ["of an older version", '{"version":0,"seed":1}', "is of version 0, this simulator is"],
    ["without a version", '{"seed":1}', "is of version undefined"],
    ["that is no JSON", "{", "does not read"],
    [
      "with a site that there is not",
      `{"version":${CORPUS_VERSION},"seed":1,"profile":"calm","faults":["x1"],"accounts":null,"broke":"","words":""}`,
      "another form",
    ],
    [
      "of an unknown profile",
      `{"version":${CORPUS_VERSION},"seed":1,"profile":"stormy","faults":null,"accounts":null,"broke":"","words":""}`,
      "another form",
    ],
  ])("an entry %s is refused by its file", (_, content, words) => {
    const where = folder();
    writeFileSync(join(where, "standard-1.json"), content);
    expect(() => readCorpus(where)).toThrow(UsageError);
    expect(() => readCorpus(where)).toThrow(words);
    expect(() => readCorpus(where)).toThrow("standard-1.json");
  });
});
