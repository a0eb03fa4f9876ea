import type { Scope } from "./account.ts";
import type { Policy } from "./policy.ts";

/** What a deployment may do, from least to most (R28). */
export const MODES = ["observe", "notify", "enforce"] as const;
export type Mode = (typeof MODES)[number];

/** Modes of a stage: the first match of broker, then client class, then the default. */
export interface Modes {
  readonly default: Mode;
  readonly brokers: Readonly<Record<string, Mode>>;
  readonly clientClasses: Readonly<Record<string, Mode>>;
}

/** The mode under which an account is decided: the lowest of all that name it. */
export const modeOf = (modes: Modes, account: { readonly brokerId: string; readonly clientClass: string }): Mode => {
  const named = [modes.brokers[account.brokerId], modes.clientClasses[account.clientClass]].filter((mode) => mode !== undefined);
  if (named.length === 0) return modes.default;
  return MODES[Math.min(...named.map((mode) => MODES.indexOf(mode)))] as Mode;
};

/** The policy of a decision with the mode that the account is decided under. Orders leave in `enforce` only (R28). */
export type PolicyInMode = Policy & {
  readonly mode: Mode;
  /** Policies of isolated pools, where they are not this one: each live call keeps the version that it was opened under (R11). */
  readonly ofPools?: ReadonlyMap<Scope, Policy>;
};

/** The policy that decides a scope of the account. */
export const policyIn = (policy: PolicyInMode, scope: Scope): PolicyInMode => {
  const own = policy.ofPools?.get(scope);
  return own === undefined ? policy : { ...own, mode: policy.mode };
};
