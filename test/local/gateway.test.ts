import { request } from "node:http";

import { afterEach, beforeEach, expect, it } from "vitest";

import { type ApiRequest, isLocalHost, startGateway } from "../../local/gateway.ts";

let gateway: Awaited<ReturnType<typeof startGateway>>;
let asked: ApiRequest[];

beforeEach(async () => {
  asked = [];
  gateway = await startGateway(0);
  gateway.open((api) => {
    asked.push(api);
    return Promise.resolve({ status: 200, headers: {}, body: "ok" });
  });
});

afterEach(() => gateway.stop());

const ask = (host: string | undefined): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const { port } = new URL(gateway.url);
    const sent = request({ host: "127.0.0.1", port, path: "/health?a=1", ...(host !== undefined && { headers: { host } }) }, (reply) => {
      reply.resume();
      reply.on("end", () => resolve(reply.statusCode));
    });
    sent.on("error", reject);
    sent.end();
  });

it("answers a request for this machine", async () => {
  const { port } = new URL(gateway.url);
  expect(await ask(undefined)).toBe(200);
  expect(await ask(`localhost:${port}`)).toBe(200);
  expect(asked.map(({ path }) => path)).toEqual(["/health?a=1", "/health?a=1"]);
});

it.each(["evil.example", "evil.example:80", "127.0.0.1", "localhost:1", "127.0.0.1.evil.example"])(
  "refuses a page that resolved its own name %s to this machine",
  async (host) => {
    expect(await ask(host)).toBe(421);
    expect(asked).toEqual([]);
  },
);

it("refuses a request without a host", () => {
  expect(isLocalHost(undefined, 80)).toBe(false);
});

it("says what to do about a port that is taken", async () => {
  const port = Number(new URL(gateway.url).port);
  await expect(startGateway(port)).rejects.toMatchObject({
    name: "PortTakenError",
    message: `port ${port} of 127.0.0.1 is taken: stop the program that holds it, or choose another port`,
  });
});
