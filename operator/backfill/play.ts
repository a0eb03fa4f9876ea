import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { BatchGetItemCommand, type DynamoDBClient, GetItemCommand, QueryCommand, ScanCommand } from "@aws-sdk/client-dynamodb";

import { createLog } from "../../adapters/lambda/log.ts";
import type { Db, Settings, World } from "../../adapters/world.ts";
import { type Cloud, startCloud } from "../../local/cloud.ts";
import { createReplay, type ReplayPage, type Script } from "../../local/replay.ts";
import { localStage } from "../../local/stage.ts";
import { synthesize } from "../../local/synthesize.ts";
import { readStageBook } from "../compare/our-stage.ts";
import type { OurBook } from "../compare/ours.ts";

const FOLDER = fileURLToPath(new URL("../../.plimsoll/", import.meta.url));

const EVER = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };

/** Nobody looks on, and nothing is to be heard: in `observe` nothing is published. */
const SILENT: ReplayPage = {
  url: "http://127.0.0.1:9",
  mail: () => {
    throw new Error("an email left a deployment that only observes (R28)");
  },
  tell: () => {
    throw new Error("an event left a deployment that only observes (R28)");
  },
  receiver: { trust: () => undefined },
};

const readOnly = (): Promise<never> => Promise.reject(new Error("the tables of a back-fill are read, not written"));

const readingDb = (client: DynamoDBClient): Db => ({
  get: (input) => client.send(new GetItemCommand(input)),
  batchGet: (input) => client.send(new BatchGetItemCommand(input)),
  query: (input) => client.send(new QueryCommand(input)),
  put: readOnly,
  update: readOnly,
  transactWrite: readOnly,
});

const worldOf = (cloud: Cloud): World => {
  const { shards, defaultPolicy } = localStage("observe");
  const tables = { bookTable: cloud.tableName("book"), marksTable: cloud.tableName("marks"), journalTable: cloud.tableName("journal") };
  const settings: Pick<Settings, "bookTable" | "marksTable" | "journalTable" | "shards" | "defaultPolicy"> = {
    ...tables,
    shards,
    defaultPolicy,
  };
  const world: Pick<World, "db" | "clock" | "log" | "settings"> = {
    db: readingDb(cloud.clients.db),
    clock: { now: cloud.now },
    log: createLog(),
    settings: settings as Settings,
  };
  return world as World;
};

/** Ids of every snapshot that a sweep took, also of those that changed nothing. */
const snapshotIds = async (cloud: Cloud): Promise<string[]> => {
  const ids: string[] = [];
  let ExclusiveStartKey: Record<string, never> | undefined;
  do {
    const page = await cloud.clients.db.send(
      new ScanCommand({ TableName: cloud.tableName("marks"), ...(ExclusiveStartKey !== undefined && { ExclusiveStartKey }) }),
    );
    for (const item of page.Items ?? []) {
      const pk = item["pk"]?.S ?? "";
      if (pk.startsWith("SNAPSHOT#") && item["sk"]?.S === "META") ids.push(pk.slice("SNAPSHOT#".length));
    }
    ExclusiveStartKey = page.LastEvaluatedKey as typeof ExclusiveStartKey;
  } while (ExclusiveStartKey !== undefined);
  return ids;
};

/**
 * Plays a script in mode `observe` on a cloud of its own on this machine: the real functions on stepped time, with
 * the instants of the history. Nothing is sent to anybody, and no deployed table is touched.
 *
 * @returns our side, as the journal of that cloud tells it.
 * @throws Error where messages were parked or an event left: then the run proves nothing.
 */
export const playObserved = async (script: Script): Promise<OurBook> => {
  mkdirSync(FOLDER, { recursive: true });
  const directory = mkdtempSync(join(FOLDER, "backfill-"));
  const assembly = await synthesize(join(directory, "cdk.out"), { mode: "observe" });
  const cloud = await startCloud({ assembly, clock: "stepped", startAt: script.steps[0]?.at ?? 0, directory });
  try {
    const replay = createReplay(cloud, script, SILENT);
    await replay.load();
    await replay.play(() => undefined);
    const parked = Object.entries(await cloud.deadLetters()).filter(([, messages]) => messages > 0);
    if (parked.length > 0)
      throw new Error(
        `messages were parked: ${parked.map(([queue, messages]) => `${messages} in ${queue}`).join(", ")}; logs in ${directory}`,
      );
    const ours = await readStageBook(worldOf(cloud), { ...EVER, further: await snapshotIds(cloud) });
    rmSync(directory, { recursive: true, force: true });
    return ours;
  } finally {
    await cloud.stop();
  }
};
