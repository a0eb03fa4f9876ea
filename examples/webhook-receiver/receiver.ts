/**
 * A webhook receiver in one page: verifies the signature, answers fast, drops what it has seen, and
 * notices a gap in the sequence of an account. Run it with the secret that the PUT of the endpoint returned:
 *
 *     ENDPOINT_SECRET=whsec_... node examples/webhook-receiver/receiver.ts
 */
import { createServer, type IncomingMessage } from "node:http";
import { Webhook } from "standardwebhooks";

interface Delivery {
  readonly id: string;
  readonly type: string;
  readonly accountId: string;
  readonly sequence: number;
  readonly previousSequence: number | null;
}

const seen = new Set<string>();
const lastSequence = new Map<string, number>();

const read = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
};

/** What a consumer does with one request: the status to answer with, and a line to print. */
export const receive = (
  secret: string,
  headers: Record<string, string>,
  body: string,
): { readonly status: number; readonly line: string } => {
  let event: Delivery;
  try {
    event = new Webhook(secret).verify(body, headers) as Delivery;
  } catch {
    return { status: 401, line: "refused: the signature or its time is wrong" };
  }
  if (seen.has(event.id)) return { status: 200, line: `${event.id}: seen before` };
  seen.add(event.id);
  const last = lastSequence.get(event.accountId) ?? null;
  lastSequence.set(event.accountId, Math.max(last ?? 0, event.sequence));
  const gap =
    last !== null && event.previousSequence !== null && event.previousSequence > last ? " (one before it is still under way)" : "";
  return { status: 200, line: `${event.sequence} ${event.type} ${event.accountId}${gap}` };
};

if (import.meta.main) {
  const secret = process.env["ENDPOINT_SECRET"];
  if (secret === undefined)
    throw new Error("set ENDPOINT_SECRET to the secret that PUT /brokers/{brokerId}/endpoints/{endpointId} returned");
  const server = createServer(async (request, response) => {
    const { status, line } = receive(secret, request.headers as Record<string, string>, await read(request));
    process.stdout.write(`${line}\n`);
    response.writeHead(status).end();
  });
  server.listen(8080, "127.0.0.1", () => process.stdout.write("listening on http://127.0.0.1:8080\n"));
}
