import { createBook } from "../../adapters/dynamodb/book.ts";
import { SCHEMA } from "../../adapters/dynamodb/items.ts";
import { createMarks } from "../../adapters/dynamodb/marks.ts";
import { createOutbound } from "../../adapters/dynamodb/outbound.ts";
import { instrumentBody } from "../../adapters/wire/instrument.ts";
import { type PolicyBody, policyBody } from "../../adapters/wire/policy.ts";
import type { World } from "../../adapters/world.ts";

/** A listed contract: linear, one bracket, so that its margin can be told by hand. */
export interface Listing {
  readonly instrumentId: string;
  readonly baseAsset: string;
  readonly openingPrice: number;
  /** Decimals of a price and of a quantity. */
  readonly priceDecimals: number;
  readonly lotDecimals: number;
}

export const LISTINGS = [
  { instrumentId: "BTC-PERP", baseAsset: "BTC", openingPrice: 8_000, priceDecimals: 1, lotDecimals: 3 },
  { instrumentId: "ETH-PERP", baseAsset: "ETH", openingPrice: 200, priceDecimals: 2, lotDecimals: 2 },
] as const satisfies readonly Listing[];

/** Initial and maintenance margin rate and the fee of a fill, in parts per million of the notional. */
export const RATE_IM_PPM = 100_000;
export const RATE_MM_PPM = 50_000;
export const FEE_PPM = 500;
/** Age at which a mark is stale, and how long a doubt stands before it counts. */
export const SUSPECT_AFTER_MS = 30_000;
export const MARK_AGE_MAX_MS = 60_000;

const instrumentOf = ({ instrumentId, baseAsset, priceDecimals, lotDecimals }: Listing) =>
  instrumentBody.parse({
    instrumentId,
    version: 1,
    kind: "linear",
    expiryAt: null,
    baseAsset,
    quoteAsset: "USDT",
    multiplier: "1",
    tiers: [{ floor: "0", rateIm: RATE_IM_PPM, rateMm: RATE_MM_PPM }],
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
      jumpPpmPerMinute: 100_000,
      jumpPpmMax: 500_000,
      agreePpm: 20_000,
      suspectAfterMs: SUSPECT_AFTER_MS,
    },
  });

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

/** A broker's endpoint for webhooks and the secret that it checks signatures with. */
export const ENDPOINT_ID = "ep_simulated";
const SECRET = `whsec_${"c2ltdWxhdGVkLXNlY3JldC1vZi0zMi1ieXRlcy4uLi4u".slice(0, 44)}`;

/** Puts the terms of a seed into its tables, before anything happens. */
export const putTerms = async (world: World, drawn: PolicyDraw, brokers: readonly string[], accounts: readonly string[]): Promise<void> => {
  const marks = createMarks(world);
  for (const listing of LISTINGS) await marks.putInstrument(instrumentOf(listing));
  await createBook(world).putPolicy(policyBody.parse(policyOf(drawn)));
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
