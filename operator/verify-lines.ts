import type { Envelope } from "../adapters/dynamodb/envelope.ts";
import { text } from "../adapters/dynamodb/items.ts";
import type { Verified, VerifiedAccount } from "./verify-account.ts";

/** What a person must look at: a decision that comes out otherwise, or that cannot be made again though it has a record. */
export const isFault = ({ verdict: { outcome } }: Verified): boolean => outcome === "differs" || outcome === "failed";

export const isRecomputed = ({ verdict: { outcome } }: Verified): boolean => outcome === "differs" || outcome === "agrees";

/** Longest text of a value that a line shows. */
const SHOWN_MAX = 200;
const cut = (value: string): string => (value.length > SHOWN_MAX ? `${value.slice(0, SHOWN_MAX)}...` : value);

/** What was decided, and why: level and calls as the envelope has them, the figures that judged, what bound, and the rules of its events. */
const decidedIn = ({ level, calls, events, snapshotId, causedBy }: Envelope): string => {
  const from = events.find(({ previousLevel }) => previousLevel !== null)?.previousLevel;
  const levels = from === undefined || from === null || from === level ? level : `${from} to ${level}`;
  const states = calls.map((call) => `${call.callId} v${call.version} ${call.status}`);
  const figures = events.find((event) => event.figures !== null)?.figures;
  const sums =
    figures === undefined || figures === null
      ? []
      : [`equity ${figures.equity}, initial ${figures.initialRequirement}, maintenance ${figures.maintenanceRequirement}`];
  const boundBy = events.find(({ call }) => call !== null && call.boundBy !== null)?.call?.boundBy;
  const bound = boundBy === undefined ? [] : [`bound by ${boundBy}`];
  const reasons = [...new Set(events.map(({ reason }) => reason))];
  return [levels, ...states, ...sums, ...bound, `on ${snapshotId ?? "no marks"}`, `by ${causedBy}`, ...reasons].join("; ");
};

const wordsOf = (verdict: Verified["verdict"]): string => {
  switch (verdict.outcome) {
    case "agrees":
      return "as stored";
    case "act":
      return "no decision, an act";
    case "unrecorded":
      return "not recomputed: from before decisions were recorded";
    case "unkept":
      return `not recomputed: ${verdict.why}`;
    case "failed":
      return `CANNOT BE RECOMPUTED: ${verdict.fault}`;
    case "differs": {
      const { path, stored, recomputed } = verdict.difference;
      const inputs = verdict.inputs.length === 0 ? "" : `; not the recorded inputs: ${verdict.inputs.join(", ")}`;
      return `DIFFERS at ${path}: stored ${cut(stored)}, recomputed ${cut(recomputed)}${inputs}`;
    }
  }
};

const lineOf = ({ row, envelope, verdict }: Verified): string => {
  if (envelope === null) return `${text(row, "sk")} does not read: ${wordsOf(verdict)}`;
  return `#${envelope.seq} ${envelope.at} ${wordsOf(verdict)}: ${decidedIn(envelope)}`;
};

/** The report: the chain, then a line for each envelope; those that changed no call and no level are counted in one. */
export const linesOf = ({ chain, envelopes }: VerifiedAccount): readonly string[] => {
  const isSmall = ({ verdict }: Verified): boolean => verdict.outcome === "unkept" && verdict.isSmall;
  const small = envelopes.filter(isSmall).length;
  return [
    chain.valid ? "the chain of hashes is whole" : `THE CHAIN IS BROKEN at #${chain.seq}: ${chain.fault}`,
    ...envelopes.filter((one) => !isSmall(one)).map(lineOf),
    ...(small === 0 ? [] : [`${small} more changed no call and no level: versions and hashes only`]),
  ];
};
