import { describe, expect, it } from "vitest";

import { emptyPlan } from "../../core/change-plan.ts";
import { acceptedBy, approved, heldFor, isApproved, isDue, isReleased, type PendingChange, shadowed } from "../../core/pending-change.ts";

const AT = 1_583_971_200_000;
const CHANGE: PendingChange = {
  changeId: "CH-1",
  kind: "policy",
  id: "standard",
  effectiveAt: AT,
  proposedBy: "ada",
  proposedAt: AT - 3_600_000,
  emergency: null,
  approvals: [],
  held: null,
  shadow: null,
  enactingAt: null,
};
const by = (who: string, called: number, closedOut: number) => ({ by: who, at: AT, accepted: { called, closedOut } });
const taken = (...approvals: ReturnType<typeof by>[]): PendingChange => approvals.reduce(approved, CHANGE);

describe("S19 approvals of a change", () => {
  it.each<[string, PendingChange, boolean, { called: number; closedOut: number }]>([
    ["nobody's", taken(), false, { called: 0, closedOut: 0 }],
    ["one person's count for nothing yet", taken(by("ada", 5, 2)), false, { called: 0, closedOut: 0 }],
    ["the same person's twice are one", taken(by("ada", 5, 2), by("ada", 9, 9)), false, { called: 0, closedOut: 0 }],
    ["two people's: the smaller of each figure", taken(by("ada", 5, 2), by("grace", 3, 4)), true, { called: 3, closedOut: 2 }],
    [
      "who says it again means the newer figures",
      taken(by("ada", 5, 2), by("grace", 3, 4), by("ada", 1, 1)),
      true,
      { called: 1, closedOut: 1 },
    ],
  ])("%s", (_words, change, isEnough, accepted) => {
    expect([isApproved(change), acceptedBy(change)]).toEqual([isEnough, accepted]);
  });

  it("what was held once is released by two people alone, however often it is held", () => {
    const held = heldFor(heldFor(CHANGE, "share", AT), "undecided", AT + 60_000);
    expect(held.held).toEqual({ at: AT, why: "undecided" });
    expect([isReleased(CHANGE), isReleased(held), isReleased(approved(held, by("ada", 0, 0)))]).toEqual([true, false, false]);
    expect(isReleased(approved(approved(held, by("ada", 0, 0)), by("grace", 0, 0)))).toBe(true);
  });
});

describe("S18 the shadow of a change", () => {
  it("is what the plan counted, with the instants of both", () => {
    const plan = { ...emptyPlan({ marksAt: AT - 5, notGood: 0 }), atRisk: 7 };
    expect(shadowed(CHANGE, plan, AT).shadow).toEqual({ at: AT, marksAt: AT - 5, atRisk: 7, counts: plan.counts });
  });

  it.each([
    [AT - 1, false],
    [AT, true],
  ])("at %i it is due: %s", (now, due) => expect(isDue(CHANGE, now)).toBe(due));
});
