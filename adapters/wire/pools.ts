import * as z from "zod";

import type { Pool } from "../../core/account.ts";
import { LEVELS } from "../../core/level.ts";
import { LIMITS } from "../../core/limits.ts";
import { episode, liveCall } from "./calls.ts";
import { asset, instrumentId, moneyText, priceText, quantityText } from "./scalars.ts";

/** Isolated pools (R9) as an account's row holds them and as the venue states them. */

/** An instrument that the venue margins isolated, and the cash of its pool. */
const poolCash = z.strictObject({ instrumentId, cash: moneyText });

/** Pools of a statement of the venue, one an instrument; absent means none. */
export const statedPools = z
  .array(poolCash)
  .max(LIMITS.poolsMax)
  .refine((stated) => new Set(stated.map((one) => one.instrumentId)).size === stated.length, "an instrument appears twice")
  .readonly()
  .optional();

const pool = z.object({
  instrumentId,
  asset,
  cash: moneyText,
  position: z.object({ quantity: quantityText.refine((held) => held !== 0n, "must not be 0"), entryPrice: priceText }).nullable(),
  level: z.enum(LEVELS),
  episode: episode.nullable(),
  live: liveCall.nullable(),
});

/** Read sorted, as they are written. */
export const pools = z.codec(
  z.array(pool),
  z.custom<ReadonlyMap<string, Pool>>((value) => value instanceof Map),
  {
    decode: (held) =>
      new Map(
        held.map(({ position, ...rest }) => {
          const { instrumentId: id } = rest;
          return [id, { ...rest, position: position === null ? null : { instrumentId: id, ...position } }];
        }),
      ),
    encode: (held) =>
      [...held.values()].map(({ position, ...rest }) => ({
        ...rest,
        position: position === null ? null : { quantity: position.quantity, entryPrice: position.entryPrice },
        episode: rest.episode === null ? null : { ...rest.episode },
        live: rest.live === null ? null : { call: { ...rest.live.call, cures: [...rest.live.call.cures] }, orders: [...rest.live.orders] },
      })),
  },
);

export const encodePools = (held: ReadonlyMap<string, Pool>): string => JSON.stringify(z.encode(pools, held));
