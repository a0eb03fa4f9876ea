import { cpus } from "node:os";

import { measureCore } from "./core.ts";
import { measureSweep, measureTicks } from "./latency.ts";
import { measurePricing } from "./pricing.ts";

const USAGE = `usage: npm run bench -- [--json] [--core]
  --json   one JSON object on stdout, nothing else
  --core   the decision and the option kernel alone, without the local cloud`;

const flags = process.argv.slice(2);
if (flags.some((flag) => flag !== "--json" && flag !== "--core")) {
  console.error(USAGE);
  process.exit(2);
}
const json = flags.includes("--json");
const coreOnly = flags.includes("--core");

const say = (words: string): void => {
  if (!json) console.log(words);
};

say("deciding accounts of ten linear positions on one core ...");
const core = measureCore();
say(`  every account by the exact pass   ${core.decideExactPerS} a second, ${core.ratios.decideExact} x the yardstick`);
say(`  a book, most of it quiet          ${core.decidePerS} a second, ${core.ratios.decide} x`);
say(`  the same from result pages        ${core.fromPagesPerS} a second, ${core.ratios.fromPages} x`);
say(`  decimal.js, the yardstick         ${core.yardstickPerS} a second`);
say(`  levels over typed arrays          ${core.linearPerS} a second, ${core.ratios.linear} x`);
say(`  the worst of 16 scenarios         ${core.worstOf16PerS} a second, ${core.ratios.worstOf16} x a plain loop`);
say(`  the worst of 1,000 scenarios      ${core.worstOf1000PerS} a second, ${core.ratios.worstOf1000} x a plain loop`);

say("valuing options by Black-76 on one core ...");
const pricing = measurePricing();
say(`  the kernel                        ${pricing.black76PerS} a second`);
say(
  pricing.quantLibPerS === null
    ? "  QuantLib in C++                   not here: g++ or the library is missing"
    : `  QuantLib in C++                   ${pricing.quantLibPerS} a second; the kernel takes ${pricing.black76ByQuantLib} x its time`,
);

const measureLocalCloud = async () => {
  say("sweeping 100,000 accounts on the local cloud, 1,000 of them breached ...");
  const sweep100kMs = await measureSweep();
  say(`  from the price to the last event  ${sweep100kMs} ms`);
  say("ticking over 10,000 accounts in real time ...");
  const tickToPublishMs = await measureTicks();
  say(`  from a tick to an event           p50 ${tickToPublishMs.p50} ms, p99 ${tickToPublishMs.p99} ms`);
  return { sweep100kMs, tickToPublishMs };
};

const machine = { cpu: cpus()[0]?.model.trim() ?? "unknown", cores: cpus().length, node: process.version };
const figures = { ...core, ...pricing, ...(coreOnly ? {} : await measureLocalCloud()), machine };
if (json) process.stdout.write(`${JSON.stringify(figures)}\n`);
else say(`on ${machine.cores} cores of ${machine.cpu}, Node ${machine.node}`);
