import { blackScholesGreeks } from "../../core/pricing/black-scholes.ts";
import { black76, stdDevOf } from "../../core/pricing/black76.ts";
import type { OptionRight } from "../../core/pricing/option-fault.ts";
import { logNormalRiskFactors } from "../../core/pricing/risk-factors.ts";
import type { Topic } from "./venue-answers.ts";
import { type Figures, num, ppmOf, word } from "./venue-cases.ts";

const rightOf = (figures: Figures): OptionRight => word(figures, "type") as OptionRight;

/** Value and greeks at once: a case asks for those that it names. */
const onSpot: Topic = (inputs) => ({
  ...blackScholesGreeks(
    {
      spot: num(inputs, "spot"),
      strike: num(inputs, "strike"),
      volatility: num(inputs, "vol"),
      years: num(inputs, "years"),
      rate: num(inputs, "rate"),
      carry: num(inputs, "rate") - num(inputs, "dividendYield"),
    },
    rightOf(inputs),
  ),
});

const onFuture: Topic = (inputs) => ({
  value: black76(
    num(inputs, "forward"),
    num(inputs, "strike"),
    stdDevOf(num(inputs, "vol"), num(inputs, "years")),
    Math.exp(-num(inputs, "rate") * num(inputs, "years")),
    rightOf(inputs) === "call",
  ),
});

const riskFactors: Topic = (inputs) => ({
  ...logNormalRiskFactors({
    tailPpm: ppmOf(num(inputs, "lambda_")),
    years: num(inputs, "tau"),
    volatility: num(inputs, "sigma"),
    drift: num(inputs, "mu"),
  }),
});

/** Topics that core/pricing answers. */
export const PRICING_TOPICS: Readonly<Record<string, Topic>> = {
  "european option on a future (Black-76)": onFuture,
  "european option value (generalised Black-Scholes-Merton)": onSpot,
  "option greeks": onSpot,
  "risk factors: log-normal expected shortfall": riskFactors,
  "risk factors saturate for absurd volatility": riskFactors,
  "risk factor with an inaccurate normal tail (negative example)": riskFactors,
};
