import * as z from "zod";

import { encodeInstrument, instrumentBody } from "../../adapters/wire/instrument.ts";
import type { Instrument } from "../../core/instrument.ts";
import { readBinance } from "./binance.ts";
import { readBybit } from "./bybit.ts";
import { byId, type Entry, judged, readEntries, type SourceFile, textIn } from "./entries.ts";
import type { Findings } from "./finding.ts";
import type { Held } from "./held.ts";
import { readScaledTiers } from "./scaled-tiers.ts";
import { placeOf } from "./table.ts";
import { loadTable, readTierRows, type TierTable } from "./tiers.ts";

/** Forms in which a tier file may come. */
export const TIER_FORMATS = ["plimsoll", "scaled", "binance", "bybit"] as const;
export type TierFormat = (typeof TIER_FORMATS)[number];

/** How a tier file is read. */
export interface TierSource extends SourceFile {
  readonly format: TierFormat;
  /** Instruments by the venue's symbol, where the two differ. */
  readonly symbols: ReadonlyMap<string, string>;
}

const READERS = { plimsoll: readTierRows, scaled: readScaledTiers, binance: readBinance, bybit: readBybit } as const satisfies Record<
  TierFormat,
  unknown
>;

/** Instruments of the file and the stage. */
interface Listed {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly held: ReadonlyMap<string, Instrument>;
  readonly isStage: boolean;
}

/** What of an instrument its tiers depend on; null for one that is not known. */
const termsOf = (id: string, { entries, held }: Listed): { kind: unknown; settleAsset: string; feePpm: number } | null => {
  const entry = entries.get(id);
  if (entry === undefined) return held.get(id) ?? null;
  const { kind, feePpm } = entry.value;
  return {
    kind,
    settleAsset: textIn(entry, kind === "inverse" ? "baseAsset" : "quoteAsset"),
    feePpm: typeof feePpm === "number" ? feePpm : 0,
  };
};

/** Finds tables for another contract, or in another asset, than the instrument's. */
const judgeUnits = (id: string, table: TierTable, terms: { kind: unknown; settleAsset: string }, findings: Findings): void => {
  if (terms.kind === "spot" || (table.kind !== null && table.kind !== terms.kind)) {
    const what = `brackets of ${table.kind === null ? "a contract" : `${table.kind} contracts`} for ${id}, which is ${String(terms.kind)}`;
    findings.fault(table.place, what, "Give the table of the contract, or correct --symbol");
  }
  const others = table.floorAssets.filter(({ asset }) => asset !== "" && asset !== terms.settleAsset);
  const isMixed = others.length > 0 && others.length < table.floorAssets.length;
  for (const { asset, place } of others) {
    const what = isMixed ? `floors in ${asset} beside floors in ${terms.settleAsset}: the column mixes units` : `floors in ${asset}`;
    findings.fault(place, what, `Write floors of ${id} in ${terms.settleAsset}, the asset that it settles in`);
  }
};

interface TiersRead {
  /** Encoded brackets by instrument, of tables without a fault. */
  readonly tiers: ReadonlyMap<string, readonly { floor: string; rateIm: number; rateMm: number }[]>;
  /** Instruments that a table is for, faulty ones included. */
  readonly named: ReadonlySet<string>;
  /** Symbols of a venue's file that no instrument here takes. */
  readonly leftOut: readonly string[];
}

/** Symbols that the command line names and the file has not, and a file of which nothing is taken. */
const judgeSymbols = ({ file, symbols }: TierSource, given: ReadonlySet<string>, isUsed: boolean, findings: Findings): void => {
  const place = { file, line: 0, column: "" };
  // A symbol whose brackets cannot be used was told by name.
  if (findings.faults.some((one) => one.file === file)) return;
  const missing = [...symbols].filter(([symbol]) => !given.has(symbol));
  for (const [symbol, id] of missing) findings.fault(place, `the file has no symbol ${symbol}`, `Correct --symbol ${symbol}=${id}`);
  if (!isUsed && missing.length === 0) {
    findings.fault(place, "no symbol of the file is an instrument here", "Name them: --symbol BTCUSDT=BTC-PERP");
  }
};

const NO_TIERS: TiersRead = { tiers: new Map(), named: new Set(), leftOut: [] };

const readTiers = (source: TierSource | undefined, listed: Listed, findings: Findings): TiersRead => {
  if (source === undefined) return NO_TIERS;
  const tables = READERS[source.format](source, findings);
  const isOurs = source.format === "plimsoll" || source.format === "scaled";
  const tiers = new Map<string, { floor: string; rateIm: number; rateMm: number }[]>();
  const named = new Set<string>();
  const leftOut: string[] = [];
  for (const table of tables) {
    const id = source.symbols.get(table.name) ?? table.name;
    const terms = termsOf(id, listed);
    if (named.has(id)) findings.fault(table.place, `a second table of ${id}`, "Keep one of them");
    else if (terms !== null) {
      judgeUnits(id, table, terms, findings);
      const loaded = loadTable({ ...table, name: `tiers of ${id}` }, terms.feePpm, findings);
      tiers.set(
        id,
        loaded.map(({ floor, rateIm, rateMm }) => z.encode(instrumentBody.in.shape.tiers.element, { floor, rateIm, rateMm }) as never),
      );
    } else if (isOurs && listed.isStage) {
      findings.fault(
        { ...table.place, column: "instrumentId" },
        `unknown instrument ${id}`,
        "Correct the id, or give the instrument with --instruments",
      );
    } else if (isOurs) loadTable({ ...table, name: `tiers of ${id}` }, 0, findings);
    else leftOut.push(table.name);
    if (terms !== null || isOurs) named.add(id);
  }
  judgeSymbols(source, new Set(tables.map(({ name }) => name)), named.size > 0 || isOurs, findings);
  return { tiers, named, leftOut };
};

/** A stored instrument with other brackets, as the schema takes it. */
const withTiers = (instrument: Instrument, tiers: readonly unknown[]): Readonly<Record<string, unknown>> => ({
  ...encodeInstrument(instrument),
  version: 1,
  tiers,
});

/** In the place of brackets whose faults were told, so that the rest of their instrument is judged. */
const SOME_TIERS = [{ floor: "0", rateIm: 1_000_000, rateMm: 1 }];

/** Instruments that an import changes, and what of a venue's file no instrument takes. */
export interface InstrumentsRead {
  /** By id, their version 1 until they are stored. */
  readonly instruments: ReadonlyMap<string, Instrument>;
  /** Every id of the files, of rows with a fault too. */
  readonly named: ReadonlySet<string>;
  readonly leftOut: readonly string[];
}

/**
 * Reads instruments and tiers. A table is for an instrument of the file, which then has no tiers of its own, or for one
 * that the stage holds, which gets a new version.
 */
export const readInstruments = async (
  files: { readonly instruments?: SourceFile | undefined; readonly tiers?: TierSource | undefined },
  held: Held,
  findings: Findings,
): Promise<InstrumentsRead> => {
  const entries = byId(
    readEntries(files.instruments, "instruments", findings),
    "instrument",
    (entry) => textIn(entry, "instrumentId"),
    findings,
  );
  const stored = await held.instruments();
  const listed = { entries, held: stored, isStage: held.isStage };
  const { tiers, named, leftOut } = readTiers(files.tiers, listed, findings);
  const instruments = new Map<string, Instrument>();
  for (const [id, entry] of entries) {
    const own = entry.value["tiers"];
    if (own !== undefined && named.has(id)) {
      findings.fault(placeOf(entry.row, "tiers"), `${id} has tiers of its own`, "Leave them out in one of the two files");
    } else {
      const loaded = tiers.get(id);
      const isTold = loaded?.length === 0;
      const body = { ...entry.value, version: 1, tiers: isTold ? SOME_TIERS : (loaded ?? own ?? []) };
      const instrument = judged(entry, instrumentBody, body, findings);
      if (instrument !== null && !isTold) instruments.set(id, instrument);
    }
  }
  for (const [id, brackets] of tiers) {
    const instrument = stored.get(id);
    if (entries.has(id) || instrument === undefined || brackets.length === 0) continue;
    instruments.set(id, instrumentBody.parse(withTiers(instrument, brackets)));
  }
  return { instruments, named: new Set([...entries.keys(), ...named]), leftOut };
};
