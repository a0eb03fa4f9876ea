/** HTML that is safe to send. Only `html` makes it, so nothing reaches a page unescaped (C8). */
export interface Markup {
  readonly markup: string;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

const rendered = (value: string | Markup | readonly Markup[]): string => {
  if (typeof value === "string") return value.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
  return "markup" in value ? value.markup : value.map(({ markup }) => markup).join("");
};

/** A template whose values are escaped, except what is Markup already. Attributes must be quoted. */
export const html = (parts: TemplateStringsArray, ...values: readonly (string | Markup | readonly Markup[])[]): Markup => ({
  markup: parts.map((part, index) => part + (index < values.length ? rendered(values[index] ?? "") : "")).join(""),
});
