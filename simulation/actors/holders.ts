import type { EventText } from "../../adapters/wire/events.ts";
import { divide, type Money, money, type Quantity, quantity } from "../../core/money.ts";
import { draws, pick } from "../../local/random.ts";
import { instantOf } from "../time/instants.ts";
import type { VirtualTime } from "../time/virtual-time.ts";
import type { Callers } from "./callers.ts";
import type { SimulatedVenue } from "./venue.ts";

/** What holders do about a call. The late ones act within 15 s of the deadline, on either side (S50). */
const CURES = [
  ["pay", 24],
  ["payLate", 24],
  ["payConfirming", 8],
  ["payPart", 8],
  ["reduce", 8],
  ["leave", 6],
  ["nothing", 22],
] as const;

/** What holders do when a liquidation has begun, within 8 s of the decision (S52). */
const LAST_MOVES = [
  ["pay", 10],
  ["leave", 10],
  ["reduce", 8],
  ["nothing", 72],
] as const;

const SOON_MS = 60_000;
const LATE_MS = 15_000;
const SELF_CLOSE_MS = 8_000;
/** Holders of a pool who deposit and move nothing into it, and how long the others take to move it. */
const FORGETFUL_SHARE = 0.25;
const MOVES_AFTER_MS = 2_000;

interface Scene {
  readonly time: VirtualTime;
  readonly venue: SimulatedVenue;
  readonly callers: Callers;
}

type Call = NonNullable<EventText["call"]>;

/** An operator who cancels does so within this time. */
const CANCEL_MS = 60_000;

/** Holders who hear of their calls at once and act when it hurts most. Each draw depends on the seed and the call alone. */
export const createHolders = ({ time, venue, callers }: Scene, seed: number, cancelShare: number) => {
  /** Deposits; for the call of a pool the money is then moved into it, which one holder in four forgets (R9). */
  const pay = (accountId: string, { scope, callId }: Call, amount: Money, confirmsMs: number): void => {
    if (amount <= 0n) return;
    venue.deposit(accountId, amount, confirmsMs);
    const forgets = draws(seed, `forgets ${callId}`)() < FORGETFUL_SHARE;
    if (scope === "CROSS" || forgets) return;
    time.at(time.now() + confirmsMs + MOVES_AFTER_MS, () => venue.transfer(accountId, scope.slice(4), amount));
  };

  const act = (accountId: string, call: Call, kind: (typeof CURES)[number][0], share: number): void => {
    const outstanding = money(call.outstanding);
    switch (kind) {
      case "pay":
      case "payLate":
        pay(accountId, call, outstanding, 0);
        return;
      case "payConfirming":
        pay(accountId, call, outstanding, Math.floor(share * 400_000) + 1);
        return;
      case "payPart":
        pay(accountId, call, divide(outstanding * BigInt(Math.ceil(share * 1_000)), 1_000n, "up") as Money, 0);
        return;
      case "reduce": {
        const cure = call.cures.find((one) => one.kind === "reduce");
        if (cure?.kind === "reduce") venue.close(accountId, cure.instrumentId, quantity(cure.quantity));
        return;
      }
      case "leave":
        for (const [instrumentId, held] of [...(venue.holdings.get(accountId)?.positions ?? [])]) {
          venue.close(accountId, instrumentId, (held.quantity < 0n ? -held.quantity : held.quantity) as Quantity);
        }
        return;
      default:
    }
  };

  const hear = (accountId: string, { type, call }: EventText): void => {
    if (call === null) return;
    const draw = draws(seed, `holder ${call.callId} ${type}`);
    const now = time.now();
    if (type === "margin_call.issued") {
      const kind = pick(draw, CURES);
      const [when, share] = [draw(), draw()];
      const deadlineAt = call.deadlineAt === null ? now + call.graceMs : instantOf(call.deadlineAt);
      const at = kind === "payLate" ? deadlineAt + Math.round((2 * when - 1) * LATE_MS) : now + Math.round(when * SOON_MS);
      time.at(at, () => act(accountId, call, kind, share));
      if (draw() < cancelShare) time.at(now + Math.round(draw() * CANCEL_MS), () => callers.cancel(accountId, call.callId));
    }
    if (type === "liquidation.started") {
      const kind = pick(draw, LAST_MOVES);
      const share = draw();
      time.at(now + Math.round(draw() * SELF_CLOSE_MS), () => act(accountId, call, kind, share));
    }
  };

  return { hear };
};
