import type { ApiReply } from "../../api/route.ts";
import { decimal, divide, type Money } from "../../core/money.ts";
import type { SimulatedCloud } from "../cloud/cloud.ts";
import type { VirtualTime } from "../time/virtual-time.ts";
import type { SimulatedVenue } from "./venue.ts";

/** People and systems that call the API, and ask again under the same key where no answer comes. */
export interface Callers {
  /** A holder asks for a share of the cash; what is allowed is booked by the venue. */
  withdraw(accountId: string, share: number): void;
  /** An operator cancels a call that should not stand. */
  cancel(accountId: string, callId: string): void;
}

const TRIES_MAX = 4;
const AGAIN_MS = 6_000;

interface ApiRequest {
  readonly path: string;
  readonly key: string;
  readonly body: object;
}

/** The event of API Gateway for a signed request of the venue's operator. */
const eventOf = ({ path, key, body }: ApiRequest, instant: number): object => ({
  version: "2.0",
  routeKey: "$default",
  rawPath: path,
  rawQueryString: "",
  headers: { "content-type": "application/json", "idempotency-key": key },
  requestContext: {
    http: { method: "POST", path, protocol: "HTTP/1.1", sourceIp: "192.0.2.1", userAgent: "simulation" },
    requestId: key,
    stage: "$default",
    timeEpoch: instant,
    authorizer: { iam: { userArn: "arn:aws:iam::000000000000:role/plimsoll-operator" } },
  },
  body: JSON.stringify(body),
  isBase64Encoded: false,
});

export const createCallers = (time: VirtualTime, cloud: SimulatedCloud, venue: SimulatedVenue): Callers => {
  let requests = 0;

  const ask = (request: ApiRequest, answered: (reply: ApiReply) => void, tries = 1): void => {
    cloud.lambda.invoke(cloud.functionName("operate"), eventOf(request, time.now()), (outcome) => {
      const reply = outcome.ok ? (outcome.result as ApiReply) : null;
      if (reply !== null && reply.statusCode < 500) answered(reply);
      else if (tries < TRIES_MAX) time.at(time.now() + AGAIN_MS, () => ask(request, answered, tries + 1));
    });
  };

  return {
    withdraw: (accountId, share) => {
      requests += 1;
      const cash = venue.holdings.get(accountId)?.cash ?? 0n;
      const amount = divide(cash * BigInt(Math.ceil(share * 1_000)), 1_000n, "down") as Money;
      if (amount <= 0n) return;
      const body = { accountId, asset: "USDT", amount: decimal(amount) };
      ask({ path: "/withdrawal-checks", key: `withdrawal-${requests}`, body }, (reply) => {
        if (reply.statusCode === 200 && (JSON.parse(reply.body) as { allowed?: boolean }).allowed === true)
          venue.withdraw(accountId, amount);
      });
    },
    cancel: (accountId, callId) => {
      requests += 1;
      const path = `/accounts/${accountId}/calls/${callId}/cancellation`;
      ask({ path, key: `cancel-${requests}`, body: { reason: "opened on a mistake of the venue" } }, () => undefined);
    },
  };
};
