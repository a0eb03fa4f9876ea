import type { Instrument, Instruments } from "../../core/instrument.ts";
import type { HeldTerms } from "../../core/notice.ts";
import type { World } from "../world.ts";
import { createBelieved } from "./believed.ts";
import { heldSince, storedAtOf } from "./held-versions.ts";
import { type Item, text, whole } from "./items.ts";
import { decodeInstrument, INSTRUMENT_PK, instrumentItem } from "./mark-codec.ts";
import { partition, queryAll } from "./pages.ts";

/** How long the set of instruments is believed without a look at the table. */
const INSTRUMENTS_FOR_MS = 30_000;

const versionKey = (instrumentId: string, version: number): { pk: string; sk: string } => ({
  pk: `${INSTRUMENT_PK}#${instrumentId}`,
  sk: `v${version}`,
});

/** Instruments: the newest version of each, and every version for ever, since a snapshot names versions. */
export const createInstruments = (world: World) => {
  const table = (): string => world.settings.marksTable;
  const versions = new Map<string, Instrument>();

  const keep = (instrument: Instrument): Instrument => {
    versions.set(`${instrument.instrumentId}#${instrument.version}`, instrument);
    return instrument;
  };

  /** A stored version never changes: one that is known is not read again. */
  const decoded = (item: Item): Instrument => versions.get(`${text(item, "sk")}#${whole(item, "version")}`) ?? keep(decodeInstrument(item));

  const newest = createBelieved(world.clock, INSTRUMENTS_FOR_MS, async (pk): Promise<Instruments> => {
    const items = await queryAll(world.db, { ...partition(table(), pk), ConsistentRead: true });
    return new Map(items.map(decoded).map((instrument) => [instrument.instrumentId, instrument]));
  });

  const instrument = async (instrumentId: string, version: number): Promise<Instrument> => {
    const kept = versions.get(`${instrumentId}#${version}`);
    if (kept !== undefined) return kept;
    const { pk, sk } = versionKey(instrumentId, version);
    const got = await world.db.get({ TableName: table(), Key: { pk: { S: pk }, sk: { S: sk } } });
    if (got.Item === undefined) throw new Error(`no version ${version} of instrument ${instrumentId}`);
    return keep(decodeInstrument(got.Item));
  };

  const isStored = async (item: Item): Promise<boolean> => {
    const { pk, sk } = item as { pk: { S: string }; sk: { S: string } };
    const got = await world.db.get({ TableName: table(), Key: { pk, sk }, ConsistentRead: true });
    return got.Item?.["body"]?.S === item["body"]?.S;
  };

  const putInstrument = async (changed: Instrument): Promise<"stored" | "conflict"> => {
    newest.forget(INSTRUMENT_PK);
    const current = instrumentItem(changed, { pk: INSTRUMENT_PK, sk: changed.instrumentId });
    const storedAt = { N: `${world.clock.now()}` };
    const forEver = { ...instrumentItem(changed, versionKey(changed.instrumentId, changed.version)), storedAt };
    try {
      await world.db.transactWrite({
        TransactItems: [
          {
            Put: {
              TableName: table(),
              Item: current,
              ConditionExpression: "attribute_not_exists(pk) OR #version < :version",
              ExpressionAttributeNames: { "#version": "version" },
              ExpressionAttributeValues: { ":version": { N: `${changed.version}` } },
            },
          },
          { Put: { TableName: table(), Item: forEver, ConditionExpression: "attribute_not_exists(pk)" } },
        ],
      });
      return "stored";
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "TransactionCanceledException") throw error;
      return (await isStored(forEver)) ? "stored" : "conflict";
    }
  };

  /** Versions that held since an instant, from the oldest. */
  const instrumentsSince = (instrumentId: string, newestVersion: number, since: number): Promise<readonly HeldTerms<Instrument>[]> =>
    heldSince(newestVersion, since, async (version) => {
      const { pk, sk } = versionKey(instrumentId, version);
      const { Item } = await world.db.get({ TableName: table(), Key: { pk: { S: pk }, sk: { S: sk } }, ConsistentRead: true });
      return Item === undefined ? null : { terms: decodeInstrument(Item), effectiveAt: storedAtOf(Item) };
    });

  return { instruments: () => newest.get(INSTRUMENT_PK), instrument, instrumentsSince, putInstrument };
};
