/** Every limit of the domain, with the quota or the risk that it protects. Tests assert the relations. */
export const LIMITS = {
  /** Positions per account: an item stays far below DynamoDB's 400 kB and is decided in one piece. */
  positionsMax: 500,
  /** Isolated pools per account: each may end a call and open one, and all of it is one transaction with its facts and orders. */
  poolsMax: 20,
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
  /**
   * Least time between the plans of two attempts, and between the last attempt and its hand-over (R14):
   * a venue that returns orders at once is not asked in a tight loop (S33).
   */
  attemptGapMs: 5_000,
  /** A top-up asks for at least this share of the amount due more (R11), so that each sweep does not write one. */
  topUpSharePpm: 250_000,
  /**
   * How much later the deadline is for a deposit that still confirms (R15): what a few blocks take. Once a
   * call, so that a payment that never comes holds the venue no longer.
   */
  extensionMs: 600_000,
  /**
   * Marks that a decision's record keeps: at 100 bytes a mark the envelope stays far below DynamoDB's 400 kB. Above it
   * the record names the snapshot and keeps the hash of the marks: it is recomputed as long as the snapshot is kept.
   */
  recordMarksMax: 1_000,
  /** Bytes of the published report of the whole book's risk, compressed: one row of DynamoDB holds 400 kB. */
  riskReportBytesMax: 380_000,
  /** And as text: a reply of Lambda holds 6 MB. */
  riskReportTextMax: 5_000_000,
  /** Contracts that a what-if tries as a hedge: each is some 20 assessments, within one request. */
  hedgesTriedMax: 6,
  /** Accounts that the API judges a change of terms on within one request; a larger book is the operator's command's. */
  accountsPerRequestMax: 100_000,
  /** Longest that a price without a second source is held for the accounts that it would breach (R17). */
  priceHoldMaxMs: 60_000,
  /** Accounts at risk that the breaker on prices samples: at a share of 1 % its standard error is 0.22 %. A smaller book is read whole. */
  breakerSampleMin: 2_000,
  /** Accounts that it reads at most, however few of them are at risk: a price waits for them. */
  breakerAccountsMax: 20_000,
  /** Facts of one account applied in one transaction. */
  factsPerChangeMax: 20,
  /** How far the book's amounts may be from the venue's in a reconciliation, in 1e-8: what a thousand fills round away. */
  reconciliationSlackUnits: 1_000,
  /** Hops that a self-feeding message may take before it is parked (design §4, recursion). */
  hopsMax: 1_000,
  /**
   * After this long without a sweep that reached every account nobody is watched (S32): an alarm here, and from
   * outside. Three of the sweep's minutes, so that one that is slow or lost wakes nobody.
   */
  unwatchedAfterMs: 180_000,
  /** A move by this factor or more between two ticks is a mistake of unit or decimals, never a market (S21). */
  unitMistakeFactor: 50,
  /** After this long without a price even such a move is only held for confirmation: a feed must be able to come back. */
  unitMistakeAgeMs: 86_400_000,
} as const;
