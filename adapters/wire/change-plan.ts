import * as z from "zod";

import { breachShareOf, type ChangePlan, EFFECTS } from "../../core/change-plan.ts";
import { LEVELS } from "../../core/level.ts";
import { accountId, asset, count, instant, moneyText, ppm } from "./scalars.ts";

const level = z.enum(LEVELS).nullable();
const headroom = z.number().int().nullable();

/** What a change of terms would do to the accounts of a book (R17, S19). */
export const changePlan = z.object({
  /** Instant of the newest mark that it was made on. */
  marksAt: instant,
  /** Instruments without a GOOD mark then: what they price is judged on its adverse edge (R3). */
  notGood: count,
  accounts: count,
  /** Accounts with a position or a debt: what the share is of. */
  atRisk: count,
  /** Accounts whose live call keeps its policy (R11). */
  withCall: count,
  newly: z.object({ undecided: count, closedOut: count, called: count, warned: count, released: count }),
  /** Share of the accounts at risk that would newly be called or closed out, in parts per million. */
  breachSharePpm: ppm,
  /** Sum of what the new calls would ask for. */
  due: z.array(z.object({ asset, amount: moneyText })),
  /** The most affected, the worst first. Headroom is x of R1 in parts per million. */
  worst: z.array(
    z.object({
      accountId,
      effect: z.enum(EFFECTS),
      levelBefore: level,
      levelAfter: level,
      headroomBeforePpm: headroom,
      headroomAfterPpm: headroom,
      due: z.object({ asset, amount: moneyText }).nullable(),
      /** The part of the requirement that requires most, by the names of a statement's components. */
      boundBefore: z.string().nullable(),
      boundAfter: z.string().nullable(),
    }),
  ),
});

export const encodeChangePlan = (plan: ChangePlan): z.input<typeof changePlan> =>
  z.encode(changePlan, {
    marksAt: plan.marksAt,
    notGood: plan.notGood,
    accounts: plan.accounts,
    atRisk: plan.atRisk,
    withCall: plan.withCall,
    newly: { ...plan.counts },
    breachSharePpm: breachShareOf(plan),
    due: [...plan.due].map(([of, amount]) => ({ asset: of, amount })),
    worst: plan.worst.map(({ headroomBefore, headroomAfter, due, ...one }) => ({
      ...one,
      headroomBeforePpm: headroomBefore,
      headroomAfterPpm: headroomAfter,
      due: due === null ? null : { ...due },
    })),
  });
