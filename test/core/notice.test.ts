import { describe, expect, it } from "vitest";

import type { Instrument } from "../../core/instrument.ts";
import { type MarginModel, STANDARD_MODEL } from "../../core/margin-model.ts";
import { money } from "../../core/money.ts";
import { type HeldTerms, largeRisesOfInstrument, largeRisesOfPolicy, noticeBeganAt, noticeEndsAt } from "../../core/notice.ts";
import { STANDARD_TERMS, STANDARD_UNIT } from "../../core/portfolio/portfolio-terms.ts";
import { perpetual } from "./call-fixtures.ts";

const NOW = 1_584_000_000_000;
const HOUR = 3_600_000;

type Bracket = readonly [floor: string, rateIm: number, rateMm: number];
const tiered = (...brackets: readonly Bracket[]): Instrument =>
  perpetual("BTC-PERP", {
    tiers: brackets.map(([floor, rateIm, rateMm]) => ({ floor: money(floor), rateIm, rateMm, amountIm: money("0"), amountMm: money("0") })),
  });
const since = <Terms>(...held: readonly (readonly [hoursAgo: number, terms: Terms])[]): HeldTerms<Terms>[] =>
  held.map(([hoursAgo, terms]) => ({ terms, effectiveAt: NOW - hoursAgo * HOUR }));
const TWO = tiered(["0", 100_000, 5_000], ["1000000", 200_000, 10_000]);

describe("M3 rates of a tier table that need 24 h of notice", () => {
  it.each<[string, readonly HeldTerms<Instrument>[], Instrument, readonly string[]]>([
    ["a new instrument: nothing to compare with", [], TWO, []],
    ["the same rates", since([99, TWO]), TWO, []],
    ["25 % exactly", since([99, TWO]), tiered(["0", 125_000, 6_250], ["1000000", 250_000, 12_500]), []],
    [
      "one ppm more, in one bracket",
      since([99, TWO]),
      tiered(["0", 100_000, 5_000], ["1000000", 250_001, 10_000]),
      ["tiers from 1000000: rateIm"],
    ],
    [
      "a dear bracket that begins lower",
      since([99, TWO]),
      tiered(["0", 100_000, 5_000], ["500000", 200_000, 10_000]),
      ["tiers from 500000: rateIm", "tiers from 500000: rateMm"],
    ],
    [
      "a new bracket above the last, within 25 %",
      since([99, TWO]),
      tiered(["0", 100_000, 5_000], ["1000000", 200_000, 10_000], ["2000000", 240_000, 12_000]),
      [],
    ],
    [
      "small rises in a row within a day",
      since([99, tiered(["0", 100_000, 5_000])], [3, tiered(["0", 120_000, 5_000])]),
      tiered(["0", 140_000, 5_000]),
      ["tiers from 0: rateIm"],
    ],
    [
      "small rises a day apart",
      since([99, tiered(["0", 100_000, 5_000])], [24, tiered(["0", 120_000, 5_000])]),
      tiered(["0", 140_000, 5_000]),
      [],
    ],
    [
      "a version that is to come holds nothing down",
      since([99, TWO], [-5, tiered(["0", 50_000, 2_000])]),
      tiered(["0", 125_000, 6_250]),
      [],
    ],
    ["a rate from 0", since([99, tiered(["0", 100_000, 0])]), tiered(["0", 100_000, 1]), ["tiers from 0: rateMm"]],
    ["a fall", since([99, TWO]), tiered(["0", 50_000, 2_500]), []],
  ])("%s", (_words, held, next, places) => {
    expect(largeRisesOfInstrument(held, next, NOW).map(({ place }) => place)).toEqual(places);
  });

  it("tells the lowest rate that held, and the new one", () => {
    const held = since([99, tiered(["0", 100_000, 5_000])], [2, tiered(["0", 90_000, 5_000])], [1, tiered(["0", 110_000, 5_000])]);
    expect(largeRisesOfInstrument(held, tiered(["0", 115_000, 5_000]), NOW)).toEqual([
      { place: "tiers from 0: rateIm", from: 90_000, to: 115_000 },
    ]);
  });
});

describe("M3 rates of a margin model that need 24 h of notice", () => {
  const portfolio = (over: object): MarginModel => ({ kind: "portfolio", statistical: null, terms: { ...STANDARD_TERMS, ...over } });
  const options = { ...STANDARD_MODEL.options, rate: { initial: 190_000, maintenance: 75_000 } };
  it.each<[string, MarginModel, MarginModel, readonly string[]]>([
    ["M5 an option rate", STANDARD_MODEL, { ...STANDARD_MODEL, options }, ["model.options: rate.initial"]],
    [
      "M5 an asset that gets dearer terms than the standard",
      STANDARD_MODEL,
      { ...STANDARD_MODEL, optionsOf: { SOL: options } },
      ["model.optionsOf.SOL: rate.initial"],
    ],
    [
      "M6 the price range of every unit",
      portfolio({}),
      portfolio({ defaultUnit: { ...STANDARD_UNIT, priceRangePpm: 200_001 } }),
      ["model.terms.defaultUnit: priceRangePpm"],
    ],
    [
      "M6 the price range of a unit",
      portfolio({}),
      portfolio({ units: { SOL: { ...STANDARD_UNIT, priceRangePpm: 200_001 } } }),
      ["model.terms.units.SOL: priceRangePpm"],
    ],
    ["M6 the factor for IM, at 25 % exactly", portfolio({}), portfolio({ fImPpm: 1_625_000 }), []],
    ["M6 the factor for IM", portfolio({}), portfolio({ fImPpm: 1_625_001 }), ["model.terms: fImPpm"]],
    ["another kind of model has no rates to compare", STANDARD_MODEL, portfolio({}), []],
  ])("%s", (_words, before, after, places) => {
    expect(largeRisesOfPolicy(since([99, { model: before }]), { model: after }, NOW).map(({ place }) => place)).toEqual(places);
  });
});

describe("M8 liquidity terms that need 24 h of notice", () => {
  const BTC = {
    averageVolume: money("50000000"),
    spread: 1_000,
    dailyVolatility: 40_000,
    impact: 1_000_000,
    participation: 200_000,
    confidence: 990_000,
    threshold: 250_000,
    charge: 50_000,
  };
  const both = ["liquidity.BTC: of 50000000", "liquidity.BTC: of 12500000"];
  it.each<[string, object | undefined, object, readonly string[]]>([
    ["the same terms", BTC, BTC, []],
    ["terms where there were none", undefined, BTC, both],
    ["terms that are taken away", BTC, {}, []],
    [
      "a volume of half as much raises what the same exposure costs",
      BTC,
      { ...BTC, averageVolume: money("25000000") },
      ["liquidity.BTC: of 50000000", "liquidity.BTC: of 12500000", "liquidity.BTC: of 25000000", "liquidity.BTC: of 6250000"],
    ],
    ["a charge of twice as much is a quarter of the whole above the threshold only", BTC, { ...BTC, charge: 300_000 }, [both[0] as string]],
    ["a volatility a quarter higher, at 25 % and less of the whole", BTC, { ...BTC, dailyVolatility: 50_000 }, []],
    ["a spread of volatility where there was none", BTC, { ...BTC, volatilitySpread: 20_000 }, ["liquidity.BTC: volatilitySpread"]],
    ["a volatility that is higher by more, below the threshold", BTC, { ...BTC, dailyVolatility: 51_000 }, [both[1] as string]],
  ])("%s", (_words, before, after, places) => {
    const policy = (unit: object | undefined) => ({
      model: STANDARD_MODEL,
      ...(unit !== undefined && { liquidity: "spread" in unit ? { BTC: unit as typeof BTC } : {} }),
    });
    expect(largeRisesOfPolicy(since([99, policy(before)]), policy(after), NOW).map(({ place }) => place)).toEqual(places);
  });
});

it("the notice is 24 h before and after", () => {
  expect([noticeBeganAt(NOW), noticeEndsAt(NOW)]).toEqual([NOW - 24 * HOUR, NOW + 24 * HOUR]);
});
