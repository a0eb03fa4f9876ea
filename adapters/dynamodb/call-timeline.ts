import type { MarginCall } from "../../core/call.ts";
import { isLiveCall } from "../../core/call.ts";
import { LIMITS } from "../../core/limits.ts";
import type { World } from "../world.ts";
import { decodeEnvelope, type Envelope } from "./envelope.ts";
import { accountPk, sequenceSk } from "./keys.ts";

/** Envelopes read for one timeline at most: a call that lives for months on a busy account is cut. */
const ENVELOPES_MAX = 2_000;
const PAGE = 200;

/** The instant of a call's first envelope lies at most a write and two clocks' skew before `issuedAt` (R12). */
const EARLIEST_BEFORE_MS = LIMITS.writeBudgetMs + 2 * LIMITS.skewMs;

const concerns = (envelope: Envelope, callId: string): boolean =>
  envelope.calls.some((call) => call.callId === callId) || envelope.events.some((event) => event.call?.callId === callId);

const ends = (envelope: Envelope, callId: string): boolean => envelope.calls.some((call) => call.callId === callId && !isLiveCall(call));

/**
 * The envelopes of an account that tell of one of its calls, in order.
 *
 * The journal has no index of calls: the first sequence is found by bisection on the envelopes'
 * instants, so that a call costs reads by its own length and not by its account's age.
 *
 * @param sequence newest sequence of the account's journal: its version.
 */
export const readCallTimeline = async (world: World, call: MarginCall, sequence: number): Promise<readonly Envelope[]> => {
  const TableName = world.settings.journalTable;
  const pk = { S: accountPk(call.accountId) };

  const instantOf = async (seq: number): Promise<number> => {
    const got = await world.db.get({ TableName, Key: { pk, sk: { S: sequenceSk(seq) } } });
    if (got.Item !== undefined) return Date.parse(decodeEnvelope(got.Item).at);
    // Numbers that a restore left out (S54): the next envelope there is.
    const next = await world.db.query({
      TableName,
      KeyConditionExpression: "pk = :pk AND sk > :after",
      ExpressionAttributeValues: { ":pk": pk, ":after": { S: sequenceSk(seq) } },
      Limit: 1,
    });
    const [item] = next.Items ?? [];
    return item === undefined ? Number.POSITIVE_INFINITY : Date.parse(decodeEnvelope(item).at);
  };

  let [before, found] = [0, sequence];
  while (found - before > 1) {
    const middle = Math.floor((before + found) / 2);
    if ((await instantOf(middle)) < call.issuedAt - EARLIEST_BEFORE_MS) before = middle;
    else found = middle;
  }

  const told: Envelope[] = [];
  for (let read = 0; read < ENVELOPES_MAX; read += PAGE) {
    const page = await world.db.query({
      TableName,
      KeyConditionExpression: "pk = :pk AND sk > :after",
      ExpressionAttributeValues: { ":pk": pk, ":after": { S: sequenceSk(before) } },
      Limit: PAGE,
      ConsistentRead: true,
    });
    const envelopes = (page.Items ?? []).map(decodeEnvelope);
    told.push(...envelopes.filter((envelope) => concerns(envelope, call.callId)));
    const last = envelopes.at(-1);
    if (last === undefined || page.LastEvaluatedKey === undefined) break;
    if (envelopes.some((envelope) => ends(envelope, call.callId))) break;
    before = last.seq;
  }
  return told;
};
