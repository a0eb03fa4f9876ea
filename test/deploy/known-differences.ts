import { type KnownDifference, narrowed } from "./differences.ts";

const promiseIn = (text: string | null): number =>
  (JSON.parse(text ?? "{}") as { readonly promisedMs?: number | null }).promisedMs ?? Number.NaN;

/** A call of which nothing differs but the promise, which is later on the slower engine, by less than a minute; never earlier (I05). */
const isLaterPromise: KnownDifference["covers"] = (difference) => {
  if (!difference.where.startsWith("calls/") || difference.local === null || difference.independent === null) return false;
  const { local, independent } = narrowed(difference);
  if (!local?.startsWith("{") || !independent?.startsWith("{")) return false;
  if (Object.keys(JSON.parse(local) as object).join() !== "promisedMs") return false;
  const laterMs = promiseIn(independent) - promiseIn(local);
  return laterMs > 0 && laterMs < 60_000;
};

/** Every difference that is allowed, by its cause. docs/operating/independent-engine.md says the same to people. */
export const KNOWN: readonly KnownDifference[] = [{ cause: "a busy machine, in real time", covers: isLaterPromise }];
