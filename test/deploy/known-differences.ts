import type { KnownDifference } from "./differences.ts";

/** Every difference that is allowed, by its cause. docs/operating/independent-engine.md says the same to people. */
export const KNOWN: readonly KnownDifference[] = [];
