import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { emergency as emergencyForm } from "../adapters/wire/pending-change.ts";
import { instant } from "../adapters/wire/scalars.ts";
import type { Ppm } from "../core/money.ts";
import { type Command, Refusal, runCommand, say } from "./command-line.ts";
import { changeTo, type RateChange } from "./rates/change.ts";
import { ratesLines, toolsLine } from "./rates/lines.ts";
import { type RateSeries, rateSeries } from "./rates/series.ts";
import { type RatedInstrument, readRatesTerms } from "./rates/terms.ts";
import { strictJson } from "./validate/figure.ts";
import { DAY_MS } from "./validate/history.ts";
import { type PriceFile, readPrices } from "./validate/lineage.ts";

const OPTIONS = {
  prices: { type: "string", multiple: true },
  terms: { type: "string" },
  at: { type: "string" },
  emergency: { type: "string" },
  out: { type: "string" },
} as const;

/** A close may be of yesterday, or of the day before where yesterday's is not told yet. */
const OLDEST_MS = 2 * DAY_MS;

const instantOf = (text: string | undefined): number => {
  if (text === undefined) return Date.now();
  const read = instant.safeParse(text);
  if (!read.success) throw new Refusal(`--at ${text}: give an instant in UTC, as 2025-06-20T08:00:00Z`);
  return read.data;
};

const reasonOf = (reason: string | undefined): string | null => {
  if (reason === undefined) return null;
  const read = emergencyForm.safeParse({ reason });
  if (!read.success) throw new Refusal("--emergency: give its reason in 3-200 characters");
  return read.data.reason;
};

/** The file that tells a symbol, new enough to publish a rate of. @throws Refusal. */
const fileOf = (files: readonly PriceFile[], { symbol, instrument }: RatedInstrument, at: number): PriceFile => {
  const [file, other] = files.filter(({ lineage }) => lineage.symbol === symbol);
  if (file === undefined) throw new Refusal(`${instrument.instrumentId}: no --prices file tells ${symbol}`);
  if (other !== undefined) throw new Refusal(`${file.lineage.file} and ${other.lineage.file} both tell ${symbol}: give one`);
  const closedAt = (file.closes.at(-1)?.openAt ?? 0) + DAY_MS;
  const { file: name, lastDay } = file.lineage;
  if (closedAt > at)
    throw new Refusal(`${name}: ${lastDay}, its last day, has not ended at ${new Date(at).toISOString()}: leave it out, or give --at`);
  if (at - closedAt > OLDEST_MS)
    throw new Refusal(`${name}: ends with ${lastDay}: no rate is made of old prices. Complete the file, or give --at`);
  return file;
};

interface Rated {
  readonly rated: RatedInstrument;
  readonly file: PriceFile;
  readonly series: RateSeries;
  readonly change: RateChange | null;
}

/** A rate in whole ppm, rounded up, at most 1. */
const published = ({ next }: RateSeries): Ppm => Math.min(1_000_000, Math.ceil(next.charged));

/** Writes each change into a file of its own, as `npm run policy` takes them. @throws Refusal. */
const write = (folder: string, all: readonly Rated[]): void => {
  try {
    mkdirSync(folder, { recursive: true });
    for (const { change, rated } of all) {
      if (change !== null) writeFileSync(join(folder, `${rated.instrument.instrumentId}.json`), `${strictJson(change.body, 2)}\n`);
    }
  } catch (error) {
    throw new Refusal(`--out ${folder}: cannot be written (${(error as NodeJS.ErrnoException).code ?? "unwritable"})`);
  }
};

/** `npm run rates`: brackets that follow the market, as changes of terms (M3, M9). */
export const RATES: Command<typeof OPTIONS> = {
  usage: `npm run rates -- --prices FILE [--prices FILE ...] --terms FILE [options]

  --prices FILE      daily prices of one symbol, CSV, up to yesterday
  --terms FILE       instruments with their terms as they hold now, and how their rates follow, as examples/rates/terms.json
  --out FOLDER       writes INSTRUMENT.json there for each rate that changes: what npm run policy -- apply --file takes
  --at INSTANT       instant of the proposal (default now)
  --emergency WHY    passes over the step cap, and over the notice of what rises by more than 25 %

  Asks nothing of AWS and stores nothing. Exit code 0: done. 1: the step cap holds a rate below what the tools ask for: take
  that on by name, or name an emergency. 2: a file or an option cannot be used.`,
  options: OPTIONS,
  carryOut: async ({ prices, terms: path, out, ...given }) => {
    if (prices === undefined) throw new Refusal("--prices is missing: name a price file for each symbol of the terms");
    if (path === undefined) throw new Refusal("--terms is missing: name the file of the instruments and their rates");
    const [at, emergency] = [instantOf(given.at), reasonOf(given.emergency)];
    const terms = readRatesTerms(path);
    const files = prices.map((price) => readPrices("prices", price));
    const stranger = files.find(({ lineage }) => terms.instruments.every(({ symbol }) => symbol !== lineage.symbol));
    if (stranger !== undefined)
      throw new Refusal(`--prices ${stranger.lineage.file}: no instrument of ${path} is of ${stranger.lineage.symbol}`);
    const all = terms.instruments.map((rated): Rated => {
      const file = fileOf(files, rated, at);
      const series = rateSeries(file, rated, terms, emergency);
      return { rated, file, series, change: changeTo(rated, published(series), { at, emergency }) };
    });
    if (out !== undefined) write(out, all);
    say(toolsLine(terms));
    for (const { rated, file, series, change } of all) for (const line of ratesLines(rated, file.lineage, series, change)) say(line);
    return all.some(({ series }) => series.next.deferred > 0) ? 1 : 0;
  },
};

if (import.meta.main) process.exitCode = await runCommand(RATES);
