import type { Answer, Refused } from "../statistics/answer.ts";
import { given, isCount, refused } from "../statistics/answer.ts";
import type { JointReturns } from "../statistics/returns.ts";

export interface PathTerms {
  /** How many steps of the returns' period a path is long. */
  readonly steps: number;
  readonly paths: number;
  /** Uniform numbers in [0, 1): a seeded generator gives the same paths again. */
  readonly random: () => number;
}

/** xorshift32: the paths of one scenario set are the same for every account and on every day. */
export const sameDraws = (): (() => number) => {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
};

/** The most steps of all paths together: what a scheduled function computes in seconds. */
const MOST_STEPS = 50_000_000;

/**
 * Joint paths by drawing past dates with replacement: at each step all factors move by what they did on
 * one date, so that dependence is kept (M11). Give filtered returns for today's volatility.
 *
 * `visit` is told, for each path and step, the moves of all factors since now, in the order of
 * `joint.names` and the kind of the returns: sums of log returns and differences, compounded simple
 * returns. The array is filled again for each step. It answers false to end the path.
 *
 * Answers BAD_TERMS for counts that are not whole or together too many.
 */
export const walkPaths = (
  joint: JointReturns,
  { steps, paths, random }: PathTerms,
  visit: (moves: Float64Array, step: number, path: number) => boolean,
): Answer<null> => {
  const fault = pathFault(joint, steps, paths);
  if (fault !== null) return fault;
  const dates = joint.endsAt.length;
  const moves = new Float64Array(joint.names.length);
  for (let path = 0; path < paths; path += 1) {
    moves.fill(0);
    for (let step = 1; step <= steps; step += 1) {
      const date = Math.min(dates - 1, Math.floor(random() * dates));
      for (let which = 0; which < moves.length; which += 1) {
        const move = (joint.columns[which] as Float64Array)[date] as number;
        const before = moves[which] as number;
        moves[which] = joint.kind === "simple" ? (1 + before) * (1 + move) - 1 : before + move;
      }
      if (!visit(moves, step, path)) break;
    }
  }
  return given(null);
};

const pathFault = ({ endsAt }: JointReturns, steps: number, paths: number): Refused | null => {
  if (!isCount(steps, 1) || !isCount(paths, 1) || steps * paths > MOST_STEPS) {
    return refused("BAD_TERMS", `${paths} paths of ${steps} steps: give whole numbers, together at most ${MOST_STEPS} steps`);
  }
  return endsAt.length > 0 ? null : refused("NO_HISTORY", "no joint return to draw from. Give a history");
};
