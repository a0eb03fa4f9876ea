import { lineOf } from "./finding.ts";
import type { Imported } from "./import.ts";
import { type Plan, type Planned, STATES } from "./plan.ts";

/** Ids that one line names; the rest is counted. */
const NAMED_MAX = 20;

const listed = (ids: readonly string[]): string =>
  ids.slice(0, NAMED_MAX).join(", ") + (ids.length > NAMED_MAX ? ` and ${ids.length - NAMED_MAX} more` : "");

const WORDS = { new: "new", changed: "changed", unchanged: "unchanged", older: "ignored as older" } as const;

const linesOf = (table: keyof Plan, planned: readonly Planned<unknown>[]): string[] => {
  if (planned.length === 0) return [];
  const by = STATES.map((state) => [state, planned.filter((one) => one.state === state).map(({ id }) => id)] as const);
  const counts = by.filter(([, ids]) => ids.length > 0).map(([state, ids]) => `${ids.length} ${WORDS[state]}`);
  const named = by
    .filter(([state, ids]) => state !== "unchanged" && ids.length > 0)
    .map(([state, ids]) => `  ${WORDS[state]}: ${listed(ids)}`);
  return [`${table}: ${counts.join(", ")}`, ...named];
};

/** What is told of an import: every finding, then what is planned, then what was done about it. */
export const reportOf = (
  { findings, plan, leftOut, applied }: Imported,
  asked: { readonly apply: boolean; readonly stage: boolean },
): string[] => {
  const faults = findings.filter(({ weight }) => weight === "fault").length;
  const tables = (["policies", "instruments", "contacts", "accounts"] as const).flatMap((table) => linesOf(table, plan[table]));
  const read = Object.entries(plan).flatMap(([table, planned]) => (planned.length === 0 ? [] : [`${table}: ${planned.length} read`]));
  const summary = asked.stage ? tables : read;
  const symbols = leftOut.length === 0 ? [] : [`symbols that no instrument here takes: ${listed(leftOut)}`];
  const due = plan.accounts.filter(({ state }) => state === "new" || state === "changed").length;
  const end = applied
    ? `applied; ${due} account snapshots are in the feed queue. Run the same command without --apply: what has arrived is unchanged`
    : faults > 0
      ? `${faults} finding${faults === 1 ? "" : "s"}: nothing was applied`
      : asked.apply || !asked.stage
        ? "no finding"
        : "no finding; a dry run: nothing was applied. --apply does it";
  return [...findings.map(lineOf), ...summary, ...symbols, end];
};
