import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { black76 } from "../core/pricing/black76.ts";
import { draws } from "../local/random.ts";
import { accountsPerS, median, RUNS } from "./measure.ts";

const OPTIONS = 8_192;
const SEED = 7;
const SOURCE = fileURLToPath(new URL("quantlib/black76.cpp", import.meta.url));

/** A chain in columns: the forward moves by half, strikes about it, `σ√T` from a day to a year. */
const chain = () => {
  const draw = draws(SEED, "bench options");
  const column = (figure: () => number): Float64Array => Float64Array.from({ length: OPTIONS }, figure);
  return {
    forward: column(() => 100 * Math.exp(draw() - 0.5)),
    strike: column(() => 100 * Math.exp(draw() - 0.5)),
    stdDev: column(() => 0.03 + 0.7 * draw()),
    discount: column(() => Math.exp(-0.1 * draw())),
    isCall: column(() => (draw() < 0.5 ? 1 : 0)),
  };
};
type Chain = ReturnType<typeof chain>;

/** Values every option, and says what they are worth together. */
const valueAll = ({ forward, strike, stdDev, discount, isCall }: Chain): number => {
  let sum = 0;
  for (let i = 0; i < OPTIONS; i++) {
    sum += black76(forward[i] as number, strike[i] as number, stdDev[i] as number, discount[i] as number, isCall[i] === 1);
  }
  return sum;
};

/** Seconds an option with QuantLib's blackFormula in C++ on the same options; null without a compiler or the library. */
const quantLibS = (options: Chain, expected: number): number | null => {
  const folder = mkdtempSync(join(tmpdir(), "plimsoll-quantlib-"));
  try {
    const program = join(folder, "black76");
    const built = spawnSync("g++", ["-O2", "-std=c++17", "-o", program, SOURCE, "-lQuantLib"], { stdio: "ignore" });
    if (built.status !== 0) return null;
    const { forward, strike, stdDev, discount, isCall } = options;
    const lines = Array.from(forward, (each, i) => `${each} ${strike[i]} ${stdDev[i]} ${discount[i]} ${isCall[i]}`);
    const input = `${OPTIONS}\n${lines.join("\n")}\n`;
    const run = (): number => {
      const { stdout, stderr, status } = spawnSync(program, [], { input, encoding: "utf8" });
      if (status !== 0) throw new Error(`the QuantLib loop: ${stderr}`);
      const [seconds = Number.NaN, sum = Number.NaN] = stdout.trim().split(" ").map(Number);
      if (!(Math.abs(sum - expected) <= 1e-9 * expected)) throw new Error(`QuantLib values the chain at ${sum}, the kernel at ${expected}`);
      return seconds;
    };
    return median(Array.from({ length: RUNS }, run));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Option values a second on one core. */
export interface PricingFigures {
  readonly black76PerS: number;
  /** QuantLib's blackFormula in C++; null where g++ or the library is missing. */
  readonly quantLibPerS: number | null;
  /** Time of the kernel by the time of QuantLib: at most 2. */
  readonly black76ByQuantLib: number | null;
}

/** Measures Black-76 alone. @throws Error when QuantLib values the same options otherwise. */
export const measurePricing = (): PricingFigures => {
  const options = chain();
  const expected = valueAll(options);
  const pass = (): number => {
    if (valueAll(options) !== expected) throw new Error("the kernel valued the same chain twice and differs");
    return OPTIONS;
  };
  const black76PerS = accountsPerS(pass);
  const seconds = quantLibS(options, expected);
  return {
    black76PerS,
    quantLibPerS: seconds === null ? null : Math.round(1 / seconds),
    black76ByQuantLib: seconds === null ? null : Math.round(100 / (black76PerS * seconds)) / 100,
  };
};
