import type { Episode, MarginAccount } from "./account.ts";
import type { MarginCall } from "./call.ts";
import { clampGrace, graceLeftOf } from "./clock.ts";
import type { Level } from "./level.ts";
import type { Policy } from "./policy.ts";

/**
 * The episode as a change of level leaves it (R11). It ends after `episodeEndMs` in HEALTHY; that is
 * judged when the account leaves HEALTHY, so that a healthy account is never written for it.
 */
export const episodeAt = (
  account: Pick<MarginAccount, "episode" | "live">,
  level: { readonly from: Level; readonly to: Level },
  policy: Pick<Policy, "episodeEndMs">,
  now: number,
): Episode | null => {
  const { episode, live } = account;
  if (episode === null || level.from === level.to) return episode;
  if (level.to === "HEALTHY") return { ...episode, healthySince: now };
  if (episode.healthySince === null) return episode;
  const over = live === null && now - episode.healthySince >= policy.episodeEndMs;
  return over ? null : { ...episode, healthySince: null };
};

/** The episode with its call ended at `now`; a hand-over is remembered (R14). */
export const episodeAfter = (episode: Episode, call: MarginCall, now: number): Episode => ({
  ...episode,
  lastEndedAt: now,
  graceLeftMs: graceLeftOf(call, now),
  handedOverAt: call.status === "LIQUIDATION_FAILED" ? now : episode.handedOverAt,
});

/** The episode that a new call belongs to: the present one, or a new one that begins with it. */
export const episodeWith = (account: MarginAccount, callId: string, now: number): Episode =>
  account.episode === null
    ? {
        episodeId: `EP-${account.key}-${account.callsOpened + 1}`,
        startedAt: now,
        calls: 1,
        lastCallId: callId,
        lastEndedAt: null,
        graceLeftMs: 0,
        topUps: 0,
        handedOverAt: null,
        healthySince: null,
      }
    : { ...account.episode, calls: account.episode.calls + 1, lastCallId: callId, lastEndedAt: null, graceLeftMs: 0 };

/**
 * Grace of the next call (R11, R13): what the last call had left if it ended within the cool-down, never
 * under `graceMinMs`; the policy's own otherwise, and where the last call was paid in full (R10).
 */
export const graceFor = (episode: Episode | null, paid: boolean, policy: Policy, now: number): number => {
  const inCoolDown = episode !== null && episode.lastEndedAt !== null && now - episode.lastEndedAt <= policy.coolDownMs;
  return inCoolDown && !paid ? clampGrace(episode.graceLeftMs, policy) : policy.graceMs;
};

/** True while an account that was handed over rests: no new attempt within the cool-down after it (R14, S33). */
export const isHandedOver = (episode: Episode | null, policy: Pick<Policy, "coolDownMs">, now: number): boolean =>
  episode !== null && episode.handedOverAt !== null && now - episode.handedOverAt < policy.coolDownMs;
