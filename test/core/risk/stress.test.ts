import { describe, expect, it } from "vitest";

import { correlationOneStress, coverOf, stressLoss, volatilityStress } from "../../../core/risk/stress.ts";

describe("joint stresses", () => {
  it.each([
    [[100, -60], [-0.4, -0.5], 10],
    [[100, 60], [-0.4, -0.5], 70],
    [[-100, 0], [-0.4, 9], -40],
    [[0, 0], [-0.4, 9], 0],
  ])("exposures %j in a move of %j lose %d", (exposures, moves, loss) => {
    expect(stressLoss(exposures, { name: "a day", moves })).toBe(loss);
  });

  it("moves all factors by multiples of their volatility, and none below 0", () => {
    const [down, up] = volatilityStress([0.05, 1], 2, 2.326);
    expect(down?.name).toBe("volatility x2, all fall");
    expect(down?.moves.map((move) => move.toFixed(6))).toEqual(["-0.207530", "-0.990458"]);
    expect(up?.name).toBe("volatility x2, all rise");
    expect(up?.moves[0]?.toFixed(6)).toBe("0.261877");
  });

  it("lets every factor make its extreme on one day", () => {
    expect(correlationOneStress([-Math.LN2, 0], [Math.LN2, 0])).toEqual([
      { name: "correlation 1, all fall", moves: [-0.5, 0] },
      { name: "correlation 1, all rise", moves: [1, 0] },
    ]);
  });
});

describe("cover-1 and cover-2", () => {
  const move = { name: "a fall", moves: [-0.5] };
  const account = (accountId: string, exposure: number, resources: number) => ({ accountId, exposures: [exposure], resources });

  it("are the largest losses beyond resources, never netted with gains", () => {
    const cover = coverOf(
      [account("a", 200, 50), account("b", -1_000, 0), account("c", 100, 20), account("d", 160, 50), account("e", 10, 5)],
      move,
    );
    expect(cover).toEqual({
      scenario: "a fall",
      largest: [
        { accountId: "a", uncovered: 50 },
        { accountId: "c", uncovered: 30 },
        { accountId: "d", uncovered: 30 },
      ],
      cover1: 50,
      cover2: 80,
    });
  });

  it("are 0 where nothing is uncovered", () => {
    expect(coverOf([account("a", 10, 5)], move)).toEqual({ scenario: "a fall", largest: [], cover1: 0, cover2: 0 });
  });
});
