import "../../functions/environment.ts";

import { expect } from "vitest";

import { applyBookFeed } from "../../../functions/apply-book-feed.ts";
import { lineOf } from "../../../operator/import/finding.ts";
import { type ImportFiles, importFiles } from "../../../operator/import/import.ts";
import { batch, record, type Stage } from "../../functions/stage.ts";
import { example } from "./files.ts";

export const BROKERS = ["meridian", "harbour"];
export const CSV: ImportFiles = {
  policies: example("policies.csv"),
  haircuts: example("haircuts.csv"),
  instruments: example("instruments.csv"),
  tiers: { ...example("tiers.csv"), format: "plimsoll", symbols: new Map() },
  contacts: example("contacts.csv"),
  accounts: example("accounts.csv"),
  positions: example("positions.csv"),
  brokers: BROKERS,
};
export const JSON_FILES: ImportFiles = {
  policies: example("policies.json"),
  instruments: example("instruments.json"),
  accounts: example("accounts.json"),
  positions: example("positions.json"),
  brokers: BROKERS,
};

/** Runs an import and then the function that applies the feed on what it left in the queue. */
export const runOn = async (stage: Stage, files: ImportFiles, apply: boolean) => {
  const before = stage.sent.length;
  const imported = await importFiles(files, stage.world, apply);
  const messages = stage.sent.slice(before).map(({ body, groupId }) => record(body, { group: groupId ?? "" }));
  if (messages.length > 0) expect(await applyBookFeed(stage.world)(batch(...messages))).toEqual({ batchItemFailures: [] });
  const states = Object.fromEntries(
    Object.entries(imported.plan).map(([table, planned]) => [
      table,
      planned.map(({ id, state }: { id: string; state: string }) => `${id} ${state}`),
    ]),
  );
  return { ...imported, faults: imported.findings.map(lineOf), states, messages: messages.length };
};
