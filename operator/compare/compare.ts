import type { Envelope } from "../../adapters/dynamodb/envelope.ts";
import { abs, decimal, type Money } from "../../core/money.ts";
import { TermsError } from "../../core/terms-error.ts";
import { distanceOf, type Explanation, explain, type Inputs, type Outcome, outcomeOf, type Proof, substitutionsOf } from "./causes.ts";
import {
  type ActKind,
  type Aspect,
  type Difference,
  FIGURES,
  type Figures,
  type OurAct,
  type TheirRow,
  type TheirTerms,
} from "./differences.ts";
import { actsOf, envelopesOf, inputsAt } from "./history.ts";
import type { OurAccount, OurBook } from "./ours.ts";
import { type Pair, pair } from "./pairing.ts";
import type { Theirs } from "./theirs.ts";

/** What is compared: acts from `from` up to `to`, epoch milliseconds. */
export interface Scope {
  readonly from: number;
  readonly to: number;
  /** Acts that are no further apart happened at the same time; marks that are no older are of their time. */
  readonly toleranceMs: number;
}

/** The result of a comparison. */
export interface Comparison {
  readonly accounts: number;
  readonly ours: number;
  readonly theirs: number;
  /** Pairs in which both sides did the same, within the tolerance of time and to the last unit that they show. */
  readonly equal: number;
  readonly differences: readonly Difference[];
}

/** Acts of one kind that lie further apart than this are two events, not one at two times. */
export const SAME_EVENT_MS = 3_600_000;

interface Desk {
  readonly book: OurBook;
  readonly theirs: Theirs;
  readonly scope: Scope;
  /** Their rows of each account, by time. */
  readonly rowsOf: ReadonlyMap<string, readonly TheirRow[]>;
  /** Their file lists the accounts that they have. */
  readonly listsAccounts: boolean;
}

/** Their terms for an account at an instant: what the nearest row says, field by field. Prices and holdings move, terms do not. */
const termsAt = ({ theirs: { rows }, rowsOf, scope }: Desk, accountId: string, at: number): TheirTerms => {
  const isTimely = (each: TheirRow): boolean => Math.abs(each.at - at) <= scope.toleranceMs;
  const nearest = (some: readonly TheirRow[]): readonly TheirRow[] => [...some].sort((a, b) => Math.abs(a.at - at) - Math.abs(b.at - at));
  const ownRows = nearest(rowsOf.get(accountId) ?? []);
  const own = ownRows.map(({ terms }) => terms);
  const ownTimely = ownRows.filter(isTimely).map(({ terms }) => terms);
  // A price is the whole market's: the nearest row of any account tells it, the account's own first.
  const priced = [...ownTimely, ...nearest(rows.filter(isTimely)).map(({ terms }) => terms)].find(({ marks }) => marks.size > 0);
  const given = <Value>(all: readonly TheirTerms[], read: (terms: TheirTerms) => Value | null): Value | null => {
    for (const terms of all) {
      const value = read(terms);
      if (value !== null) return value;
    }
    return null;
  };
  const named = <Value>(all: readonly TheirTerms[], read: (terms: TheirTerms) => ReadonlyMap<string, Value>): ReadonlyMap<string, Value> =>
    new Map(all.toReversed().flatMap((terms) => [...read(terms)]));
  return {
    marks: priced?.marks ?? new Map(),
    priceType: priced?.priceType ?? "mark",
    balances: given(ownTimely, (terms) => terms.balances),
    positions: given(ownTimely, (terms) => terms.positions),
    tiers: named(own, (terms) => terms.tiers),
    fees: named(own, (terms) => terms.fees),
    haircuts: named(own, (terms) => terms.haircuts),
    inclusive: given(own, (terms) => terms.inclusive),
    callLevel: given(own, (terms) => terms.callLevel),
    deadlineAt: given(own, (terms) => terms.deadlineAt),
  };
};

const acts = (outcome: Outcome, kind: ActKind): boolean => (kind === "call" ? outcome.call : outcome.liquidation);

/** Figures that both sides give and that lie `least` or more apart. */
const apart = (ours: Figures, theirs: Figures, least: bigint): (keyof Figures)[] =>
  FIGURES.filter((name) => {
    const [our, their] = [ours[name], theirs[name]];
    return our !== null && their !== null && abs((our - their) as Money) >= least;
  });

const NOTHING: Figures = { amountDue: null, equity: null, initialRequirement: null, maintenanceRequirement: null };

const figuresOf = (outcome: Outcome, kind: ActKind): Figures => (kind === "call" ? outcome.figures : outcome.closeOutFigures);

/** Inputs on which our rules do what we did, to the figure: what a cause may be looked for on. Null where none are known. */
const reproduced = (candidates: readonly Inputs[], kind: ActKind, act: OurAct | null): Inputs | null =>
  candidates.find((inputs) => {
    const outcome = outcomeOf(inputs);
    // What was not done has no figures that tell a snapshot from the next one: the newest before counts.
    if (act === null) return inputs.snapshot === candidates[0]?.snapshot && !acts(outcome, kind);
    return acts(outcome, kind) && apart(figuresOf(outcome, kind), act.figures, 1n).length === 0;
  }) ?? null;

const unexplained = (evidence: string): Explanation => ({ cause: "unexplained", evidence });

interface Account {
  readonly our: OurAccount;
  readonly envelopes: readonly Envelope[];
}

/** Why one side acted at an instant and the other did not. */
const explainAct = (desk: Desk, { our, envelopes }: Account, kind: ActKind, { ours, theirs }: Pair): Explanation => {
  const at = (ours ?? (theirs as TheirRow)).at;
  const candidates = inputsAt(desk.book, { our, envelopes, at, act: ours }, desk.scope.toleranceMs);
  if (candidates.length === 0) return unexplained("no marks of ours are stored for that time, or no policy: nothing can be computed again");
  const inputs = reproduced(candidates, kind, ours);
  if (inputs === null) {
    const did = ours === null ? "our rules ask for it too, and it was not done" : "our own figures do not come out again";
    return unexplained(`${did}: on the stored marks and terms`);
  }
  const proof: Proof = { kind, figures: theirs?.figures ?? NOTHING, holds: (outcome) => acts(outcome, kind) === (theirs !== null) };
  const substitutions = substitutionsOf(inputs, termsAt(desk, our.accountId, at), kind === "liquidation" && theirs !== null);
  const found = explain(inputs, substitutions, proof);
  if (found !== null) return found;
  const known = substitutions.map(({ words }) => words).join("; ");
  return unexplained(
    known === "" ? "they give no figure of that time that differs from ours" : `not even ${known} changes what our rules do`,
  );
};

/** Why both acted and show other figures. */
const explainFigures = (desk: Desk, account: Account, kind: ActKind, ours: OurAct, theirs: TheirRow): Explanation => {
  const { unit } = desk.theirs;
  const names = apart(ours.figures, theirs.figures, 1n);
  if (apart(ours.figures, theirs.figures, unit).length === 0) {
    return { cause: "rounding", evidence: `${names.join(", ")}: less apart than their least unit of ${decimal(unit as Money)}` };
  }
  const candidates = inputsAt(desk.book, { ...account, at: ours.at, act: ours }, desk.scope.toleranceMs);
  const inputs = reproduced(candidates, kind, ours);
  if (inputs === null) return unexplained("our own figures do not come out again on the stored marks and terms");
  const holds = (outcome: Outcome): boolean => acts(outcome, kind) && apart(figuresOf(outcome, kind), theirs.figures, unit).length === 0;
  const substitutions = substitutionsOf(inputs, termsAt(desk, account.our.accountId, theirs.at), kind === "liquidation");
  const found = explain(inputs, substitutions, { kind, figures: theirs.figures, holds });
  if (found !== null) return found;
  const off = decimal(distanceOf(outcomeOf(inputs), theirs.figures, kind) as Money);
  return unexplained(`${names.join(", ")}: ${off} apart in all, and no figure that they give accounts for it`);
};

const differing = (desk: Desk, account: Account, kind: ActKind, { ours, theirs }: Pair): Difference | null => {
  const named = (aspect: Aspect, { cause, evidence }: Explanation): Difference => ({
    ...{ accountId: account.our.accountId, kind, aspect, ours, theirs },
    ...{ cause, evidence },
  });
  if (ours !== null && theirs !== null) {
    const apartMs = Math.abs(ours.at - theirs.at);
    if (apartMs > desk.scope.toleranceMs) {
      const early: Pair = ours.at < theirs.at ? { ours, theirs: null } : { ours: null, theirs };
      const found = guarded(() => explainAct(desk, account, kind, early));
      const late = `${ours.at < theirs.at ? "they" : "we"} are ${apartMs / 1_000} s later`;
      return named("time", { cause: found.cause === "unexplained" ? "timing" : found.cause, evidence: `${late}; ${found.evidence}` });
    }
    if (apart(ours.figures, theirs.figures, 1n).length === 0) return null;
    return named(
      "figures",
      guarded(() => explainFigures(desk, account, kind, ours, theirs)),
    );
  }
  if (theirs === null && desk.listsAccounts && !desk.rowsOf.has(account.our.accountId)) {
    const evidence = "their file lists the accounts that they have, and this is none of them";
    return named("only ours", { cause: "missing account", evidence });
  }
  return named(
    theirs === null ? "only ours" : "only theirs",
    guarded(() => explainAct(desk, account, kind, { ours, theirs })),
  );
};

const missing = (row: TheirRow): Difference => ({
  ...{ accountId: row.accountId, kind: row.kind as ActKind, aspect: "only theirs", ours: null, theirs: row },
  ...{ cause: "missing account", evidence: "our book never had the account" },
});

/** Accounts whose terms or facts cannot be computed with stay unexplained, by the fault's words; the rest goes on. */
const guarded = (work: () => Explanation): Explanation => {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RangeError) && !(error instanceof TermsError)) throw error;
    return unexplained(`the margin cannot be computed again: ${error.message}`);
  }
};

interface Sides {
  readonly own: readonly OurAct[];
  readonly other: readonly TheirRow[];
}

/** Pairs of one account whose first act lies in the scope: what happened at its edge is paired before it is cut off. */
const pairsIn = ({ own, other }: Sides, { from, to, toleranceMs }: Scope): readonly (Pair & { readonly kind: ActKind })[] =>
  (["call", "liquidation"] as const).flatMap((kind) => {
    const of = (each: OurAct | TheirRow): boolean => each.kind === kind;
    return pair(own.filter(of), other.filter(of), Math.max(SAME_EVENT_MS, toleranceMs))
      .filter(({ ours, theirs }) => {
        const first = Math.min(ours?.at ?? Number.POSITIVE_INFINITY, theirs?.at ?? Number.POSITIVE_INFINITY);
        return first >= from && first <= to;
      })
      .map((each) => ({ ...each, kind }));
  });

/**
 * Sets our calls and liquidations against theirs, account by account, and finds the cause of each difference.
 * Pure: what it says follows from the two files alone.
 */
export const compare = (book: OurBook, theirs: Theirs, scope: Scope): Comparison => {
  const rowsOf = Map.groupBy(theirs.rows, ({ accountId }) => accountId);
  const desk: Desk = { book, theirs, scope, rowsOf, listsAccounts: theirs.rows.some(({ kind }) => kind === "account") };
  const differences: Difference[] = [];
  let [ours, others, equal] = [0, 0, 0];
  const weigh = (sides: Sides, judge: (each: Pair & { readonly kind: ActKind }) => Difference | null): void => {
    for (const each of pairsIn(sides, scope)) {
      ours += each.ours === null ? 0 : 1;
      others += each.theirs === null ? 0 : 1;
      const difference = judge(each);
      if (difference === null) equal += 1;
      else differences.push(difference);
    }
  };
  const known = new Set(book.accounts.map(({ accountId }) => accountId));
  for (const our of book.accounts) {
    const account: Account = { our, envelopes: envelopesOf(our) };
    const sides = { own: actsOf(our, account.envelopes, book.instruments), other: rowsOf.get(our.accountId) ?? [] };
    weigh(sides, (each) => differing(desk, account, each.kind, each));
  }
  for (const [accountId, other] of rowsOf)
    if (!known.has(accountId)) weigh({ own: [], other }, ({ theirs: row }) => missing(row as TheirRow));
  const instantOf = (each: Difference): number => (each.ours ?? (each.theirs as TheirRow)).at;
  differences.sort((a, b) => (a.accountId === b.accountId ? instantOf(a) - instantOf(b) : a.accountId < b.accountId ? -1 : 1));
  return { accounts: new Set([...known, ...rowsOf.keys()]).size, ours, theirs: others, equal, differences };
};
