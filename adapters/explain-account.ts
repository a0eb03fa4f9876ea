import type * as z from "zod";

import type { MarginAccount } from "../core/account.ts";
import type { PricedCure } from "../core/cheapest-cures.ts";
import { footprintOf } from "../core/footprint.ts";
import type { MarketSnapshot } from "../core/mark.ts";
import type { PolicyInMode } from "../core/mode.ts";
import { type Explained, poolsIf, type Question, type Unanswerable, whatIf } from "../core/what-if.ts";
import { type Desk, policyOf } from "./decide-account.ts";
import { RELEASE } from "./release.ts";
import type { accountReply, whatIfBody, whatIfReply } from "./wire/api.ts";

/** An account on the newest marks under its policy: what a statement is made of. */
export interface Viewed {
  readonly account: MarginAccount;
  readonly snapshot: MarketSnapshot;
  readonly policy: PolicyInMode;
  readonly now: number;
}

export const viewAccount = async (desk: Desk, account: MarginAccount): Promise<Viewed> => {
  const [policy, snapshot] = await Promise.all([policyOf(desk, account), desk.marks.newest()]);
  return { account, snapshot, policy, now: desk.world.clock.now() };
};

/** Versions of what a statement may have looked at. */
export const versionsOf = (
  { account, snapshot, policy }: Viewed,
  after: MarginAccount = account,
): z.output<typeof accountReply>["versions"] => {
  const { instruments } = footprintOf({ before: account, after, calls: [], orders: [], entries: [], events: [] }, snapshot, policy);
  return {
    snapshotId: snapshot.snapshotId,
    release: RELEASE,
    instruments: Object.fromEntries([...instruments].map(([id, { version }]) => [id, version])),
  };
};

type Side = z.output<typeof whatIfReply>["before"];

const shownCure = ({ cure, cost }: PricedCure): Side["cures"][number] => {
  const nothing = { asset: null, amount: null, instrumentId: null, side: null, quantity: null };
  return { ...nothing, ...cure, cost };
};

/** A statement as it is shown, in the words of the API; `at` is the instant of its marks. */
export const shownStatement = ({ statement }: Pick<Explained, "statement">, { takenAt }: MarketSnapshot): Side["statement"] => ({
  at: takenAt,
  valuationAsset: statement.valuationAsset,
  quality: statement.quality,
  allGood: statement.allGood,
  low: { ...statement.low },
  high: { ...statement.high },
  legs: statement.legs.map((leg) => ({ ...leg })),
  collateral: statement.collateral.map((holding) => ({ ...holding })),
  components: statement.components.map((component) => ({ ...component })),
  scenarios: statement.scenarios.map(({ rows, parts, ...one }) => ({ ...one, rows: [...rows], parts: [...parts] })),
});

const shownSide = (explained: Explained, snapshot: MarketSnapshot): Side => ({
  level: explained.level,
  headroomPpm: explained.headroomPpm === null ? null : explained.headroomPpm.toString(),
  boundBy: explained.boundBy,
  amountDue: explained.amountDue,
  cures: explained.cures.map(shownCure),
  statement: shownStatement(explained, snapshot),
});

/** The question of a body. */
const questionOf = ({ deposits, trades, priceShocks, volatilityShockPpm }: z.output<typeof whatIfBody>): Question => ({
  deposits,
  trades,
  priceShocks: new Map(priceShocks.map(({ asset, ppm }) => [asset, ppm])),
  volatilityShock: volatilityShockPpm,
});

const head = (viewed: Viewed) => ({
  accountId: viewed.account.accountId,
  policyId: viewed.policy.policyId,
  policyVersion: viewed.policy.version,
});

/** Answers what would become of an account; nothing is written. */
export const answerWhatIf = (
  viewed: Viewed,
  body: z.output<typeof whatIfBody>,
): { readonly ok: true; readonly reply: z.output<typeof whatIfReply> } | ({ readonly ok: false } & Unanswerable) => {
  const { account, snapshot, policy, now } = viewed;
  const question = questionOf(body);
  const answer = whatIf(account, snapshot, policy, question, now);
  if (!answer.ok) return answer;
  const { before, after } = answer;
  const traded = { ...account, positions: after.statement.legs };
  const versions = versionsOf(viewed, traded);
  const pools = poolsIf(account, snapshot, policy, question, now).map((pool) => ({
    instrumentId: pool.instrumentId,
    before: shownSide(pool.before, snapshot),
    after: shownSide(pool.after, snapshot),
  }));
  return { ok: true, reply: { ...head(viewed), versions, before: shownSide(before, snapshot), after: shownSide(after, snapshot), pools } };
};
