import type { Clocks } from "./cloud/lambda.ts";

/** How a run differs from the ordinary one. */
export interface Profile {
  readonly words: string;
  /** Multiplies the rates of all faults. */
  readonly intensity: number;
  readonly clocks: Clocks;
  /** Queues whose consumers are down for the whole run. */
  readonly isBlocked?: (queue: string) => boolean;
}

/** Ways from a decision to its effect, and the deadline's: without them the sweep of overdue calls must do (L12). */
const HINTS = /-(timer|expiry|orders)$/;

const ORDINARY: Clocks = { skewMs: 5_000, wildShare: 0 };

export const PROFILES = {
  standard: { words: "every fault at rates drawn for the seed, clocks off by up to 5 s", intensity: 1, clocks: ORDINARY },
  skewed: {
    words: "one place in ten has a clock that is off by up to five minutes",
    intensity: 0.3,
    clocks: { skewMs: 300_000, wildShare: 0.1 },
  },
  calm: { words: "no fault of the cloud; feed, venue and holders as in every seed", intensity: 0, clocks: ORDINARY },
  sweeper: {
    words: "no deadline is armed, no timer fires and no event sends an order: the sweep of overdue calls alone does it (L12)",
    intensity: 0.5,
    clocks: ORDINARY,
    isBlocked: (queue: string) => HINTS.test(queue),
  },
} as const satisfies Record<string, Profile>;

export type ProfileName = keyof typeof PROFILES;
export const PROFILE_NAMES = Object.keys(PROFILES) as ProfileName[];
export const isProfile = (name: string): name is ProfileName => Object.hasOwn(PROFILES, name);
