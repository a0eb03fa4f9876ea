import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { parseStage, StageError } from "../../lib/stage.ts";
import { PRESETS, readStage } from "../../lib/stages.ts";

const file = (content: string): string => {
  const path = join(mkdtempSync(join(tmpdir(), "plimsoll-stage-")), "stage.json");
  writeFileSync(path, content);
  return path;
};

const refused = (changes: Record<string, unknown>): string => {
  try {
    parseStage("of the test", { ...PRESETS.production, ...changes });
  } catch (error) {
    expect(error).toBeInstanceOf(StageError);
    return (error as StageError).message;
  }
  throw new Error("the stage was accepted");
};

describe("presets", () => {
  test("R28: both start in observe, for every broker and client class", () => {
    for (const preset of Object.values(PRESETS)) expect(preset.modes).toEqual({ default: "observe", brokers: {}, clientClasses: {} });
  });

  test("the sandbox is asked for when nothing is", () => {
    expect(readStage(undefined)).toEqual(PRESETS.sandbox);
    expect(readStage("production")).toEqual(PRESETS.production);
  });

  test("design §3 and §4: shards and reservations fit the kind of account", () => {
    expect([PRESETS.sandbox.shards, PRESETS.production.shards]).toEqual([16, 256]);
    expect(PRESETS.sandbox.reservedConcurrency).toBe("off");
    expect(PRESETS.sandbox.deletionProtection).toBe(false);
    expect(PRESETS.production.deletionProtection).toBe(true);
    expect(PRESETS.production.removal).toBe("retain");
  });

  test("production's reservations leave more than half of a default account's 1,000 executions", () => {
    const reserved = Object.values(PRESETS.production.reservedConcurrency).reduce((sum, count) => sum + count, 0);
    expect(reserved).toBe(364);
  });
});

describe("a stage's file", () => {
  test("is laid over the preset that it names", () => {
    const path = file('{ "preset": "production", "name": "desk", "region": "eu-central-1", "mailFrom": "margin@desk.example" }');
    expect(readStage(path)).toEqual({ ...PRESETS.production, name: "desk", region: "eu-central-1", mailFrom: "margin@desk.example" });
  });

  test.each([
    ["no preset", '{ "name": "desk" }', "must name its preset: one of sandbox, production"],
    ["an unknown preset", '{ "preset": "prod" }', "must name its preset"],
    ["a preset of the language's own", '{ "preset": "constructor" }', "must name its preset"],
    ["a list", "[]", "must hold one JSON object"],
    ["no JSON", "{", "cannot be read"],
  ])("with %s is refused", (_, content, says) => {
    expect(() => readStage(file(content))).toThrow(says);
  });

  test("that is not there is refused by its name", () => {
    expect(() => readStage("nowhere.json")).toThrow(/nowhere\.json cannot be read/);
  });

  test.each(["prod", "", 7, "constructor"])("%o is neither a preset nor a file", (asked) => {
    expect(() => readStage(asked)).toThrow(StageError);
  });
});

describe("a mistake is refused by its name", () => {
  test.each([
    [{ sweepIntervalMsMin: 5_000 }, "sweepIntervalMsMin"],
    [{ modes: { default: "enforced", brokers: {}, clientClasses: {} } }, "modes.default"],
    [{ modes: { default: "observe", brokers: {}, clientClasses: {}, brokerz: {} } }, "brokerz"],
    [{ name: "Production" }, "name"],
    [{ region: "eu-west" }, "region"],
    [{ account: "12" }, "account"],
    [{ shards: 512 }, "shards"],
    [{ shardsPerGroup: 0 }, "shardsPerGroup"],
    [{ shards: 2 }, "shardsPerGroup"],
    [{ mailFrom: "nobody" }, "mailFrom"],
    [{ appUrl: "javascript:alert(1)" }, "appUrl"],
    [{ logRetentionDays: 8 }, "logRetentionDays"],
    [{ sweepTimeoutMs: 5_000 }, "sweepTimeoutMs"],
    [{ sweepTimeoutMs: 180_000 }, "sweepTimeoutMs"],
    [{ sweepStepPpm: -1 }, "sweepStepPpm"],
    [{ webhookLoopback: "local" }, "webhookLoopback"],
    [{ webhookLoopback: "always" }, "webhookLoopback"],
    [{ removal: "destroy" }, "removal"],
    [{ principals: { "arn:aws:iam::111122223333:role/x": { role: "admin" } } }, "principals"],
    [{ reservedConcurrency: { "expire-call": 1 } }, "reservedConcurrency.expire-call"],
    [{ reservedConcurrency: { "expire-cals": 10 } }, "reservedConcurrency"],
  ])("%j", (changes, key) => {
    expect(refused(changes)).toContain(key);
  });

  test("several mistakes are named at once", () => {
    expect(refused({ region: "x", shards: 0, typo: 1 })).toMatch(/region[\s\S]*shards[\s\S]*typo|typo[\s\S]*region|region[\s\S]*typo/);
  });

  test("C15: a reservation for some leaves none out that decides the end of a call", () => {
    const message = refused({ reservedConcurrency: { "send-email": 10 } });
    for (const name of ["expire-call", "sweep-overdue", "dispatch-orders"]) expect(message).toContain(`must name ${name}`);
  });

  test("principals and modes that would not fit in a function's environment", () => {
    const principals = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`arn:aws:iam::111122223333:role/reader-${index}`, { role: "auditor" }]),
    );
    expect(refused({ principals })).toContain("principals: must fit in 2000 bytes");
    const brokers = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`broker-${index}`, "enforce"]));
    expect(refused({ modes: { default: "observe", brokers, clientClasses: {} } })).toContain("modes: must fit in 1000 bytes");
  });

  test("loopback webhooks are for the stage named local", () => {
    const local = { ...PRESETS.sandbox, name: "local", webhookLoopback: "local" };
    expect(parseStage("of the test", local).webhookLoopback).toBe("local");
  });
});
