import { gunzipSync, gzipSync } from "node:zlib";

import { LIMITS } from "../../core/limits.ts";
import { type RiskReportText, riskReport } from "../wire/risk.ts";
import type { World } from "../world.ts";
import { checkSchema, type Item, SCHEMA, text, UnreadableRow, whole } from "./items.ts";
import { isConditionFailed } from "./pages.ts";

/** The newest report of the whole book's risk: one row beside the marks that it was worked out on. */
const KEY = { pk: { S: "RISK" }, sk: { S: "NEWEST" } } as const;

/** A report as it was published. */
export interface PublishedRisk {
  readonly report: RiskReportText;
  readonly marksAt: number;
  readonly publishedAt: number;
  readonly release: string;
}

/** A report that one row cannot hold. */
export class RiskReportTooLarge extends Error {
  override readonly name = "RiskReportTooLarge";
}

const decode = (item: Item): PublishedRisk => {
  checkSchema(item);
  const packed = item["report"]?.B;
  if (packed === undefined) throw new UnreadableRow("no bytes in report");
  const read = riskReport.safeParse(JSON.parse(gunzipSync(packed).toString("utf8")));
  if (!read.success) throw new UnreadableRow("no report of this release in report: publish it again");
  return { report: read.data, marksAt: whole(item, "marksAt"), publishedAt: whole(item, "publishedAt"), release: text(item, "release") };
};

export const createRiskReports = (world: World) => {
  const table = (): string => world.settings.marksTable;
  return {
    /** The newest published report; null before the first. @throws UnreadableRow for one that another release wrote in another form. */
    newest: async (): Promise<PublishedRisk | null> => {
      const { Item: item } = await world.db.get({ TableName: table(), Key: KEY, ConsistentRead: true });
      return item === undefined ? null : decode(item);
    },
    /**
     * Publishes a report, unless one on newer marks is there.
     *
     * @throws RiskReportTooLarge, TypeError or ZodError for a report of another form.
     */
    publish: async ({ report, marksAt, publishedAt, release }: PublishedRisk): Promise<"published" | "superseded"> => {
      const unpacked = Buffer.from(JSON.stringify(riskReport.parse(report)));
      const packed = gzipSync(unpacked);
      const { riskReportBytesMax, riskReportTextMax } = LIMITS;
      if (unpacked.length > riskReportTextMax || packed.length > riskReportBytesMax) {
        const sizes = `${unpacked.length} bytes, of at most ${riskReportTextMax}, and ${packed.length} compressed, of at most ${riskReportBytesMax}`;
        throw new RiskReportTooLarge(sizes);
      }
      try {
        await world.db.put({
          TableName: table(),
          Item: {
            ...KEY,
            schema: SCHEMA,
            marksAt: { N: `${marksAt}` },
            publishedAt: { N: `${publishedAt}` },
            release: { S: release },
            report: { B: packed },
          },
          ConditionExpression: "attribute_not_exists(pk) OR marksAt <= :marksAt",
          ExpressionAttributeValues: { ":marksAt": { N: `${marksAt}` } },
        });
        return "published";
      } catch (error) {
        if (!isConditionFailed(error)) throw error;
        return "superseded";
      }
    },
  };
};
