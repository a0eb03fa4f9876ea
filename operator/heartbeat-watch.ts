import * as z from "zod";

import { healthReply } from "../adapters/wire/api.ts";

/** What one look at a deployment saw. */
export interface Look {
  /** When a sweep last reached every account, by the deployment's own clock; null where nothing was seen. */
  readonly sweptAt: number | null;
  /** Why nothing was seen; empty where something was. */
  readonly fault: string;
}

/** Longest that a deployment may take to answer. */
const ANSWER_MAX_MS = 10_000;

/**
 * Asks a deployment whether it watches. Whatever keeps it from answering is a look that saw nothing: a name that
 * does not resolve, a status, a body of another form.
 */
export const lookAt = async (url: string): Promise<Look> => {
  try {
    const reply = await fetch(new URL("health", url.endsWith("/") ? url : `${url}/`), {
      redirect: "error",
      signal: AbortSignal.timeout(ANSWER_MAX_MS),
    });
    if (reply.status !== 200) return { sweptAt: null, fault: `answered ${reply.status}` };
    const read = healthReply.safeParse(await reply.json());
    if (!read.success) return { sweptAt: null, fault: "answered something else than a health reply" };
    return { sweptAt: read.data.sweptAt, fault: read.data.sweptAt === null ? "no sweep has ever reached every account" : "" };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { sweptAt: null, fault: `no answer: ${cause instanceof Error ? cause.name : "unknown"}` };
  }
};

/** What a look means: the heart beats; it is silent and may still come back; it has been silent for too long; it came back. */
export type Beat = "beats" | "quiet" | "silent" | "back";

/**
 * Judges looks by one rule: silence is counted from the last sweep that is known to have reached every account,
 * and before the first from the begin. Both are read on clocks that run; one that is wrong by seconds does not matter.
 *
 * @param afterMs silence that wakes somebody.
 */
export const createHeartbeat = (afterMs: number, startedAt: number): ((look: Look, now: number) => Beat) => {
  let lastAt = startedAt;
  let isSilent = false;
  let hasBeaten = false;
  return ({ sweptAt }, now) => {
    if (sweptAt !== null && (!hasBeaten || sweptAt > lastAt)) {
      lastAt = Math.min(sweptAt, now);
      hasBeaten = true;
    }
    const tooLong = now - lastAt > afterMs;
    const came = isSilent && !tooLong;
    isSilent = tooLong;
    if (tooLong) return "silent";
    if (came) return "back";
    return sweptAt === null ? "quiet" : "beats";
  };
};

/** Seconds of a command's option. */
export const seconds = z.coerce.number().int().min(1).max(86_400);
