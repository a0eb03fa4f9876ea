import { createHash } from "node:crypto";

import type { Severity } from "../../core/event.ts";

/** Longest delay of a message on a queue; longer waits take several hops. */
export const HOP_MAX_S = 900;

/** Limits of N4. Urgent waits grow to 15 minutes and stay there; normal ones are the table of Standard Webhooks. */
const URGENT_S = [5, 15, 30, 60, 120, 240, 480, 900] as const;
const NORMAL_S = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400] as const;
const URGENT_ATTEMPTS_MAX = 20;
const AFTER_DEADLINE_MS = 3_600_000;
/** An urgent attempt in the last 15 s before the deadline comes too late to act on: it is made at deadline − 20 s instead (R29). */
const LATE_MS = 15_000;
const LAST_CHANCE_MS = 20_000;

/** A failed attempt at one endpoint. */
export interface FailedAttempt {
  readonly eventId: string;
  readonly endpointId: string;
  readonly severity: Severity;
  /** Attempts made so far, at least 1. */
  readonly attempts: number;
  readonly now: number;
  readonly deadlineAt: number | null;
  /** What the receiver asked for; null when it asked for nothing. */
  readonly retryAfterS: number | null;
}

/**
 * A share in [−1, 1) that depends on event, endpoint and attempt alone. Endpoints spread as with a random
 * number, and a replay of the same attempt waits the same time.
 */
const spread = ({ eventId, endpointId, attempts }: FailedAttempt): number => {
  const word = createHash("sha256").update(`${eventId}#${endpointId}#${attempts}`).digest().readUInt32BE(0);
  return word / 2 ** 31 - 1;
};

const baseS = ({ severity, attempts }: FailedAttempt): number | null => {
  if (severity === "normal") return NORMAL_S[attempts - 1] ?? null;
  return attempts >= URGENT_ATTEMPTS_MAX ? null : (URGENT_S[attempts - 1] ?? HOP_MAX_S);
};

/** ±20 %, and 3-7 s for the first retry (N4). */
const jitteredMs = (attempt: FailedAttempt, base: number): number =>
  base * 1_000 * (1 + spread(attempt) * (attempt.attempts === 1 ? 0.4 : 0.2));

/** `Retry-After`, clamped to twice the schedule and to a third of the time left: no receiver talks itself past a deadline (N1). */
const askedMs = ({ retryAfterS, deadlineAt, now }: FailedAttempt, base: number): number => {
  if (retryAfterS === null) return 0;
  const leftMs = deadlineAt === null || deadlineAt <= now ? Number.POSITIVE_INFINITY : deadlineAt - now;
  return Math.min(retryAfterS * 1_000, base * 2_000, leftMs / 3);
};

/**
 * When the next attempt is due (N4, R29).
 *
 * @returns epoch milliseconds, or null when no attempt is left: after the table of a normal event,
 *   after 20 attempts of an urgent one, or 60 minutes after its deadline.
 */
export const nextAttemptAt = (attempt: FailedAttempt): number | null => {
  const base = baseS(attempt);
  if (base === null) return null;
  const { now, deadlineAt, severity } = attempt;
  const at = now + Math.round(Math.max(jitteredMs(attempt, base), askedMs(attempt, base)));
  if (severity === "normal" || deadlineAt === null) return at;
  if (at > deadlineAt + AFTER_DEADLINE_MS) return null;
  if (at < deadlineAt - LATE_MS || at >= deadlineAt) return at;
  return now < deadlineAt - LAST_CHANCE_MS ? deadlineAt - LAST_CHANCE_MS : deadlineAt;
};

/** Delay of the hop towards an attempt, in whole seconds as a queue takes it: never early by rounding, at most 900. */
export const hopDelayS = (dueAt: number, now: number): number => Math.min(HOP_MAX_S, Math.max(0, Math.ceil((dueAt - now) / 1_000)));
