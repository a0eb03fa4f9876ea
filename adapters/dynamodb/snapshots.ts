import type { Mark, MarketSnapshot } from "../../core/mark.ts";
import type { World } from "../world.ts";
import type { createInstruments } from "./instruments.ts";
import { checkSchema, type Item, json, SCHEMA, text, UnreadableRow, whole } from "./items.ts";
import { hashOf } from "./keys.ts";
import { decodeMark, MARK_PK, packMarks, unpackMarks } from "./mark-codec.ts";
import { isConditionFailed, partition, queryAll } from "./pages.ts";

/** Snapshots are kept as long as point-in-time recovery reaches: a decision can be recomputed that long. */
const SNAPSHOT_FOR_S = 35 * 86_400;
/** Marks in one row of a snapshot: at 330 bytes, which the longest mark with a slow average, deposits and a jump has, below the 400 kB of an item. */
const MARKS_PER_ROW = 1_000;
const SNAPSHOTS_KEPT = 4;

const snapshotPk = (snapshotId: string): string => `SNAPSHOT#${snapshotId}`;
/** The id of a stored snapshot: its instant, sortable. */
export const snapshotIdOf = (takenAt: number): string => `S${takenAt.toString().padStart(13, "0")}`;

/**
 * Writes a snapshot: parts first, under the hash of what they hold, then META, once. A snapshot that
 * can be read is whole and never changes. @returns false when the id was stored before.
 */
const writeSnapshot = async (world: World, taken: MarketSnapshot): Promise<boolean> => {
  const table = world.settings.marksTable;
  const pk = { S: snapshotPk(taken.snapshotId) };
  const expiresAt = { N: `${Math.floor(taken.takenAt / 1_000) + SNAPSHOT_FOR_S}` };
  const marks = [...taken.marks.values()];
  const names: string[] = [];
  for (let from = MARKS_PER_ROW; from < marks.length; from += MARKS_PER_ROW) {
    const some = packMarks(marks.slice(from, from + MARKS_PER_ROW));
    const name = `PART#${hashOf(some)}`;
    names.push(name);
    await world.db.put({ TableName: table, Item: { pk, sk: { S: name }, schema: SCHEMA, expiresAt, marks: { S: some } } });
  }
  const versions = Object.fromEntries([...taken.instruments.values()].map((one) => [one.instrumentId, one.version]));
  const meta = {
    pk,
    sk: { S: "META" },
    schema: SCHEMA,
    expiresAt,
    takenAt: { N: `${taken.takenAt}` },
    parts: { S: JSON.stringify(names) },
    instruments: { S: JSON.stringify(versions) },
    marks: { S: packMarks(marks.slice(0, MARKS_PER_ROW)) },
  };
  try {
    await world.db.put({ TableName: table, Item: meta, ConditionExpression: "attribute_not_exists(pk)" });
    return true;
  } catch (error) {
    if (!isConditionFailed(error)) throw error;
    return false;
  }
};

/** Snapshots: the newest marks as they are, and immutable ones as stored. */
export const createSnapshots = (world: World, { instruments, instrument }: ReturnType<typeof createInstruments>) => {
  const table = (): string => world.settings.marksTable;
  const kept = new Map<string, MarketSnapshot>();

  const keep = (snapshot: MarketSnapshot): MarketSnapshot => {
    kept.set(snapshot.snapshotId, snapshot);
    for (const oldest of kept.keys()) {
      if (kept.size <= SNAPSHOTS_KEPT) break;
      kept.delete(oldest);
    }
    return snapshot;
  };

  const newest = async (snapshotId: string, takenAt: number): Promise<MarketSnapshot> => {
    const [all, items] = await Promise.all([instruments(), queryAll(world.db, { ...partition(table(), MARK_PK), ConsistentRead: true })]);
    const marks = new Map(items.map(decodeMark).map((mark) => [mark.instrumentId, mark]));
    return { snapshotId, takenAt, marks, instruments: all };
  };

  const marksOf = async (meta: Item, snapshotId: string): Promise<Mark[]> => {
    const names = json(meta, "parts") as string[];
    const rows = await Promise.all(
      names.map((name) =>
        world.db.get({ TableName: table(), Key: { pk: { S: snapshotPk(snapshotId) }, sk: { S: name } }, ConsistentRead: true }),
      ),
    );
    return [meta, ...rows.map((row) => row.Item)].flatMap((row) => {
      if (row === undefined) throw new UnreadableRow("a snapshot without all its parts");
      return unpackMarks(text(row, "marks"));
    });
  };

  const snapshot = async (snapshotId: string): Promise<MarketSnapshot | null> => {
    const known = kept.get(snapshotId);
    if (known !== undefined) return known;
    const Key = { pk: { S: snapshotPk(snapshotId) }, sk: { S: "META" } };
    const { Item: meta } = await world.db.get({ TableName: table(), Key, ConsistentRead: true });
    if (meta === undefined) return null;
    checkSchema(meta);
    const versions = Object.entries(json(meta, "instruments") as Record<string, number>);
    const [marks, read] = await Promise.all([
      marksOf(meta, snapshotId),
      Promise.all(versions.map(([instrumentId, version]) => instrument(instrumentId, version))),
    ]);
    return keep({
      snapshotId,
      takenAt: whole(meta, "takenAt"),
      marks: new Map(marks.map((mark) => [mark.instrumentId, mark])),
      instruments: new Map(read.map((one) => [one.instrumentId, one])),
    });
  };

  /** Stores a snapshot under its id. @returns the one that stands: the first one stored. */
  const store = async (taken: MarketSnapshot): Promise<MarketSnapshot> => {
    if (await writeSnapshot(world, taken)) return keep(taken);
    return (await snapshot(taken.snapshotId)) ?? taken;
  };

  return { newest, store, snapshot };
};
