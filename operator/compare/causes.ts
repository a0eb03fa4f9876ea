import type { MarginAccount } from "../../core/account.ts";
import { isPast } from "../../core/clock.ts";
import { waysToCure } from "../../core/cure.ts";
import type { Instrument } from "../../core/instrument.ts";
import { isBelowCall, isCloseOut } from "../../core/level.ts";
import type { Mark, MarketSnapshot } from "../../core/mark.ts";
import { abs, decimal, type Money, type Price } from "../../core/money.ts";
import type { CollateralTerms, Policy } from "../../core/policy.ts";
import { qualityAt } from "../../core/quality.ts";
import { assess } from "../../core/statement.ts";
import { loadTiers } from "../../core/tiers.ts";
import type { ActKind, Cause, Figures, TheirTerms } from "./differences.ts";
import { FIGURES } from "./differences.ts";

/** All that our rules look at when they judge an account at an instant. */
export interface Inputs {
  readonly account: MarginAccount;
  readonly snapshot: MarketSnapshot;
  readonly policy: Policy;
  readonly at: number;
  /** Deadline of the live call; null without one. */
  readonly deadlineAt: number | null;
}

/** What our rules say of inputs: which act they ask for, and the figures of the statement. */
export interface Outcome {
  readonly call: boolean;
  readonly liquidation: boolean;
  /** As a call shows them: the conservative side (R3). */
  readonly figures: Readonly<Record<keyof Figures, Money>>;
  /** As a liquidation shows them: maintenance on the last accepted marks. */
  readonly closeOutFigures: Readonly<Record<keyof Figures, Money>>;
}

/** Our rules on these inputs (R1, R3, R4, R14): the statement functions of the core, and nothing else. */
export const outcomeOf = ({ account, snapshot, policy, at, deadlineAt }: Inputs): Outcome => {
  const statement = assess(account, snapshot, policy, at);
  const { low, high } = statement;
  const { amountDue } = waysToCure(account, statement, snapshot, policy);
  const isForced = isCloseOut(account, statement, policy.levels);
  const isDue = amountDue > 0n && amountDue >= policy.minimumTransfer;
  const isUnmet = deadlineAt !== null && isPast(deadlineAt, at) && policy.onUnmet === "reduce" && isBelowCall(account, high, policy.levels);
  return {
    call: isDue && (isForced || isBelowCall(account, low, policy.levels)),
    liquidation: !account.outOfSync && (isForced || isUnmet),
    figures: { amountDue, equity: low.equityInitial, initialRequirement: low.initial, maintenanceRequirement: low.maintenance },
    closeOutFigures: {
      amountDue,
      equity: high.equityMaintenance,
      initialRequirement: high.initial,
      maintenanceRequirement: high.maintenance,
    },
  };
};

/** One of our inputs with theirs in its place. */
export interface Substitution {
  readonly cause: Cause;
  /** What is put in the place of what. */
  readonly words: string;
  readonly apply: (inputs: Inputs) => Inputs;
}

const withInstruments = (inputs: Inputs, ids: Iterable<string>, change: (instrument: Instrument) => Instrument): Inputs => {
  const instruments = new Map(inputs.snapshot.instruments);
  for (const id of ids) {
    const known = instruments.get(id);
    if (known !== undefined) instruments.set(id, change(known));
  }
  return { ...inputs, snapshot: { ...inputs.snapshot, instruments } };
};

const markSubstitution = ({ snapshot, at }: Inputs, { marks, priceType }: TheirTerms): Substitution | null => {
  const other = [...marks].filter(([id, price]) => {
    const instrument = snapshot.instruments.get(id);
    const ours = snapshot.marks.get(id);
    return instrument !== undefined && (ours?.price !== price || qualityAt(ours, instrument, at) !== "GOOD");
  });
  if (other.length === 0) return null;
  const ourPrice = (id: string): string => {
    const price = snapshot.marks.get(id)?.price;
    return price === undefined ? "none" : decimal(price);
  };
  const put = (id: string, price: Price): Mark => ({ instrumentId: id, price, asOf: at, source: "theirs", candidate: null });
  return {
    // A last or index price is another convention, not another observation of the same price.
    cause: priceType === "mark" ? "mark" : "trigger",
    words: other.map(([id, price]) => `their ${priceType} price of ${id} ${decimal(price)} for our ${ourPrice(id)}`).join(", "),
    apply: (inputs) => {
      const theirs = new Map([...inputs.snapshot.marks, ...other.map(([id, price]): [string, Mark] => [id, put(id, price)])]);
      return { ...inputs, snapshot: { ...inputs.snapshot, marks: theirs } };
    },
  };
};

const bookSubstitution = ({ account }: Inputs, { balances, positions }: TheirTerms): Substitution | null => {
  const words: string[] = [];
  for (const asset of balances === null ? [] : new Set([...balances.keys(), ...account.balances.keys()])) {
    const [theirs, ours] = [balances?.get(asset) ?? 0n, account.balances.get(asset) ?? 0n] as [Money, Money];
    if (theirs !== ours) words.push(`their balance of ${decimal(theirs)} ${asset} for our ${decimal(ours)}`);
  }
  const held = (all: MarginAccount["positions"], id: string): string => {
    const one = all.find(({ instrumentId }) => instrumentId === id);
    return one === undefined ? "none" : `${decimal(one.quantity)} at ${decimal(one.entryPrice)}`;
  };
  for (const id of positions === null ? [] : new Set([...positions, ...account.positions].map(({ instrumentId }) => instrumentId))) {
    const [theirs, ours] = [held(positions ?? [], id), held(account.positions, id)];
    if (theirs !== ours) words.push(`their position in ${id} of ${theirs} for our ${ours}`);
  }
  if (words.length === 0) return null;
  return {
    cause: "book",
    words: words.join(", "),
    apply: (inputs) => ({
      ...inputs,
      account: { ...inputs.account, balances: balances ?? inputs.account.balances, positions: positions ?? inputs.account.positions },
    }),
  };
};

const tierWords = (tiers: readonly { readonly floor: Money; readonly rateIm: number; readonly rateMm: number }[]): string =>
  tiers.map(({ floor, rateIm, rateMm }) => `${decimal(floor)}:${rateIm}/${rateMm}`).join("|");

const tierSubstitution = ({ snapshot }: Inputs, { tiers }: TheirTerms): Substitution | null => {
  const other = [...tiers].filter(([id, theirs]) => {
    const ours = snapshot.instruments.get(id);
    return ours !== undefined && tierWords(ours.tiers) !== tierWords(theirs);
  });
  if (other.length === 0) return null;
  return {
    cause: "tier",
    words: other
      .map(([id, theirs]) => `their rates of ${id} ${tierWords(theirs)} for our ${tierWords(snapshot.instruments.get(id)?.tiers ?? [])}`)
      .join(", "),
    apply: (inputs) =>
      withInstruments(
        inputs,
        other.map(([id]) => id),
        (instrument) => ({
          ...instrument,
          // Their table need not leave room for our fee, as a table of ours must.
          tiers: loadTiers(`their rates of ${instrument.instrumentId}`, tiers.get(instrument.instrumentId) ?? [], 0),
        }),
      ),
  };
};

const feeSubstitution = ({ snapshot }: Inputs, { fees }: TheirTerms): Substitution | null => {
  const other = [...fees].filter(([id, fee]) => snapshot.instruments.has(id) && snapshot.instruments.get(id)?.feePpm !== fee);
  if (other.length === 0) return null;
  return {
    cause: "fee",
    words: other.map(([id, fee]) => `their closing fee of ${id} ${fee} ppm for our ${snapshot.instruments.get(id)?.feePpm} ppm`).join(", "),
    apply: (inputs) =>
      withInstruments(
        inputs,
        other.map(([id]) => id),
        (instrument) => ({ ...instrument, feePpm: fees.get(instrument.instrumentId) ?? instrument.feePpm }),
      ),
  };
};

const sliceWords = (tiers: CollateralTerms["tiers"]): string =>
  tiers.map(({ floor, haircutIm, haircutMm }) => `${decimal(floor)}:${haircutIm}/${haircutMm}`).join("|");

const haircutSubstitution = ({ policy }: Inputs, { haircuts }: TheirTerms): Substitution | null => {
  const other = [...haircuts].filter(([asset, theirs]) => {
    const ours = policy.collateral.get(asset);
    return ours !== undefined && sliceWords(ours.tiers) !== sliceWords(theirs);
  });
  if (other.length === 0) return null;
  return {
    cause: "haircut",
    words: other
      .map(
        ([asset, theirs]) =>
          `their haircuts of ${asset} ${sliceWords(theirs)} for our ${sliceWords(policy.collateral.get(asset)?.tiers ?? [])}`,
      )
      .join(", "),
    apply: (inputs) => {
      const collateral = new Map(inputs.policy.collateral);
      for (const [asset, tiers] of other) collateral.set(asset, { ...(collateral.get(asset) as CollateralTerms), tiers });
      return { ...inputs, policy: { ...inputs.policy, collateral } };
    },
  };
};

const triggerSubstitution = ({ policy: { levels } }: Inputs, { inclusive, callLevel }: TheirTerms): Substitution | null => {
  const words: string[] = [];
  const named = (inclusively: boolean): string => (inclusively ? "inclusive" : "strict");
  if (inclusive !== null && inclusive !== levels.inclusive)
    words.push(`their ${named(inclusive)} trigger for our ${named(levels.inclusive)}`);
  if (callLevel !== null && callLevel !== levels.call) words.push(`their call level of ${callLevel} ppm for our ${levels.call} ppm`);
  if (words.length === 0) return null;
  return {
    cause: "trigger",
    words: words.join(", "),
    apply: (inputs) => {
      const { levels: ours } = inputs.policy;
      const theirs = { ...ours, inclusive: inclusive ?? ours.inclusive, call: callLevel ?? ours.call };
      return { ...inputs, policy: { ...inputs.policy, levels: theirs } };
    },
  };
};

const deadlineSubstitution = ({ deadlineAt, at }: Inputs, theirs: TheirTerms, theyLiquidate: boolean): Substitution | null => {
  const iso = (instant: number): string => new Date(instant).toISOString();
  if (deadlineAt === null) return null;
  if (theirs.deadlineAt !== null && theirs.deadlineAt !== deadlineAt) {
    const { deadlineAt: other } = theirs;
    return {
      cause: "deadline",
      words: `their deadline ${iso(other)} for our ${iso(deadlineAt)}`,
      // They act when it is over by their own clock; the skew that we allow for is ours (R12).
      apply: (inputs) => ({ ...inputs, deadlineAt: other <= inputs.at ? 0 : other }),
    };
  }
  if (!theyLiquidate || theirs.deadlineAt !== null || isPast(deadlineAt, at)) return null;
  return {
    cause: "deadline",
    words: `their liquidation before our deadline ${iso(deadlineAt)}, as if it were over`,
    apply: (inputs) => ({ ...inputs, deadlineAt: 0 }),
  };
};

const syncSubstitution = ({ account }: Inputs): Substitution | null =>
  account.outOfSync
    ? {
        cause: "out of sync",
        words: "an account in sync for ours, which is OUT_OF_SYNC and sends no orders",
        apply: (inputs) => ({ ...inputs, account: { ...inputs.account, outOfSync: false } }),
      }
    : null;

/** Everything in which their terms differ from our inputs, each by itself. */
export const substitutionsOf = (inputs: Inputs, theirs: TheirTerms, theyLiquidate: boolean): readonly Substitution[] =>
  [
    markSubstitution(inputs, theirs),
    bookSubstitution(inputs, theirs),
    tierSubstitution(inputs, theirs),
    feeSubstitution(inputs, theirs),
    haircutSubstitution(inputs, theirs),
    triggerSubstitution(inputs, theirs),
    deadlineSubstitution(inputs, theirs, theyLiquidate),
    syncSubstitution(inputs),
  ].filter((each) => each !== null);

const subsets = <Item>(items: readonly Item[], size: number): Item[][] =>
  size === 0 ? [[]] : items.flatMap((item, index) => subsets(items.slice(index + 1), size - 1).map((rest) => [item, ...rest]));

/** How far an outcome is from the figures that they give; 0 where they give none. */
export const distanceOf = ({ figures, closeOutFigures }: Outcome, theirs: Figures, kind: ActKind): bigint => {
  const ours = kind === "call" ? figures : closeOutFigures;
  let distance = 0n;
  for (const name of FIGURES) {
    const figure = theirs[name];
    if (figure !== null) distance += abs((ours[name] - figure) as Money);
  }
  return distance;
};

/** What has to come out of our rules with their inputs for a cause to be proved. */
export interface Proof {
  readonly kind: ActKind;
  readonly figures: Figures;
  readonly holds: (outcome: Outcome) => boolean;
}

const statementOf = ({ figures, closeOutFigures }: Outcome, kind: ActKind): string => {
  const shown = kind === "call" ? figures : closeOutFigures;
  const due = kind === "call" ? `, due ${decimal(shown.amountDue)}` : "";
  return `equity ${decimal(shown.equity)}, IM ${decimal(shown.initialRequirement)}, MM ${decimal(shown.maintenanceRequirement)}${due}`;
};

/** A cause with what showed it; null where no substitution does. */
export interface Explanation {
  readonly cause: Cause;
  readonly evidence: string;
}

/**
 * Finds what makes our rules come to their result: each of their inputs is put in the place of ours, one at a
 * time, then two at a time and so on. The fewest that suffice are the cause; of several that suffice alike, the
 * one whose statement is nearest to the figures that they give, and then the first.
 */
export const explain = (inputs: Inputs, substitutions: readonly Substitution[], proof: Proof): Explanation | null => {
  for (let size = 1; size <= substitutions.length; size += 1) {
    const proved = subsets(substitutions, size)
      .map((chosen) => {
        const outcome = outcomeOf(chosen.reduce((before, { apply }) => apply(before), inputs));
        return { chosen, outcome, distance: distanceOf(outcome, proof.figures, proof.kind) };
      })
      .filter(({ outcome }) => proof.holds(outcome))
      .sort((a, b) => (a.distance < b.distance ? -1 : a.distance > b.distance ? 1 : 0));
    const [nearest] = proved;
    if (nearest === undefined) continue;
    const causes = [...new Set(nearest.chosen.map(({ cause }) => cause))];
    const words = nearest.chosen.map((each) => each.words).join("; ");
    return {
      cause: causes.length === 1 ? (causes[0] as Cause) : "several",
      evidence: `with ${words}: ${statementOf(nearest.outcome, proof.kind)}, and our rules do as they do`,
    };
  }
  return null;
};
