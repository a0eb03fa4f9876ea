import * as z from "zod";

import { instrumentBody } from "../../adapters/wire/instrument.ts";
import { placesOf } from "../../adapters/wire/parse.ts";
import { count, ppm } from "../../adapters/wire/scalars.ts";
import type { Instrument } from "../../core/instrument.ts";
import type { Ppm } from "../../core/money.ts";
import type { BufferTerms, StepCap } from "../../core/risk/procyclicality.ts";
import { Refusal } from "../command-line.ts";
import { contentOf } from "../files.ts";

const share = ppm.max(1_000_000);
const percent25 = share.min(250_000, "at least 250000: a quarter (M9)");

const ratedInstrument = z.strictObject({
  /** Of the price file, as BTCUSDT. */
  symbol: z.string().min(1).max(40),
  floor: share.min(1),
  confidence: share.min(500_000).max(999_999),
  horizonDays: count.min(1).max(30),
  impact: share,
  /** Terms as they hold now: judged as a PUT of them is. */
  instrument: z.looseObject({}),
});

const shape = z.strictObject({
  volatility: z.strictObject({ decayUp: share.min(1).max(999_999), decayDown: share.min(1).max(999_999) }),
  tools: z.strictObject({
    buffer: z.strictObject({ buffer: percent25, significantRise: ppm, rebuildSteps: count.min(1).max(3_650) }).nullable(),
    stressed: z.strictObject({ weight: percent25 }).nullable(),
    floor: z.strictObject({ days: count.min(1).max(36_500) }).nullable(),
    stepCap: z.strictObject({ mostRise: ppm.min(1) }).nullable(),
  }),
  instruments: z.array(ratedInstrument).min(1).max(500),
});

/** Tools against procyclicality, each switched off by null (M9). */
export interface RateTools {
  readonly buffer: BufferTerms | null;
  /** Weight of the rate at the highest volatility of the file so far. */
  readonly stressed: { readonly weight: Ppm } | null;
  /** Not below the rate at the volatility of so many days, as many of them as the file has. */
  readonly floor: { readonly days: number } | null;
  readonly stepCap: StepCap | null;
}

/** One instrument whose brackets follow the market (M3). */
export interface RatedInstrument {
  readonly symbol: string;
  /** r_floor, the confidence whose quantile is z, h, and the cost of closing as a share of the notional, in ppm. */
  readonly floor: Ppm;
  readonly confidence: Ppm;
  readonly horizonDays: number;
  readonly impact: Ppm;
  /** Its terms as they hold now. */
  readonly instrument: Instrument;
}

/** What dynamic rates are computed by. */
export interface RatesTerms {
  /** λ where the move is larger than the volatility, and where it is not: alike, it is a plain EWMA (M7, M9). */
  readonly volatility: { readonly decayUp: Ppm; readonly decayDown: Ppm };
  readonly tools: RateTools;
  readonly instruments: readonly RatedInstrument[];
}

/** Terms of an instrument as `npm run policy` takes them: whatever they lack stands in the refusal. */
export const instrumentOf = (where: string, body: object): Instrument => {
  const read = instrumentBody.safeParse({ ...body, version: 1 });
  if (!read.success) throw new Refusal(`${where} cannot be used: ${placesOf(read.error)}`);
  return read.data;
};

/** Reads the terms of dynamic rates. @throws Refusal with the place of each fault. */
export const readRatesTerms = (path: string): RatesTerms => {
  let content: unknown;
  try {
    content = JSON.parse(contentOf("terms", path));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`${path}: is no JSON (${(error as Error).message.split("\n")[0]})`);
  }
  const read = shape.safeParse(content);
  if (!read.success) throw new Refusal(`${path} cannot be used:\n  ${placesOf(read.error)}`);
  const { volatility, tools, instruments } = read.data;
  if (volatility.decayUp > volatility.decayDown)
    throw new Refusal(`${path}: volatility.decayUp is above decayDown: a volatility is quick to rise and slow to fall (M9)`);
  const rated = instruments.map((each, index) => ({
    ...each,
    instrument: instrumentOf(`${path}: instruments.${index}.instrument`, each.instrument),
  }));
  for (const [index, { instrument }] of rated.entries()) {
    const { instrumentId, tiers } = instrument;
    if (tiers.length === 0) throw new Refusal(`${path}: ${instrumentId} has no brackets: only contracts have a rate`);
    if (rated.findIndex((one) => one.instrument.instrumentId === instrumentId) < index)
      throw new Refusal(`${path}: ${instrumentId} stands there twice`);
  }
  return { volatility, tools, instruments: rated };
};
