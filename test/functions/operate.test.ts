import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createMarks } from "../../adapters/dynamodb/marks.ts";
import { createRiskReports } from "../../adapters/dynamodb/risk-report.ts";
import { ROUTES } from "../../adapters/wire/routes.ts";
import { instrumentFixture, policyFixture } from "../adapters/samples.ts";
import { emptyRisk } from "../api/risk-report.ts";
import { ask, moveMark, openAccount, openVenue, type Venue } from "../api/venue.ts";
import { startTables, type TestTables } from "../engine.ts";

const { policyId: ___, version: ____, ...policy } = policyFixture;
let tables: TestTables;
let venue: Venue;
let changeIds: { readonly own: string; readonly other: string };
let callIds: { readonly A1: string; readonly A2: string };

const liveCallOf = async (accountId: string): Promise<string> =>
  (await ask(venue.world, { as: "operator", path: `/accounts/${accountId}` })).body.call.callId;

/** A policy that waits for its instant. */
const changeOf = async (policyId: string): Promise<string> => {
  const body = { ...policy, effectiveAt: "2030-01-01T00:00:00Z" };
  return (await ask(venue.world, { as: "operator", method: "PUT", path: `/policies/${policyId}`, body })).body.pending.changeId;
};

beforeAll(async () => {
  tables = await startTables();
  venue = await openVenue(tables);
  await openAccount(venue, "A-1", "B1", "1000");
  await openAccount(venue, "A-2", "B2", "1000");
  await moveMark(venue, "7300", "A-1");
  await moveMark(venue, "7300", "A-2");
  callIds = { A1: await liveCallOf("A-1"), A2: await liveCallOf("A-2") };
  const marksAt = "2020-03-12T10:00:00.000Z";
  await createRiskReports(venue.world).publish({
    ...{ report: emptyRisk(marksAt), marksAt: 1_584_007_200_000, publishedAt: 1_584_007_200_000, release: "0.1.0" },
  });
  changeIds = { own: await changeOf("slow"), other: await changeOf("slower") };
});
afterAll(() => tables.stop());

const ROLES = ["operator", "auditor", "marks", "feed", "broker-1", "holder-1"];
const { instrumentId: _, version: __, ...instrument } = instrumentFixture;
const contact = { email: "holder@example.com", name: null, timeZone: "Europe/London", locale: "en", antiPhishingCode: null };

/** A valid request of each route: about B1 and its A-1 ("own"), or about B2 and its A-2. */
const request = (action: string, whose: "own" | "other", as: string) => {
  const [accountId, brokerId, callId] = whose === "own" ? ["A-1", "B1", callIds.A1] : ["A-2", "B2", callIds.A2];
  const bodies: Record<string, unknown> = {
    askWhatIf: { deposits: [{ asset: "USDT", amount: "1" }] },
    cancelCall: { reason: "opened on a wrong price" },
    putContact: contact,
    checkWithdrawal: { accountId, asset: "USDT", amount: "1" },
    postMarks: { schemaVersion: 1, marks: [{ instrumentId: "BTC-PERP", price: "8000", asOf: "2020-03-12T10:00:00Z", source: "x" }] },
    postFeedEntries: {
      schemaVersion: 1,
      accountId,
      entries: [{ kind: "deposit", externalId: "d-1", sequence: 2, occurredAt: "2020-03-12T10:00:00Z", asset: "USDT", amount: "1" }],
    },
    putInstrument: instrument,
    putPolicy: policy,
    approveChange: { newlyCalled: 0, newlyClosedOut: 0 },
    putEndpoint: { url: "https://hooks.example.com/x", types: null, enabled: true },
  };
  const line = ROUTES.find((route) => route.action === action);
  if (line === undefined) throw new Error(action);
  const path = line.path
    .replace("{accountId}", accountId)
    .replace("{brokerId}", brokerId)
    .replace("{callId}", callId)
    .replace("{endpointId}", "ep_main")
    .replace("{instrumentId}", "BTC-PERP")
    .replace("{policyId}", "standard")
    .replace("{changeId}", whose === "own" ? changeIds.own : changeIds.other);
  return { as, method: line.method, path, body: bodies[action], headers: { "idempotency-key": `key-${action}-${whose}-${as}` } };
};

/** Routes that each caller reaches, about its own and about others' things; written by hand. "+" is not 403. */
const REACH: Record<string, readonly [own: string, other: string]> = {
  //                roles:    o a m f b h   o a m f b h
  readContract: /*         */ ["++++++", "++++++"],
  listLiveCalls: /*        */ ["++----", "++----"],
  readAccount: /*          */ ["++--++", "++----"],
  askWhatIf: /*            */ ["++--++", "++----"],
  listCalls: /*            */ ["++--++", "++----"],
  readCall: /*             */ ["++--++", "++----"],
  listOrders: /*           */ ["++--++", "++----"],
  acknowledgeCall: /*      */ ["+---++", "+-----"],
  cancelCall: /*           */ ["+-----", "+-----"],
  putContact: /*           */ ["+---+-", "+-----"],
  checkWithdrawal: /*      */ ["+--+++", "+--+--"],
  postMarks: /*            */ ["--+---", "--+---"],
  postFeedEntries: /*      */ ["---+--", "---+--"],
  putInstrument: /*        */ ["+-----", "+-----"],
  putPolicy: /*            */ ["+-----", "+-----"],
  readRisk: /*             */ ["++----", "++----"],
  listChanges: /*          */ ["++----", "++----"],
  approveChange: /*        */ ["+-----", "+-----"],
  withdrawChange: /*       */ ["+-----", "+-----"],
  putEndpoint: /*          */ ["+---+-", "+-----"],
  readHealth: /*           */ ["++++++", "++++++"],
};

const matrix = ROUTES.flatMap(({ action }) =>
  (["own", "other"] as const).flatMap((whose, column) =>
    ROLES.map((as, index) => ({ action, whose, as, reaches: REACH[action]?.[column]?.[index] === "+" })),
  ),
);

describe("C2: every route x role x {own, other} through the whole stack (BOLA, BFLA)", () => {
  test("the table names every route", () => expect(Object.keys(REACH).sort()).toEqual(ROUTES.map(({ action }) => action).sort()));

  test.each(matrix)("$as $action $whose: $reaches", async ({ action, whose, as, reaches }) => {
    const reply = await ask(venue.world, request(action, whose, as));
    if (reaches) expect([200, 202, 409]).toContain(reply.status);
    else expect([reply.status, reply.body.type]).toEqual([403, "urn:plimsoll:problem:forbidden"]);
  });

  test.each(ROUTES.filter(({ access }) => access === "iam"))(
    "$action: an unsigned and an unknown caller are refused before anything is read",
    async ({ action }) => {
      for (const as of [null, "stranger"]) {
        const reply = await ask(venue.world, { ...request(action, "own", ""), as, body: { not: "valid" } });
        expect(reply.status).toBe(403);
      }
    },
  );

  test("a broker learns no difference between another's account and one that does not exist", async () => {
    const [others, absent] = await Promise.all(["A-2", "A-404"].map((id) => ask(venue.world, { as: "broker-1", path: `/accounts/${id}` })));
    expect({ ...others?.body, requestId: "" }).toEqual({ ...absent?.body, requestId: "" });
    expect(others?.status).toBe(403);
  });

  test("a holder gains nothing by naming a call of another account under its own", async () => {
    const reply = await ask(venue.world, { as: "holder-1", path: `/accounts/A-1/calls/${callIds.A2}` });
    expect(reply.status).toBe(404);
    const ack = await ask(venue.world, { as: "holder-1", method: "POST", path: `/accounts/A-1/calls/${callIds.A2}/acknowledgement` });
    expect(ack.status).toBe(404);
  });
});

describe("refusals say what, where and how to mend it (RFC 9457)", () => {
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    ask(venue.world, { as: "operator", method: "PUT", path: "/accounts/A-1/contact", body, headers });

  test("each wrong place is named, unknown fields too, and no value is repeated", async () => {
    const reply = await post({ ...contact, email: "SECRET-not-an-address", timeZone: "Mars/Base", admin: true });
    expect(reply.status).toBe(400);
    expect(reply.headers["content-type"]).toBe("application/problem+json");
    expect(reply.body.faults.map((fault: { where: string }) => fault.where).sort()).toEqual(["body/admin", "body/email", "body/timeZone"]);
    expect(reply.body.mend).toContain("openapi.json");
    expect(reply.text).not.toContain("SECRET");
  });

  test.each([
    ["a body that is not JSON", "{oops", {}, 400, "not-json"],
    ["a key that reaches prototypes (C14)", '{"__proto__":{"admin":true}}', {}, 400, "not-json"],
    ["a form", "a=b", { "content-type": "application/x-www-form-urlencoded" }, 415, "unsupported-media-type"],
    ["a body above the size of a message (C14)", JSON.stringify({ ...contact, name: "x".repeat(270_000) }), {}, 413, "too-large"],
    ["a body nested 100,000 deep (C14)", "[".repeat(100_000) + "]".repeat(100_000), {}, 400, undefined],
  ])("%s", async (_name, body, headers, status, kind) => {
    const reply = await post(body, headers);
    expect(reply.status).toBe(status);
    if (kind !== undefined) expect(reply.body.type).toBe(`urn:plimsoll:problem:${kind}`);
    expect(reply.text).not.toMatch(/node_modules|at .*\.ts/);
  });

  test.each([
    ["/accounts/..%2F..%2Fadmin", 400],
    ["/accounts/A-1%00", 400],
    ["/accounts/'%20OR%201=1", 400],
    [`/accounts/${"A".repeat(65)}`, 400],
    ["/accounts/A-1/unknown", 404],
    ["/__proto__", 404],
  ])("the path %s", async (path, status) => {
    const reply = await ask(venue.world, { as: "operator", path });
    expect(reply.status).toBe(status);
    expect(reply.headers["content-type"]).toBe("application/problem+json");
  });

  test("a method that the route does not have", async () => {
    expect((await ask(venue.world, { as: "operator", method: "DELETE", path: "/accounts/A-1" })).status).toBe(404);
  });

  test("an unknown query parameter", async () => {
    const reply = await ask(venue.world, { as: "operator", path: "/calls", query: { status: "open", all: "1" } });
    expect([reply.status, reply.body.faults]).toEqual([400, [{ where: "query/all", what: "unknown field" }]]);
  });

  test("a failure on this side tells its request's id and nothing else, and is logged without its words", async () => {
    const failing = { ...venue.world, db: { ...venue.world.db, get: async () => Promise.reject(new Error("table secret-table is gone")) } };
    const reply = await ask(failing, { as: "operator", path: "/accounts/A-1" });
    expect([reply.status, reply.body.type]).toEqual([500, "urn:plimsoll:problem:internal"]);
    expect(reply.text).not.toContain("secret-table");
    const logged = venue.log.lines.filter((line) => line.message === "request failed").at(-1);
    expect(JSON.stringify(logged)).toContain(reply.body.requestId);
    expect(JSON.stringify(logged)).not.toContain("secret-table");
  });
});

describe("every reply", () => {
  test.each([
    ["/health", null, 200],
    ["/accounts/A-1", "operator", 200],
    ["/accounts/A-1", "marks", 403],
    ["/nowhere", "operator", 404],
  ])("%s as %s has the security headers", async (path, as, status) => {
    const reply = await ask(venue.world, { as, path });
    const headers = Object.fromEntries(Object.entries(reply.headers).map(([name, value]) => [name.toLowerCase(), value]));
    expect(reply.status).toBe(status);
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["strict-transport-security"]).toContain("max-age=");
    expect(headers["x-frame-options"] ?? headers["content-security-policy"]).toBeDefined();
    expect(headers["cache-control"]).toBe("no-store");
    expect(headers["x-powered-by"]).toBeUndefined();
  });

  test.each([
    ["before the first sweep", null, { status: "unwatched", sweptAt: null }],
    ["three minutes after one", 180_000, { status: "ok" }],
    ["a millisecond more", 180_001, { status: "unwatched" }],
  ])("S32: health needs no signature and tells when all accounts were last marked: %s", async (_, agoMs, expected) => {
    const own = await tables.fresh();
    const now = Date.parse("2020-03-12T10:00:00Z");
    const world = { ...venue.world, db: own.db, settings: { ...venue.world.settings, ...own.names }, clock: { now: () => now } };
    if (agoMs !== null) {
      const then = createMarks({ ...world, clock: { now: () => now - agoMs } });
      const { snapshot } = (await then.startSweep(now - agoMs, 1, "token", await then.sweepState())) as {
        snapshot: { snapshotId: string };
      };
      await then.groupDone(snapshot.snapshotId, 0);
    }
    const sweptAt = agoMs === null ? null : new Date(now - agoMs).toISOString();
    expect((await ask(world, { as: null, path: "/health" })).body).toEqual({ ...expected, sweptAt });
  });
});
