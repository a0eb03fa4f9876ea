/** Every limit of the domain, with the quota or the risk that it protects. Tests assert the relations. */
export const LIMITS = {
  /** Positions per account: an item stays far below DynamoDB's 400 kB and is decided in one piece. */
  positionsMax: 500,
  /** Clock skew between two hosts that decisions tolerate (R12, S39). */
  skewMs: 5_000,
  /**
   * Longest time from reading the clock to the commit of a transaction: SDK request timeout times
   * attempts plus backoff. `issuedAt` is promised this much later (R12), so that a slow write steals no grace.
   */
  writeBudgetMs: 10_000,
  /** Oldest mark that an order may leave on (I07), whatever the instrument allows. */
  orderMarkAgeMaxMs: 3_600_000,
  /** Rows in one DynamoDB transaction. */
  transactionRowsMax: 100,
  /** Orders of one attempt: account, calls, journal and entries share the transaction's 100 rows. */
  ordersPerAttemptMax: 60,
  /** Facts of one account applied in one transaction. */
  factsPerChangeMax: 20,
  /** Hops that a self-feeding message may take before it is parked (design §4, recursion). */
  hopsMax: 1_000,
} as const;
