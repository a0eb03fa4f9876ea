import type { Outbound } from "./dynamodb/outbound.ts";
import type { EventMessage } from "./wire/events.ts";
import { iso, SCHEMA_VERSION } from "./wire/scalars.ts";
import type { NoticeAccepted } from "./wire/timers.ts";
import type { World } from "./world.ts";

/** Notices that tell of a demand: their first acceptance counts for the clock (R12, I05). */
const DEMANDS: ReadonlySet<string> = new Set(["margin_call.issued", "margin_call.updated"]);

/**
 * Tells the timer queue that a channel accepted a notice of a call, once a channel.
 *
 * Told first, marked after: a crash between the two tells it twice, which moves no deadline twice;
 * the other order could lose it, and with it the holder's time.
 */
export const tellAccepted = async (
  world: World,
  outbound: Pick<Outbound, "noticedAt" | "firstNotice">,
  event: EventMessage,
  channel: "email" | "webhook",
): Promise<void> => {
  const { accountId, call, type } = event;
  if (call === null || !DEMANDS.has(type)) return;
  if ((await outbound.noticedAt(call.callId, channel)) !== null) return;
  const acceptedAt = world.clock.now();
  const message = {
    schemaVersion: SCHEMA_VERSION,
    kind: "notice_accepted",
    accountId,
    callId: call.callId,
    acceptedAt: iso(acceptedAt),
  } satisfies Record<keyof NoticeAccepted, unknown>;
  await world.queues.send(world.settings.timerQueueUrl, [{ body: JSON.stringify(message) }]);
  await outbound.firstNotice(call.callId, channel, acceptedAt);
};
