import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decimal, type Money, money, price, quantity } from "../../../core/money.ts";
import { type Ratio, ratio } from "../../../core/ratio.ts";
import { afterSale, auctionPrice, auctionShare, insolventPayment } from "../../../core/waterfall/auction.ts";
import { convertCollateral } from "../../../core/waterfall/conversion.ts";
import {
  type AdlCandidate,
  deleverage,
  leveragedScore,
  planDeleveraging,
  settleAtOracle,
  walletScore,
} from "../../../core/waterfall/deleveraging.ts";
import {
  closableShare,
  collateralFor,
  depositorLoss,
  insuranceDelta,
  insuranceFee,
  liabilityFor,
  liquidatorFee,
  spotInsuranceFee,
} from "../../../core/waterfall/fees.ts";
import { absorbLoss, coverSize, type DefaultResources, drawable, LAYERS, settleLosses } from "../../../core/waterfall/losses.ts";
import { proRata } from "../../../core/waterfall/pro-rata.ts";
import { modelTable } from "../models-page.ts";
import "../../seed.ts";

const amounts = (given: Readonly<Record<string, string>>): Map<string, Money> =>
  new Map(Object.entries(given).map(([id, amount]) => [id, money(amount)]));
const texts = (given: ReadonlyMap<string, Money>): Record<string, string> =>
  Object.fromEntries([...given].map(([id, amount]) => [id, decimal(amount)]));
const sum = (given: Iterable<bigint>): bigint => [...given].reduce((total, amount) => total + amount, 0n);
const number = ({ numerator, denominator }: Ratio): number => Number((numerator * 10n ** 9n) / denominator) / 1e9;
const unit = fc.bigInt(0n, 10n ** 6n).map((amount) => amount as Money);
const holdings = fc.dictionary(fc.string({ minLength: 1, maxLength: 3 }), unit).map((given) => new Map(Object.entries(given)));

describe("sharing (M0, I15)", () => {
  test("each rounded down, the remainder to the largest, equal ones by id, none above its weight", () => {
    const shares = (amount: bigint, ...weights: readonly bigint[]) => [
      ...proRata(amount, new Map(weights.map((weight, index) => [`${9 - index}`, weight]))).values(),
    ];
    expect(shares(5n, 3n, 3n, 1n)).toEqual([2n, 3n, 0n]);
    expect(shares(2n, 1n, 1n, 1n)).toEqual([0n, 1n, 1n]);
    expect(shares(9n, 1n, 2n)).toEqual([1n, 2n]);
    expect(shares(9n, 0n)).toEqual([0n]);
    expect(() => proRata(-1n, new Map())).toThrow(RangeError);
    expect(() => proRata(1n, new Map([["a", -1n]]))).toThrow(RangeError);
  });
  test("shares sum exactly", () => {
    fc.assert(
      fc.property(unit, holdings, (amount, weights) => {
        const shares = proRata(amount, weights);
        const total = sum(weights.values());
        expect(sum(shares.values())).toBe(amount < total ? amount : total);
        for (const [id, share] of shares) expect(share >= 0n && share <= (weights.get(id) ?? 0n)).toBe(true);
      }),
    );
  });
});

const RESOURCES: DefaultResources = {
  margin: money("60"),
  ownContribution: money("10"),
  insuranceFund: { balance: money("40"), drawn: money("0"), drawCap: money("25") },
  skinInTheGame: money("5"),
  contributions: amounts({ A: "60", B: "30", C: "10" }),
  assessmentCap: ratio(1n, 2n),
  gains: amounts({ winner: "30", other: "10" }),
};

describe("the layers (M13, R22, I16)", () => {
  test("the worked example of the page", () => {
    const { taken, contributions } = absorbLoss(money("140"), RESOURCES);
    const rows = modelTable("waterfall.md", "layer");
    expect(rows).toHaveLength(5);
    let left = money("140");
    for (const [layer, takes, remains] of rows) {
      left = (left - taken[layer as "margin"]) as Money;
      expect([layer, decimal(taken[layer as "margin"]), decimal(left)]).toEqual([layer, takes, remains]);
    }
    expect(texts(contributions)).toEqual({ A: "24", B: "12", C: "4" });
  });

  test.each([
    ["50", "margin 50"],
    ["65", "margin 60, ownContribution 5"],
    ["80", "margin 60, ownContribution 10, insuranceFund 10"],
    ["96", "margin 60, ownContribution 10, insuranceFund 25, skinInTheGame 1"],
    ["101", "margin 60, ownContribution 10, insuranceFund 25, skinInTheGame 5, defaultFund 1"],
    ["201", "margin 60, ownContribution 10, insuranceFund 25, skinInTheGame 5, defaultFund 100, assessments 1"],
    ["251", "margin 60, ownContribution 10, insuranceFund 25, skinInTheGame 5, defaultFund 100, assessments 50, gains 1"],
  ])("a loss of %s: %s", (loss, expected) => {
    const { taken } = absorbLoss(money(loss), RESOURCES);
    const given = Object.entries(taken).filter(([, amount]) => amount > 0n);
    expect(given.map(([layer, amount]) => `${layer} ${decimal(amount)}`).join(", ")).toBe(expected);
  });

  test("beyond the default fund: assessments by contribution, then gains, then what is torn up", () => {
    const { assessments, haircuts, unallocated, taken } = absorbLoss(money("300"), RESOURCES);
    expect(texts(assessments)).toEqual({ A: "30", B: "15", C: "5" });
    expect([taken.gains, unallocated].map(decimal)).toEqual(["40", "10"]);
    expect(texts(haircuts)).toEqual({ winner: "30", other: "10" });
    expect(() => absorbLoss(money("-1"), RESOURCES)).toThrow(RangeError);
  });

  test("a layer gives only when those before it are empty; all sums to the loss", () => {
    fc.assert(
      fc.property(
        fc.tuple(unit, unit, unit, unit, unit),
        holdings,
        holdings,
        ([loss, margin, ownContribution, balance, skinInTheGame], contributions, gains) => {
          const insuranceFund = { balance, drawn: 0n as Money, drawCap: null };
          const given = { margin, ownContribution, insuranceFund, skinInTheGame, contributions, assessmentCap: ratio(1n, 4n), gains };
          const { taken, unallocated, haircuts } = absorbLoss(loss, given);
          expect(sum(Object.values(taken)) + unallocated).toBe(loss);
          const full = absorbLoss((10n ** 15n) as Money, given).taken;
          const last = LAYERS.findLastIndex((layer) => taken[layer] > 0n);
          for (const layer of LAYERS.slice(0, Math.max(last, 0))) expect(taken[layer]).toBe(full[layer]);
          for (const [account, haircut] of haircuts) expect(haircut <= (gains.get(account) ?? 0n)).toBe(true);
        },
      ),
    );
  });

  test.each([
    ["40", "0", null, "40"],
    ["40", "0", "25", "25"],
    ["40", "20", "25", "5"],
    ["40", "30", "25", "0"],
    ["3", "20", "25", "3"],
  ])("a fund of %s that gave %s of at most %s can give %s", (balance, drawn, cap, expected) => {
    expect(decimal(drawable({ balance: money(balance), drawn: money(drawn), drawCap: cap === null ? null : money(cap) }))).toBe(expected);
  });

  test("cover N: the largest losses, those below 0 count nothing", () => {
    expect(decimal(coverSize([money("9"), money("50"), money("-70"), money("30")], 2))).toBe("80");
    expect(decimal(coverSize([money("-70")], 2))).toBe("0");
  });

  test("losses that nobody paid: the pool first, then the winners; what is paid in is what is paid out", () => {
    const losers = [
      { loss: money("8000"), balance: money("5000") },
      { loss: money("80"), balance: money("100") },
    ];
    const settled = settleLosses({ losers, gains: amounts({ x: "8000", y: "80" }), pool: money("1000") });
    expect([settled.shortfall, settled.poolUsed].map(decimal)).toEqual(["2000", "1000"]);
    expect(sum(settled.received.values())).toBe(money("6080"));
    expect(texts(settled.haircuts)).toEqual({ x: "1980.1980198", y: "19.8019802" });
    // A balance in debt loses no more than the loss.
    expect(
      decimal(
        settleLosses({ losers: [{ loss: money("5"), balance: money("-9") }], gains: amounts({ x: "5" }), pool: money("0") }).shortfall,
      ),
    ).toBe("5");
  });
});

describe("a fill and the insurance fund (M13)", () => {
  test.each([
    ["a penalty", "5610", "5100", 25_000, "140.25"],
    ["at most the surplus", "5610", "5100", 1_000_000, "510"],
    ["a short's penalty", "-4410", "-4900", 25_000, "110.25"],
    ["nothing at the bankruptcy price", "5100", "5100", 5_000, "0"],
    ["a deficit", "5049", "5100", 5_000, "-51"],
  ])("%s", (_, fill, bankruptcy, rate, expected) => {
    expect(decimal(insuranceDelta(money(fill), money(bankruptcy), rate))).toBe(expected);
  });
});

describe("deleveraging (M13)", () => {
  const side = (cash: string, rest = "0") => ({ cash: money(cash), rest: money(rest) });
  test("moves the bankruptcy cash flow, or nothing where the other side would be below 0", () => {
    expect(deleverage(side("54999"), side("-50001"), money("-54999"))).toEqual({ feasible: true, closed: 0n, offsetting: money("4998") });
    expect(deleverage(side("50000"), side("-50001"), money("-50000"))).toEqual({ feasible: false, short: "offsetting" });
    expect(deleverage(side("50000"), side("-50001", "1"), money("-50000"))).toMatchObject({ feasible: true });
    expect(settleAtOracle(side("49999"), side("0"), money("-50000"))).toEqual({ feasible: false, short: "closed" });
    expect(settleAtOracle(side("50000"), side("-50001"), money("-50000"))).toEqual({ feasible: false, short: "offsetting" });
    expect(settleAtOracle(side("50000"), side("0"), money("-50000"))).toMatchObject({ feasible: true });
  });

  test("ranks: leverage lifts a profit and lightens a loss", () => {
    const at = { entryNotional: money("100"), notional: money("120"), equity: money("12") };
    expect(number(leveragedScore({ ...at, profit: money("20") }))).toBe(2);
    expect(number(leveragedScore({ ...at, profit: money("-20") }))).toBe(-0.02);
    expect(number(walletScore(money("-5"), money("0.5"), ratio(1n, 2n)).score)).toBe(0);
    expect(number(walletScore(money("5"), money("0.5"), ratio(1n, 2n)).score)).toBe(2.5);
  });

  const candidate = (accountId: string, size: string, score: bigint, patch: Partial<AdlCandidate> = {}): AdlCandidate => ({
    accountId,
    quantity: quantity(size),
    score: ratio(score),
    equity: money("1000"),
    maintenance: money("10"),
    maintenanceAfter: money("0"),
    ...patch,
  });
  const terms = { costPerContract: money("100"), hedgeTolerance: 0, lotSize: quantity("1") };
  test.each<[string, string, AdlCandidate[], string, string[], string]>([
    ["in order of rank", "12", [candidate("low", "10", 1n), candidate("high", "10", 2n)], "high 10, low 2", [], "0"],
    ["equal ranks share", "9", [candidate("a", "4", 1n), candidate("b", "8", 1n)], "a 3, b 6", [], "0"],
    [
      "a hedge is passed over",
      "5",
      [candidate("h", "9", 2n, { maintenanceAfter: money("11") }), candidate("n", "9", 1n)],
      "n 5",
      ["h HEDGE"],
      "0",
    ],
    [
      "as much as equity bears",
      "5",
      [candidate("poor", "9", 2n, { equity: money("250") }), candidate("n", "9", 1n)],
      "poor 2, n 3",
      [],
      "0",
    ],
    ["nothing from who has nothing", "5", [candidate("none", "9", 2n, { equity: money("-1") })], "", ["none NO_EQUITY"], "5"],
    ["whole lots", "2.5", [candidate("n", "9", 1n)], "n 2", [], "0.5"],
    [
      "nobody is asked once it is filled",
      "1",
      [candidate("n", "9", 2n), candidate("h", "9", 1n, { maintenanceAfter: money("11") })],
      "n 1",
      [],
      "0",
    ],
  ])("%s", (_, need, candidates, ...[fills, passedOver, unfilled]) => {
    const plan = planDeleveraging(quantity(need), candidates, terms);
    expect(plan.fills.map(({ accountId, quantity: size }) => `${accountId} ${decimal(size)}`).join(", ")).toBe(fills);
    expect(plan.passedOver.map(({ accountId, reason }) => `${accountId} ${reason}`)).toEqual(passedOver);
    expect(decimal(plan.unfilled)).toBe(unfilled);
  });

  test("a tolerance lets a small rise of the requirement pass; a price better than the mark costs nothing", () => {
    const hedge = candidate("h", "9", 1n, { maintenanceAfter: money("11"), equity: money("0") });
    const plan = planDeleveraging(quantity("5"), [hedge], { ...terms, costPerContract: money("-1"), hedgeTolerance: 100_000 });
    expect(plan.fills).toEqual([{ accountId: "h", quantity: quantity("5") }]);
  });

  test("fills and what nobody took sum to the need; nobody falls below 0 (I15)", () => {
    const people = fc.array(
      fc.record({ size: fc.integer({ min: 1, max: 50 }), rank: fc.bigInt(-3n, 3n), equity: fc.integer({ min: -500, max: 5_000 }) }),
    );
    fc.assert(
      fc.property(people, fc.integer({ min: 0, max: 200 }), (given, need) => {
        const candidates = given.map(({ size, rank, equity }, index) =>
          candidate(`c${index}`, `${size}`, rank, { equity: money(`${equity}`) }),
        );
        const plan = planDeleveraging(quantity(`${need}`), candidates, terms);
        expect(sum(plan.fills.map(({ quantity: size }) => size)) + plan.unfilled).toBe(quantity(`${need}`));
        for (const { accountId, quantity: size } of plan.fills) {
          const found = candidates.find((one) => one.accountId === accountId);
          expect(size > 0n && size <= (found?.quantity ?? 0n)).toBe(true);
          expect((found?.equity ?? 0n) - size * 100n >= 0n).toBe(true);
        }
      }),
    );
  });
});

describe("an auction (M13)", () => {
  const schedule = { start: 980_000, knee: 800_000, fastMs: 60_000, slowMs: 600_000 };
  test.each([
    [-1, 980_000],
    [0, 980_000],
    [30_000, 890_000],
    [60_000, 800_000],
    [360_000, 400_000],
    [660_000, 0],
    [9_000_000, 0],
  ])("after %i ms the price is %i ppm", (elapsed, expected) => {
    expect(auctionPrice(elapsed, schedule)).toBe(expected);
  });

  test("sells just as much as lifts the buffer margin to 0", () => {
    fc.assert(
      fc.property(fc.bigInt(1n, 10n ** 12n), fc.bigInt(1n, 10n ** 12n), fc.integer({ min: 0, max: 980_000 }), (worth, short, at) => {
        const portfolio = { markToMarket: worth as Money, bufferMargin: -short as Money, maintenanceMargin: 0n as Money };
        const share = auctionShare(portfolio, at) as Ratio;
        expect(share.numerator > 0n && share.numerator <= share.denominator).toBe(true);
        const { bufferMargin, bid } = afterSale(portfolio, share, at);
        expect(bufferMargin >= 0n && bufferMargin <= 1n && bid <= worth).toBe(true);
      }),
    );
  });

  test("nothing of a healthy one; the fund pays for one that is worth nothing, up to its shortage", () => {
    const portfolio = { markToMarket: money("-5"), bufferMargin: money("-20"), maintenanceMargin: money("-10") };
    expect(auctionShare({ ...portfolio, bufferMargin: money("0") }, 980_000)).toEqual(ratio(0n));
    expect(auctionShare(portfolio, 980_000)).toBeNull();
    expect([0, 25, 100, 200, -5].map((elapsed) => decimal(insolventPayment(elapsed, 100, money("-10"))))).toEqual([
      "0",
      "2.5",
      "10",
      "10",
      "0",
    ]);
    expect(insolventPayment(50, 100, money("3"))).toBe(0n);
  });
});

describe("fees and collateral (M12, R21)", () => {
  test("the insurance fee leaves the shortage curable", () => {
    const terms = { shortage: money("1"), notional: money("1000"), rateMm: 50_000, liquidatorFee: 10_000, feeMax: 50_000, safety: 950_000 };
    const fee = (patch: Partial<typeof terms>): number => number(insuranceFee({ ...terms, ...patch }));
    expect(fee({})).toBe(0.03705);
    expect(fee({ notional: money("700") })).toBeCloseTo(0.036642857, 9);
    expect(fee({ shortage: money("1000") })).toBe(0);
    expect(fee({ feeMax: 20_000 })).toBe(0.02);
    expect(fee({ notional: money("0") })).toBe(0);
    const debt = { shortage: money("5"), debtValue: money("100"), assetWeight: 1_000_000, assetMultiplier: 1_010_000, feeMax: 50_000 };
    const weights = { liabilityWeight: 1_100_000, liabilityMultiplier: 1_000_000 };
    expect(number(spotInsuranceFee({ ...debt, ...weights }))).toBeCloseTo(0.036363636, 9);
    expect(number(spotInsuranceFee({ ...debt, ...weights, debtValue: money("0") }))).toBe(0);
  });

  test.each([
    [59_999, 20_000],
    [60_000, 20_150],
    [600_000, 21_500],
    [99_999_999, 50_000],
  ])("after %i ms the liquidator's fee is %i ppm", (elapsedMs, expected) => {
    expect(liquidatorFee({ base: 20_000, max: 50_000, graceMs: 60_000, ppmPerMinute: 150, elapsedMs })).toBe(expected);
  });

  test.each([
    ["49", 0, 1_000_000],
    ["50", 0, 100_000],
    ["50", 30_000, 550_000],
    ["50", 90_000, 1_000_000],
  ])("a shortage of %s after %i ms: %i ppm may be closed", (shortage, elapsedMs, expected) => {
    const terms = { shortage: money(shortage), smallShortage: money("50"), initial: 100_000, elapsedMs, rampMs: 60_000 };
    expect(closableShare(terms)).toBe(expected);
  });

  test("collateral for a debt and back; depositors lose at most their deposits", () => {
    const terms = { assetPrice: price("1"), liabilityPrice: price("100"), assetMultiplier: 1_010_000, liabilityMultiplier: 990_000 };
    const seized = collateralFor(money("1"), terms);
    expect(number(seized) / 1e8).toBeCloseTo(102.020202, 6);
    expect(number(liabilityFor((seized.numerator / seized.denominator) as Money, terms)) / 1e8).toBeCloseTo(1, 7);
    expect(number(depositorLoss(money("11"), money("120")).share)).toBe(0.091666666);
    expect(depositorLoss(money("130"), money("120"))).toMatchObject({ unallocated: money("10") });
    expect(number(depositorLoss(money("130"), money("120")).share)).toBe(1);
    expect(depositorLoss(money("130"), money("0")).unallocated).toBe(money("130"));
  });

  test("debts are covered by what loses least, as little as is needed", () => {
    const held = [
      { asset: "ALT", balance: money("100"), price: price("10"), lossPpm: 100_000 },
      { asset: "BTC", balance: money("1"), price: price("400"), lossPpm: 0 },
      { asset: "DEAD", balance: money("9"), price: price("1"), lossPpm: 1_000_000 },
    ];
    const { sales, uncovered } = convertCollateral(money("490"), held);
    expect(sales.map(({ asset, amount, proceeds }) => `${asset} ${decimal(amount)} ${decimal(proceeds)}`)).toEqual([
      "BTC 1 400",
      "ALT 10 90",
    ]);
    expect(uncovered).toBe(0n);
    expect(decimal(convertCollateral(money("1400"), held).uncovered)).toBe("100");
    expect(convertCollateral(money("0"), held).sales).toEqual([]);
  });
});
