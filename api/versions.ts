import { Problem } from "./problem.ts";

const TRIES_MAX = 5;

interface Versions<Terms extends { readonly version: number }> {
  readonly newest: () => Promise<Terms | null>;
  readonly make: (version: number) => Terms;
  readonly isSame: (newest: Terms, next: Terms) => boolean;
  readonly store: (next: Terms) => Promise<"stored" | "conflict">;
}

/**
 * Stores terms as the version after the newest. The same terms again are the newest version still, so that a
 * request whose reply was lost may be sent again. @returns the version that holds the terms.
 */
export const nextVersion = async <Terms extends { readonly version: number }>(versions: Versions<Terms>): Promise<number> => {
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    const newest = await versions.newest();
    const next = versions.make((newest?.version ?? 0) + 1);
    if (newest !== null && versions.isSame(newest, next)) return newest.version;
    if ((await versions.store(next)) === "stored") return next.version;
  }
  throw new Problem("busy", { detail: "others stored versions each time", mend: "Read what they stored, then send the request again." });
};
