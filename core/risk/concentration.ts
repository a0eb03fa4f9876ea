import type { Ppm } from "../money.ts";
import type { Answer } from "../statistics/answer.ts";
import { given, isCount, notAtLeast, refused } from "../statistics/answer.ts";

/** One account's exposure in one market, in currency, with the group of accounts that act as one (S08). */
export interface LinkedExposure {
  readonly accountId: string;
  /** The linked-group id; null for an account that stands alone. */
  readonly groupId: string | null;
  readonly exposure: number;
}

export interface ConcentrationTerms {
  /** Up to this share of the daily volume a group is not concentrated. */
  readonly threshold: Ppm;
  /** What a concentrated group's initial rate is multiplied by. */
  readonly stepUp: Ppm;
  /** Until what is held already pays the raised rate; new risk pays it at once. */
  readonly noticeMs: number;
}

export interface GroupConcentration {
  /** The linked-group id, or the account's own where it stands alone. */
  readonly groupId: string;
  /** |net exposure| of the group, and its share of the daily volume in ppm, rounded up. */
  readonly exposure: number;
  readonly share: Ppm;
  /** The multiplier of the rate for orders that add risk, from now on. */
  readonly newRisk: Ppm;
  /** The multiplier for what is held, and from when. */
  readonly held: Ppm;
  readonly heldFromAt: number;
  readonly accountIds: readonly string[];
}

/**
 * Groups of linked accounts whose exposure together is above the threshold in one market, the largest
 * first (S07, S08): a hundred accounts under every limit of their own are one position. The rate of
 * new risk is raised at once, that of what is held after a notice.
 * Answers NO_VOLUME, BAD_NUMBER with the account, BAD_TERMS.
 */
export const concentratedGroups = (
  exposures: readonly LinkedExposure[],
  averageVolume: number,
  terms: ConcentrationTerms,
  now: number,
): Answer<readonly GroupConcentration[]> => {
  const { threshold, stepUp, noticeMs } = terms;
  if (!isCount(threshold, 1) || !isCount(stepUp, 1_000_000) || !isCount(noticeMs) || !isCount(now)) {
    return refused(
      "BAD_TERMS",
      "threshold and step-up: give whole ppm, the step-up from 1,000,000; notice and instant in whole milliseconds",
    );
  }
  const fault = notAtLeast(0, { "average volume": averageVolume });
  if (fault !== null) return fault;
  if (averageVolume === 0) return refused("NO_VOLUME", "average volume 0: what is not traded cannot be closed. Margin it in full");
  // An account alone is a group of its own; the two kinds of id are kept apart.
  const groups = new Map<string, { groupId: string; net: number; accountIds: string[] }>();
  for (const { accountId, groupId, exposure } of exposures) {
    if (!Number.isFinite(exposure))
      return refused("BAD_NUMBER", `account ${accountId}: exposure ${exposure} is no finite number. Correct it`);
    const key = groupId === null ? `account ${accountId}` : `group ${groupId}`;
    const group = groups.get(key) ?? { groupId: groupId ?? accountId, net: 0, accountIds: [] };
    group.net += exposure;
    group.accountIds.push(accountId);
    groups.set(key, group);
  }
  return given(
    [...groups.values()]
      .map(({ groupId, net, accountIds }) => ({
        groupId,
        exposure: Math.abs(net),
        share: Math.ceil((Math.abs(net) / averageVolume) * 1_000_000),
        newRisk: stepUp,
        held: stepUp,
        heldFromAt: now + noticeMs,
        accountIds,
      }))
      .filter(({ share }) => share > threshold)
      .sort((a, b) => b.exposure - a.exposure || (a.groupId < b.groupId ? -1 : 1)),
  );
};

/**
 * How much more may be opened in a market before its cap on open interest (S07), in currency, not below 0;
 * `share` of the cap is used, in ppm, rounded up. Answers BAD_NUMBER, BAD_TERMS for a cap of 0.
 */
export const openInterestRoom = (openInterest: number, cap: number): Answer<{ readonly room: number; readonly share: Ppm }> => {
  const fault = notAtLeast(0, { "open interest": openInterest, cap });
  if (fault !== null) return fault;
  if (cap === 0) return refused("BAD_TERMS", "a cap of 0 closes the market. Suspend it instead");
  return given({ room: Math.max(0, cap - openInterest), share: Math.ceil((openInterest / cap) * 1_000_000) });
};
