import * as z from "zod";

import { placesOf } from "../../adapters/wire/parse.ts";
import { brokerId, moneyText } from "../../adapters/wire/scalars.ts";
import { decimal, type Money, max, minus, plus, ZERO } from "../../core/money.ts";
import { type ExposureLimit, headroomUnder } from "../../core/risk/exposure.ts";
import { Refusal } from "../command-line.ts";
import { contentOf } from "../files.ts";
import { moneyOf } from "../validate/figure.ts";
import { grossOf, type RiskScope } from "./book.ts";

const limit = moneyText.refine((value) => value >= 0n, "a limit is not below 0").optional();
const limitsFile = z.strictObject({
  brokers: z.record(brokerId, z.strictObject({ notional: limit, shortfall: limit, stress: limit })),
});

/** Limits by broker, each on one figure of {@link BrokerExposure}. */
export type BrokerLimits = z.output<typeof limitsFile>["brokers"];

/** Reads the file of `--limits`. @throws Refusal with the place of each fault. */
export const readLimits = (path: string): BrokerLimits => {
  let content: unknown;
  try {
    content = JSON.parse(contentOf("limits", path));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`${path}: is no JSON (${(error as Error).message.split("\n")[0]})`);
  }
  const read = limitsFile.safeParse(content);
  if (!read.success) throw new Refusal(`${path} cannot be used:\n  ${placesOf(read.error)}`);
  return read.data.brokers;
};

/** What a broker's accounts stand for, and what of its limits that leaves. Money as decimal strings. */
export interface BrokerExposure {
  readonly brokerId: string;
  readonly accounts: number;
  /** Size of all positions. */
  readonly notional: string;
  /** What its accounts owe to reach their initial requirement; one's surplus does not pay for another. */
  readonly shortfall: string;
  /** The most that they lose beyond their equity in one stress; null where the book has no stress. */
  readonly stress: string | null;
  /** Which limit leaves least, and how much; null without a limit. */
  readonly binding: { readonly name: string; readonly room: string } | null;
  readonly exceeded: readonly { readonly name: string; readonly limit: string; readonly used: string }[];
}

const limitsOn = (used: Readonly<Record<string, Money | null>>, limits: BrokerLimits[string] | undefined): ExposureLimit[] =>
  Object.entries(limits ?? {}).flatMap(([name, most]) => {
    const amount = used[name];
    return most === undefined || amount == null ? [] : [{ name, limit: Number(most) / 1e8, used: Number(amount) / 1e8 }];
  });

/** Exposure of each broker of the book, and of each that has a limit. */
export const exposuresOf = (
  scopes: readonly RiskScope[],
  byBroker: ReadonlyMap<string, Money> | null,
  limits: BrokerLimits,
): readonly BrokerExposure[] => {
  const ids = [...new Set([...scopes.map((scope) => scope.brokerId), ...Object.keys(limits)])].sort();
  return ids.map((id): BrokerExposure => {
    const own = scopes.filter((scope) => scope.brokerId === id);
    const notional = own.map(grossOf).reduce(plus, ZERO);
    const shortfall = own.map(({ standing }) => max(ZERO, minus(standing.initial, standing.equity))).reduce(plus, ZERO);
    const stress = byBroker === null ? null : (byBroker.get(id) ?? ZERO);
    const asked = limitsOn({ notional, shortfall, stress }, limits[id]);
    const headroom = asked.length === 0 ? null : headroomUnder(asked);
    if (headroom?.ok === false) throw new Refusal(`limits of ${id}: ${headroom.detail}`);
    return {
      brokerId: id,
      accounts: new Set(own.map(({ accountId }) => accountId)).size,
      ...{ notional: decimal(notional), shortfall: decimal(shortfall), stress: stress === null ? null : decimal(stress) },
      binding: headroom === null ? null : { name: headroom.value.binding, room: moneyOf(headroom.value.room, "down") },
      exceeded: (headroom?.value.limits ?? [])
        .filter(({ isExceeded }) => isExceeded)
        .map(({ name, limit: most, used }) => ({ name, limit: moneyOf(most, "down"), used: moneyOf(used, "up") })),
    };
  });
};
