/**
 * Seeded draws for the replay. A draw is a pure function of the seed and of what it is for, never of
 * how many draws came before: two runs that handle their messages in another order still agree.
 */

/** A stream of numbers in [0, 1). */
export type Draw = () => number;

/** xmur3: spreads a text over 32 bits of state. */
const hashOf = (text: string): (() => number) => {
  let state = 1_779_033_703 ^ text.length;
  for (const character of text) {
    state = Math.imul(state ^ (character.codePointAt(0) as number), 3_432_918_353);
    state = (state << 13) | (state >>> 19);
  }
  return () => {
    state = Math.imul(state ^ (state >>> 16), 2_246_822_507);
    state = Math.imul(state ^ (state >>> 13), 3_266_489_909);
    state ^= state >>> 16;
    return state >>> 0;
  };
};

/** sfc32 seeded by `seed` and `purpose`, for example `draws(7, "venue MC-ABC-1")`. */
export const draws = (seed: number, purpose: string): Draw => {
  const word = hashOf(`${seed} ${purpose}`);
  let [a, b, c, counter] = [word(), word(), word(), 1];
  return () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 4_294_967_296;
  };
};

/** One of `choices`, each with its weight. @throws RangeError when there is none. */
export const pick = <T>(draw: Draw, choices: readonly (readonly [T, number])[]): T => {
  const total = choices.reduce((sum, [, weight]) => sum + weight, 0);
  let left = draw() * total;
  for (const [choice, weight] of choices) {
    left -= weight;
    if (left < 0) return choice;
  }
  const last = choices.at(-1);
  if (last === undefined) throw new RangeError("nothing to pick from");
  return last[0];
};

/** A normal deviate (Box-Muller). */
export const normal = (draw: Draw): number => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());

/** A Pareto deviate of the given least value and tail exponent: the smaller the exponent, the heavier the tail. */
export const pareto = (draw: Draw, least: number, exponent: number): number => least * (1 - draw()) ** (-1 / exponent);
