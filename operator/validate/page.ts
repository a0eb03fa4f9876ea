import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { strictJson } from "./figure.ts";
import { type Html, html, percent, raw, shown, table } from "./html.ts";
import type { PortfolioCoverage, Report } from "./report.ts";
import { MODEL_NAMES, sectionsOf } from "./sections.ts";
import { MODELS } from "./walk.ts";

const require = createRequire(import.meta.url);
/** The plots' library travels in the page: no network is asked for. */
const UPLOT = { css: require.resolve("uplot/dist/uPlot.min.css"), js: require.resolve("uplot/dist/uPlot.iife.min.js") } as const;
const packaged = (path: string): string => readFileSync(path, "utf8");
const own = (name: string): string => readFileSync(join(import.meta.dirname, "page", name), "utf8");

/** Per cent with four decimals: what a pixel of a plot can tell. */
const rates = (amounts: readonly string[], notional: readonly string[]): number[] =>
  amounts.map((amount, day) => Math.round((Number(amount) / Number(notional[day])) * 1_000_000) / 10_000);

/** One plot: its lines over the report's days. `null` leaves a point out. */
interface Plot {
  readonly name: string;
  readonly lines: readonly { readonly label: string; readonly values: readonly (number | null)[]; readonly isLoss: boolean }[];
}

const coveragePlot = ({ name, margins, losses, notional }: PortfolioCoverage): Plot => ({
  name,
  lines: [
    { label: "Loss", values: rates(losses, notional).map((rate) => (rate > 0 ? rate : null)), isLoss: true },
    ...MODELS.map((model) => ({ label: MODEL_NAMES[model], values: rates(margins[model], notional), isLoss: false })),
  ],
});

/** Raw and with each tool; the other models have a plot of their own. */
const procyclicalityPlot = ({ procyclicality, coverage }: Report): Plot => ({
  name: coverage[0]?.name ?? "no portfolio",
  lines: procyclicality
    .filter(({ name }) => !MODELS.some((model) => model === name))
    .map(({ name, rates: values }) => ({
      label: name,
      values: values.map((rate) => Math.round(rate * 1_000_000) / 10_000),
      isLoss: false,
    })),
});

/** JSON inside a script element: no text of a file can end it. */
const embedded = (content: unknown): Html => raw(strictJson(content).replaceAll("<", "\\u003c"));

const summary = ({ findings, notes, coverage }: Report): Html => {
  const rows = coverage.map(({ name, models }) => [
    name,
    ...models.map((each) => html`${each.breaches}, ${shown(each.meanRate, percent)}`),
  ]);
  const days = coverage[0]?.models[0]?.observations ?? 0;
  const expected = coverage[0]?.models[0]?.expected ?? 0;
  return html`<section aria-labelledby="summary"><h2 id="summary">What it says</h2>
${
  findings.length === 0
    ? html`<p class="verdict good">No test finds the statistical model asking for too little.</p>`
    : html`<p class="verdict bad">Tests find the statistical model asking for too little:</p><ul>${findings.map(({ portfolio, words }) => html`<li>${portfolio}: ${words}</li>`)}</ul>`
}
<ul>${notes.map((note) => html`<li>${note}</li>`)}</ul>
<p>Days with a loss above the margin, of ${days} tested days each; a margin at 99 % is expected to see ${expected}. Beside them the mean margin, per cent of gross notional value: of two models that cover alike, the one that asks for less is better.</p>
${table("Breaches and mean margin, model by model", ["Portfolio", ...MODELS.map((model) => `#${MODEL_NAMES[model]}`)], rows)}
</section>`;
};

/** The report as one page: no other file, no network, readable without its script. */
export const pageOf = (report: Report): string => {
  const sections = sectionsOf(report);
  const plots = {
    days: report.days.map((day) => Date.parse(day) / 1_000),
    coverage: report.coverage.map(coveragePlot),
    procyclicality: [procyclicalityPlot(report)],
  };
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Margin validation: ${report.book}</title>
<style>${raw(packaged(UPLOT.css))}
${raw(own("report.css"))}</style>
</head>
<body>
<a class="skip" href="#summary">Skip to what it says</a>
<header><h1>Margin validation <span>${report.book}</span></h1>
<p>${report.accounts} accounts in ${report.quoteAsset}, as of ${report.asOf}; tested from ${report.days[0] as string} to ${report.days.at(-1) as string}.</p>
<nav aria-label="Sections"><ul>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav></header>
<main>
${summary(report)}
${sections.map(({ id, title, content }) => html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${content}</section>\n`)}
</main>
<script type="application/json" id="plots">${embedded(plots)}</script>
<script>${raw(packaged(UPLOT.js))}</script>
<script>${raw(own("report.js"))}</script>
</body>
</html>
`.markup;
};
