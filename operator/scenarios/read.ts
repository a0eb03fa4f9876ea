import { statisticalTerms } from "../../adapters/wire/margin-model.ts";
import { placesOf } from "../../adapters/wire/parse.ts";
import { type StatisticalTerms, validateStatisticalTerms } from "../../core/statistical-model.ts";
import { TermsError } from "../../core/terms-error.ts";
import { Refusal } from "../command-line.ts";
import { jsonOf } from "../files.ts";

/** Reads joint scenarios as `npm run scenarios` writes them. @throws Refusal with the place of each fault. */
export const readScenarios = (path: string): StatisticalTerms => {
  const read = statisticalTerms.safeParse(jsonOf("scenarios", path));
  if (!read.success) throw new Refusal(`${path} cannot be used:\n  ${placesOf(read.error)}`);
  try {
    validateStatisticalTerms(path, read.data);
  } catch (error) {
    if (error instanceof TermsError) throw new Refusal(error.message);
    throw error;
  }
  return read.data;
};
