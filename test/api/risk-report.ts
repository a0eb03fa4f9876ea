import type { RiskReportText } from "../../adapters/wire/risk.ts";

/** A report of a book without accounts. */
export const emptyRisk = (marksAt: string): RiskReportText => ({
  ...{ marksAt, accounts: 0, leftOut: [], sections: [], implied: [], prices: null, files: [], funding: null },
});
