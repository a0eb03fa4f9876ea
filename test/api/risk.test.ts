import "./environment.ts";

import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createRiskReports, RiskReportTooLarge } from "../../adapters/dynamodb/risk-report.ts";
import type { RiskReportText } from "../../adapters/wire/risk.ts";
import { startTables, type TestTables } from "../engine.ts";
import { emptyRisk } from "./risk-report.ts";
import { ask, openVenue, type Venue } from "./venue.ts";

let tables: TestTables;
let venue: Venue;
beforeAll(async () => {
  tables = await startTables();
  venue = await openVenue(tables);
});
afterAll(() => tables.stop());

const NOON = Date.UTC(2020, 2, 12, 12);
const publish = (report: RiskReportText, marksAt: number) =>
  createRiskReports(venue.world).publish({ report, marksAt, publishedAt: marksAt + 60_000, release: "0.1.0" });
const read = (as = "operator") => ask(venue.world, { as, path: "/risk" });

describe("GET /risk", () => {
  test("before the first report it says how to make one", async () => {
    const { status, body } = await read();
    expect([status, body.type]).toEqual([404, "urn:plimsoll:problem:not-found"]);
    expect(body.mend).toContain("npm run risk with --publish");
  });

  test("the newest report with the age of its marks, for operators and auditors alone", async () => {
    expect(await publish(emptyRisk("2020-03-12T12:00:00.000Z"), NOON)).toBe("published");
    venue.clock.set(NOON + 90_000);
    for (const as of ["operator", "auditor"]) {
      const { status, body } = await read(as);
      expect(status).toBe(200);
      expect(body).toEqual({
        ...{ publishedAt: "2020-03-12T12:01:00.000Z", release: "0.1.0", ageMs: 90_000 },
        report: emptyRisk("2020-03-12T12:00:00.000Z"),
      });
    }
    for (const as of ["broker-1", "holder-1", "feed", "marks"]) expect((await read(as)).status).toBe(403);
  });

  test("a report on older marks takes no newer one's place; on the same marks it does", async () => {
    expect(await publish(emptyRisk("2020-03-12T11:00:00.000Z"), NOON - 3_600_000)).toBe("superseded");
    expect((await read()).body.report.marksAt).toBe("2020-03-12T12:00:00.000Z");
    expect(await publish({ ...emptyRisk("2020-03-12T12:00:00.000Z"), accounts: 7 }, NOON)).toBe("published");
    expect((await read()).body.report.accounts).toBe(7);
  });

  test("a report of another release's form is told of as none", async () => {
    const { marksTable } = venue.world.settings;
    const key = { pk: { S: "RISK" }, sk: { S: "NEWEST" } };
    const { Item: item } = await venue.world.db.get({ TableName: marksTable, Key: key });
    const row = { ...item, report: { B: gzipSync('{"sections":"of another form"}') } };
    await venue.world.db.put({ TableName: marksTable, Item: row });
    const { status, body } = await read();
    expect([status, body.detail]).toEqual([404, "the published report of the whole book's risk is not of this release's form"]);
    await venue.world.db.put({ TableName: marksTable, Item: item ?? {} });
  });

  test("what one row cannot hold is refused whole", async () => {
    const noise = Array.from({ length: 60_000 }, (_, index) => ({
      accountId: `A-${index}`,
      reason: `${(index * 2_654_435_761) % 4_294_967_296}`,
    }));
    const large = { ...emptyRisk("2020-03-12T13:00:00.000Z"), leftOut: noise };
    await expect(publish(large, NOON + 3_600_000)).rejects.toThrow(RiskReportTooLarge);
    expect((await read()).body.report.marksAt).toBe("2020-03-12T12:00:00.000Z");
  });
});
