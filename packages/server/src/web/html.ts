import { html } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";

/** A piece of a page: what `html` gives, in which every value was escaped. */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** A name and its value in a list of them (`dl`). */
export function property(name: string, value: string | Html): Html {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;
}
