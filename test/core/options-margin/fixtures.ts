import { price, quantity } from "../../../core/money.ts";
import type { OptionLeg } from "../../../core/options-margin/leg.ts";
import type { OptionMarginTerms } from "../../../core/options-margin/terms.ts";

/** Standard margin as options exchanges publish it: 15 % less the amount out of the money, at least 10 %; 7.5 % to keep. */
export const EXCHANGE: OptionMarginTerms = {
  rate: { initial: 150_000, maintenance: 75_000 },
  least: { initial: 100_000, maintenance: 75_000 },
  putLeastOn: "spot",
  putValueMaintenance: 75_000,
  putInitialOverMaintenance: 1_000_000,
  unpairedCall: { initial: 1_200_000, maintenance: 1_100_000 },
  straddle: false,
};

/** Reg T: premium and 20 % less the amount out of the money, at least 10 % (of the strike for a put). */
export const LISTED: OptionMarginTerms = {
  rate: { initial: 200_000, maintenance: 200_000 },
  least: { initial: 100_000, maintenance: 100_000 },
  putLeastOn: "strike",
  putValueMaintenance: 0,
  putInitialOverMaintenance: 1_000_000,
  unpairedCall: null,
  straddle: true,
};

export const EXPIRY = Date.UTC(2026, 2, 27, 8);

/** An option by side, size, right and strike at a value: `option("-1 call 100", "7")`. */
export const option = (name: string, value: string, patch: Partial<OptionLeg> = {}): OptionLeg => {
  const [size = "", right = "", strike = ""] = name.split(" ");
  return {
    instrumentId: name,
    right: right === "call" ? "call" : "put",
    kind: "linear",
    style: "premium",
    expiryAt: EXPIRY,
    strike: price(strike),
    quantity: quantity(size),
    multiplier: quantity("1"),
    value: price(value),
    ...patch,
  };
};
