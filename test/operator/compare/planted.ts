import { money } from "../../../core/money.ts";
import { MINUTE, position, T0 } from "../../core/call-fixtures.ts";
import { type OurHistory, ourHistory } from "./our-history.ts";

/** One contract of BTC-PERP bought at 100. At 95 it is called under an equity of 4.9875 (R1), and closed out under 0.475. */
const LONG = [position("BTC-PERP", "1", "100")];

/**
 * Our side of the planted comparison (examples/compare/ours.json): ten accounts with whose holders the system beside
 * us deals differently, each for another reason, and four with whom it deals alike.
 */
const CASH: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "P-book": { USDT: "9.9" },
  "P-fee": { USDT: "10" },
  "P-gap": { USDT: "5.3" },
  "P-haircut": { BTC: "0.13" },
  "P-mark": { USDT: "10" },
  "P-missing": { USDT: "9.9" },
  "P-rounding": { USDT: "9.87654321" },
  "P-tier": { USDT: "10" },
  "P-timing": { USDT: "9.9" },
  "P-trigger": { USDT: "9.9875" },
  "E-called": { USDT: "9.9" },
  "E-closed-out": { USDT: "5.3" },
  "E-healthy": { USDT: "50" },
  "E-warned": { USDT: "11" },
};

export const plantedHistory = (): OurHistory => {
  const history = ourHistory();
  history.sweep(T0, { "BTC-PERP": "100", "BTC-USDT": "100" });
  for (const [accountId, balances] of Object.entries(CASH)) history.open(accountId, T0 + 1_000, balances, LONG);
  history.sweep(T0 + 5 * MINUTE, { "BTC-PERP": "97", "BTC-USDT": "97" });
  // Numbers 2 to 4 of the venue's feed never came: the account is OUT_OF_SYNC.
  const seen = { externalId: "seen-5", sequence: 5, occurredAt: T0 + 7 * MINUTE, asset: "USDT", amount: money("1") };
  history.fact("P-gap", T0 + 7 * MINUTE, { kind: "deposit_pending", ...seen });
  for (const minute of [10, 15, 20]) history.sweep(T0 + minute * MINUTE, { "BTC-PERP": "95", "BTC-USDT": "95" });
  return history;
};
