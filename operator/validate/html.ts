import type { Figure } from "./figure.ts";

/** Markup that needs no escape any more. */
export interface Html {
  readonly markup: string;
}

/** What stands between the tags: text is escaped, markup is not. */
export type Piece = string | number | Html | readonly Piece[];

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

const render = (piece: Piece): string => {
  if (typeof piece === "string") return piece.replace(/[&<>"']/g, (sign) => ENTITIES[sign] as string);
  if (typeof piece === "number") return String(piece);
  return "markup" in piece ? piece.markup : piece.map(render).join("");
};

/** A template whose values are escaped, unless they are markup themselves. */
export const html = (texts: TemplateStringsArray, ...pieces: readonly Piece[]): Html => ({
  markup: texts.reduce((all, text, index) => `${all}${render(pieces[index - 1] as Piece)}${text}`),
});

/** Text that is markup already: the page's own script and style, never anything of a file. */
export const raw = (markup: string): Html => ({ markup });

/** A number with thousands apart and a fixed number of decimals: the same on every machine. */
export const grouped = (value: number | string, decimals = 2): string => {
  const [whole = "0", fraction = ""] = Math.abs(Number(value)).toFixed(decimals).split(".");
  const sign = Number(value) < 0 && Number(`${whole}.${fraction}`) !== 0 ? "\u2212" : "";
  return `${sign}${whole.replace(/\B(?=(\d{3})+$)/g, "\u202f")}${fraction === "" ? "" : `.${fraction}`}`;
};

/** 0.1234 as "12.34 %". */
export const percent = (value: number, decimals = 2): string => `${grouped(value * 100, decimals)} %`;

/** A figure in the form that `write` gives it, or that there is none, with the reason. */
export const shown = ({ value, reason }: Figure, write: (value: number) => string): Html =>
  value === null ? html`<span class="none">none: ${reason as string}</span>` : html`${write(value)}`;

/** A column of a table: numbers stand to the right. */
export interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
}

const named = (titles: readonly string[]): Column[] =>
  titles.map((title) => (title.startsWith("#") ? { title: title.slice(1), isNumber: true } : { title }));

/** A table with a caption; the first cell of a row is its heading. A title with # before it is a column of numbers. */
export const table = (caption: string, titles: readonly string[], rows: readonly (readonly Piece[])[]): Html => {
  const columns = named(titles);
  const kind = (index: number): Html => raw(columns[index]?.isNumber ? ' class="number"' : "");
  const head = columns.map(({ title }, index) => html`<th scope="col"${kind(index)}>${title}</th>`);
  const body = rows.map(
    (cells) =>
      html`<tr>${cells.map((cell, index) => (index === 0 ? html`<th scope="row">${cell}</th>` : html`<td${kind(index)}>${cell}</td>`))}</tr>\n`,
  );
  const none = html`<tr><td colspan="${columns.length}">none</td></tr>`;
  return html`<div class="wide" role="region" aria-label="${caption}" tabindex="0"><table><caption>${caption}</caption>
<thead><tr>${head}</tr></thead>
<tbody>${rows.length === 0 ? none : body}</tbody></table></div>\n`;
};
