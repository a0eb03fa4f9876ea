import type { Kind } from "./values.ts";

/** A table that can be imported: its columns with what they hold. "*" stands for any asset or list index. */
export interface Form {
  readonly required: Readonly<Record<string, Kind>>;
  /** Left out where a row has no value. */
  readonly optional: Readonly<Record<string, Kind>>;
  /** Null where a row has no value. */
  readonly nullable: Readonly<Record<string, Kind>>;
}

/** The tables, in the order in which they are read. docs/reference/import.md describes each. */
export const FORMS = {
  policies: {
    required: {
      policyId: "text",
      valuationAsset: "text",
      "levels.warning": "share",
      "levels.call": "share",
      "levels.restricted": "share",
      "levels.backstop": "share",
      "levels.hysteresis": "share",
      "levels.inclusive": "flag",
      unrealisedProfitIm: "share",
      unrealisedProfitWithdrawal: "share",
      graceMs: "whole",
      graceMinMs: "whole",
      topUpGraceMs: "whole",
      topUpsMax: "whole",
      noticeAllowanceMs: "whole",
      noticeWaitMaxMs: "whole",
      coolDownMs: "whole",
      episodeEndMs: "whole",
      cureDwellMs: "whole",
      badMarkWaitMs: "whole",
      onUnmet: "text",
      closeOutBuffer: "share",
      minimumTransfer: "decimal",
      attemptsMax: "whole",
    },
    optional: {
      "collateral.*.asset": "text",
      "collateral.*.priceId": "text",
      "collateral.*.liabilityWeight": "share",
      fundingFactor: "share",
      "confidence.threshold": "share",
      "confidence.factor": "whole",
      "collateral.*.peg.priceId": "text",
      "collateral.*.peg.threshold": "share",
      "collateral.*.peg.factor": "whole",
      "collateral.*.deposits.scaleStart": "decimal",
      "collateral.*.deposits.ageMaxMs": "whole",
      "collateral.*.tiers.*.floor": "decimal",
      "collateral.*.tiers.*.haircutIm": "share",
      "collateral.*.tiers.*.haircutMm": "share",
    },
    nullable: {},
  },
  haircuts: {
    required: {
      policyId: "text",
      asset: "text",
      debtWeight: "weight",
      floor: "decimal",
      initialHaircut: "rate",
      maintenanceHaircut: "rate",
    },
    optional: {},
    nullable: { priceId: "text" },
  },
  instruments: {
    required: {
      instrumentId: "text",
      kind: "text",
      baseAsset: "text",
      quoteAsset: "text",
      multiplier: "decimal",
      feePpm: "whole",
      liquidationFeePpm: "whole",
      insuranceFeePpm: "whole",
      allowNonPositive: "flag",
      marginMinPerUnit: "decimal",
      lotSize: "decimal",
      tickSize: "decimal",
      bandPpm: "share",
      "markRule.ageMaxMs": "whole",
      "markRule.jumpPpmPerMinute": "share",
      "markRule.jumpPpmMax": "share",
      "markRule.agreePpm": "share",
      "markRule.suspectAfterMs": "whole",
    },
    optional: {
      "tiers.*.floor": "decimal",
      "tiers.*.rateIm": "share",
      "tiers.*.rateMm": "share",
      "tiers.*.amountIm": "decimal",
      "tiers.*.amountMm": "decimal",
      "markRule.slowHalfLifeMs": "whole",
      "markRule.minAnswer": "decimal",
      "markRule.maxAnswer": "decimal",
      basis: "text",
      "openInterest.lower": "decimal",
      "openInterest.upper": "decimal",
      "openInterest.ageMaxMs": "whole",
    },
    nullable: { expiryAt: "text" },
  },
  tiers: {
    required: { instrumentId: "text", floorAsset: "text", floor: "decimal", initialRate: "rate", maintenanceRate: "rate" },
    optional: { cap: "decimal" },
    nullable: {},
  },
  scaledTiers: {
    required: {
      instrumentId: "text",
      floorAsset: "text",
      initialRate: "rate",
      maintenanceRate: "rate",
      at: "decimal",
      initialRateAt: "rate",
      maintenanceRateAt: "rate",
      upTo: "decimal",
    },
    optional: {},
    nullable: {},
  },
  contacts: {
    required: { accountId: "text", email: "text", timeZone: "text", locale: "text" },
    optional: {},
    nullable: { name: "text", antiPhishingCode: "text" },
  },
  accounts: {
    required: { accountId: "text", brokerId: "text", clientClass: "text", policyId: "text", sequence: "whole", asOf: "text" },
    optional: { "balances.*": "decimal" },
    nullable: {},
  },
  positions: {
    required: { accountId: "text", instrumentId: "text", quantity: "decimal", entryPrice: "decimal" },
    optional: {},
    nullable: {},
  },
} as const satisfies Record<string, Form>;

export type FormName = keyof typeof FORMS;
