import type { Figure } from "../validate/figure.ts";
import type { RiskReport, RiskSection } from "./report.ts";

const number = ({ value, reason }: Figure): string => (value === null ? `unknown: ${reason}` : `${Math.round(value * 10_000) / 10_000}`);
const percent = ({ value, reason }: Figure): string => (value === null ? `unknown: ${reason}` : `${Math.round(value * 10_000) / 100} %`);

const sectionLines = ({ valuationAsset, metrics, openInterest, stresses, noStresses, contagion, exposures }: RiskSection): string[] => [
  `in ${valuationAsset}`,
  ...metrics.map((metric) => `  ${metric.name}: ${number(metric.figure)}`),
  ...openInterest.map(({ instrumentId, notional }) => `  open interest of ${instrumentId}: ${notional}`),
  ...(noStresses === null ? [] : [`  stresses: ${noStresses}`]),
  ...stresses.map(
    ({ scenariosId, name, breached, overInitial, overEquity }) =>
      `  stress ${scenariosId}, ${name}: ${breached} breached; beyond the requirement cover-1 ${overInitial.cover1}, cover-2 ${overInitial.cover2}; beyond equity ${overEquity.cover1}, ${overEquity.cover2}`,
  ),
  ...contagion.map(({ asset, direction, breached, safe, turns: [first] }) => {
    const next = first === undefined ? "nobody breaches" : `${first.name} first, at ${percent(first.move)}`;
    return `  ${direction} of ${asset}: ${next}; ${breached} breached in all, ${safe} safe`;
  }),
  ...exposures.map(({ brokerId, accounts, notional, shortfall, stress, binding, exceeded }) => {
    const over = exceeded.map(({ name, used, limit }) => `; EXCEEDED ${name}: ${used} of ${limit}`).join("");
    const room = binding === null ? "no limit" : `${binding.room} left of ${binding.name}`;
    return `  broker ${brokerId}: ${accounts} accounts, notional ${notional}, shortfall ${shortfall}, stress ${stress ?? "unknown"}; ${room}${over}`;
  }),
];

/** The report in lines; the JSON holds all of it. */
export const riskLines = ({ marksAt, accounts, leftOut, sections, implied, prices }: RiskReport): readonly string[] => [
  `${accounts} accounts on the marks of ${marksAt}`,
  ...leftOut.map(({ accountId, reason }) => `${accountId} is left out: ${reason}`),
  ...sections.flatMap(sectionLines),
  ...implied.map(({ underlyingId, volatility }) => `implied volatility of ${underlyingId}, 30 days: ${percent(volatility)}`),
  ...(prices?.volatilities ?? []).map(
    ({ symbol, realised, ewma }) =>
      `volatility of ${symbol}: EWMA ${percent(ewma)}; ${realised.map(({ name, volatility }) => `${name} ${percent(volatility)}`).join(", ")}`,
  ),
  ...(prices?.correlations ?? []).map(
    ({ left, right, whole, recent, stressed }) =>
      `correlation of ${left} and ${right}: whole ${number(whole)}, last year ${number(recent)}, least of 30 days ${number(stressed)}`,
  ),
];
