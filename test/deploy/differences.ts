import type { Outcome } from "./outcome.ts";

/** A thing that came out otherwise on the independent engine. */
export interface Difference {
  readonly where: string;
  readonly local: string | null;
  readonly independent: string | null;
}

/** A difference that is known, with the cause under which docs/operating/independent-engine.md lists it. */
export interface KnownDifference {
  readonly cause: string;
  readonly covers: (difference: Difference) => boolean;
}

/** Everything that is not the same on both. */
export const differencesOf = (local: Outcome, independent: Outcome): Difference[] =>
  [...new Set([...local.keys(), ...independent.keys()])]
    .sort()
    .map((where) => ({ where, local: local.get(where) ?? null, independent: independent.get(where) ?? null }))
    .filter((one) => one.local !== one.independent);

/** Sorts differences by the first cause that covers them; those that none covers stand under null. */
export const byCause = (differences: readonly Difference[], known: readonly KnownDifference[]): Map<string | null, Difference[]> =>
  Map.groupBy(differences, (difference) => known.find(({ covers }) => covers(difference))?.cause ?? null);

const membersOf = (text: string | null): Readonly<Record<string, unknown>> | null => {
  if (!text?.startsWith("{")) return null;
  return JSON.parse(text) as Readonly<Record<string, unknown>>;
};

/** Of two records the members that differ, alone; anything else whole. */
export const narrowed = (one: Difference): Difference => {
  const [local, independent] = [membersOf(one.local), membersOf(one.independent)];
  if (local === null || independent === null) return one;
  const names = [...new Set([...Object.keys(local), ...Object.keys(independent)])].filter(
    (name) => JSON.stringify(local[name]) !== JSON.stringify(independent[name]),
  );
  const only = (record: Readonly<Record<string, unknown>>): string =>
    JSON.stringify(Object.fromEntries(names.map((name) => [name, record[name]])));
  return { where: one.where, local: only(local), independent: only(independent) };
};

const short = (text: string | null): string => (text === null ? "nothing" : text.length > 600 ? `${text.slice(0, 600)}...` : text);

/** Differences as a person reads them. */
export const describeDifferences = (differences: readonly Difference[]): string =>
  differences
    .map(narrowed)
    .map(({ where, local, independent }) => `${where}\n  local cloud: ${short(local)}\n  MiniStack:   ${short(independent)}`)
    .join("\n");
