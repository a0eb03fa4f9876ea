import { changeAccount, type Desk } from "../adapters/decide-account.ts";
import { readCallTimeline } from "../adapters/dynamodb/call-timeline.ts";
import { eventIdOf, indexShardsOf } from "../adapters/dynamodb/keys.ts";
import {
  accountPath,
  callPath,
  callReply,
  callsQuery,
  callsReply,
  callWithTimelineReply,
  cancellationBody,
  liveCallsQuery,
  liveCallsReply,
} from "../adapters/wire/api.ts";
import type { MarginAccount } from "../core/account.ts";
import type { MarginCall } from "../core/call.ts";
import { acknowledge, cancelCall, onCall } from "../core/commands.ts";
import type { Change } from "../core/decision.ts";
import { loadAccount, noSuchAccount, shownCall } from "./accounts.ts";
import { Problem } from "./problem.ts";
import { defineRoute, deployment, noBody, none, pathAccount, type Request } from "./route.ts";

/** The last instant that a sort key holds: every deadline is before it. */
const END_OF_TIME = 9_999_999_999_998;

const findCall = async (desk: Desk, path: { readonly accountId: string; readonly callId: string }): Promise<MarginCall> => {
  const call = (await desk.book.calls(path.accountId)).find((one) => one.callId === path.callId);
  if (call !== undefined) return call;
  throw new Problem("not-found", {
    detail: "the account has no such call",
    mend: "GET /accounts/{accountId}/calls lists the account's calls.",
  });
};

export const listLiveCalls = defineRoute({
  action: "listLiveCalls",
  summary: "Live calls of all accounts, by deadline",
  description:
    "Read from the index of deadlines, one of its shards a page (at most 16): follow `nextShard` until it is null. A row is a hint, as fresh as the index; read the call for its state. `dueAt` is the deadline, or since when the call is liquidated or waits for a good mark.",
  path: none,
  query: liveCallsQuery,
  body: noBody,
  reply: liveCallsReply,
  status: 200,
  key: "none",
  resource: deployment,
  run: async ({ desk, query }) => {
    const due = await desk.book.dueCalls(query.shard, Math.min(query.dueBefore ?? END_OF_TIME, END_OF_TIME));
    return {
      calls: due.map(({ accountId, callId, deadlineAt }) => ({ accountId, callId, dueAt: deadlineAt })),
      nextShard: query.shard + 1 < indexShardsOf(desk.world.settings.shards) ? query.shard + 1 : null,
    };
  },
});

export const listCalls = defineRoute({
  action: "listCalls",
  summary: "Calls of an account, newest first",
  description: "At most `limit` of them; `next` goes into `before` for the page after.",
  path: accountPath,
  query: callsQuery,
  body: noBody,
  reply: callsReply,
  status: 200,
  key: "none",
  resource: pathAccount,
  run: async ({ desk, path, query }) => {
    await loadAccount(desk, path.accountId);
    const calls = [...(await desk.book.calls(path.accountId))].reverse();
    const from = query.before === undefined ? 0 : calls.findIndex((call) => call.callId === query.before) + 1;
    const page = calls.slice(from, from + query.limit);
    const more = from + query.limit < calls.length;
    return { calls: page.map(shownCall), next: more ? (page.at(-1)?.callId ?? null) : null };
  },
});

export const readCall = defineRoute({
  action: "readCall",
  summary: "A call with its timeline",
  description: "The timeline is the account's journal, so far as it tells of this call: the record that the audit verifies.",
  path: callPath,
  query: none,
  body: noBody,
  reply: callWithTimelineReply,
  status: 200,
  key: "none",
  resource: pathAccount,
  run: async ({ desk, path }) => {
    const account = await loadAccount(desk, path.accountId);
    const call = await findCall(desk, path);
    const envelopes = await readCallTimeline(desk.world, call, account.version);
    const timeline = envelopes.flatMap((envelope) =>
      envelope.events.map((event, index) => ({
        ...event,
        id: eventIdOf(envelope.accountId, envelope.seq, index),
        occurredAt: envelope.at,
        accountSequence: envelope.seq,
        mode: envelope.mode,
      })),
    );
    return { call: shownCall(call), timeline: timeline.filter((step) => step.call === null || step.call.callId === call.callId) };
  },
});

type CallRequest<Body> = Request<{ readonly accountId: string; readonly callId: string }, unknown, Body>;

/** Changes the call in the path if it is the live one, and shows it as it is then. */
const command = async (request: CallRequest<unknown>, words: string, act: (account: MarginAccount, now: number) => Change | null) => {
  const { desk, path, principal, requestId } = request;
  const causedBy = `api ${words} by ${principal?.principalId ?? ""} request ${requestId}`;
  const changed = await changeAccount(desk, { accountId: path.accountId, causedBy }, ({ account, now }) => {
    const change = onCall(account, path.callId, (view) => act(view, now));
    return change === null ? null : { change, snapshotId: null };
  });
  if (changed === null) throw noSuchAccount();
  return findCall(desk, path);
};

export const acknowledgeCall = defineRoute({
  action: "acknowledgeCall",
  summary: "Say that a call was seen",
  description: "Stops the chasing, never the clock. Acknowledging again changes nothing.",
  path: callPath,
  query: none,
  body: noBody,
  reply: callReply,
  status: 200,
  key: "optional",
  resource: pathAccount,
  run: async (request) => {
    const by = request.principal?.role ?? "";
    const call = await command(request, "acknowledgement", (account, now) => acknowledge(account, by, now));
    if (call.acknowledgedAt !== null) return shownCall(call);
    throw new Problem("conflict", {
      detail: `the call is ${call.status} and was not acknowledged`,
      mend: "Only a live call can be acknowledged.",
    });
  },
});

export const cancelCallRoute = defineRoute({
  action: "cancelCall",
  summary: "Cancel a call that should not stand",
  description:
    "Only while it is OPEN: a call in LIQUIDATING ends by its orders (R8). Cancelling again changes nothing. The next sweep opens another call if the account is still below its call level.",
  path: callPath,
  query: none,
  body: cancellationBody,
  reply: callReply,
  status: 200,
  key: "optional",
  resource: pathAccount,
  run: async (request) => {
    const call = await command(request, "cancellation", (account, now) => cancelCall(account, request.body.reason, now));
    if (call.status === "CANCELLED") return shownCall(call);
    throw new Problem("conflict", { detail: `the call is ${call.status}`, mend: "Only a call that is OPEN can be cancelled (R8)." });
  },
});
