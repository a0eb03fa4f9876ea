import { inspect } from "node:util";
import { describe, expect, test } from "vitest";

import { secret } from "../../adapters/secret.ts";
import { readSettings, variableOf } from "../../adapters/settings.ts";
import type { Settings } from "../../adapters/world.ts";

const env = {
  BOOK_TABLE: "book",
  SHARDS: "16",
  MODES: '{"default":"observe","brokers":{"B1":"enforce"}}',
  SHARDS_QUEUE_URL: "http://127.0.0.1:4566/000000000000/shards",
  PRINCIPALS: '{"arn:aws:iam::1:role/desk":{"role":"operator"},"arn:aws:iam::1:role/b1":{"role":"broker","brokerId":"B1"}}',
  WEBHOOK_LOOPBACK: "local",
};

describe("settings come from the environment", () => {
  test("by the names that the function gives", () => {
    const settings = readSettings(["bookTable", "shards", "modes", "shardsQueueUrl", "principals", "webhookLoopback"], env);
    expect(settings.bookTable).toBe("book");
    expect(settings.shards).toBe(16);
    expect(settings.modes).toEqual({ default: "observe", brokers: { B1: "enforce" }, clientClasses: {} });
    expect(settings.principals["arn:aws:iam::1:role/b1"]).toEqual({ role: "broker", brokerId: "B1" });
    expect(settings.webhookLoopback).toBe("local");
  });

  test.each<[keyof Settings, string]>([
    ["sweepIntervalMinMs", "SWEEP_INTERVAL_MIN_MS"],
    ["eventsTopicArn", "EVENTS_TOPIC_ARN"],
    ["appUrl", "APP_URL"],
    ["shardsPerGroup", "SHARDS_PER_GROUP"],
  ])("%s is %s", (setting, variable) => expect(variableOf(setting)).toBe(variable));

  test.each<[name: string, needs: (keyof Settings)[], env: Record<string, string>, words: string]>([
    ["missing", ["journalTable"], {}, "JOURNAL_TABLE is missing"],
    ["empty", ["journalTable"], { JOURNAL_TABLE: "" }, "JOURNAL_TABLE is missing"],
    ["two missing", ["journalTable", "appUrl"], {}, "JOURNAL_TABLE is missing; APP_URL is missing"],
    ["no number", ["shards"], { SHARDS: "16x" }, "SHARDS is malformed (not a whole number"],
    ["too many shards for one byte of a hash", ["shards"], { SHARDS: "257" }, "SHARDS is malformed"],
    ["modes that are no JSON", ["modes"], { MODES: "{" }, "MODES is malformed"],
    ["a mode that does not exist", ["modes"], { MODES: '{"default":"liquidate"}' }, "MODES is malformed"],
    ["a broker without its id", ["principals"], { PRINCIPALS: '{"arn":{"role":"broker"}}' }, "PRINCIPALS is malformed"],
    ["a loopback that is neither", ["webhookLoopback"], { WEBHOOK_LOOPBACK: "yes" }, "WEBHOOK_LOOPBACK is malformed"],
  ])("%s is refused by the variable's name", (_, needs, given, words) => {
    expect(() => readSettings(needs, given)).toThrow(words);
  });

  test("a complaint never shows the value", () => {
    expect(() => readSettings(["principals"], { PRINCIPALS: "hunter2" })).toThrow(/^(?!.*hunter2).*PRINCIPALS/);
  });

  test("reading a setting that was not named throws by its name", () => {
    const settings = readSettings(["bookTable"], env);
    expect(() => settings.shards).toThrow("the setting shards was not asked for");
  });
});

describe("a secret shows as [redacted] (C9)", () => {
  const hidden = secret("whsec_canary");
  test.each<[string, string]>([
    ["in a template", `${hidden}`],
    ["joined to text", `${"".concat(String(hidden))}`],
    ["in JSON", JSON.stringify({ hidden })],
    ["inspected", inspect({ hidden }, { depth: 9, showHidden: true })],
    ["in an error", String(new Error(`failed with ${hidden}`))],
    ["by its own values", JSON.stringify(Object.values(hidden).map(String))],
  ])("%s", (_, shown) => {
    expect(shown).not.toContain("canary");
  });

  test("and is read by asking for it", () => expect(hidden.reveal()).toBe("whsec_canary"));
});
