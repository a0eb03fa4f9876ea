import { decimal } from "../../core/money.ts";
import type { Comparison, Scope } from "./compare.ts";
import { CAUSES, type Difference, FIGURES, type Figures } from "./differences.ts";

const iso = (instant: number): string => new Date(instant).toISOString();

const figureTexts = (figures: Figures): Record<string, string> =>
  Object.fromEntries(FIGURES.flatMap((name) => (figures[name] === null ? [] : [[name, decimal(figures[name])]])));

const sideOf = (side: Difference["ours"] | Difference["theirs"]) => {
  if (side === null) return null;
  const named = "place" in side ? { place: side.place } : { callId: side.callId, accountSequence: side.seq, reason: side.reason };
  return { at: iso(side.at), ...named, ...figureTexts(side.figures) };
};

const counted = ({ differences }: Comparison): [string, number][] =>
  CAUSES.map((cause): [string, number] => [cause, differences.filter((each) => each.cause === cause).length]).filter(
    ([, count]) => count > 0,
  );

/** The comparison as one JSON object. */
export const reportJson = (comparison: Comparison, { from, to, toleranceMs }: Scope): string => {
  const { accounts, ours, theirs, equal, differences } = comparison;
  return JSON.stringify({
    ...(Number.isFinite(from) && { from: iso(from) }),
    ...(Number.isFinite(to) && { to: iso(to) }),
    toleranceS: toleranceMs / 1_000,
    ...{ accounts, ours, theirs, equal },
    causes: Object.fromEntries(counted(comparison)),
    differences: differences.map(({ accountId, kind, aspect, ours: our, theirs: their, cause, evidence }) => ({
      ...{ accountId, kind, aspect, cause, evidence },
      ...{ ours: sideOf(our), theirs: sideOf(their) },
    })),
  });
};

const columns = (rows: readonly (readonly string[])[]): string[] => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join("  "));
};

/** The comparison as lines for a terminal: one for each difference with what showed its cause below it, then the sums. */
export const reportLines = (comparison: Comparison): readonly string[] => {
  const { accounts, ours, theirs, equal, differences } = comparison;
  const when = (side: { readonly at: number } | null): string => (side === null ? "none" : iso(side.at));
  const table = columns([
    ["account", "kind", "differs", "ours", "theirs", "cause"],
    ...differences.map((each) => [each.accountId, each.kind, each.aspect, when(each.ours), when(each.theirs), each.cause]),
  ]);
  const [header, ...lines] = table;
  const told = lines.flatMap((line, index) => [
    line,
    `    ${differences[index]?.theirs?.place ?? "no row"}: ${differences[index]?.evidence}`,
  ]);
  const sums = counted(comparison).map(([cause, count]) => `${count} ${cause}`);
  return [
    ...(differences.length === 0 ? [] : [header as string, ...told, ""]),
    `${accounts} accounts, ${ours} acts of ours, ${theirs} of theirs: ${equal} equal, ${differences.length} different${sums.length === 0 ? "" : ` (${sums.join(", ")})`}`,
  ];
};
