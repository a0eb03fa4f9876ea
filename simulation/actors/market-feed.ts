import { iso } from "../../adapters/wire/scalars.ts";
import type { SimulatedCloud } from "../cloud/cloud.ts";

interface SentMark {
  readonly instrumentId: string;
  /** As the feed says it: a decimal, or what came in its place. */
  readonly price: unknown;
  readonly asOf: number;
}

/** The exchange's feed tells one price. */
export const sendMark = (cloud: SimulatedCloud, { instrumentId, price, asOf }: SentMark, schemaVersion = 1): void => {
  const mark = { instrumentId, price, asOf: iso(asOf), source: "composite" };
  cloud.queue("marks").send({ body: JSON.stringify({ schemaVersion, marks: [mark] }) });
};
