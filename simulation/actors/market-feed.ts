import { iso } from "../../adapters/wire/scalars.ts";
import type { SimulatedCloud } from "../cloud/cloud.ts";

interface SentMark {
  readonly instrumentId: string;
  /** As the feed says it: a decimal, or what came in its place. */
  readonly price: unknown;
  readonly asOf: number;
  /** Who says it; the composite of the exchange's sources where it is not told. */
  readonly source?: string;
}

/** The exchange's feed tells one price. */
export const sendMark = (cloud: SimulatedCloud, { instrumentId, price, asOf, source = "composite" }: SentMark, schemaVersion = 1): void => {
  const mark = { instrumentId, price, asOf: iso(asOf), source };
  cloud.queue("marks").send({ body: JSON.stringify({ schemaVersion, marks: [mark] }) });
};
