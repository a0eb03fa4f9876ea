import { isDeepStrictEqual } from "node:util";

import type { EventText } from "../../adapters/wire/events.ts";
import type { Email } from "../../adapters/world.ts";
import type { Check } from "./book-checks.ts";
import type { Commit } from "./witness.ts";

/** A webhook as its receiver reads it. */
interface Delivered {
  readonly id: string;
  readonly sequence: number;
  readonly previousSequence: number;
  readonly accountId: string;
  readonly brokerId: string;
}

/** Texts that no log line, parked message or notice to a stranger may hold. */
const CANARIES = ["@holder.example", "whsec_"] as const;

/** What a notice says of its event. */
const SAID = ["type", "call", "figures", "order", "level", "reason"] as const satisfies readonly (keyof EventText)[];

/** Properties of what is told to people and systems (I19, I22, I23, I28), and what was told so far. */
export const createNoticeChecks = (check: Check) => {
  const committed = new Map<
    string,
    { readonly accountId: string; readonly brokerId: string; readonly event: EventText; readonly callId: string | null }
  >();
  const places = new Map<string, Map<string, number>>();
  const toldCalls = new Map<string, number>();
  const published = new Set<string>();

  const sequenceOf = ({ id, accountId, brokerId, sequence, previousSequence }: Delivered): void => {
    const key = `${brokerId} ${accountId}`;
    const known = places.get(key) ?? new Map<string, number>();
    places.set(key, known);
    check(
      "I23",
      previousSequence === sequence - 1 && (known.get(id) ?? sequence) === sequence,
      () => `${id}: number ${sequence} of ${key}, once number ${known.get(id)}`,
    );
    for (const [other, place] of known)
      check("I23", other === id || place !== sequence, () => `${id} and ${other} are both number ${sequence} of ${key}`);
    known.set(id, sequence);
  };

  /** Remembers when somebody was first told of a call. */
  const tellOf = (callId: string | null, at: number): void => {
    if (callId !== null && !toldCalls.has(callId)) toldCalls.set(callId, at);
  };

  const hearText = (where: string, text: string): void => {
    const isClean = CANARIES.every((canary) => !text.includes(canary));
    check("I28", isClean, () => `${where} holds what it must not`);
  };

  return {
    /** Events that were committed for the topic and have not been published yet. */
    unpublished: (): string[] => [...committed.keys()].filter((id) => !published.has(id)),
    /** When a call was first told of by any channel; undefined when it was not. */
    toldAt: (callId: string): number | undefined => toldCalls.get(callId),
    hearCommit: ({ envelope }: Commit, idOf: (accountId: string, seq: number, index: number) => string): void => {
      if (envelope?.publish !== true) return;
      const { accountId, brokerId, seq } = envelope;
      for (const [index, event] of envelope.events.entries()) {
        committed.set(idOf(accountId, seq, index), { accountId, brokerId, event, callId: event.call?.callId ?? null });
      }
    },
    hearPublished: (id: string): void => {
      check("I22", committed.has(id), () => `${id} was published and never committed`);
      published.add(id);
    },
    hearEmail: (email: Email, at: number): void => {
      const id = email.headers["X-Entity-Ref-ID"] ?? "";
      const source = committed.get(id);
      check("I22", source !== undefined, () => `an email tells of ${id}, which was never committed`);
      check(
        "I22",
        source?.callId != null && email.subject.includes(source.callId),
        () => `an email of ${id} names another call: ${email.subject}`,
      );
      check("I19", email.to === `${source?.accountId}@holder.example`, () => `an email of ${id} went to another holder`);
      tellOf(source?.callId ?? null, at);
    },
    hearWebhook: (url: string, body: string, at: number): void => {
      const event = JSON.parse(body) as Delivered & EventText;
      const source = committed.get(event.id);
      const isSame = source !== undefined && SAID.every((name) => isDeepStrictEqual(event[name], source.event[name]));
      check("I22", isSame, () => `a webhook of ${event.id} says something else than was committed`);
      check(
        "I19",
        event.brokerId === source?.brokerId && url.includes(`//${source.brokerId}.`),
        () => `a webhook of ${event.id} went to ${url}`,
      );
      hearText(`a webhook of ${event.id}`, body);
      sequenceOf(event);
      tellOf(event.call?.callId ?? null, at);
    },
    hearText,
  };
};
export type NoticeChecks = ReturnType<typeof createNoticeChecks>;
