/** A joint move of the market: simple returns by factor, -0.4 is a fall of 40 %. */
export interface StressScenario {
  readonly name: string;
  readonly moves: readonly number[];
}

/** Loss of linear exposures (units of the quote asset by factor) in a joint move. */
export const stressLoss = (exposures: readonly number[], { moves }: StressScenario): number => {
  let gain = 0;
  for (let factor = 0; factor < exposures.length; factor += 1) gain += (exposures[factor] as number) * (moves[factor] as number);
  return gain === 0 ? 0 : -gain;
};

/**
 * Two joint moves of `multiple` volatilities of a day each at `quantile`: all factors down, all up. Each factor moves by
 * exp(±multiple · quantile · σ) − 1, so that no price falls below 0.
 */
export const volatilityStress = (dailyVolatilities: readonly number[], multiple: number, quantile: number): readonly StressScenario[] =>
  ([-1, 1] as const).map((sign) => ({
    name: `volatility x${multiple}, all ${sign < 0 ? "fall" : "rise"}`,
    moves: dailyVolatilities.map((sigma) => Math.expm1(sign * multiple * quantile * sigma)),
  }));

/** Two joint moves with a correlation of 1: each factor makes its own worst, or its own best, day of the history, together. */
export const correlationOneStress = (worst: readonly number[], best: readonly number[]): readonly StressScenario[] => [
  { name: "correlation 1, all fall", moves: worst.map(Math.expm1) },
  { name: "correlation 1, all rise", moves: best.map(Math.expm1) },
];

/** What a default fund must cover: the largest, and the two largest, losses beyond margin of one scenario. */
export interface Cover {
  readonly scenario: string;
  /** Losses beyond margin, largest first: at most five, those above 0. */
  readonly largest: readonly { readonly accountId: string; readonly uncovered: number }[];
  readonly cover1: number;
  readonly cover2: number;
}

/**
 * Cover-1 and cover-2 of one scenario (M15): the loss of each account beyond what it has put up, never netted between
 * accounts. `resources` is the margin or the equity that stands against the loss, in the units of the exposures.
 */
export const coverOf = (
  accounts: readonly { readonly accountId: string; readonly exposures: readonly number[]; readonly resources: number }[],
  scenario: StressScenario,
): Cover => {
  const largest = accounts
    .map(({ accountId, exposures, resources }) => ({ accountId, uncovered: stressLoss(exposures, scenario) - resources }))
    .filter(({ uncovered }) => uncovered > 0)
    .sort((a, b) => b.uncovered - a.uncovered || (a.accountId < b.accountId ? -1 : 1))
    .slice(0, 5);
  const [first, second] = largest;
  const cover1 = first?.uncovered ?? 0;
  return { scenario: scenario.name, largest, cover1, cover2: cover1 + (second?.uncovered ?? 0) };
};
