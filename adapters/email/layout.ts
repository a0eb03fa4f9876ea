import { html, type Markup } from "./markup.ts";
import type { Notice } from "./notice.ts";

/** Text on ground for light and dark readers: each pair has a contrast of at least 4.5 to 1 (N13), none is pure black or white. */
export const PALETTE = {
  light: { page: "#eef1f4", ground: "#fdfdfc", text: "#1a2330", quiet: "#4a5666", button: "#1b4f91", buttonText: "#fdfdfc" },
  dark: { page: "#10141a", ground: "#1a2028", text: "#e8ebef", quiet: "#b3bcc8", button: "#9cc4f7", buttonText: "#10151d" },
} as const;

const { light, dark } = PALETTE;
const FONT = "font-family:Arial,Helvetica,sans-serif";

/** Mail readers keep inline styles and may drop this; it only turns light into dark. */
const STYLE: Markup = {
  markup: `@media (prefers-color-scheme:dark){.page{background:${dark.page}!important}.ground{background:${dark.ground}!important}.text{color:${dark.text}!important}.quiet{color:${dark.quiet}!important}.button{background:${dark.button}!important;color:${dark.buttonText}!important}}`,
};

const factRow = ([label, value]: Notice["facts"][number]): Markup => html`
<tr><td class="quiet" style="padding:6px 12px 6px 0;color:${light.quiet};vertical-align:top">${label}</td><td class="text" style="padding:6px 0;color:${light.text};vertical-align:top;font-weight:bold">${value}</td></tr>`;

const section = ({ heading, lines }: Notice["sections"][number]): Markup => html`
<h2 class="text" style="font-size:18px;margin:24px 0 8px;color:${light.text}">${heading}</h2>
<ul class="text" style="margin:0;padding-left:20px;color:${light.text}">${lines.map((line) => html`<li style="margin:4px 0">${line}</li>`)}</ul>`;

const footerLine = (line: string): Markup => html`<p class="quiet" style="margin:8px 0 0;font-size:14px;color:${light.quiet}">${line}</p>`;

/** The HTML part: one h1, tables only for layout and marked so, 14 px and up, readable light and dark (N13). */
export const htmlPart = ({ heading, greeting, lead, facts, sections, link, footer }: Notice): string =>
  html`<!doctype html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${heading}</title>
<style>${STYLE}</style>
</head>
<body class="page" style="margin:0;padding:0;background:${light.page};${FONT}">
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" style="background:${light.page}"><tr><td align="center" style="padding:24px 12px">
<table role="presentation" class="ground" width="100%" cellpadding="0" cellspacing="0" style="max-width:600px;background:${light.ground};border-radius:8px"><tr><td style="padding:28px;font-size:16px;line-height:1.5;text-align:left">
<h1 class="text" style="font-size:24px;line-height:1.25;margin:0 0 12px;color:${light.text}">${heading}</h1>
<p class="text" style="margin:0 0 8px;color:${light.text}">${greeting}</p>
<p class="text" style="margin:0 0 16px;color:${light.text}">${lead}</p>
<table role="presentation" cellpadding="0" cellspacing="0" style="font-size:15px;border-collapse:collapse">${facts.map(factRow)}
</table>${sections.map(section)}
<p style="margin:24px 0"><a class="button" href="${link.url}" style="display:inline-block;padding:12px 20px;background:${light.button};color:${light.buttonText};text-decoration:none;border-radius:6px;font-weight:bold">${link.label}</a></p>
${footer.map(footerLine)}
</td></tr></table>
</td></tr></table>
</body>
</html>
`.markup;

/** The text part: the same words, for readers without HTML. */
export const textPart = ({ heading, greeting, lead, facts, sections, link, footer }: Notice): string =>
  [
    heading,
    "=".repeat(heading.length),
    "",
    greeting,
    "",
    lead,
    "",
    ...facts.map(([label, value]) => `${label}: ${value}`),
    ...sections.flatMap((part) => ["", `${part.heading}:`, ...part.lines.map((line) => `- ${line}`)]),
    "",
    `${link.label}:`,
    link.url,
    "",
    "--",
    ...footer,
    "",
  ].join("\n");
