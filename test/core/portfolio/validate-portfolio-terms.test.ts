import { describe, expect, test } from "vitest";
import { type PortfolioTerms, STANDARD_TERMS, STANDARD_UNIT, type UnitTerms } from "../../../core/portfolio/portfolio-terms.ts";
import { validatePortfolioTerms } from "../../../core/portfolio/validate-portfolio-terms.ts";
import { TermsError } from "../../../core/terms-error.ts";
import { majors, termsOf } from "./portfolio-fixtures.ts";

const unit = (patch: Partial<UnitTerms>): PortfolioTerms => termsOf({ ...STANDARD_UNIT, ...patch });
const group = (patch: object): PortfolioTerms => {
  const terms = majors(800_000);
  return { ...terms, groups: terms.groups.map((each) => ({ ...each, ...patch })) };
};

describe("M6: terms are judged when they are loaded", () => {
  test("standard terms, and a venue's own factor under its name, are given back; they survive JSON", () => {
    for (const terms of [
      STANDARD_TERMS,
      majors(800_000),
      { ...STANDARD_TERMS, venueRule: "a venue", fMmPpm: 800_000, fImPpm: 1_000_000 },
      { ...unit({ shortOption: { imPpm: 2_000, mmPpm: 2_000 } }), venueRule: "a venue that charges both alike" },
    ]) {
      expect(validatePortfolioTerms(terms)).toBe(terms);
      expect(validatePortfolioTerms(JSON.parse(JSON.stringify(terms)))).toEqual(terms);
    }
  });

  test.each<[string, PortfolioTerms, string]>([
    ["R26: own terms with another f_mm", { ...STANDARD_TERMS, fMmPpm: 800_000 }, "fMmPpm"],
    ["IM not above MM", { ...STANDARD_TERMS, fImPpm: 1_000_000 }, "fImPpm"],
    ["a rate that is a fraction of a ppm", unit({ minimumChargePpm: 0.5 }), "default unit: minimumChargePpm"],
    ["no price range", unit({ priceRangePpm: 0 }), "default unit: priceRangePpm"],
    ["no steps", unit({ priceSteps: 0 }), "default unit: priceSteps"],
    ["a tail inside the range", unit({ tails: { movesPpm: [100_000], dampingPpm: 160_000 } }), "default unit: tails"],
    ["a tail below a price of 0", unit({ tails: { movesPpm: [-1_000_000], dampingPpm: 160_000 } }), "default unit: tails"],
    ["an empty list", unit({ scenarios: [] }), "default unit: scenarios"],
    ["a listed move below 0", unit({ scenarios: [{ movePpm: -1_000_000, volatility: "up", weightPpm: 1 }] }), "default unit: scenario 1"],
    ["a weight below 0", unit({ scenarios: [{ movePpm: 0, volatility: "up", weightPpm: -1 }] }), "default unit: scenario 1"],
    ["a tilt at a moved price", unit({ scenarios: [{ movePpm: 1, volatility: "tilt", weightPpm: 1 }] }), "default unit: scenario 1"],
    [
      "a tilt without skew",
      unit({ skew: null, scenarios: [{ movePpm: 0, volatility: "tilt", weightPpm: 1 }] }),
      "default unit: scenario 1",
    ],
    ["time floor 0", unit({ volatility: { ...STANDARD_UNIT.volatility, timeFloorMs: 0 } }), "default unit: volatility timeFloorMs"],
    ["a negative shock", unit({ volatility: { ...STANDARD_UNIT.volatility, upPpm: -1 } }), "default unit: volatility upPpm"],
    [
      "k* of 0",
      unit({ skew: { ...(STANDARD_UNIT.skew as NonNullable<UnitTerms["skew"]>), kStarMinPpm: 0 } }),
      "default unit: skew kStarMinPpm",
    ],
    [
      "a slope that is NaN",
      unit({ skew: { ...(STANDARD_UNIT.skew as NonNullable<UnitTerms["skew"]>), perRootYearPpm: Number.NaN } }),
      "default unit: skew",
    ],
    [
      "closing out for more than the value",
      unit({
        closeOut: {
          long: { basePpm: 1_000_001, rateMultiplePpm: 0, rateAddPpm: 0 },
          short: { basePpm: 1_040_000, rateMultiplePpm: 0, rateAddPpm: 0 },
        },
      }),
      "default unit: closeOut",
    ],
    ["a roll without a way down", unit({ roll: { upPpm: 1, downPpm: 0, fixedPpm: 0, perYearPpm: 0 } }), "default unit: roll"],
    ["a mismatch above all", unit({ termMismatchPpm: 1_000_001 }), "default unit: termMismatchPpm"],
    ["a charge with IM at MM", unit({ shortOption: { imPpm: 2_000, mmPpm: 2_000 } }), "default unit: shortOption"],
    [
      "IM below MM, under a venue's rule too",
      { ...unit({ futures: { imPpm: 1, mmPpm: 2 } }), venueRule: "a venue" },
      "default unit: futures",
    ],
    ["a hedge dearer than its gain", unit({ hedged: { imPpm: 160_001, mmPpm: 10_000 } }), "default unit: hedged"],
    ["a floor that a hedge raises", unit({ deltaFloor: { netPpm: 10_000, hedgedPpm: 20_001 } }), "default unit: deltaFloor"],
    ["a unit of its own", { ...STANDARD_TERMS, units: { ALT: { ...STANDARD_UNIT, priceSteps: 1.5 } } }, "unit ALT: priceSteps"],
    ["a haircut", { ...STANDARD_TERMS, spot: { BTC: { hedges: true, haircut: { imPpm: 1, mmPpm: 2 } } } }, "spot BTC haircut"],
    ["a group without a reason", group({ reason: " " }), "group majors"],
    ["a correlation below 0.7", group({ stressCorrelationPpm: 699_999, lambdaPpm: 1 }), "group majors"],
    ["λ above 80 %", group({ stressCorrelationPpm: 900_000, lambdaPpm: 800_001 }), "group majors"],
    ["λ above the correlation", group({ stressCorrelationPpm: 700_000, lambdaPpm: 700_001 }), "group majors"],
    ["a group of one", group({ members: [{ unitId: "BTC", betaPpm: 1_000_000 }] }), "group majors"],
    [
      "a member twice",
      group({
        members: [
          { unitId: "BTC", betaPpm: 1_000_000 },
          { unitId: "BTC", betaPpm: 1_000_000 },
        ],
      }),
      "group majors",
    ],
    [
      "a beta that takes a price below 0",
      group({
        members: [
          { unitId: "BTC", betaPpm: 1_000_000 },
          { unitId: "ETH", betaPpm: 6_250_000 },
        ],
      }),
      "group majors",
    ],
    ["a group without steps", group({ priceSteps: 0 }), "group majors"],
  ])("%s is refused by place", (_, terms, place) => {
    let refusal: unknown;
    try {
      validatePortfolioTerms(terms);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(TermsError);
    expect(refusal).toMatchObject({ subject: `portfolio terms ${terms.termsId} v1`, place });
    expect((refusal as TermsError).mend).not.toBe("");
  });
});
