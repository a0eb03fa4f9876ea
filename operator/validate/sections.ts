import type { CorrelationRow } from "./analytics.ts";
import type { ContagionTable } from "./contagions.ts";
import type { ModelCoverage, Verdict } from "./coverage.ts";
import { grouped, type Html, html, type Piece, percent, shown, table } from "./html.ts";
import type { Lineage } from "./lineage.ts";
import type { PortfolioCoverage, Report } from "./report.ts";
import type { CoverRow } from "./stresses.ts";
import type { Model } from "./walk.ts";

/** A part of the page with its heading. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly content: Html;
}

/** What the models are called on the page. */
export const MODEL_NAMES: Readonly<Record<Model, string>> = {
  statistical: "Statistical (the house's)",
  historical: "Historical VaR 99 %",
  normal: "EWMA normal 99 %",
  grid: "Price grid",
};

const probability = (value: number): string => (value < 0.0001 ? "< 0.0001" : value.toFixed(4));
const toned = (tone: "good" | "warn" | "bad", words: string): Html => html`<span class="${tone}">${words}</span>`;

const verdict = ({ pValue, isRejected }: Verdict, tone: "warn" | "bad", words: string): Html =>
  isRejected === true ? html`${shown(pValue, probability)}, ${toned(tone, words)}` : shown(pValue, probability);

const light = ({ light: colour, lightBreaches }: ModelCoverage): Html => {
  if (colour === null) return html`<span class="none">none: fewer than 250 days</span>`;
  const tone = { GREEN: "good", YELLOW: "warn", RED: "bad" } as const;
  return html`${toned(tone[colour], colour.toLowerCase())}, ${lightBreaches ?? 0}`;
};

const kupiecCell = ({ kupiec, side }: ModelCoverage): Html =>
  html`${shown(kupiec.pValue, probability)}${side === null ? "" : html`, ${toned(side === "more" ? "bad" : "warn", `${side} than expected`)}`}`;

const coverageRow = (name: string, each: ModelCoverage): Piece[] => [
  name,
  `${each.breaches} of ${each.observations}`,
  grouped(each.expected),
  kupiecCell(each),
  verdict(each.independence, "bad", "clustered"),
  verdict(each.conditional, each.side === "fewer" && each.independence.isRejected !== true ? "warn" : "bad", "rejected"),
  light(each),
  each.worstLightBreaches ?? "none",
  shown(each.meanRate, percent),
  each.worst === null ? "no breach" : html`${grouped(each.worst.excess)}<br><small>${each.worst.day}</small>`,
];

const COVERAGE_TITLES = [
  ...["", "#Breaches", "#Expected", "Kupiec p", "Independence p", "Conditional p", "Last 250 days", "#Worst 250"],
  ...["#Mean margin", "#Worst excess"],
];

const portfolioPart = ({ name, quantities, models, shortfall, margins }: PortfolioCoverage, unit: string): Html => {
  const held = Object.entries(quantities).filter(([, quantity]) => quantity !== "0");
  const house = models[0] as ModelCoverage;
  const stretches = [...house.halves, ...house.years];
  return html`<h3>${name}</h3>
<p>${held.map(([symbol, quantity]) => `${grouped(quantity, 4)} ${symbol}`).join(", ")}. Statistical margin of the last day: ${grouped(margins.statistical.at(-1) as string)} ${unit}.</p>
${table(
  `Coverage of ${name}`,
  COVERAGE_TITLES,
  models.map((each) => coverageRow(MODEL_NAMES[each.model], each)),
)}
<details><summary>Split sample and breaches of the statistical model, ${name}</summary>
${table(
  `Statistical model, ${name}: halves of the sample and calendar years`,
  ["Days", "#Observations", "#Breaches", "Kupiec p"],
  stretches.map((each) => [each.name, each.observations, each.breaches, shown(each.pValue, probability)]),
)}
<p>Breaches: ${house.breachDays.length === 0 ? "none" : house.breachDays.join(", ")}.</p>
<p>Acerbi and Székely's Z2 of the filtered expected shortfall: ${shown(shortfall.z2, (z2) => z2.toFixed(3))}; of the last 250 days ${shown(shortfall.z2Last250, (z2) => z2.toFixed(3))}. About 0 is right, above 0 asks for more than was lost, below ${shortfall.critical} is too little.</p>
</details>\n`;
};

const coverage = ({ coverage: all, leftOut, days, quoteAsset }: Report): Html => html`
<p>Each day's margin is made of earlier days only, and the loss of the day is set beside it. A breach is a loss above the margin. A model at 99 % is expected to be breached on one day of a hundred. Kupiec asks whether the count fits, Christoffersen whether breaches follow each other, both at 5 %. "Fewer than expected" is a margin that asks for more than the level needs.</p>
<div class="chooser"><label for="portfolio">Portfolio of the plot</label> <select id="portfolio">${all.map(({ name }, index) => html`<option value="${index}">${name}</option>`)}</select></div>
<figure data-plot="coverage"><figcaption>Loss of each day and margins set the day before, per cent of gross notional value, ${days[0] as string} to ${days.at(-1) as string}. Losses only; gains are left out.</figcaption></figure>
${all.map((each) => portfolioPart(each, quoteAsset))}
${
  leftOut.length === 0
    ? ""
    : table(
        "Not tested",
        ["What", "Why"],
        leftOut.map(({ name, reason }) => [name, reason]),
      )
}`;

/** A list of words, folded away where it is long. */
const folded = (count: number, words: readonly string[]): Html => {
  if (count === 0) return html`none`;
  const rest = count > words.length ? html`<li>and ${count - words.length} more</li>` : "";
  return html`<details><summary>${count}</summary><ul>${words.map((each) => html`<li>${each}</li>`)}${rest}</ul></details>`;
};

const lineageRow = (each: Lineage): Piece[] => [
  html`${each.file}<br><code>${each.sha256}</code>`,
  each.symbol,
  each.role,
  each.firstDay,
  each.lastDay,
  each.rows,
  folded(
    each.gaps.length,
    each.gaps.map(({ from, to }) => (from === to ? from : `${from} to ${to}`)),
  ),
  each.disordered,
  folded(
    each.refusedCount,
    each.refused.map(({ line, reason }) => `line ${line}: ${reason}`),
  ),
];

const lineage = ({ lineage: files }: Report): Html => html`
<p>The SHA-256 of each file tells that it is the same one. A return never spans a gap. Lines that cannot be trusted are refused one by one.</p>
${table("Price files", ["File and SHA-256", "Symbol", "Role", "#First day", "#Last day", "#Days", "Gaps", "#Out of order", "Refused lines"], files.map(lineageRow))}`;

const assumptions = ({ assumptions: log }: Report): Html =>
  table(
    "Assumption log",
    ["Parameter", "Value", "Meaning", "Source"],
    log.map((each) => [each.name, each.value, each.meaning, each.source]),
  );

const sensitivity = ({ sensitivity: rows, coverage: all, quoteAsset }: Report): Html => html`
<p>One parameter at a time, everything else as in the log, for ${all[0]?.name ?? "no portfolio"}.</p>
${table(
  "Sensitivity",
  ["Parameter", "Value", "Model", "#Breaches", "Kupiec p", "#Mean margin", `#Last margin, ${quoteAsset}`],
  rows.map((each) => [
    each.parameter,
    html`${each.value}${each.isHouse ? " (in use)" : ""}`,
    MODEL_NAMES[each.model],
    each.breaches,
    shown(each.pValue, probability),
    shown(each.meanRate, percent),
    grouped(each.lastMargin),
  ]),
)}`;

const PROCYCLICALITY_TITLES = [
  ...["Margin", "#Mean margin", "#Breaches", "#Peak over trough", "#Largest rise, 1 day", "#5 days", "#30 days"],
  "#Mean of top 5 %",
];

const procyclicality = ({ procyclicality: rows, procyclicalityTools: tools, coverage: all }: Report): Html => html`
<p>How much a margin asks for when markets turn, for ${all[0]?.name ?? "no portfolio"}: margins per unit of gross notional value, so that the level of prices does not count. Large rises ask holders for cash when they have least. Each tool of Article 28 stands alone beside the raw figure, then those that are on, together. Tools that are on, to be published with these figures: ${tools.join(", ") || "none"}.</p>
<figure data-plot="procyclicality"><figcaption>Margin per gross notional value, raw and with each tool.</figcaption></figure>
${table(
  "Procyclicality",
  PROCYCLICALITY_TITLES,
  rows.map((each) => [
    html`${each.name}<br><small>${each.meaning}</small>`,
    shown(each.meanRate, percent),
    each.breaches,
    shown(each.peakToTrough, (value) => grouped(value)),
    ...[each.rise1, each.rise5, each.rise30, each.shortfallOfRises].map((rise) => shown(rise, (value) => percent(value, 1))),
  ]),
)}`;

const coverCell = (cover: CoverRow | null): Html =>
  cover === null
    ? html`<span class="none">none</span>`
    : html`${grouped(cover.cover1)} / ${grouped(cover.cover2)}${cover.largest.length === 0 ? "" : html` <small>(${cover.largest.map(({ accountId }) => accountId).join(", ")})</small>`}`;

const stresses = ({ stresses: { rows, accounts, ...total }, quoteAsset }: Report): Html => html`
<p>Moves of named days out of the price files, and hypothetical ones, on today's book. Cover-1 is the largest loss of one account beyond what stands against it, cover-2 that of the two largest, in one scenario. Losses of one account are never set off against gains of another. Amounts in ${quoteAsset}.</p>
<p>Largest beyond equity of all scenarios: cover-1 ${grouped(total.cover1)}, cover-2 ${grouped(total.cover2)}. Insurance fund: ${total.insuranceFund === null ? "none given" : grouped(total.insuranceFund)}; ${shown(total.fundOverCover2, (times) => `${grouped(times)} times cover-2`)}.</p>
${table(
  "Named stresses",
  [
    "Stress",
    "Worst for the book",
    "Moves",
    "#Loss of the net book",
    "#Cover-1 / cover-2 beyond statistical margin",
    "#Cover-1 / cover-2 beyond equity",
  ],
  rows.map((row) => [
    row.name,
    row.binding ?? html`<span class="none">none: ${row.reason ?? ""}</span>`,
    row.moves.map(({ symbol, move }) => `${symbol} ${percent(move, 1)}`).join(", "),
    row.bookLoss === null ? "none" : grouped(row.bookLoss),
    coverCell(row.overMargin),
    coverCell(row.overEquity),
  ]),
)}
${table(
  "Accounts today",
  ["Account", "#Equity", "#Initial requirement", "#Headroom", "#Statistical margin", "Set by", "Worst stress", "#Its loss"],
  accounts
    .slice(0, 50)
    .map((each) => [
      each.accountId,
      grouped(each.equity),
      grouped(each.initialRequirement),
      Number(each.headroom) < 0 ? toned("bad", grouped(each.headroom)) : grouped(each.headroom),
      grouped(each.statisticalMargin),
      each.binding.toLowerCase().replaceAll("_", " "),
      each.worstStress,
      grouped(each.worstStressLoss),
    ]),
)}
${accounts.length > 50 ? html`<p>${accounts.length - 50} further accounts stand in report.json.</p>` : ""}`;

const correlationRows = (rows: readonly CorrelationRow[]): Piece[][] =>
  rows.map(({ left, right, whole, recent, stressed }) => [
    `${left}, ${right}`,
    ...[whole, recent, stressed].map((each) => shown(each, (value) => grouped(value))),
  ]);

const CORRELATION_TITLES = ["Pair", "#Whole history", "#Last 365 returns", "#Least of any 30 among them"];

const analytics = ({ analytics: { volatilities, correlations, macro } }: Report): Html => html`
${table(
  "Volatility of a year",
  ["Asset", ...(volatilities[0]?.realised ?? []).map(({ name }) => `#Realised, ${name}`), "#EWMA", "#Implied", "#Implied over EWMA"],
  volatilities.map((each) => [
    each.symbol,
    ...each.realised.map(({ volatility }) => shown(volatility, (value) => percent(value, 1))),
    ...[each.ewma, each.implied].map((one) => shown(one, (value) => percent(value, 1))),
    shown(each.impliedOverEwma, (value) => grouped(value)),
  ]),
)}
${table("Correlation of the assets", CORRELATION_TITLES, correlationRows(correlations))}
${macro.length === 0 ? html`<p>No macro series was given.</p>` : table("Correlation to macro series, on the days that both have", CORRELATION_TITLES, correlationRows(macro))}`;

const leadTimes = ({ leadTimes: { portfolio, horizonDays, rows } }: Report): Html => html`
<p>For an account that holds ${portfolio} and stands so far from a breach, the probability that was told each day, and whether the distance was lost at a close within ${horizonDays} days. A Brier score of 0 is perfect; skill above 0 beats always telling the share that happened. The lead time is the larger of two estimates, so it tells more than happens rather than less.</p>
${table(
  "Brier score by distance",
  [
    "Distance, of gross notional value",
    "#Forecasts",
    "#Told, mean",
    "#Happened",
    "#Brier score",
    "#Diffusion alone",
    "#Paths alone",
    "#Share that happened",
    "#Skill",
  ],
  rows.map(({ distancePpm, forecasts, told, happened, brier, brierOfDiffusion, brierOfPaths, climatology, skill }) => [
    percent(distancePpm / 1_000_000, 0),
    forecasts,
    ...[told, happened].map((share) => percent(share, 1)),
    ...[brier, brierOfDiffusion, brierOfPaths, climatology].map((score) => score.toFixed(4)),
    skill === null ? "none" : percent(skill, 1),
  ]),
)}
${rows.map(({ distancePpm, bins }) =>
  table(
    `Reliability at ${percent(distancePpm / 1_000_000, 0)}: what was told, and how often it came true`,
    ["Told between", "#Forecasts", "#Told, mean", "#Happened"],
    bins
      .filter(({ count }) => count > 0)
      .map(({ from, to, count, told, happened }) => [
        `${percent(from / 1_000_000, 0)} and ${percent(to / 1_000_000, 0)}`,
        count,
        ...[told, happened].map((share) => (share === null ? "none" : percent(share, 1))),
      ]),
  ),
)}`;

const contagionTable = ({ shock, direction, breached, safe, rows }: ContagionTable): Html =>
  table(
    `${shock}, ${direction}. Accounts that breach: ${breached}; that never do: ${safe}`,
    [
      "Account",
      `#${direction === "fall" ? "Fall" : "Rise"} that breaches it`,
      "To be liquidated by then (share of open interest)",
      "Move after impact",
    ],
    rows.map(({ accountId, move, liquidated, moveAfterImpact }) => [
      accountId,
      percent(move),
      html`${liquidated
        .filter(({ quantity }) => quantity !== "0")
        .map(
          ({ symbol, quantity, share }) =>
            `${Number(quantity) < 0 ? "buy" : "sell"} ${grouped(Math.abs(Number(quantity)), 4)} ${symbol}${share.value === null ? "" : ` (${percent(share.value, 1)})`}`,
        )
        .join(", ")}`,
      shown(moveAfterImpact, (value) => percent(value)),
    ]),
  );

const contagion = ({ contagion: tables }: Report): Html => html`
<p>Accounts by the move that takes their equity to the maintenance requirement of the book's flat rates, all other prices held. The last column adds what the liquidations do to the price (square-root impact), and whom that takes along. 0.00 % is an account that is below already.</p>
${tables.map(contagionTable)}`;

const system = ({ system: { metrics, openInterest, largestFive }, quoteAsset }: Report): Html => html`
${table(
  "Metrics of the system",
  ["Metric", "#Value"],
  metrics.map(({ name, unit, figure }) => [
    name,
    shown(figure, (value) => (unit === "share" ? percent(value) : unit === "times" ? `${grouped(value)} times` : grouped(value, 0))),
  ]),
)}
${table(
  "Open interest that the book tells",
  ["Symbol", "#Quantity", `#Notional value, ${quoteAsset}`],
  openInterest.map(({ symbol, quantity, notional }) => [symbol, grouped(quantity, 4), grouped(notional)]),
)}
${table(
  "Largest five losses beyond statistical margin in the worst stress",
  ["Account", `#Beyond margin, ${quoteAsset}`],
  largestFive.map(({ accountId, uncovered }) => [accountId, grouped(uncovered)]),
)}`;

/** The parts of the page, in the order in which a committee reads them. */
export const sectionsOf = (report: Report): readonly Section[] => [
  { id: "coverage", title: "Coverage", content: coverage(report) },
  { id: "procyclicality", title: "Procyclicality", content: procyclicality(report) },
  { id: "sensitivity", title: "Sensitivity", content: sensitivity(report) },
  { id: "lead-time", title: "Lead time", content: leadTimes(report) },
  { id: "stresses", title: "Stresses and cover", content: stresses(report) },
  { id: "contagion", title: "Who breaches next", content: contagion(report) },
  { id: "analytics", title: "Volatility and correlation", content: analytics(report) },
  { id: "system", title: "The system", content: system(report) },
  { id: "lineage", title: "Where the prices come from", content: lineage(report) },
  { id: "assumptions", title: "Assumptions", content: assumptions(report) },
];
