import type { ApiReply } from "../../api/route.ts";
import { decimal, divide, type Money } from "../../core/money.ts";
import type { SimulatedCloud } from "../cloud/cloud.ts";
import type { VirtualTime } from "../time/virtual-time.ts";
import { type ApiRequest, askUntilAnswered, type Patience } from "./api.ts";
import type { SimulatedVenue } from "./venue.ts";

/** People and systems that call the API, and ask again under the same key where no answer comes. */
export interface Callers {
  /** A holder asks for a share of the cash; what is allowed is booked by the venue. */
  withdraw(accountId: string, share: number): void;
  /** An operator cancels a call that should not stand. */
  cancel(accountId: string, callId: string): void;
}

const PATIENCE: Patience = { againMs: 6_000, triesMax: 4 };

export const createCallers = (time: VirtualTime, cloud: SimulatedCloud, venue: SimulatedVenue): Callers => {
  let requests = 0;

  const post = (request: Required<Pick<ApiRequest, "path" | "key" | "body">>, answered: (reply: ApiReply) => void): void =>
    askUntilAnswered({ time, cloud }, { method: "POST", ...request }, PATIENCE, answered);

  return {
    withdraw: (accountId, share) => {
      requests += 1;
      const cash = venue.holdings.get(accountId)?.cash ?? 0n;
      const amount = divide(cash * BigInt(Math.ceil(share * 1_000)), 1_000n, "down") as Money;
      if (amount <= 0n) return;
      const body = { accountId, asset: "USDT", amount: decimal(amount) };
      post({ path: "/withdrawal-checks", key: `withdrawal-${requests}`, body }, (reply) => {
        if (reply.statusCode === 200 && (JSON.parse(reply.body) as { allowed?: boolean }).allowed === true)
          venue.withdraw(accountId, amount);
      });
    },
    cancel: (accountId, callId) => {
      requests += 1;
      const path = `/accounts/${accountId}/calls/${callId}/cancellation`;
      post({ path, key: `cancel-${requests}`, body: { reason: "opened on a mistake of the venue" } }, () => undefined);
    },
  };
};
