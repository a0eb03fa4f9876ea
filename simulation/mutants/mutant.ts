/** A text of a source file and what stands there instead. */
interface Edit {
  /** Relative to the root of the repository. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

/** A mistake that a programmer would make, planted in the sources as they are loaded: the product knows nothing of it. */
export interface Mutant {
  readonly name: string;
  /** The row of the table in its own words; then which second guard had to be taken away with it, where one masks it. */
  readonly mistake: string;
  readonly edits: readonly Edit[];
  /** Found within this many seeds, from seed 1. */
  readonly seedsMax: number;
  /** The profile that finds it, where it is not the usual one. */
  readonly profile?: string;
}
