import * as z from "zod";

import { placesOf } from "../../adapters/wire/parse.ts";
import { brokerId, moneyText } from "../../adapters/wire/scalars.ts";
import { decimal, type Money, max, minus, plus, ZERO } from "../../core/money.ts";
import { collateralisation, type ExposureLimit, headroomUnder } from "../../core/risk/exposure.ts";
import { Refusal } from "../command-line.ts";
import { jsonOf } from "../files.ts";
import { type Figure, figure, missing, moneyOf } from "../validate/figure.ts";
import { grossOf, type RiskScope } from "./book.ts";
import type { BrokerCredit } from "./credit.ts";

const limit = moneyText.refine((value) => value >= 0n, "a limit is not below 0").optional();
const limitsFile = z.strictObject({
  brokers: z.record(brokerId, z.strictObject({ notional: limit, shortfall: limit, stress: limit, potential: limit })),
});

/** Limits by broker, each on one figure of {@link BrokerExposure}. */
export type BrokerLimits = z.output<typeof limitsFile>["brokers"];

/** Reads the file of `--limits`. @throws Refusal with the place of each fault. */
export const readLimits = (path: string): BrokerLimits => {
  const read = limitsFile.safeParse(jsonOf("limits", path));
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
  /** Potential future exposure over one period of the scenarios, and the expected loss (M16); null where the book has none. */
  readonly potential: string | null;
  readonly expectedLoss: string | null;
  /** Equity of its accounts over what they must keep; equity below 0 counts nothing (M0). */
  readonly collateralisation: Figure;
  /** Which limit leaves least, and how much; null without a limit. */
  readonly binding: { readonly name: string; readonly room: string } | null;
  readonly exceeded: readonly { readonly name: string; readonly limit: string; readonly used: string }[];
}

const limitsOn = (used: Readonly<Record<string, Money | null>>, limits: BrokerLimits[string] | undefined): ExposureLimit[] =>
  Object.entries(limits ?? {}).flatMap(([name, most]) => {
    const amount = used[name];
    return most === undefined || amount == null ? [] : [{ name, limit: Number(most) / 1e8, used: Number(amount) / 1e8 }];
  });

/** What scenarios tell of each broker; absent for a book without any. */
interface ByBroker {
  readonly stress: ReadonlyMap<string, Money>;
  readonly credit: ReadonlyMap<string, BrokerCredit>;
}

const coverOf = (own: readonly RiskScope[]): Figure => {
  const sum = (of: (scope: RiskScope) => Money): number => Number(own.map(of).reduce(plus, ZERO)) / 1e8;
  const equity = sum(({ standing }) => max(ZERO, standing.equity));
  const answer = collateralisation(
    equity,
    sum(({ standing }) => standing.maintenance),
  );
  if (!answer.ok) return missing(`${answer.fault}: ${answer.detail}`);
  return answer.value === null ? missing("nothing is required of its accounts") : figure(answer.value);
};

const told = (amount: Money | null): string | null => (amount === null ? null : decimal(amount));

/** Exposure of each broker of the book, and of each that has a limit. */
export const exposuresOf = (scopes: readonly RiskScope[], by: ByBroker | null, limits: BrokerLimits): readonly BrokerExposure[] => {
  const ids = [...new Set([...scopes.map((scope) => scope.brokerId), ...Object.keys(limits)])].sort();
  return ids.map((id): BrokerExposure => {
    const own = scopes.filter((scope) => scope.brokerId === id);
    const notional = own.map(grossOf).reduce(plus, ZERO);
    const shortfall = own.map(({ standing }) => max(ZERO, minus(standing.initial, standing.equity))).reduce(plus, ZERO);
    const stress = by === null ? null : (by.stress.get(id) ?? ZERO);
    const credit = by === null ? null : (by.credit.get(id) ?? { expectedLoss: ZERO, potential: ZERO });
    const potential = credit?.potential ?? null;
    const asked = limitsOn({ notional, shortfall, stress, potential }, limits[id]);
    const headroom = asked.length === 0 ? null : headroomUnder(asked);
    if (headroom?.ok === false) throw new Refusal(`limits of ${id}: ${headroom.detail}`);
    return {
      brokerId: id,
      accounts: new Set(own.map(({ accountId }) => accountId)).size,
      ...{ notional: decimal(notional), shortfall: decimal(shortfall), stress: told(stress), potential: told(potential) },
      ...{ expectedLoss: told(credit?.expectedLoss ?? null), collateralisation: coverOf(own) },
      binding: headroom === null ? null : { name: headroom.value.binding, room: moneyOf(headroom.value.room, "down") },
      exceeded: (headroom?.value.limits ?? [])
        .filter(({ isExceeded }) => isExceeded)
        .map(({ name, limit: most, used }) => ({ name, limit: moneyOf(most, "down"), used: moneyOf(used, "up") })),
    };
  });
};
