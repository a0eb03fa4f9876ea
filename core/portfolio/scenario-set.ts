import type { Ppm } from "../money.ts";
import type { CorrelationGroup, ListedScenario, PortfolioTerms, UnitTerms, VolatilityMove, VolatilityTerms } from "./portfolio-terms.ts";

const PPM = 1_000_000;
const THIRTY_DAYS_MS = 30 * 86_400_000;

/** One row of the grid: what the price and the volatility of a unit do at once. */
export interface Scenario {
  /** As a person reads it: "price −8 %, volatility up". */
  readonly name: string;
  /** Signed move of the price, as a share: −0.08. */
  readonly priceMove: number;
  /** The shocked price by the present one: 0.92. */
  readonly priceFactor: number;
  readonly volatility: VolatilityMove;
  /** Share of the profit and loss that counts: 1, less in the tails. */
  readonly weight: number;
}

/**
 * The rows that instruments of a unit are priced for: first those that margin the unit, then the two
 * moves of the roll scenario, then the joint moves of its group.
 */
export interface ScenarioSet {
  readonly unitId: string;
  readonly terms: UnitTerms;
  readonly scenarios: readonly Scenario[];
  /** Names of the rows that margin the unit. */
  readonly names: readonly string[];
  /** Rows `0 … own − 1` margin the unit. */
  readonly own: number;
  /** Rows of the roll scenario, up and down; −1 where the terms have none. */
  readonly rollUp: number;
  readonly rollDown: number;
  /** The first joint row, and how many. Row `joint + j` of each member of a group is the same joint move. */
  readonly joint: number;
  readonly jointRows: number;
  /** The group of the unit, or null. */
  readonly group: CorrelationGroup | null;
}

const signed = (ppm: Ppm): string => `${ppm < 0 ? "−" : ppm > 0 ? "+" : ""}${Math.round(Math.abs(ppm) / 100) / 100} %`;
const VOLATILITY: Readonly<Record<VolatilityMove, string>> = {
  down: "volatility down",
  same: "volatility same",
  up: "volatility up",
  tilt: "smile tilted",
  smile: "smile lifted",
};
const MOVES: readonly VolatilityMove[] = ["down", "same", "up"];

const scenario = (movePpm: number, volatility: VolatilityMove, weight: number): Scenario => ({
  name: `price ${signed(movePpm)}, ${VOLATILITY[volatility]}`,
  priceMove: movePpm / PPM,
  priceFactor: (PPM + movePpm) / PPM,
  volatility,
  weight,
});

/** Equal steps from −range to +range, 0 among them. */
const steps = (rangePpm: Ppm, count: number): readonly number[] =>
  Array.from({ length: 2 * count + 1 }, (_, index) => ((index - count) * rangePpm) / count);

const gridOf = ({ priceRangePpm, priceSteps, tails, skew }: UnitTerms): readonly Scenario[] => [
  ...steps(priceRangePpm, priceSteps).flatMap((move) => MOVES.map((volatility) => scenario(move, volatility, 1))),
  ...tails.movesPpm.map((move) => scenario(move, "up", Math.min(1, tails.dampingPpm / Math.abs(move)))),
  ...(skew === null ? [] : [scenario(0, "tilt", 1), scenario(0, "smile", 1)]),
];

/** Joint moves of a group, each with the moves of volatility: one order for all its members. */
const jointMoves = ({ priceRangePpm, priceSteps }: CorrelationGroup) =>
  steps(priceRangePpm, priceSteps).flatMap((move) => MOVES.map((volatility) => ({ move, volatility })));

/** Names of the joint moves of a group, in the order of its rows. */
export const jointNames = (group: CorrelationGroup): readonly string[] =>
  jointMoves(group).map(({ move, volatility }) => `joint move ${signed(move)}, ${VOLATILITY[volatility]}`);

const listed = ({ movePpm, volatility, weightPpm }: ListedScenario): Scenario => scenario(movePpm, volatility, weightPpm / PPM);

/** The scenarios of a unit, named and in order (M6). A pure function of validated terms. */
export const scenarioSet = (terms: PortfolioTerms, unitId: string): ScenarioSet => {
  const unit = terms.units[unitId] ?? terms.defaultUnit;
  const own = unit.scenarios === null ? gridOf(unit) : unit.scenarios.map(listed);
  const roll = unit.roll === null ? [] : [scenario(unit.roll.upPpm, "same", 1), scenario(unit.roll.downPpm, "same", 1)];
  const group = terms.groups.find(({ members }) => members.some((member) => member.unitId === unitId)) ?? null;
  const beta = (group?.members.find((member) => member.unitId === unitId)?.betaPpm ?? 0) / PPM;
  const joint = group === null ? [] : jointMoves(group).map(({ move, volatility }) => scenario(beta * move, volatility, 1));
  return {
    unitId,
    terms: unit,
    scenarios: [...own, ...roll, ...joint],
    names: own.map(({ name }) => name),
    own: own.length,
    rollUp: roll.length === 0 ? -1 : own.length,
    rollDown: roll.length === 0 ? -1 : own.length + 1,
    joint: own.length + roll.length,
    jointRows: joint.length,
    group,
  };
};

/**
 * The relative shock of a volatility by time to expiry: `v · (30/days)^p` (M6).
 *
 * @param sizePpm the shock at 30 days.
 * @param timeMs time to expiry; less than the floor of the terms counts as the floor.
 */
export const volatilityShock = (sizePpm: Ppm, timeMs: number, terms: VolatilityTerms): number => {
  const power = (timeMs <= THIRTY_DAYS_MS ? terms.shortPowerPpm : terms.longPowerPpm) / PPM;
  return (sizePpm / PPM) * (THIRTY_DAYS_MS / Math.max(timeMs, terms.timeFloorMs)) ** power;
};

/** A volatility after a move up, down or none: shocked up at least at the terms' minimum, shocked down at least 0. */
export const shockedVolatility = (volatility: number, timeMs: number, move: "up" | "down" | "same", terms: VolatilityTerms): number => {
  if (move === "same") return volatility;
  if (move === "up") return Math.max(terms.minUpPpm / PPM, volatility * (1 + volatilityShock(terms.upPpm, timeMs, terms)));
  return volatility * Math.max(0, 1 - volatilityShock(terms.downPpm, timeMs, terms));
};
