import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { compare } from "../../../operator/compare/compare.ts";
import { readOurs, writeOurs } from "../../../operator/compare/ours.ts";
import { readTheirs } from "../../../operator/compare/theirs.ts";
import { plantedHistory } from "./planted.ts";

const examples = join(import.meta.dirname, "../../../examples/compare");
const ever = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, toleranceMs: 60_000 };

test("the example of our side is what the core decides today", async () => {
  await expect(writeOurs(plantedHistory().book())).toMatchFileSnapshot(join(examples, "ours.json"));
});

test("a book with ten planted differences: exactly ten are found, each with its cause", () => {
  const ours = readOurs("ours.json", readFileSync(join(examples, "ours.json"), "utf8"));
  const theirs = readTheirs("theirs.csv", readFileSync(join(examples, "theirs.csv"), "utf8"));
  const { differences, equal } = compare(ours, theirs, ever);
  expect(differences.map(({ accountId, kind, aspect, cause }) => `${accountId} ${kind}, ${aspect}: ${cause}`)).toEqual([
    "P-book call, only ours: book",
    "P-fee call, only theirs: fee",
    "P-gap liquidation, only theirs: out of sync",
    "P-haircut call, only ours: haircut",
    "P-mark call, only theirs: mark",
    "P-missing call, only ours: missing account",
    "P-rounding call, figures: rounding",
    "P-tier call, only theirs: tier",
    "P-timing call, time: timing",
    "P-trigger call, only theirs: trigger",
  ]);
  expect(equal).toBe(4);
});
