import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { ScanCommand } from "@aws-sdk/client-dynamodb";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";

import type { RowSchema } from "../../adapters/dynamodb/items.ts";
import { BUNDLE } from "../../lib/bundle.ts";
import { FUNCTION_NAMES, type FunctionName } from "../../lib/stage.ts";
import { migrateBook } from "../../operator/migrate-book.ts";
import { testWorld } from "../engine.ts";
import { type CrashPlay, dbOf, MINUTE, openCrash, START } from "./crash.ts";
import { decodeAccount as decodeBefore } from "./previous/account-codec.ts";

const ACCOUNTS = 90;
const ROOT = join(import.meta.dirname, "../..");

/**
 * Bundles of the release before. Where `PREVIOUS_CHECKOUT` names a checkout of another commit, it is that one; else it
 * is this one with the frozen codec of rows, which needs no history and so holds in a shallow clone as well.
 */
const bundleBefore = async (): Promise<(name: string) => string> => {
  const directory = mkdtempSync(join(tmpdir(), "plimsoll-before-"));
  const checkout = process.env["PREVIOUS_CHECKOUT"];
  if (checkout === undefined) {
    const frozen = join(import.meta.dirname, "previous/account-codec.ts");
    const swap = {
      name: "the codec of the release before",
      setup: ({ onResolve }: Parameters<NonNullable<Parameters<typeof build>[0]["plugins"]>[number]["setup"]>[0]) =>
        onResolve({ filter: /\/account-codec\.ts$/ }, () => ({ path: frozen })),
    };
    await build({ ...BUNDLE, entryPoints: [...BUNDLE.entryPoints], outdir: directory, plugins: [swap] });
  } else {
    const { bundleFunctions } = (await import(join(checkout, "lib/bundle.ts"))) as typeof import("../../lib/bundle.ts");
    bundleFunctions(directory);
  }
  return (name) => join(directory, name);
};

let before: (name: string) => string;
/** The story of a deployment that nobody touched. */
let expected: Awaited<ReturnType<typeof storyOf>>;
beforeAll(async () => {
  before = await bundleBefore();
  const untouched = await openCrash(ACCOUNTS);
  await untouched.replay.play(() => undefined);
  expected = await storyOf(untouched);
  await untouched.stop();
}, 600_000);

/** Functions that decide, in an order in which a deployment might reach them. */
const DECIDERS: readonly FunctionName[] = [
  ...["mark-accounts", "operate", "sweep-overdue", "apply-book-feed", "expire-call", "arm-deadline", "dispatch-orders"],
] as FunctionName[];
const HALF = DECIDERS.slice(0, 4);
const REST = FUNCTION_NAMES.filter((name) => !HALF.includes(name));

const stageFile = (rowSchema: RowSchema): string => {
  const file = join(mkdtempSync(join(tmpdir(), "plimsoll-stage-")), "stage.json");
  writeFileSync(file, JSON.stringify({ preset: "sandbox", name: "local", shards: 2, shardsPerGroup: 1, rowSchema }));
  return file;
};

/** What an operator does during an upgrade, on a play under way. */
const operatorOf = ({ cloud, asset }: CrashPlay) => {
  const names = { bookTable: cloud.tableName("book"), journalTable: "", marksTable: "", outboundTable: "" };
  const world = testWorld({ db: dbOf(cloud.clients.db), names }, { settings: { shards: 2 } });
  const endpoint = async (): Promise<string> => {
    const { hostname, port } = (await cloud.clients.db.config.endpoint?.()) ?? { hostname: "", port: 0 };
    return `http://${hostname}:${port}`;
  };
  return {
    world,
    toBefore: (functions: readonly string[]) => cloud.deploy(functions, (name) => ({ asset: before(name) })),
    toPresent: (functions: readonly string[]) => cloud.deploy(functions, (name) => ({ asset: asset(name) })),
    write: (functions: readonly string[], version: RowSchema) =>
      cloud.deploy(functions, () => ({ environment: { ROW_SCHEMA: `${version}` } })),
    /** `npm run migrate`, in a process of its own. @returns what it said. */
    migrate: async (to: RowSchema): Promise<string> => {
      const env = {
        ...process.env,
        AWS_ENDPOINT_URL_DYNAMODB: await endpoint(),
        AWS_ACCESS_KEY_ID: "local",
        AWS_SECRET_ACCESS_KEY: "local",
      };
      const { stdout } = await promisify(execFile)(process.execPath, ["operator/migrate.ts", "--stage", stageFile(to)], { env, cwd: ROOT });
      return stdout;
    },
    /** The same, stopped after the first shard. */
    migrateHalf: (to: RowSchema) =>
      migrateBook(world, to, {
        dryRun: false,
        onPage: ({ shard }) => {
          if (shard === 1) throw new Error("the lid of the laptop was closed");
        },
      }),
    /** Rows of accounts by their schema version, and how many of them hold a live call. */
    rows: async () => {
      const { Items = [] } = await cloud.clients.db.send(new ScanCommand({ TableName: names.bookTable }));
      const accounts = Items.filter(({ sk }) => sk?.S?.startsWith("ACC#"));
      const of = (version: string) => accounts.filter(({ schema }) => schema?.N === version);
      return {
        first: of("1").length,
        second: of("2").length,
        live: accounts.filter(({ live }) => live !== undefined).length,
        newest: of("2"),
      };
    },
  };
};

/** What became of each call, and what was told of it: the same on every road. */
const storyOf = async (play: CrashPlay) => {
  const tables = await play.tables();
  const verdicts = play.verdicts(tables);
  return {
    broken: Object.entries(verdicts).filter(([, { holds }]) => !holds),
    checked: Object.values(verdicts).every(({ checked }) => checked > 0),
    calls: tables.calls.map(({ callId, status, version, issuedAt, deadlineAt }) => ({ callId, status, version, issuedAt, deadlineAt })),
    called: [...new Set(tables.calls.map(({ accountId }) => accountId))].sort(),
    orders: tables.orders.map(({ orderId, status, quantity, filled }) => ({ orderId, status, quantity, filled })),
    told: play.events.map(({ id, type }) => `${id} ${type}`).sort(),
    notices: play.notices().length,
    dead: Object.values(await play.cloud.deadLetters()).reduce((sum, messages) => sum + messages, 0),
  };
};

describe("functions and rows of two releases, with calls open (S33)", () => {
  it("forward and back again: every call, order, event and notice is the one of a deployment that nobody touched", {
    timeout: 600_000,
  }, async () => {
    expect(expected).toMatchObject({ broken: [], checked: true, dead: 0 });

    const play = await openCrash(ACCOUNTS);
    const operator = operatorOf(play);
    const seen: Record<string, Awaited<ReturnType<typeof operator.rows>>> = {};
    const steps: readonly (readonly [number, string, () => Promise<unknown>])[] = [
      [222, "half of the functions are new", () => operator.toPresent(HALF)],
      [245, "all are new, and write as before", () => operator.toPresent(REST)],
      [262, "half of them write the new version", () => operator.write(HALF, 2)],
      [281, "all of them write the new version", () => operator.write(REST, 2)],
      [300, "a migration is stopped half-way", () => expect(operator.migrateHalf(2)).rejects.toThrow("lid")],
      [342, "and goes on", async () => expect(await operator.migrate(2)).toContain("rewritten")],
      [350, "half of them write as before", () => operator.write(HALF, 1)],
      [361, "all of them write as before", () => operator.write(REST, 1)],
      [380, "the rows go back", async () => expect(await operator.migrate(1)).toContain("rewritten")],
      [402, "half of the functions are old", () => operator.toBefore(HALF)],
      [421, "all of them are old", () => operator.toBefore(REST)],
    ];
    await operator.toBefore(FUNCTION_NAMES);
    for (const [minute, step, act] of steps) {
      play.cloud.at(START + minute * MINUTE, step, async () => {
        await act();
        seen[step] = await operator.rows();
      });
    }
    await play.replay.play(() => undefined);

    expect(Object.values(seen).map(({ live }) => live > 0)).toEqual(steps.map(() => true));
    expect(seen["all are new, and write as before"]).toMatchObject({ first: ACCOUNTS, second: 0 });
    expect(seen["and goes on"]).toMatchObject({ first: 0, second: ACCOUNTS });
    expect(seen["the rows go back"]).toMatchObject({ first: ACCOUNTS, second: 0 });
    expect(() => decodeBefore(seen["and goes on"]?.newest[0] ?? {})).toThrow("schema version 2");
    expect(await storyOf(play)).toEqual(expected);
  });

  it("rolled back in a hurry, under rows that the old functions do not read: they guess nothing, and nothing is lost (I26)", {
    timeout: 600_000,
  }, async () => {
    const play = await openCrash(ACCOUNTS);
    const operator = operatorOf(play);
    const told: number[] = [];
    const steps: readonly (readonly [number, () => Promise<unknown>])[] = [
      [100, () => operator.write(FUNCTION_NAMES, 2)],
      [150, () => operator.migrate(2)],
      [399, () => operator.toBefore(FUNCTION_NAMES)],
      [404, () => operator.migrate(1)],
    ];
    for (const [minute, act] of steps) {
      play.cloud.at(START + minute * MINUTE, "operator", async () => {
        await act();
        told.push(play.events.length);
      });
    }
    await play.replay.play(() => undefined);

    // The market falls at minute 400, and for four minutes nobody can judge an account.
    expect(told[3]).toBe(told[2]);
    const { broken, called, dead, told: all } = await storyOf(play);
    expect({ broken, called, dead }).toEqual({ broken: [], called: expected.called, dead: 0 });
    expect(new Set(all).size).toBe(all.length);
  });
});
