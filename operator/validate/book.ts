import * as z from "zod";

import { placesOf } from "../../adapters/wire/parse.ts";
import { accountId, asset as assetText, moneyText, quantityText } from "../../adapters/wire/scalars.ts";
import type { Money, Quantity } from "../../core/money.ts";
import { Refusal } from "../command-line.ts";
import { contentOf } from "../files.ts";

const symbol = z.string().regex(/^[A-Z0-9]{3,20}$/, "a symbol as price files tell it, for example BTCUSDT");
const rate = z.number().int().min(1).max(1_000_000);
/** Volatility of a year, ppm; ten times the price and nothing below a tenth of a per mille. */
const volatility = z.number().int().min(100).max(10_000_000);

const assetTerms = z
  .strictObject({
    initialRatePpm: rate,
    maintenanceRatePpm: rate,
    rangePpm: rate,
    impliedVolatilityPpm: volatility.nullable().default(null),
    dailyVolume: quantityText
      .refine((value) => value > 0n, "not above 0")
      .nullable()
      .default(null),
  })
  .refine(({ initialRatePpm, maintenanceRatePpm }) => initialRatePpm >= maintenanceRatePpm, {
    message: "the initial rate is below the maintenance rate",
  });

const account = z.strictObject({ accountId, cash: moneyText, positions: z.record(symbol, quantityText) });

const bookFile = z.strictObject({
  name: z.string().min(1).max(80),
  quoteAsset: assetText,
  insuranceFund: moneyText.nullable().default(null),
  assets: z.record(symbol, assetTerms),
  accounts: z.array(account).min(1).max(100_000),
});

/** Terms of an asset: rates in ppm of the notional value at the mark, the median volume of a day in units of the base asset. */
export type AssetTerms = z.output<typeof assetTerms>;

/** An account as the book's file tells it. */
export interface BookAccount {
  readonly accountId: string;
  /** Equity at the last price of the files: wallet and unrealised profit together. */
  readonly cash: Money;
  /** Units of the base asset by symbol; below 0 is short. */
  readonly positions: ReadonlyMap<string, Quantity>;
}

/** What is validated: linear positions in the symbols of the price files, settled in one quote asset. */
export interface Book {
  readonly name: string;
  readonly quoteAsset: string;
  readonly insuranceFund: Money | null;
  /** In the order of the file. */
  readonly assets: ReadonlyMap<string, AssetTerms>;
  readonly accounts: readonly BookAccount[];
}

const faultsOf = (book: z.output<typeof bookFile>): string[] => {
  const faults: string[] = [];
  const seen = new Set<string>();
  const held = new Set<string>();
  for (const { accountId: id, positions } of book.accounts) {
    if (seen.has(id)) faults.push(`account ${id} is there twice: keep one of them`);
    seen.add(id);
    for (const [name, quantity] of Object.entries(positions)) {
      if (!(name in book.assets)) faults.push(`account ${id} holds ${name}, which "assets" does not have: add its terms`);
      if (quantity !== 0n) held.add(name);
    }
  }
  if (held.size === 0) faults.push("no account holds a position: there is no margin to validate");
  for (const name of Object.keys(book.assets).filter((one) => !one.endsWith(book.quoteAsset))) {
    faults.push(`${name} is not quoted in ${book.quoteAsset}: a book has one quote asset`);
  }
  return faults;
};

/**
 * Reads the book of `--book`. @throws Refusal with the place of each fault: text that is no JSON, another form, an account
 * twice, a position without terms, a symbol in another quote asset, or no position at all.
 */
export const readBook = (path: string): Book => {
  const text = contentOf("book", path);
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new Refusal(`${path}: is no JSON (${(error as Error).message.split("\n")[0]}); see examples/validate for the form`);
  }
  const read = bookFile.safeParse(content);
  if (!read.success) throw new Refusal(`${path} cannot be used:\n  ${placesOf(read.error)}`);
  const faults = faultsOf(read.data);
  if (faults.length > 0) throw new Refusal(`${path} cannot be used:\n${faults.map((fault) => `  ${fault}`).join("\n")}`);
  const { accounts, assets, ...rest } = read.data;
  return {
    ...rest,
    assets: new Map(Object.entries(assets)),
    accounts: accounts.map((one) => ({ ...one, positions: new Map(Object.entries(one.positions)) })),
  };
};
