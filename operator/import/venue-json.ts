import type { SourceFile } from "./entries.ts";
import type { Findings, Place } from "./finding.ts";
import { type JsonLeaf, placesInJson } from "./json-places.ts";
import { contentOf } from "./table.ts";
import { textOf } from "./text.ts";

/** A JSON file of a venue: its content, and what each value is written as. Venues write JSON numbers; none is read as one. */
export interface VenueFile {
  readonly file: string;
  readonly content: unknown;
  readonly leaves: ReadonlyMap<string, JsonLeaf>;
  readonly place: (path: string) => Place;
}

/** Reads a venue's JSON. @returns null with a finding where it is none. */
export const readVenueFile = ({ file, bytes }: SourceFile, findings: Findings): VenueFile | null => {
  const text = textOf(file, bytes, findings);
  if (text === null) return null;
  const content = contentOf({ file, text, findings });
  if (content === undefined) return null;
  const leaves = new Map(placesInJson(text).leaves.map((leaf) => [leaf.path, leaf]));
  const first = (path: string): number => [...leaves.values()].find((leaf) => leaf.path.startsWith(`${path}.`))?.line ?? 1;
  return { file, content, leaves, place: (path) => ({ file, line: leaves.get(path)?.line ?? first(path), column: path }) };
};

/** The members of an object; none for anything else. */
export const membersOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

/** The items of a list; none for anything else. */
export const itemsOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** A positive decimal as it is written, a number or a string alike. @returns null with a finding for anything else. */
export const decimalAt = ({ leaves, place }: VenueFile, path: string, findings: Findings): string | null => {
  const leaf = leaves.get(path);
  if (leaf !== undefined && (leaf.type === "number" || leaf.type === "string") && /^\d{1,20}(\.\d{1,8}0*)?$/.test(leaf.text))
    return leaf.text;
  const what = leaf === undefined ? "no value" : `${JSON.stringify(leaf.text.slice(0, 40))} is no plain decimal with at most 8 decimals`;
  findings.fault(place(path), what, "Save the venue's reply as it came");
  return null;
};
