import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";

import { createHttp, EgressRefused, refusePeer } from "../../../adapters/webhook/egress.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A receiver on loopback, as the local cloud has them. */
const receiver = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener);
  await new Promise<void>((ready) => {
    server.listen(0, "127.0.0.1", ready);
  });
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
};
const post = (url: string, timeoutMs = 5_000) =>
  createHttp("local").post({ url, headers: { "content-type": "application/json", "webhook-id": "evt_1" }, body: '{"a":"ü"}', timeoutMs });
const answering = (...addresses: string[]) =>
  createHttp("never", () => Promise.resolve(addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })))).post({
    url: "https://hooks.example.com/",
    headers: {},
    body: "{}",
    timeoutMs: 2_000,
  });

describe("N3 the sender", () => {
  test("N3 posts body and headers, and returns status and text", async () => {
    let seen = "";
    const url = await receiver((request, reply) => {
      request.on("data", (chunk) => {
        seen += String(chunk);
      });
      request.on("end", () => {
        reply.writeHead(202, { "x-id": String(request.headers["webhook-id"]) });
        reply.end(`${request.method} ${request.headers["content-length"]}`);
      });
    });
    await expect(post(url)).resolves.toEqual({ status: 202, body: "POST 10", retryAfterS: null });
    expect(seen).toBe('{"a":"ü"}');
  });

  test.each([
    ["a private one", ["10.0.0.1"]],
    ["the metadata service", ["169.254.169.254"]],
    ["the runtime's loopback", ["127.0.0.1"]],
    ["one public, one private", ["93.184.215.14", "192.168.0.1"]],
    ["one public, a private second family", ["93.184.215.14", "::1"]],
    ["mapped loopback", ["::ffff:7f00:1"]],
    ["compatible loopback", ["::7f00:1"]],
    ["NAT64 of the metadata service", ["64:ff9b::a9fe:a9fe"]],
    ["6to4 of loopback", ["2002:7f00:1::"]],
    ["64 records with one private at the end", [...Array.from({ length: 63 }, (_, n) => `93.184.215.${n + 1}`), "10.1.2.3"]],
    ["none at all", []],
  ])("N3 S47 a name that resolves to %s is refused before a byte leaves", async (_, addresses) => {
    await expect(answering(...addresses)).rejects.toThrow(EgressRefused);
  });

  test("N3 each attempt looks the name up again: rebinding gains nothing", async () => {
    const looked: string[] = [];
    const http = createHttp("never", (hostname) => {
      looked.push(hostname);
      return Promise.resolve([{ address: "169.254.169.254", family: 4 }]);
    });
    const request = { url: "https://rebind.example.com/", headers: {}, body: "{}", timeoutMs: 2_000 };
    await expect(http.post(request)).rejects.toThrow(EgressRefused);
    await expect(http.post(request)).rejects.toThrow(EgressRefused);
    expect(looked).toEqual(["rebind.example.com", "rebind.example.com"]);
  });

  test("N3 a name that does not resolve fails like any other attempt", async () => {
    const http = createHttp("never", () => Promise.reject(Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" })));
    await expect(http.post({ url: "https://no.example.com/", headers: {}, body: "{}", timeoutMs: 2_000 })).rejects.toThrow("ENOTFOUND");
  });

  test("N3 loopback is refused outside the local cloud, by URL and by peer", async () => {
    const url = await receiver((_, reply) => reply.end("secret"));
    await expect(createHttp("never").post({ url, headers: {}, body: "{}", timeoutMs: 2_000 })).rejects.toThrow("not https");
    expect(refusePeer("127.0.0.1", false)).toBeInstanceOf(EgressRefused);
    expect(refusePeer("::ffff:10.0.0.1", false)).toBeInstanceOf(EgressRefused);
    expect(refusePeer(undefined, false)).toBeInstanceOf(EgressRefused);
    expect(refusePeer("93.184.215.14", false)).toBeNull();
    expect(refusePeer("93.184.215.14", true)).toBeInstanceOf(EgressRefused);
    expect(refusePeer("127.0.0.1", true)).toBeNull();
  });

  test("N3 S47 a redirect is an answer, not an address", async () => {
    let hits = 0;
    const target = await receiver((_, reply) => {
      hits += 1;
      reply.end();
    });
    const url = await receiver((_, reply) => {
      reply.writeHead(302, { location: target });
      reply.end();
    });
    await expect(post(url)).resolves.toMatchObject({ status: 302 });
    expect(hits).toBe(0);
  });

  test("N3 proxy variables are ignored", async () => {
    let proxied = 0;
    const proxy = await receiver((_, reply) => {
      proxied += 1;
      reply.end();
    });
    const url = await receiver((_, reply) => reply.end("direct"));
    process.env["HTTP_PROXY"] = proxy;
    process.env["HTTPS_PROXY"] = proxy;
    process.env["NODE_USE_ENV_PROXY"] = "1";
    try {
      await expect(post(url)).resolves.toMatchObject({ body: "direct" });
    } finally {
      delete process.env["HTTP_PROXY"];
      delete process.env["HTTPS_PROXY"];
      delete process.env["NODE_USE_ENV_PROXY"];
    }
    expect(proxied).toBe(0);
  });

  test("S47 an endless body is cut at 1 kB", async () => {
    const url = await receiver((_, reply) => {
      reply.on("error", () => undefined);
      const pour = (): void => {
        while (reply.write("x".repeat(65_536)) && !reply.destroyed);
      };
      reply.on("drain", pour);
      pour();
    });
    const reply = await post(url);
    expect(reply.status).toBe(200);
    expect(reply.body).toBe("x".repeat(1_024));
  });

  test("S47 a compressed body is not unpacked", async () => {
    const url = await receiver((_, reply) => {
      reply.writeHead(200, { "content-encoding": "gzip" });
      reply.end("not gzip at all");
    });
    await expect(post(url)).resolves.toMatchObject({ body: "not gzip at all" });
  });

  test("S47 a flood of headers is refused", async () => {
    const url = await receiver((_, reply) => {
      for (let n = 0; n < 40; n += 1) reply.setHeader(`x-${n}`, "y".repeat(1_000));
      reply.end();
    });
    await expect(post(url)).rejects.toMatchObject({ code: "HPE_HEADER_OVERFLOW" });
  });

  test.each(["no reply", "a body that never ends"])("S46 S47 total time is bounded: %s", async (kind) => {
    const url = await receiver((_, reply) => {
      if (kind !== "no reply") reply.writeHead(200).write("slow");
    });
    await expect(post(url, 150)).rejects.toThrow();
  });

  test.each([
    ["120", 120],
    ["9999999999", 9_999_999_999],
    ["soon", null],
    ["-5", null],
    ["Wed, 21 Oct 2015 07:28:00 GMT", null],
  ])("N1 Retry-After %s", async (value, expected) => {
    const url = await receiver((_, reply) => {
      reply.writeHead(503, { "retry-after": value });
      reply.end();
    });
    await expect(post(url)).resolves.toEqual({ status: 503, body: "", retryAfterS: expected });
  });

  test("N1 Retry-After as a date to come", async () => {
    const url = await receiver((_, reply) => {
      reply.writeHead(429, { "retry-after": new Date(Date.now() + 3_600_000).toUTCString() });
      reply.end();
    });
    const { retryAfterS } = await post(url);
    expect(retryAfterS).toBeGreaterThan(3_500);
    expect(retryAfterS).toBeLessThanOrEqual(3_600);
  });
});
