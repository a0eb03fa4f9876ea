import type { Instrument } from "../../core/instrument.ts";
import type { MarketSnapshot } from "../../core/mark.ts";
import { surfaceOf } from "../../core/option-market.ts";
import { volatilityAt } from "../../core/pricing/surface.ts";
import { Refusal } from "../command-line.ts";
import { type Analytics, analyticsOf } from "../validate/analytics.ts";
import type { AssetTerms } from "../validate/book.ts";
import { type Figure, figure, missing } from "../validate/figure.ts";
import { joinHistory } from "../validate/history.ts";
import type { PriceFile } from "../validate/lineage.ts";
import { TERMS } from "../validate/terms.ts";

/** Volatilities at the money are told for this time to expiry: 30 days. */
const YEARS = 30 / 365;
/** Joint returns below which volatilities and correlations of files say nothing. */
const LEAST_DAYS = 30;

/** Volatility of a year that the option marks of one underlying imply, at its forward and 30 days. */
export interface ImpliedVolatility {
  readonly underlyingId: string;
  readonly baseAsset: string;
  readonly volatility: Figure;
}

/** Of every underlying that has options. */
export const impliedOf = (snapshot: MarketSnapshot): readonly ImpliedVolatility[] => {
  const ids = new Set([...snapshot.instruments.values()].flatMap(({ option }) => option?.underlyingId ?? []));
  return [...ids].sort().map((underlyingId): ImpliedVolatility => {
    const { baseAsset } = snapshot.instruments.get(underlyingId) as Instrument;
    const mark = snapshot.marks.get(underlyingId);
    if (mark === undefined) return { underlyingId, baseAsset, volatility: missing("the underlying has no mark") };
    const forward = Number(mark.price) / 1e8;
    const answer = volatilityAt(surfaceOf(underlyingId, snapshot), forward, forward, YEARS);
    return {
      underlyingId,
      baseAsset,
      volatility: answer.ok ? figure(answer.volatility) : missing(`the option marks tell none: ${answer.fault}`),
    };
  });
};

/** Rates do not matter here: volatilities and correlations are of prices. */
const bareTerms = (impliedVolatilityPpm: number | null): AssetTerms => ({
  ...{ initialRatePpm: 1, maintenanceRatePpm: 1, rangePpm: 1, dailyVolume: null },
  impliedVolatilityPpm,
});

/** Price files of the book's assets and of macro series. */
interface PriceInputs {
  readonly files: readonly PriceFile[];
  readonly macro: readonly PriceFile[];
  readonly quoteAsset: string;
}

/** Realised and EWMA volatilities and correlations of price files, to each other and to macro series, beside what options imply; null without files. */
export const pricesOf = ({ files, macro, quoteAsset }: PriceInputs, implied: readonly ImpliedVolatility[]): Analytics | null => {
  if (files.length === 0) return null;
  const stranger = files.find(({ lineage }) => !lineage.symbol.endsWith(quoteAsset));
  if (stranger !== undefined) {
    throw new Refusal(
      `${stranger.lineage.file}: ${stranger.lineage.symbol} is not quoted in ${quoteAsset}: give its quote asset with --quote`,
    );
  }
  const assets = new Map(
    files.map(({ lineage: { symbol } }): [string, AssetTerms] => {
      const own = implied.find(({ baseAsset, volatility }) => `${baseAsset}${quoteAsset}` === symbol && volatility.value !== null);
      return [symbol, bareTerms(own?.volatility.value == null ? null : Math.round(own.volatility.value * 1_000_000))];
    }),
  );
  const book = { name: "stage", quoteAsset, insuranceFund: null, assets, accounts: [] };
  return analyticsOf(book, joinHistory(book, files, LEAST_DAYS), { assets: files, macro }, TERMS);
};
