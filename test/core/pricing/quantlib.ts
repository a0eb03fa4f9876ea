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

/** The host's Python that has QuantLib, with its version; null where there is none. */
export const findQuantLib = (): { readonly python: string; readonly version: string } | null => {
  for (const python of ["python3", "python"]) {
    const { status, stdout } = spawnSync(python, ["-c", "import QuantLib; print(QuantLib.__version__)"], { encoding: "utf8" });
    if (status === 0) return { python, version: stdout.trim() };
  }
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
  return JSON.parse(stdout) as number[][];
};
