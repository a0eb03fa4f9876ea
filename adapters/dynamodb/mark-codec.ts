import type { Instrument } from "../../core/instrument.ts";
import type { Mark } from "../../core/mark.ts";
import { decimal, price } from "../../core/money.ts";
import { encodeInstrument, instrumentBody } from "../wire/instrument.ts";
import { placesOf } from "../wire/parse.ts";
import { checkSchema, type Item, json, SCHEMA, text, UnreadableRow, whole } from "./items.ts";

/** Rows of the marks table. */

export const MARK_PK = "MARK";
export const INSTRUMENT_PK = "INSTRUMENT";

export const markItem = (mark: Mark): Item => ({
  pk: { S: MARK_PK },
  sk: { S: mark.instrumentId },
  schema: SCHEMA,
  asOf: { N: `${mark.asOf}` },
  price: { S: decimal(mark.price) },
  source: { S: mark.source },
  ...(mark.candidate !== null && {
    candidateAsOf: { N: `${mark.candidate.asOf}` },
    candidatePrice: { S: decimal(mark.candidate.price) },
  }),
});

/** @throws UnreadableRow or RangeError for a row of another form. */
export const decodeMark = (item: Item): Mark => {
  checkSchema(item);
  return {
    instrumentId: text(item, "sk"),
    price: price(text(item, "price")),
    asOf: whole(item, "asOf"),
    source: text(item, "source"),
    candidate:
      item["candidateAsOf"] === undefined ? null : { asOf: whole(item, "candidateAsOf"), price: price(text(item, "candidatePrice")) },
  };
};

/** The row of an instrument's newest version, or of one version for ever: `INSTRUMENT#<id>` / `v<n>`. */
export const instrumentItem = (instrument: Instrument, key: { readonly pk: string; readonly sk: string }): Item => ({
  pk: { S: key.pk },
  sk: { S: key.sk },
  schema: SCHEMA,
  version: { N: `${instrument.version}` },
  body: { S: JSON.stringify(encodeInstrument(instrument)) },
});

/** @throws UnreadableRow for a row of another form. */
export const decodeInstrument = (item: Item): Instrument => {
  checkSchema(item);
  const read = instrumentBody.safeParse(json(item, "body"));
  if (!read.success) throw new UnreadableRow(`instrument: ${placesOf(read.error)}`);
  return read.data;
};

export type PackedMark = [
  instrumentId: string,
  price: string,
  asOf: number,
  source: string,
  candidate: [price: string, asOf: number] | null,
];

export const packMark = (mark: Mark): PackedMark => [
  mark.instrumentId,
  decimal(mark.price),
  mark.asOf,
  mark.source,
  mark.candidate === null ? null : [decimal(mark.candidate.price), mark.candidate.asOf],
];

export const unpackMark = ([instrumentId, at, asOf, source, candidate]: PackedMark): Mark => ({
  instrumentId,
  price: price(at),
  asOf,
  source,
  candidate: candidate === null ? null : { price: price(candidate[0]), asOf: candidate[1] },
});

/** Marks as one attribute of a snapshot. */
export const packMarks = (marks: readonly Mark[]): string => JSON.stringify(marks.map(packMark));

export const unpackMarks = (packed: string): Mark[] => (JSON.parse(packed) as PackedMark[]).map(unpackMark);
