import { type BookAccount, generateBook } from "./book.ts";
import { readBook } from "./book-file.ts";
import type { PricePath } from "./feed/bar.ts";
import { blackThursday } from "./feed/black-thursday.ts";
import { readPriceFiles } from "./feed/price-files.ts";
import { type TickStep, ticksOf } from "./feed/ticks.ts";
import { withOptions } from "./listed-options.ts";
import { type Market, marketOf, marksOf } from "./market.ts";
import { generateMixedBook } from "./mixed-book.ts";
import { type Options, Refusal } from "./options.ts";
import type { Script } from "./replay.ts";
import { type Clocks, type OwnTerms, policyTerms, REAL_CLOCKS, STEPPED_CLOCKS } from "./terms.ts";

/** On the real clock a tick comes this often, whatever the path's own spacing: two days of market take minutes. */
export const REAL_SPACING_MS = 2_000;
/** On the real clock marks are good for longer than two ticks: a slow machine must not make them stale. */
const REAL_MARK_SPACING_MS = 15_000;

/** The same ticks one after another on the real clock, from `startAt`. */
const onRealClock = (steps: readonly TickStep[], startAt: number): TickStep[] =>
  steps.map((step, index) => ({ at: startAt + index * REAL_SPACING_MS, prices: step.prices }));

const openingPrices = (market: Market, steps: readonly TickStep[]): Map<string, ReturnType<typeof marksOf>[number]["price"]> => {
  const opening = new Map();
  for (const step of steps) {
    for (const mark of marksOf(market, step)) if (!opening.has(mark.instrumentId)) opening.set(mark.instrumentId, mark.price);
    if (opening.size === market.listings.length) break;
  }
  return opening;
};

const pathOf = (options: Options, now: number): PricePath =>
  options.prices.length === 0 ? blackThursday() : readPriceFiles(options.prices, now);

/** Listings that have a mark at the first tick: an account holds nothing that has no price yet. */
const tradable = (market: Market, first: TickStep): Market => {
  const marked = new Set(marksOf(market, first).map(({ instrumentId }) => instrumentId));
  return {
    ...market,
    listings: market.listings.filter(({ instrumentId }) => marked.has(instrumentId)),
    collateral: market.collateral.filter(({ priceId }) => marked.has(priceId)),
  };
};

const accountsOf = (
  options: Options,
  { opened, steps, clocks }: { readonly opened: Market; readonly steps: readonly TickStep[]; readonly clocks: Clocks },
  own?: OwnTerms,
): BookAccount[] => {
  if (options.book !== null) return readBook(options.book, opened, [...(own?.policies ?? policyTerms(opened, clocks)).keys()]);
  const opening = { market: opened, prices: openingPrices(opened, steps) };
  const openedAt = (steps[0] as TickStep).at;
  return options.mixed
    ? generateMixedBook(opening, { clocks, openedAt }, options.seed, options.accounts)
    : generateBook(opening, options.seed, options.accounts);
};

/**
 * Writes the script of a replay from the command line: its prices, the venue that they allow and the book.
 *
 * @param now The machine's instant, epoch milliseconds.
 * @param own Terms of an exchange's own, in place of the replayed venue's.
 * @throws UnusablePrices or Refusal, in one line with the way out.
 */
export const writeScript = (options: Options, now: number, own?: OwnTerms): Script => {
  const path = pathOf(options, now);
  const listed = marketOf(path.series);
  const played: Market = options.realtime
    ? { ...listed, listings: listed.listings.map((listing) => ({ ...listing, spacingMs: REAL_MARK_SPACING_MS })) }
    : listed;
  const ticks = ticksOf(path.series);
  const unquoted = options.realtime ? onRealClock(ticks, now) : ticks;
  const { market, steps } = options.mixed ? withOptions(played, unquoted, options.seed) : { market: played, steps: unquoted };
  const first = steps[0];
  if (first === undefined) throw new Refusal("the price files hold no whole bar; give --prices files with at least one");
  const opened = tradable(market, first);
  const clocks = options.realtime ? REAL_CLOCKS : STEPPED_CLOCKS;
  const accounts = accountsOf(options, { opened, steps, clocks }, own);
  const tailMs = options.realtime ? REAL_SPACING_MS : Math.max(...market.listings.map(({ spacingMs }) => spacingMs));
  return { path, market, steps, accounts, clocks, seed: options.seed, tailMs, ...(own !== undefined && { own }) };
};
