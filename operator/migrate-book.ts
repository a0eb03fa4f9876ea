import { decodeAccount, encodeAccount } from "../adapters/dynamodb/account-codec.ts";
import { type Item, type RowSchema, rowSchemaOf, UnreadableRow } from "../adapters/dynamodb/items.ts";
import { isConditionFailed } from "../adapters/dynamodb/pages.ts";
import type { World } from "../adapters/world.ts";
import { type Tally, type Walk, walkBook } from "./walk-book.ts";

/** Fresh reads of a row that functions write meanwhile: each of them has written it in the stage's version already. */
const TRIES_MAX = 5;

/**
 * What became of an account's row. `held`: it has no form in the wanted version, as in the restored state (S54).
 * `contended`: written by others each time. `unreadable`: of a version that this release does not know, or spoiled.
 */
const OUTCOMES = ["already", "rewritten", "held", "contended", "unreadable"] as const;
type Outcome = (typeof OUTCOMES)[number];

/** Outcomes after which a row is not in the wanted version: a person must look. */
export const LEFT_BEHIND: readonly Outcome[] = ["held", "contended", "unreadable"];

const readAgain = async ({ db, settings }: World, { pk, sk }: Item): Promise<Item | undefined> => {
  const got = await db.get({ TableName: settings.bookTable, Key: { pk, sk } as Item, ConsistentRead: true });
  return got.Item;
};

/** Puts the row in its other form, if it is still the one that was read: same account version, same schema version (I03). */
const replaced = async ({ db, settings }: World, row: Item, next: Item): Promise<boolean> => {
  try {
    await db.put({
      TableName: settings.bookTable,
      Item: next,
      ConditionExpression: "#version = :version AND #schema = :schema",
      ExpressionAttributeNames: { "#version": "version", "#schema": "schema" },
      ExpressionAttributeValues: { ":version": row["version"], ":schema": row["schema"] } as Item,
    });
    return true;
  } catch (error) {
    if (isConditionFailed(error)) return false;
    throw error;
  }
};

const nextForm = (world: World, row: Item, to: RowSchema): Item | "already" | "held" => {
  if (rowSchemaOf(row) === to) return "already";
  const account = decodeAccount(row);
  const next = encodeAccount(account, account.headHash, world.settings.shards, to);
  return rowSchemaOf(next) === to ? next : "held";
};

const migrateRow = async (world: World, read: Item, to: RowSchema, dryRun: boolean): Promise<Outcome> => {
  let row: Item | undefined = read;
  try {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      if (row === undefined) return "already";
      const next = nextForm(world, row, to);
      if (typeof next === "string") return next;
      if (dryRun || (await replaced(world, row, next))) return "rewritten";
      row = await readAgain(world, read);
    }
    return "contended";
  } catch (error) {
    if (!(error instanceof UnreadableRow) && !(error instanceof RangeError)) throw error;
    world.log.error("account row does not read", { accountId: read["sk"]?.S?.slice(4) ?? "", error: error.message });
    return "unreadable";
  }
};

/**
 * Rewrites every account's row in version `to`: its form, and nothing else. No account version is counted and nothing
 * is journalled, since nothing has happened to an account. Functions may run meanwhile: a row that one of them
 * writes between the read and the write is read again. Stopped half-way, it goes on where it was; done again, it
 * finds nothing to do.
 */
export const migrateBook = (
  world: World,
  to: RowSchema,
  { dryRun, onPage }: { readonly dryRun: boolean; readonly onPage?: Walk["onPage"] },
): Promise<Tally> =>
  walkBook(world, {
    name: "MIGRATE",
    goal: `v${to}`,
    visit: (row) => migrateRow(world, row, to, dryRun),
    remembers: !dryRun,
    ...(onPage !== undefined && { onPage }),
  });
