/**
 * How every client talks to its service. A write is given up before the budget that `issuedAt`
 * promises (R12), and everything well before a function's timeout (I07: a request must not finish
 * long after its prices were read).
 */
export const REQUESTS = {
  connectMs: 1_000,
  /** The whole of one request, its connection included. */
  requestMs: 3_000,
  attemptsMax: 3,
  /** Most that the waits between attempts add: 100 and 200 ms, the client's own backoff. */
  backoffMs: 300,
} as const;

/** The same configuration for all; endpoints, region and credentials come from the environment. */
export const clientConfiguration = {
  maxAttempts: REQUESTS.attemptsMax,
  retryMode: "standard",
  requestHandler: {
    connectionTimeout: REQUESTS.connectMs,
    requestTimeout: REQUESTS.requestMs,
    throwOnRequestTimeout: true,
  },
} as const;

/** Makes its client when it is first asked for, and keeps it. */
export const lazily = <Client>(make: () => Promise<Client>): (() => Promise<Client>) => {
  let made: Promise<Client> | null = null;
  return () => {
    made ??= make();
    return made;
  };
};

/** Splits messages into requests of at most ten entries and `bytesMax` bytes. */
export const inBatches = <Entry>(entries: readonly Entry[], bytesOf: (entry: Entry) => number, bytesMax: number): Entry[][] => {
  const batches: Entry[][] = [];
  let room = 0;
  for (const entry of entries) {
    const bytes = bytesOf(entry);
    const last = batches.at(-1);
    if (last === undefined || last.length === 10 || bytes > room) {
      batches.push([entry]);
      room = bytesMax - bytes;
    } else {
      last.push(entry);
      room -= bytes;
    }
  }
  return batches;
};
