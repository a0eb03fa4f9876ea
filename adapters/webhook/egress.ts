import { lookup as dnsLookup } from "node:dns/promises";
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { LookupFunction, Socket } from "node:net";

import type { Http, HttpReply } from "../world.ts";
import { isPublicAddress, type Loopback, refuseUrl } from "./addresses.ts";

const CONNECT_TIMEOUT_MS = 5_000;
/** What is kept of a reply. The rest is not read: a receiver may send 10 GB or a compressed bomb (S47). */
const BODY_MAX = 1_024;
const HEADERS_MAX = 16_384;

/** The target may not be dialled, by its URL or by an address behind its name. No byte was sent. */
export class EgressRefused extends Error {
  override readonly name = "EgressRefused";
}

/** Looks a name up; all of its addresses. */
export type Resolve = (hostname: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

const systemResolve: Resolve = (hostname) => dnsLookup(hostname, { all: true });

/**
 * The look-up that the socket itself uses, so that the address judged is the address dialled: a name
 * that answers differently the second time gains nothing. One forbidden address refuses them all (N3 rule 2).
 */
const guardedLookup =
  (resolve: Resolve): LookupFunction =>
  (hostname, options, callback) => {
    resolve(hostname).then(
      (found) => {
        const first = found[0];
        if (first === undefined) return callback(new EgressRefused("the name has no address"), "", 0);
        if (!found.every(({ address }) => isPublicAddress(address))) {
          return callback(new EgressRefused("the name leads to an address that is not public"), "", 0);
        }
        return options.all === true ? callback(null, [...found], 0) : callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, "", 0),
    );
  };

/** The last guard, after the connect: who is at the other end of the socket. Judged without trust in the look-up. */
export const refusePeer = (remoteAddress: string | undefined, local: boolean): EgressRefused | null => {
  if (remoteAddress !== undefined && (local ? remoteAddress === "127.0.0.1" : isPublicAddress(remoteAddress))) return null;
  return new EgressRefused("connected to an address that is not public");
};

const watchSocket = (socket: Socket, local: boolean): void => {
  const timer = setTimeout(() => socket.destroy(new Error("no connection within 5 s")), CONNECT_TIMEOUT_MS);
  socket.once("close", () => clearTimeout(timer));
  socket.once(local ? "connect" : "secureConnect", () => clearTimeout(timer));
  socket.once("connect", () => {
    const refused = refusePeer(socket.remoteAddress, local);
    if (refused !== null) socket.destroy(refused);
  });
};

/** Seconds of `Retry-After`, given as seconds or as a date; null when absent, malformed or past. */
const retryAfterS = (reply: IncomingMessage): number | null => {
  const value = reply.headers["retry-after"];
  if (value === undefined) return null;
  if (/^\d{1,10}$/.test(value)) return Number(value);
  const seconds = Math.ceil((Date.parse(value) - Date.now()) / 1_000);
  return seconds > 0 ? seconds : null;
};

/** Reads at most 1 kB of the body, then hangs up. */
const readReply = (reply: IncomingMessage, done: (reply: HttpReply) => void): void => {
  const chunks: Buffer[] = [];
  let length = 0;
  const finish = (): void => {
    const body = Buffer.concat(chunks).subarray(0, BODY_MAX).toString("utf8");
    done({ status: reply.statusCode ?? 0, body, retryAfterS: retryAfterS(reply) });
  };
  reply.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length < BODY_MAX) return;
    finish();
    reply.destroy();
  });
  reply.once("end", finish);
};

/**
 * Requests to addresses that a consumer chose (N3): https to a public name, never through a proxy, no
 * redirect followed, no connection kept (each attempt judges its address anew), 5 s to connect.
 *
 * Not fetch: its connector never asks the look-up about a literal address, and so cannot guard it.
 *
 * @param loopback "local" also allows plain http to 127.0.0.1, for receivers on the local cloud.
 * @param resolve the look-up of names; the system's unless a test brings its own.
 */
export const createHttp = (loopback: Loopback, resolve: Resolve = systemResolve): Http => ({
  post: (request) =>
    new Promise((settle, fail) => {
      const refusal = refuseUrl(request.url, loopback);
      if (refusal !== null) return fail(new EgressRefused(refusal));
      const url = new URL(request.url);
      const local = url.protocol === "http:";
      const agent = local ? new HttpAgent({ keepAlive: false }) : new HttpsAgent({ keepAlive: false, maxCachedSessions: 0 });
      const outgoing = (local ? httpRequest : httpsRequest)(url, {
        method: "POST",
        headers: { ...request.headers, "content-length": Buffer.byteLength(request.body) },
        agent,
        lookup: guardedLookup(resolve),
        maxHeaderSize: HEADERS_MAX,
        signal: AbortSignal.timeout(request.timeoutMs),
      });
      outgoing.once("socket", (socket) => watchSocket(socket, local));
      outgoing.once("response", (reply) => {
        reply.once("error", fail);
        readReply(reply, settle);
      });
      outgoing.on("error", fail);
      return outgoing.end(request.body);
    }),
});
