import { describe, expect, it } from "vitest";

import { Refusal, readOptions } from "../../local/options.ts";

const DEFAULTS = { prices: [], book: null, accounts: 1_000, seed: 1, mixed: false, realtime: false, once: false, json: false, port: null };

describe("the command line of npm start", () => {
  it.each([
    ["nothing", [], DEFAULTS],
    ["two price files", ["--prices", "a.csv", "--prices", "b.csv"], { ...DEFAULTS, prices: ["a.csv", "b.csv"] }],
    ["numbers", ["--accounts", "50", "--seed", "0", "--port", "5000"], { ...DEFAULTS, accounts: 50, seed: 0, port: 5_000 }],
    ["a book and the real clock", ["--book", "b.json", "--realtime"], { ...DEFAULTS, book: "b.json", realtime: true }],
    ["--json ends by itself", ["--json"], { ...DEFAULTS, json: true, once: true }],
    ["--once", ["--once"], { ...DEFAULTS, once: true }],
    ["--help", ["--help"], "help"],
  ])("reads %s", (_, args, options) => {
    expect(readOptions(args)).toEqual(options);
  });

  it.each([
    ["an unknown option", ["--speed", "3"], /^Unknown option '--speed'.*--help$/],
    ["a word that is no option", ["crash.csv"], /^Unexpected argument 'crash.csv'.*--help$/],
    ["an option without its value", ["--prices"], /^Option '--prices <value>' argument missing.*--help$/],
    ["no number", ["--accounts", "many"], "--accounts many: give a whole number from 1 to 1000000"],
    ["a fraction", ["--seed", "1.5"], "--seed 1.5: give a whole number from 0 to 4294967295"],
    ["no account", ["--accounts", "0"], "--accounts 0: give a whole number from 1 to 1000000"],
    ["a port that cannot be", ["--port", "65536"], "--port 65536: give a whole number from 0 to 65535"],
    ["a book and a number of accounts", ["--book", "b.json", "--accounts", "5"], "--book and --accounts exclude each other: leave one out"],
  ])("refuses %s in one line with the way out", (_, args, words) => {
    let message = "";
    try {
      readOptions(args);
    } catch (error) {
      expect(error).toBeInstanceOf(Refusal);
      message = (error as Error).message;
    }
    expect(message).toMatch(words);
    expect(message).not.toContain("\n");
  });
});
