/** The standard normal distribution in float64, good in both tails. */

const SQRT_HALF = Math.SQRT1_2;
const INVERSE_SQRT_TWO_PI = 0.3989422804014327;
const INVERSE_SQRT_PI = 0.5641895835477563;

/**
 * The upper tail `1 − Φ(x)` for x ≥ 0, given `e = exp(−x²/2)`: an option price needs two tails whose
 * exponentials follow from each other, and an exponential costs as much as the rest.
 *
 * W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of Computation
 * 23 (1969), in the three ranges of his CALERF. Relative error below 1e-13 as far as float64 has numbers.
 */
export const upperTail = (x: number, e: number): number => {
  const y = x * SQRT_HALF;
  if (y <= 0.46875) {
    const z = y * y;
    const top = (((0.18577770618460315 * z + 3.1611237438705655) * z + 113.86415415105016) * z + 377.485237685302) * z + 3209.3775891384694;
    const bottom = (((z + 23.601290952344122) * z + 244.02463793444417) * z + 1282.6165260773723) * z + 2844.236833439171;
    return 0.5 - (0.5 * y * top) / bottom;
  }
  if (y <= 4) {
    const top =
      (((((((2.1531153547440383e-8 * y + 0.5641884969886701) * y + 8.883149794388377) * y + 66.11919063714163) * y + 298.6351381974001) *
        y +
        881.952221241769) *
        y +
        1712.0476126340707) *
        y +
        2051.0783778260716) *
        y +
      1230.3393547979972;
    const bottom =
      (((((((y + 15.744926110709835) * y + 117.6939508913125) * y + 537.1811018620099) * y + 1621.3895745666903) * y + 3290.7992357334597) *
        y +
        4362.619090143247) *
        y +
        3439.3676741437216) *
        y +
      1230.3393548037495;
    return (0.5 * e * top) / bottom;
  }
  if (y === Number.POSITIVE_INFINITY) return 0;
  const z = 1 / (y * y);
  const top =
    ((((0.016315387137302097 * z + 0.30532663496123236) * z + 0.36034489994980445) * z + 0.12578172611122926) * z + 0.016083785148742275) *
      z +
    0.0006587491615298378;
  const bottom =
    ((((z + 2.568520192289822) * z + 1.8729528499234673) * z + 0.5279051029514285) * z + 0.06051834131244132) * z + 0.0023352049762686918;
  return (0.5 * e * (INVERSE_SQRT_PI - (z * top) / bottom)) / y;
};

/** Density at x. */
export const normalDensity = (x: number): number => INVERSE_SQRT_TWO_PI * Math.exp(-0.5 * x * x);

/** Φ(x), the probability of a standard normal below x; relative error below 1e-12 in the lower tail too. NaN for NaN. */
export const normalCdf = (x: number): number => {
  const e = Math.exp(-0.5 * x * x);
  return x <= 0 ? upperTail(-x, e) : 1 - upperTail(x, e);
};

/** Coefficients, highest power first. M. J. Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988). */
const CENTRE = [
  [
    2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946, 1971.5909503065513, 133.14166789178438,
    3.3871328727963665,
  ],
  [
    5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751, 687.1870074920579, 42.31333070160091,
    1,
  ],
] as const;
const NEAR = [
  [
    0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684, 3.6478483247632045, 5.769497221460691,
    4.630337846156546, 1.4234371107496835,
  ],
  [
    1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008, 0.6897673349851, 1.6763848301838038,
    2.053191626637759, 1,
  ],
] as const;
const FAR = [
  [
    2.0103343992922881e-7, 0.000027115555687434876, 0.0012426609473880784, 0.026532189526576124, 0.29656057182850487, 1.7848265399172913,
    5.463784911164114, 6.657904643501103,
  ],
  [
    2.0442631033899397e-15, 1.421511758316446e-7, 0.000018463183175100548, 0.0007868691311456133, 0.014875361290850615, 0.1369298809227358,
    0.599832206555888, 1,
  ],
] as const;

const polynomial = (coefficients: readonly number[], x: number): number => {
  let sum = 0;
  for (const coefficient of coefficients) sum = sum * x + coefficient;
  return sum;
};
const quotient = ([top, bottom]: readonly [readonly number[], readonly number[]], x: number): number =>
  polynomial(top, x) / polynomial(bottom, x);

/**
 * The x with `Φ(x) = p`; relative error about 1e-16 (Wichura's AS 241).
 *
 * @param p a probability: 0 gives minus infinity and 1 infinity; NaN outside of [0, 1], so judge p first.
 */
export const normalQuantile = (p: number): number => {
  if (!(p >= 0 && p <= 1)) return Number.NaN;
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * quotient(CENTRE, 0.180625 - q * q);
  const tail = q < 0 ? p : 1 - p;
  if (tail === 0) return q < 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const r = Math.sqrt(-Math.log(tail));
  const size = r <= 5 ? quotient(NEAR, r - 1.6) : quotient(FAR, r - 5);
  return q < 0 ? -size : size;
};
