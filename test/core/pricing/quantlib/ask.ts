import { spawnSync } from "node:child_process";

/** Reads one JSON array of options on stdin, answers the figures of QuantLib's BlackCalculator in the same order. */
const PROGRAM = `
import json, sys
import QuantLib as ql
def answer(o):
    payoff = ql.PlainVanillaPayoff(ql.Option.Call if o["call"] else ql.Option.Put, o["strike"])
    c = ql.BlackCalculator(payoff, o["forward"], o["stdDev"], o["discount"])
    s, t = o["spot"], o["years"]
    return [c.value(), c.delta(s), c.gamma(s), c.vega(t), c.theta(s, t), c.rho(t), c.dividendRho(t)]
print(json.dumps([answer(o) for o in json.load(sys.stdin)]))
`;

/**
 * The Python that `QUANTLIB_PYTHON` names, else the host's one that has QuantLib, with its version; null where there is none.
 *
 * @throws Error where the named one has no QuantLib: a comparison that was asked for is not left out.
 */
export const findQuantLib = (): { readonly python: string; readonly version: string } | null => {
  const named = process.env["QUANTLIB_PYTHON"];
  for (const python of named === undefined ? ["python3", "python"] : [named]) {
    const { status, stdout } = spawnSync(python, ["-c", "import QuantLib; print(QuantLib.__version__)"], { encoding: "utf8" });
    if (status === 0) return { python, version: stdout.trim() };
  }
  if (named !== undefined) throw new Error(`${named} has no QuantLib. Delete .plimsoll/quantlib, and run npm run test:quantlib again`);
  return null;
};

export interface QuantLibOption {
  readonly call: boolean;
  readonly spot: number;
  readonly forward: number;
  readonly strike: number;
  readonly stdDev: number;
  readonly years: number;
  readonly discount: number;
}

/** Value, delta, gamma, vega, theta, rho and dividend rho of each option, by the spot. @throws Error with what Python said. */
export const askQuantLib = (python: string, options: readonly QuantLibOption[]): readonly (readonly number[])[] => {
  const input = JSON.stringify(options);
  const { status, stdout, stderr } = spawnSync(python, ["-c", PROGRAM], { input, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (status !== 0) throw new Error(stderr);
  const answers = JSON.parse(stdout) as number[][];
  if (answers.length !== options.length) throw new Error(`QuantLib answered ${answers.length} of ${options.length} options`);
  return answers;
};
