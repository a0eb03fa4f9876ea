import { decimal, type Price, price } from "../../core/money.ts";
import type { World } from "../world.ts";
import { checkSchema, SCHEMA, text, whole } from "./items.ts";
import { isConditionFailed } from "./pages.ts";

/** A price that the breaker holds (R17): `HOLD` / `<instrumentId>` in the marks table. */
export interface Hold {
  readonly instrumentId: string;
  /** Instant of the mark in whose place the price would come; 0 for none. A hold against another mark is over. */
  readonly against: number;
  /** When the first price was held against this mark. */
  readonly since: number;
  /** The newest price that is held, and who said so: another source that agrees confirms it. */
  readonly source: string;
  readonly price: Price;
}

const PK = "HOLD";

export const createHolds = (world: World) => {
  const table = (): string => world.settings.marksTable;
  return {
    /** The hold against the mark of this instant, strongly consistent; null where there is none. */
    find: async (instrumentId: string, against: number): Promise<Hold | null> => {
      const Key = { pk: { S: PK }, sk: { S: instrumentId } };
      const { Item } = await world.db.get({ TableName: table(), Key, ConsistentRead: true });
      if (Item === undefined) return null;
      checkSchema(Item);
      if (whole(Item, "against") !== against) return null;
      return { instrumentId, against, since: whole(Item, "since"), source: text(Item, "source"), price: price(text(Item, "price")) };
    },

    /** Holds a price. Of two workers that begin at once the earlier beginning stands: no hold becomes longer by a race. */
    put: async (hold: Hold): Promise<void> => {
      try {
        await world.db.put({
          TableName: table(),
          Item: {
            pk: { S: PK },
            sk: { S: hold.instrumentId },
            schema: SCHEMA,
            against: { N: `${hold.against}` },
            since: { N: `${hold.since}` },
            source: { S: hold.source },
            price: { S: decimal(hold.price) },
          },
          ConditionExpression: "attribute_not_exists(pk) OR against <> :against OR since >= :since",
          ExpressionAttributeValues: { ":against": { N: `${hold.against}` }, ":since": { N: `${hold.since}` } },
        });
      } catch (error) {
        if (!isConditionFailed(error)) throw error;
      }
    },
  };
};
