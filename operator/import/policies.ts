import * as z from "zod";

import { policyBody } from "../../adapters/wire/policy.ts";
import { STANDARD_MODEL } from "../../core/margin-model.ts";
import { ZERO } from "../../core/money.ts";
import type { Policy } from "../../core/policy.ts";
import { validatePolicy } from "../../core/terms.ts";
import { TermsError } from "../../core/terms-error.ts";
import { byId, type Entry, judged, readEntries, type SourceFile, textIn } from "./entries.ts";
import type { Findings, Place } from "./finding.ts";
import type { Held } from "./held.ts";
import { placeOf } from "./table.ts";

/** A slice of a haircut schedule as its row tells it. */
type SliceRow = Entry;

interface Collateral {
  asset: string;
  priceId: unknown;
  liabilityWeight: unknown;
  tiers: { floor: unknown; haircutIm: unknown; haircutMm: unknown }[];
}

/** True where two rows say different things; one that did not read says nothing. */
const differs = (row: SliceRow, first: SliceRow, column: string, findings: Findings): boolean =>
  row.value[column] !== first.value[column] && !findings.has(placeOf(row.row, column)) && !findings.has(placeOf(first.row, column));

/** Columns of the haircuts by what the policy calls them. */
const COLUMNS: Readonly<Record<string, string>> = {
  liabilityWeight: "debtWeight",
  haircutIm: "initialHaircut",
  haircutMm: "maintenanceHaircut",
};

/** The place of a value of the collateral in the rows that it was made of. */
const placeInRows =
  (rows: readonly SliceRow[]) =>
  ([root, asset, ...rest]: readonly string[]): Place | null => {
    const slices = root === "collateral" ? [...Map.groupBy(rows, (row) => textIn(row, "asset")).values()][Number(asset)] : undefined;
    const slice = rest[0] === "tiers" ? Number(rest[1] ?? 0) : 0;
    const name = rest.at(-1) ?? "asset";
    const row = slices?.[slice];
    return row === undefined ? null : placeOf(row.row, COLUMNS[name] ?? name);
  };

/** Collateral terms of one policy from its rows: a row a slice; price and weight are the asset's, the same in each. */
const collateralOf = (rows: readonly SliceRow[], findings: Findings): Collateral[] =>
  [...Map.groupBy(rows, (row) => textIn(row, "asset"))].map(([asset, slices]) => {
    const first = slices[0] as SliceRow;
    for (const column of ["priceId", "debtWeight"]) {
      for (const other of slices.filter((row) => differs(row, first, column, findings))) {
        findings.fault(
          placeOf(other.row, column),
          `differs from line ${first.row.line}: it is one for all slices of ${asset}`,
          "Write the same in each",
        );
      }
    }
    return {
      asset,
      priceId: first.value["priceId"],
      liabilityWeight: first.value["debtWeight"],
      tiers: slices.map(({ value }) => ({
        floor: value["floor"],
        haircutIm: value["initialHaircut"],
        haircutMm: value["maintenanceHaircut"],
      })),
    };
  });

const shape = policyBody.in;

const faultOf = ({ message, subject, place, mend }: TermsError): string => message.slice(`${subject}, ${place}: `.length, -mend.length - 2);

type Body = z.output<typeof shape>;
type Terms = Body["collateral"][number];

/** Where a refusal of the core points: its slices are rows of the haircuts, where they are in a file of their own. */
interface Refused {
  readonly asset: string | null;
  /** From 0; null for the asset as a whole. */
  readonly slice: number | null;
}
const refusedIn = ({ place }: TermsError): Refused => {
  const [, asset, slice] = /^collateral ([A-Z0-9]+)(?:, slice (\d+))?$/.exec(place) ?? [];
  return { asset: asset ?? null, slice: slice === undefined ? null : Number(slice) - 1 };
};

/** The schedule without what was refused: the first slice as it should have been, so that the others are not refused for it. */
const mended = (terms: Terms, slice: number): Terms => {
  const [first] = terms.tiers;
  if (slice > 0 || first === undefined) return { ...terms, tiers: terms.tiers.filter((_, at) => at !== slice) };
  const { haircutIm, haircutMm } = first;
  const whole = { floor: ZERO, haircutIm: Math.max(haircutIm, haircutMm), haircutMm: Math.min(haircutIm, haircutMm) };
  return { ...terms, tiers: [whole, ...terms.tiers.slice(1)] };
};

/** The policy as the core takes it. Each slice that it refuses is a finding; it is mended or left out, so that the others are judged too. */
const validated = (body: Body, entry: Entry, given: readonly SliceRow[], findings: Findings): Policy | null => {
  const rows = new Map([...Map.groupBy(given, (row) => textIn(row, "asset"))].map(([asset, own]) => [asset, [...own]]));
  let collateral = body.collateral;
  const tries = 1 + collateral.reduce((sum, { tiers }) => sum + tiers.length, 0);
  for (let left = tries; left > 0; left -= 1) {
    try {
      const policy = validatePolicy({
        ...body,
        model: body.model ?? STANDARD_MODEL,
        collateral: new Map(collateral.map((terms) => [terms.asset, terms])),
      });
      return left === tries ? policy : null;
    } catch (error) {
      if (!(error instanceof TermsError)) throw error;
      const { asset, slice } = refusedIn(error);
      const own = rows.get(asset ?? "") ?? [];
      const place = placeOf((own[slice ?? 0] ?? entry).row);
      const where = asset === null ? error.place : `collateral ${asset}`;
      findings.fault(place, `${where}: ${faultOf(error)}`, error.mend);
      if (asset === null || slice === null) return null;
      collateral = collateral.map((terms) => (terms.asset === asset ? mended(terms, slice) : terms));
      if (slice > 0) own.splice(slice, 1);
    }
  }
  return null;
};

/** Terms of a policy from what a row or the stage has, with the haircuts of the file where it has some. */
const policyOf = (terms: Readonly<Record<string, unknown>>, entry: Entry, rows: readonly SliceRow[], findings: Findings): Policy | null => {
  const collateral = rows.length === 0 ? {} : { collateral: collateralOf(rows, findings) };
  const body = judged(entry, shape, { ...terms, ...collateral, version: 1 }, findings, placeInRows(rows));
  if (body === null) return null;
  const assets = body.collateral.map(({ asset }) => asset);
  if (new Set(assets).size < assets.length) {
    findings.fault(
      placeOf(entry.row, "collateral"),
      "an asset stands twice in the collateral",
      "Give each asset once, with all its slices",
    );
    return null;
  }
  return validated(body, entry, rows, findings);
};

/** Policies that an import changes. */
export interface PoliciesRead {
  /** By id, their version 1 until they are stored. */
  readonly policies: ReadonlyMap<string, Policy>;
  /** Every id of the files, of rows with a fault too. */
  readonly named: ReadonlySet<string>;
}

/**
 * Reads policies and haircuts. Haircuts are the collateral terms of the policies that they name: of one in the file, which
 * then has none of its own, or of one that the stage holds, which gets a new version.
 */
export const readPolicies = async (
  files: { readonly policies?: SourceFile | undefined; readonly haircuts?: SourceFile | undefined },
  held: Held,
  findings: Findings,
): Promise<PoliciesRead> => {
  const entries = byId(readEntries(files.policies, "policies", findings), "policy", (entry) => textIn(entry, "policyId"), findings);
  const slices = Map.groupBy(readEntries(files.haircuts, "haircuts", findings), (row) => textIn(row, "policyId"));
  const found = new Map<string, Policy>();
  const keep = (policy: Policy | null): void => void (policy !== null && found.set(policy.policyId, policy));

  for (const [policyId, entry] of entries) {
    const own = slices.get(policyId) ?? [];
    if (own.length > 0 && entry.value["collateral"] !== undefined) {
      findings.fault(
        placeOf((own[0] as SliceRow).row),
        `policy ${policyId} has collateral terms of its own`,
        "Leave them out in one of the two files",
      );
    } else if (own.length === 0 && entry.value["collateral"] === undefined) {
      findings.fault(
        placeOf(entry.row),
        `policy ${policyId} has no collateral terms`,
        "Give its rows with --haircuts, at least one of its valuation asset",
      );
    } else {
      keep(policyOf(entry.value, entry, own, findings));
    }
  }
  for (const [policyId, own] of slices) {
    if (policyId === "" || entries.has(policyId)) continue;
    const [first] = own as [SliceRow];
    const stored = await held.policy(policyId);
    if (stored !== null) {
      keep(policyOf({ ...(z.encode(policyBody, stored) as Record<string, unknown>) }, first, own, findings));
    } else if (held.isStage) {
      findings.fault(placeOf(first.row, "policyId"), `unknown policy ${policyId}`, "Correct the id, or give the policy with --policies");
    } else {
      findings.note(
        placeOf(first.row, "policyId"),
        `haircuts of ${policyId}, which no file has, were read and not judged as a policy`,
        "Give it with --policies, or name a stage",
      );
    }
  }
  return { policies: found, named: new Set([...entries.keys(), ...slices.keys()]) };
};
