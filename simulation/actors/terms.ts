import { createBook } from "../../adapters/dynamodb/book.ts";
import { SCHEMA } from "../../adapters/dynamodb/items.ts";
import { createMarks } from "../../adapters/dynamodb/marks.ts";
import { createOutbound } from "../../adapters/dynamodb/outbound.ts";
import { instrumentBody } from "../../adapters/wire/instrument.ts";
import { type PolicyBody, policyBody } from "../../adapters/wire/policy.ts";
import type { World } from "../../adapters/world.ts";
import { black76 } from "../../core/pricing/black76.ts";

/** A listed contract: linear with one bracket, or an option, so that its margin can be told by hand. */
export interface Listing {
  readonly instrumentId: string;
  readonly baseAsset: string;
  readonly openingPrice: number;
  /** Decimals of a price and of a quantity. */
  readonly priceDecimals: number;
  readonly lotDecimals: number;
  readonly option?: ListedOption;
  /** Dated: it expires long after the run. */
  readonly isDated?: boolean;
}

export interface ListedOption {
  readonly strike: number;
  readonly right: "call" | "put";
}

export const LISTINGS = [
  { instrumentId: "BTC-PERP", baseAsset: "BTC", openingPrice: 8_000, priceDecimals: 1, lotDecimals: 3 },
  { instrumentId: "ETH-PERP", baseAsset: "ETH", openingPrice: 200, priceDecimals: 2, lotDecimals: 2 },
] as const satisfies readonly Listing[];

/** Option quotes are those of a market that says 90 % volatility, whatever happens: 30 days to expiry. */
const QUOTED_STD_DEV = 0.9 * Math.sqrt(30 / 365);
/** What the options' market maker quotes at a price of the underlying. */
export const optionQuote = ({ strike, right }: ListedOption, underlying: number): number =>
  black76(underlying, strike, QUOTED_STD_DEV, 1, right === "call");

const optionListing = (instrumentId: string, option: ListedOption): Listing => ({
  instrumentId,
  baseAsset: "BTC",
  openingPrice: optionQuote(option, 8_000),
  priceDecimals: 1,
  lotDecimals: 2,
  option,
});

/** What is listed beside the perpetuals where accounts are margined by the models: a dated future and two options. */
export const MODEL_LISTINGS: readonly Listing[] = [
  { instrumentId: "BTC-FUT", baseAsset: "BTC", openingPrice: 8_000, priceDecimals: 1, lotDecimals: 3, isDated: true },
  optionListing("BTC-7000-P", { strike: 7_000, right: "put" }),
  optionListing("BTC-9000-C", { strike: 9_000, right: "call" }),
];
const ALL: readonly Listing[] = [...LISTINGS, ...MODEL_LISTINGS];
/** A listing by its id; the first one for an id that nobody lists. */
export const listingOf = (instrumentId: string): Listing => ALL.find((one) => one.instrumentId === instrumentId) ?? LISTINGS[0];

/** Guard on the move of a mark a minute, and at most, in parts per million: options move more than what they are on. */
export const guardOf = ({ option }: Listing): { readonly perMinutePpm: number; readonly mostPpm: number } =>
  option === undefined ? { perMinutePpm: 100_000, mostPpm: 500_000 } : { perMinutePpm: 600_000, mostPpm: 900_000 };

/** Initial and maintenance margin rate and the fee of a fill, in parts per million of the notional. */
export const RATE_IM_PPM = 100_000;
export const RATE_MM_PPM = 50_000;
export const FEE_PPM = 500;
/** Age at which a mark is stale, and how long a doubt stands before it counts. */
export const SUSPECT_AFTER_MS = 30_000;
export const MARK_AGE_MAX_MS = 60_000;

const EXPIRY = "2020-04-11T10:00:00.000Z";

const termsOf = ({ strike, right }: ListedOption) => ({
  underlyingId: "BTC-PERP",
  strike: String(strike),
  right,
  style: "premium" as const,
  settlement: "linear" as const,
  averagingMs: 0,
});

const instrumentOf = (listing: Listing) => {
  const { instrumentId, baseAsset, priceDecimals, lotDecimals, option } = listing;
  const { perMinutePpm, mostPpm } = guardOf(listing);
  return instrumentBody.parse({
    instrumentId,
    version: 1,
    kind: option === undefined ? "linear" : "option",
    expiryAt: option !== undefined || listing.isDated === true ? EXPIRY : null,
    baseAsset,
    quoteAsset: "USDT",
    multiplier: "1",
    tiers: option === undefined ? [{ floor: "0", rateIm: RATE_IM_PPM, rateMm: RATE_MM_PPM }] : [],
    ...(option !== undefined && { option: termsOf(option) }),
    feePpm: FEE_PPM,
    liquidationFeePpm: 500,
    insuranceFeePpm: 500,
    allowNonPositive: false,
    marginMinPerUnit: "0",
    lotSize: (10 ** -lotDecimals).toFixed(lotDecimals),
    tickSize: (10 ** -priceDecimals).toFixed(priceDecimals),
    bandPpm: 50_000,
    markRule: {
      ageMaxMs: MARK_AGE_MAX_MS,
      jumpPpmPerMinute: perMinutePpm,
      jumpPpmMax: mostPpm,
      agreePpm: 20_000,
      suspectAfterMs: SUSPECT_AFTER_MS,
    },
  });
};

/** What differs from seed to seed in the policy that decides it. */
export type PolicyDraw = Pick<PolicyBody, "graceMs" | "onUnmet" | "attemptsMax" | "topUpsMax">;

export const policyOf = (drawn: PolicyDraw): PolicyBody => ({
  policyId: "standard",
  version: 1,
  valuationAsset: "USDT",
  levels: { warning: 750_000, call: 500_000, restricted: 200_000, backstop: 666_667, hysteresis: 50_000, inclusive: false },
  collateral: [{ asset: "USDT", priceId: null, tiers: [{ floor: "0", haircutIm: 0, haircutMm: 0 }], liabilityWeight: 1_000_000 }],
  unrealisedProfitIm: 1_000_000,
  unrealisedProfitWithdrawal: 0,
  graceMinMs: 60_000,
  topUpGraceMs: 60_000,
  noticeAllowanceMs: 60_000,
  noticeWaitMaxMs: 120_000,
  coolDownMs: 120_000,
  episodeEndMs: 120_000,
  cureDwellMs: 30_000,
  badMarkWaitMs: 180_000,
  closeOutBuffer: 100_000,
  minimumTransfer: "10",
  ...drawn,
});

const NOTHING = { imPpm: 0, mmPpm: 0 };
/** Rates of the portfolio policy, whose grid is symmetric and whose add-ons are few, so that its margin can be told by hand. */
export const RANGE_PPM = 160_000;
export const HEDGED_PPM = { imPpm: 13_000, mmPpm: 10_000 } as const;
export const PORTFOLIO_POLICY_ID = "portfolio";

const portfolioModel: NonNullable<PolicyBody["model"]> = {
  kind: "portfolio",
  statistical: null,
  terms: {
    termsId: "simulated",
    version: 1,
    venueRule: null,
    fMmPpm: 1_000_000,
    fImPpm: 1_300_000,
    defaultUnit: {
      priceRangePpm: RANGE_PPM,
      priceSteps: 4,
      volatility: { upPpm: 450_000, downPpm: 250_000, shortPowerPpm: 300_000, longPowerPpm: 130_000, minUpPpm: 0, timeFloorMs: 86_400_000 },
      tails: { movesPpm: [-330_000, 500_000], dampingPpm: RANGE_PPM },
      skew: null,
      scenarios: null,
      closeOut: null,
      roll: null,
      termMismatchPpm: 0,
      shortOption: NOTHING,
      hedged: HEDGED_PPM,
      futures: NOTHING,
      confidence: null,
      depeg: null,
      minimumChargePpm: 0,
      deltaFloor: { netPpm: 0, hedgedPpm: 0 },
    },
    units: {},
    spot: {},
    groups: [],
  },
};

/** A broker's endpoint for webhooks and the secret that it checks signatures with. */
export const ENDPOINT_ID = "ep_simulated";
const SECRET = `whsec_${"c2ltdWxhdGVkLXNlY3JldC1vZi0zMi1ieXRlcy4uLi4u".slice(0, 44)}`;

/** Who trades, on what terms. */
export interface Terms {
  readonly policy: PolicyDraw;
  /** Whether options, a dated future and the portfolio's policy are there. */
  readonly models: boolean;
  readonly brokers: readonly string[];
  readonly accounts: readonly string[];
}

/** Puts the terms of a seed into its tables, before anything happens. */
export const putTerms = async (world: World, { policy, models, brokers, accounts }: Terms): Promise<void> => {
  const marks = createMarks(world);
  const book = createBook(world);
  for (const listing of models ? ALL : LISTINGS) await marks.putInstrument(instrumentOf(listing));
  await book.putPolicy(policyBody.parse(policyOf(policy)));
  if (models) await book.putPolicy(policyBody.parse({ ...policyOf(policy), policyId: PORTFOLIO_POLICY_ID, model: portfolioModel }));
  for (const brokerId of brokers) {
    const body = {
      url: `https://${brokerId}.example/hook`,
      types: null,
      enabled: true,
      brokerId,
      endpointId: ENDPOINT_ID,
      createdAt: "2020-03-12T09:00:00.000Z",
    };
    const Item = {
      pk: { S: `BROKER#${brokerId}` },
      sk: { S: `ENDPOINT#${ENDPOINT_ID}` },
      schema: SCHEMA,
      body: { S: JSON.stringify(body) },
      secret: { S: await world.kms.encrypt(SECRET, { endpointId: ENDPOINT_ID }) },
    };
    await world.db.put({ TableName: world.settings.outboundTable, Item });
  }
  const outbound = createOutbound(world);
  for (const accountId of accounts) {
    await outbound.putContact({
      accountId,
      email: `${accountId}@holder.example`,
      name: null,
      timeZone: "UTC",
      locale: "en",
      antiPhishingCode: null,
    });
  }
};
