import { min } from "../money.ts";

/**
 * Shares an amount by weights (M0, M13, I15): each share rounded down, what is left to the largest weights first.
 * No share is above its weight, so nobody gives more than it has or loses more than it gained.
 *
 * @param amount 0 or above; what exceeds the sum of the weights stays with the caller.
 * @param weights 0 or above, by id. Equal weights are ordered by id.
 * @throws RangeError for a negative amount or weight.
 */
export const proRata = <T extends bigint>(amount: T, weights: ReadonlyMap<string, T>): Map<string, T> => {
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0n);
  if (amount < 0n || [...weights.values()].some((weight) => weight < 0n)) throw new RangeError("shares need amounts of 0 or above");
  const shared = min<bigint>(amount, total);
  const shares = new Map([...weights].map(([id, weight]) => [id, (total === 0n ? 0n : (shared * weight) / total) as T]));
  let left = shared - [...shares.values()].reduce((sum, share) => sum + share, 0n);
  const largest = [...weights].sort(([a, x], [b, y]) => (x === y ? (a < b ? -1 : 1) : x > y ? -1 : 1));
  for (const [id, weight] of largest) {
    const share = shares.get(id) ?? 0n;
    const more = min<bigint>(left, weight - share);
    shares.set(id, (share + more) as T);
    left -= more;
  }
  return shares;
};
