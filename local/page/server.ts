import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { EventMessage } from "../../adapters/wire/events.ts";
import { Refusal } from "../options.ts";
import { createReceiver, type Receiver } from "./receiver.ts";

/** Port of the page when none is asked for. */
export const PAGE_PORT = 4173;

/** An email as its holder got it. */
export interface InboxEmail {
  readonly at: number;
  readonly to: string;
  readonly subject: string;
  readonly html: string;
  readonly text: string;
}

/** What the page shows beside the inbox, the receiver's log and the calls. */
export interface Progress {
  readonly now: number;
  /** Played share of the path, 0 to 1. */
  readonly share: number;
  readonly running: boolean;
  readonly source: string;
}

export interface Page {
  readonly url: string;
  readonly receiver: Receiver;
  /** Puts an email into the inbox. */
  mail(email: InboxEmail): void;
  /** Shows what an event tells of its call. */
  tell(event: EventMessage): void;
  readonly emails: readonly InboxEmail[];
  stop(): Promise<void>;
}

export interface PageParts {
  /** 0 for any free port. */
  readonly port: number;
  readonly progress: () => Progress;
  /** The call with its timeline, as the API answers. */
  readonly timeline: (accountId: string, callId: string) => Promise<{ readonly status: number; readonly body: unknown }>;
}

interface CallLine {
  /** Rises with each change of any call: the reader's cursor. */
  change: number;
  readonly accountId: string;
  readonly brokerId: string;
  readonly level: string;
  readonly sequence: number;
  readonly event: string;
  readonly call: NonNullable<EventMessage["call"]>;
}

const BODY_BYTES_MAX = 262_144;
/** Rows that one answer carries of each list; the page asks again at once for more. */
const ROWS_MAX = 400;

const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** An email runs nothing and loads nothing, like in a careful mail reader. */
const EMAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; frame-ancestors 'self'";

const ASSETS: Readonly<Record<string, { readonly file: string; readonly type: string }>> = {
  "/": { file: "page.html", type: "text/html; charset=utf-8" },
  "/page.css": { file: "page.css", type: "text/css; charset=utf-8" },
  "/page.js": { file: "page.js", type: "text/javascript; charset=utf-8" },
};

const send = (response: ServerResponse, status: number, type: string, content: string, policy = PAGE_POLICY): void => {
  response.writeHead(status, {
    "content-type": type,
    "content-security-policy": policy,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
  });
  response.end(content);
};

const sendJson = (response: ServerResponse, status: number, content: unknown): void =>
  send(response, status, "application/json; charset=utf-8", JSON.stringify(content));

const plain = (response: ServerResponse, status: number, words: string): void =>
  send(response, status, "text/plain; charset=utf-8", `${words}\n`);

const bodyOf = async (request: IncomingMessage): Promise<string | null> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
};

interface Shown {
  readonly emails: InboxEmail[];
  readonly receiver: Receiver;
  readonly calls: Map<string, CallLine>;
  changes: number;
}

const receive = async (shown: Shown, parts: PageParts, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const endpointId = (request.url ?? "").slice("/receive/".length);
  const body = await bodyOf(request);
  if (body === null) {
    plain(response, 413, "too long");
    return;
  }
  const header = (name: string): string => String(request.headers[name] ?? "");
  const signed = { id: header("webhook-id"), timestamp: header("webhook-timestamp"), signature: header("webhook-signature"), body };
  const delivery = shown.receiver.take(endpointId, signed, parts.progress().now);
  if (delivery.verified) send(response, 204, "text/plain", "");
  else plain(response, 401, delivery.reason);
};

const cursor = (url: URL, name: string): number => {
  const value = Number(url.searchParams.get(name) ?? "0");
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
};

/** What is new since the reader's cursors. */
const stateOf = (shown: Shown, parts: PageParts, url: URL): unknown => {
  const [emailsFrom, deliveriesFrom, callsFrom] = [cursor(url, "emails"), cursor(url, "deliveries"), cursor(url, "calls")];
  const emails = shown.emails.slice(emailsFrom, emailsFrom + ROWS_MAX);
  const calls = [...shown.calls.values()]
    .filter((line) => line.change > callsFrom)
    .sort((a, b) => a.change - b.change)
    .slice(0, ROWS_MAX);
  return {
    ...parts.progress(),
    totals: { emails: shown.emails.length, deliveries: shown.receiver.deliveries.length, calls: shown.calls.size },
    emails: emails.map(({ at, to, subject }, index) => ({ number: emailsFrom + index, at, to, subject })),
    deliveries: shown.receiver.deliveries.slice(deliveriesFrom, deliveriesFrom + ROWS_MAX),
    calls,
    callsCursor: calls.at(-1)?.change ?? callsFrom,
  };
};

const sendEmail = (shown: Shown, path: string, response: ServerResponse): void => {
  const [, , number, part] = path.split("/");
  const email = /^\d{1,9}$/.test(number ?? "") ? shown.emails[Number(number)] : undefined;
  if (email === undefined || (part !== "html" && part !== "text")) plain(response, 404, "no such email");
  else send(response, 200, `text/${part === "html" ? "html" : "plain"}; charset=utf-8`, email[part], EMAIL_POLICY);
};

const CALL_PATH = /^\/calls\/([A-Za-z0-9._-]{1,64})\/(MC-[A-Z2-7]{12}-\d{1,9})$/;

const show = async (shown: Shown, parts: PageParts, url: URL, response: ServerResponse): Promise<void> => {
  const asset = ASSETS[url.pathname];
  const call = CALL_PATH.exec(url.pathname);
  if (asset !== undefined) send(response, 200, asset.type, readFileSync(new URL(asset.file, import.meta.url), "utf8"));
  else if (url.pathname === "/state") sendJson(response, 200, stateOf(shown, parts, url));
  else if (url.pathname.startsWith("/inbox/")) sendEmail(shown, url.pathname, response);
  else if (call !== null) {
    const reply = await parts.timeline(call[1] as string, call[2] as string);
    sendJson(response, reply.status, reply.body);
  } else plain(response, 404, "nothing here");
};

const answer = async (shown: Shown, parts: PageParts, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const url = new URL(request.url ?? "/", "http://page");
  if (request.method === "POST" && url.pathname.startsWith("/receive/")) await receive(shown, parts, request, response);
  else if (request.method === "GET") await show(shown, parts, url, response);
  else plain(response, 405, "only GET");
};

const listen = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE" || error.code === "EACCES";
      reject(taken ? new Refusal(`port ${port} is taken or not allowed; give another one with --port`) : error);
    });
    server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });

/** Only names of this machine: a page elsewhere that points its own name here is refused (DNS rebinding). */
const isOwnHost = (host: string | undefined, port: number): boolean => host === `127.0.0.1:${port}` || host === `localhost:${port}`;

/**
 * Opens the page on the loopback address: the inbox, the webhook receiver and the calls.
 *
 * @throws Refusal when the port is taken.
 */
export const openPage = async (parts: PageParts): Promise<Page> => {
  const shown: Shown = { emails: [], receiver: createReceiver(), calls: new Map(), changes: 0 };
  let port = parts.port;
  const server = createServer((request, response) => {
    if (!isOwnHost(request.headers.host, port)) {
      plain(response, 421, "not the host of this page");
      return;
    }
    answer(shown, parts, request, response).catch((error: unknown) => {
      if (!response.headersSent) plain(response, 500, error instanceof Error ? error.message : "failed");
    });
  });
  port = await listen(server, port);
  return {
    url: `http://127.0.0.1:${port}`,
    receiver: shown.receiver,
    emails: shown.emails,
    mail: (email) => {
      shown.emails.push(email);
    },
    tell: (event) => {
      const { call, accountId, brokerId, level, accountSequence: sequence } = event;
      if (call === null || sequence < (shown.calls.get(call.callId)?.sequence ?? 0)) return;
      shown.changes += 1;
      shown.calls.set(call.callId, { change: shown.changes, accountId, brokerId, level, sequence, event: event.type, call });
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
