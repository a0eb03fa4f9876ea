import type { Figure } from "../validate/figure.ts";
import type { RiskReport, RiskSection } from "./report.ts";

const number = ({ value, reason }: Figure): string => (value === null ? `unknown: ${reason}` : `${Math.round(value * 10_000) / 10_000}`);
const percent = ({ value, reason }: Figure): string => (value === null ? `unknown: ${reason}` : `${Math.round(value * 10_000) / 100} %`);

const ppmShare = (ppm: number): string => `${ppm / 10_000} %`;

const defaultLines = ({ scenariosId, horizonDays, expectedLoss, largest }: NonNullable<RiskSection["defaults"]>): string[] => [
  `  expected loss by ${scenariosId} within ${horizonDays} ${horizonDays === 1 ? "day" : "days"}: ${expectedLoss}`,
  ...largest.map(
    ({ name, probabilityPpm, exposure, expectedLoss: loss, multiplierPpm }) =>
      `  default of ${name}: ${ppmShare(probabilityPpm)}, exposure ${exposure}, expected loss ${loss}, margin times ${multiplierPpm / 1_000_000}`,
  ),
];

const sectionLines = ({ defaults, noStresses, contagion, exposures, ...section }: RiskSection): string[] => [
  `in ${section.valuationAsset}`,
  ...section.metrics.map((metric) => `  ${metric.name}: ${number(metric.figure)}`),
  ...section.openInterest.map(({ instrumentId, notional }) => `  open interest of ${instrumentId}: ${notional}`),
  ...(noStresses === null ? [] : [`  stresses: ${noStresses}`]),
  ...section.stresses.map(
    ({ scenariosId, name, breached, overInitial, overEquity }) =>
      `  stress ${scenariosId}, ${name}: ${breached} breached; beyond the requirement cover-1 ${overInitial.cover1}, cover-2 ${overInitial.cover2}; beyond equity ${overEquity.cover1}, ${overEquity.cover2}`,
  ),
  ...(defaults === null ? [] : defaultLines(defaults)),
  ...contagion.map(({ asset, direction, breached, safe, turns: [first] }) => {
    const next = first === undefined ? "nobody breaches" : `${first.name} first, at ${percent(first.move)}`;
    return `  ${direction} of ${asset}: ${next}; ${breached} breached in all, ${safe} safe`;
  }),
  ...exposures.map(({ brokerId, accounts, notional, shortfall, stress, potential, collateralisation, binding, exceeded }) => {
    const over = exceeded.map(({ name, used, limit }) => `; EXCEEDED ${name}: ${used} of ${limit}`).join("");
    const room = binding === null ? "no limit" : `${binding.room} left of ${binding.name}`;
    return `  broker ${brokerId}: ${accounts} accounts, notional ${notional}, shortfall ${shortfall}, stress ${stress ?? "unknown"}, potential exposure ${potential ?? "unknown"}, collateralisation ${number(collateralisation)}; ${room}${over}`;
  }),
];

/** The report in lines; the JSON holds all of it. */
export const riskLines = ({ marksAt, accounts, leftOut, sections, implied, prices, funding }: RiskReport): readonly string[] => [
  `${accounts} accounts on the marks of ${marksAt}`,
  ...leftOut.map(({ accountId, reason }) => `${accountId} is left out: ${reason}`),
  ...sections.flatMap(sectionLines),
  ...implied.map(({ underlyingId, volatility }) => `implied volatility of ${underlyingId}, 30 days: ${percent(volatility)}`),
  ...(prices?.volatilities ?? []).map(
    ({ symbol, realised, ewma }) =>
      `volatility of ${symbol}: EWMA ${percent(ewma)}; ${realised.map(({ name, volatility }) => `${name} ${percent(volatility)}`).join(", ")}`,
  ),
  ...[...(prices?.correlations ?? []), ...(prices?.macro ?? [])].map(
    ({ left, right, whole, recent, stressed }) =>
      `correlation of ${left} and ${right}: whole ${number(whole)}, last year ${number(recent)}, least of 30 days ${number(stressed)}`,
  ),
  ...(funding === null
    ? []
    : [
        `net stable funding: ${funding.available} available of ${funding.required} required, ${Math.floor(funding.ratio * 10_000) / 100} %${funding.isMet ? "" : ": BELOW 100 %"}`,
      ]),
];
