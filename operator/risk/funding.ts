import * as z from "zod";

import { placesOf } from "../../adapters/wire/parse.ts";
import { moneyText, ppm } from "../../adapters/wire/scalars.ts";
import { stableFunding, type WeightedAmount } from "../../core/risk/stable-funding.ts";
import { Refusal } from "../command-line.ts";
import { jsonOf } from "../files.ts";
import { moneyOf } from "../validate/figure.ts";

const amounts = z
  .array(z.strictObject({ name: z.string().min(1), amount: moneyText.refine((value) => value >= 0n, "is not below 0"), weightPpm: ppm }))
  .min(1);
const balanceSheet = z.strictObject({ available: amounts, required: amounts });

/** Net stable funding of the entity that funds clients' margin or holds their cash (M16). Money as decimal strings. */
export interface NetStableFunding {
  readonly available: string;
  readonly required: string;
  /** At least 1 is asked for. */
  readonly ratio: number;
  readonly isMet: boolean;
}

const weighted = (rows: z.output<typeof amounts>): WeightedAmount[] =>
  rows.map(({ name, amount, weightPpm }) => ({ name, amount: Number(amount) / 1e8, weight: weightPpm }));

/** Reads the file of `--balance-sheet`. @throws Refusal with the place of each fault. */
export const readFunding = (path: string): NetStableFunding => {
  const read = balanceSheet.safeParse(jsonOf("balance-sheet", path));
  if (!read.success) throw new Refusal(`${path} cannot be used:\n  ${placesOf(read.error)}`);
  const answer = stableFunding(weighted(read.data.available), weighted(read.data.required));
  if (!answer.ok) throw new Refusal(`${path}: ${answer.detail}`);
  const { available, required, ratio, isMet } = answer.value;
  return { available: moneyOf(available, "down"), required: moneyOf(required, "up"), ratio, isMet };
};
