import * as z from "zod";

import type { MarginModel } from "../../core/margin-model.ts";
import { asset, count, durationMs, ppm } from "./scalars.ts";

/** A rate that may be negative, in integer parts per million. */
const signedPpm = z.number().int().min(-1_000_000_000).max(1_000_000_000);
const charge = z.strictObject({ imPpm: ppm, mmPpm: ppm });
const threshold = z.strictObject({ thresholdPpm: ppm, factorPpm: ppm });
const skewCap = z.strictObject({ capPpm: ppm, capPerRootYearPpm: signedPpm });
const closeOutValue = z.strictObject({ basePpm: ppm, rateMultiplePpm: ppm, rateAddPpm: ppm });

/** The terms of one risk unit (M6). What is outside of its range is refused by `validatePortfolioTerms`, by name. */
const unitTerms = z.strictObject({
  priceRangePpm: ppm,
  priceSteps: count.max(100),
  volatility: z.strictObject({
    upPpm: ppm,
    downPpm: ppm,
    shortPowerPpm: ppm,
    longPowerPpm: ppm,
    minUpPpm: ppm,
    timeFloorMs: durationMs,
  }),
  tails: z.strictObject({ movesPpm: z.array(signedPpm).max(50), dampingPpm: ppm }),
  skew: z
    .strictObject({
      tilt: skewCap,
      smile: skewCap,
      kStarMinPpm: ppm,
      widthPpm: ppm,
      staticPpm: ppm,
      perRootYearPpm: signedPpm,
    })
    .nullable(),
  scenarios: z
    .array(z.strictObject({ movePpm: signedPpm, volatility: z.enum(["down", "same", "up", "tilt", "smile"]), weightPpm: ppm }))
    .max(500)
    .nullable(),
  closeOut: z.strictObject({ long: closeOutValue, short: closeOutValue }).nullable(),
  roll: z.strictObject({ upPpm: ppm, downPpm: signedPpm, fixedPpm: ppm, perYearPpm: ppm }).nullable(),
  termMismatchPpm: ppm,
  shortOption: charge,
  hedged: charge,
  futures: charge,
  confidence: threshold.nullable(),
  depeg: threshold.nullable(),
  minimumChargePpm: ppm,
  deltaFloor: z.strictObject({ netPpm: ppm, hedgedPpm: ppm }),
});

const portfolioTerms = z.strictObject({
  termsId: z.string().min(1).max(64),
  version: count.min(1),
  venueRule: z.string().min(1).max(200).nullable(),
  fMmPpm: ppm,
  fImPpm: ppm,
  defaultUnit: unitTerms,
  /** By base asset, as are the members of the groups. */
  units: z.record(asset, unitTerms),
  spot: z.record(asset, z.strictObject({ hedges: z.boolean(), haircut: charge })),
  groups: z
    .array(
      z.strictObject({
        groupId: z.string().min(1).max(64),
        reason: z.string().max(500),
        stressCorrelationPpm: ppm,
        lambdaPpm: ppm,
        priceRangePpm: ppm,
        priceSteps: count.max(100),
        members: z.array(z.strictObject({ unitId: asset, betaPpm: signedPpm })).max(100),
      }),
    )
    .max(100),
});

/** Most rows and moves of joint scenarios in one policy: at seven characters a move far below the 400 kB of an item. */
const ROWS_MAX = 2_500;
const MOVES_MAX = 30_000;
const jointMoves = z.array(z.strictObject({ name: z.string().min(1).max(40), movesPpm: z.array(signedPpm).max(100) }));

const statisticalTerms = z
  .strictObject({
    scenariosId: z.string().min(1).max(64),
    version: count.min(1),
    units: z.array(asset).max(100),
    history: jointMoves.max(ROWS_MAX),
    stress: jointMoves.max(50),
    confidence: ppm,
    weight: ppm,
  })
  .refine(({ units, history }) => units.length * history.length <= MOVES_MAX, `at most ${MOVES_MAX} moves: take fewer rows or units`);

const rates = z.strictObject({ initial: ppm, maintenance: ppm });
const optionMarginTerms = z.strictObject({
  rate: rates,
  least: rates,
  putLeastOn: z.enum(["spot", "strike"]),
  putValueMaintenance: ppm,
  putInitialOverMaintenance: ppm,
  unpairedCall: rates.nullable(),
  straddle: z.boolean(),
});

const shape = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("standard"), options: optionMarginTerms, optionsOf: z.record(asset, optionMarginTerms) }),
  z.strictObject({ kind: z.literal("portfolio"), terms: portfolioTerms, statistical: statisticalTerms.nullable() }),
]);

/** The margin model of a policy (M3, M5, M6): forms here, ranges and relations in `validateModel` of the core. */
export const marginModel = z.codec(shape, z.custom<MarginModel>(), {
  decode: (model) => model,
  encode: (model) => structuredClone(model) as z.output<typeof shape>,
});
