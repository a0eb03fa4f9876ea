import { request } from "node:http";

import { Webhook } from "standardwebhooks";
import { afterEach, describe, expect, it } from "vitest";

import { Refusal } from "../../../local/options.ts";
import { openPage, type Page } from "../../../local/page/server.ts";
import { CALL_ID, callView, event } from "../fixtures.ts";

const NOW = Date.UTC(2020, 2, 12, 10);
const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const pages: Page[] = [];

const open = async (port = 0): Promise<Page> => {
  const page = await openPage({
    port,
    progress: () => ({ now: NOW, share: 0.5, running: true, source: "a path" }),
    timeline: (accountId, callId) => Promise.resolve({ status: 200, body: { accountId, callId, timeline: [] } }),
  });
  pages.push(page);
  return page;
};

afterEach(async () => {
  await Promise.all(pages.splice(0).map((page) => page.stop()));
});

const statusWithHost = (page: Page, host: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request(`${page.url}/state`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });

describe("the replay's page", () => {
  it("serves itself under a policy that allows nothing from elsewhere", async () => {
    const page = await open();
    for (const path of ["/", "/page.css", "/page.js"]) {
      const reply = await fetch(page.url + path);
      expect([reply.status, reply.headers.get("x-content-type-options")]).toEqual([200, "nosniff"]);
      expect(reply.headers.get("content-security-policy")).toContain("default-src 'none'; script-src 'self'");
      expect(await reply.text()).not.toMatch(/https?:\/\//);
    }
    expect(page.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it("answers only under its own host names (DNS rebinding)", async () => {
    const page = await open();
    const port = new URL(page.url).port;
    expect(await statusWithHost(page, `127.0.0.1:${port}`)).toBe(200);
    expect(await statusWithHost(page, `localhost:${port}`)).toBe(200);
    expect(await statusWithHost(page, `attacker.example:${port}`)).toBe(421);
    expect(await statusWithHost(page, "127.0.0.1")).toBe(421);
  });

  it("shows emails in a sandbox, and their text", async () => {
    const page = await open();
    page.mail({
      at: NOW,
      to: "a1@meridian.example",
      subject: "Margin call",
      html: "<h1>Margin call</h1><script>x</script>",
      text: "Margin call",
    });
    const html = await fetch(`${page.url}/inbox/0/html`);
    expect(html.headers.get("content-security-policy")).toMatch(/^sandbox; default-src 'none'/);
    expect(await html.text()).toContain("<h1>Margin call</h1>");
    const text = await fetch(`${page.url}/inbox/0/text`);
    expect([text.headers.get("content-type"), await text.text()]).toEqual(["text/plain; charset=utf-8", "Margin call"]);
    for (const path of ["/inbox/1/html", "/inbox/0/raw", "/inbox/-1/html", "/inbox/x/html"])
      expect((await fetch(page.url + path)).status).toBe(404);
  });

  it("tells what is new since a reader's cursors, the newest state of each call", async () => {
    const page = await open();
    page.mail({ at: NOW, to: "a1@meridian.example", subject: "One", html: "", text: "" });
    page.tell(event());
    page.tell(event({ accountSequence: 4, type: "margin_call.met", call: callView({ status: "MET" }) }));
    page.tell(event({ accountSequence: 3, type: "margin_call.updated" }));
    const state = async (query: string) => (await (await fetch(`${page.url}/state?${query}`)).json()) as Record<string, unknown>;
    expect(await state("")).toMatchObject({
      now: NOW,
      share: 0.5,
      running: true,
      totals: { emails: 1, deliveries: 0, calls: 1 },
      emails: [{ number: 0, subject: "One" }],
      calls: [{ accountId: "A1", call: { callId: CALL_ID, status: "MET" } }],
      callsCursor: 2,
    });
    expect(await state("emails=1&calls=2&deliveries=0")).toMatchObject({ emails: [], calls: [], callsCursor: 2 });
  });

  it("receives webhooks for its endpoints and refuses what is not signed", async () => {
    const page = await open();
    page.receiver.trust("ep_meridian", SECRET);
    const body = '{"type":"margin_call.issued"}';
    const headers = {
      "webhook-id": "evt_1",
      "webhook-timestamp": String(NOW / 1_000),
      "webhook-signature": new Webhook(SECRET).sign("evt_1", new Date(NOW), body),
    };
    const post = (sent: string) => fetch(`${page.url}/receive/ep_meridian`, { method: "POST", headers, body: sent });
    expect((await post(body)).status).toBe(204);
    expect((await post(body.replace("issued", "met"))).status).toBe(401);
    expect(page.receiver.deliveries.map(({ verified }) => verified)).toEqual([true, false]);
  });

  it("passes a call's timeline on from the API, for well-formed ids alone", async () => {
    const page = await open();
    expect(await (await fetch(`${page.url}/calls/A1/${CALL_ID}`)).json()).toEqual({ accountId: "A1", callId: CALL_ID, timeline: [] });
    expect((await fetch(`${page.url}/calls/A1/..%2f..%2fhealth`)).status).toBe(404);
    expect((await fetch(page.url, { method: "DELETE" })).status).toBe(405);
  });

  it("says in one line that its port is taken, and the way out", async () => {
    const { port } = new URL((await open()).url);
    await expect(open(Number(port))).rejects.toThrow(new Refusal(`port ${port} is taken or not allowed; give another one with --port`));
  });
});
