import { html } from "hono/html";
import { diffIndices } from "node-diff3";

import type { Html } from "./html.ts";
import { showNumber } from "./show.ts";

/** Equal lines around a difference; more of them are folded. */
const CONTEXT_LINES = 4;

interface Row {
  readonly kind: "same" | "different" | "folded";
  readonly left: readonly [number, string] | null;
  readonly right: readonly [number, string] | null;
  readonly folded?: number;
}

/** Two texts beside each other, line by line, what is equal in both far from any difference folded. */
export function sideBySide(left: string, right: string, titles: readonly [string, string]): Html {
  const rows = fold(align(linesOf(left), linesOf(right)));
  return html`<div class="scroll" role="region" aria-label="Both contents" tabindex="0">
    <table class="sides">
      <caption class="quiet">
        Both contents, line by line
      </caption>
      <thead>
        <tr>
          <th scope="col"><span class="quiet">Line of ${titles[0]}</span></th>
          <th scope="col">${titles[0]}</th>
          <th scope="col"><span class="quiet">Line of ${titles[1]}</span></th>
          <th scope="col">${titles[1]}</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(rowHtml)}
      </tbody>
    </table>
  </div>`;
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

/** Every line of both, equal ones in one row. */
export function align(left: string[], right: string[]): Row[] {
  const rows: Row[] = [];
  let l = 0;
  let r = 0;
  const same = (until: number): void => {
    while (l < until) {
      rows.push({ kind: "same", left: [l + 1, left[l]!], right: [r + 1, right[r]!] });
      l += 1;
      r += 1;
    }
  };
  for (const { buffer1, buffer2 } of diffIndices(left, right)) {
    same(buffer1[0]);
    const count = Math.max(buffer1[1], buffer2[1]);
    for (let index = 0; index < count; index += 1) {
      rows.push({
        kind: "different",
        left: index < buffer1[1] ? [l + index + 1, left[l + index]!] : null,
        right: index < buffer2[1] ? [r + index + 1, right[r + index]!] : null,
      });
    }
    l += buffer1[1];
    r += buffer2[1];
  }
  same(left.length);
  return rows;
}

function fold(rows: readonly Row[]): Row[] {
  const isNear = (index: number): boolean =>
    rows
      .slice(Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1)
      .some(({ kind }) => kind === "different");
  const shown: Row[] = [];
  let folded = 0;
  const close = (): void => {
    if (folded > 0) shown.push({ kind: "folded", left: null, right: null, folded });
    folded = 0;
  };
  for (const [index, row] of rows.entries()) {
    if (isNear(index)) {
      close();
      shown.push(row);
    } else folded += 1;
  }
  close();
  return shown;
}

function rowHtml({ kind, left, right, folded = 0 }: Row): Html {
  if (kind === "folded") {
    return html`<tr class="folded">
      <td colspan="4">${showNumber(folded, "equal line")}</td>
    </tr>`;
  }
  return html`<tr>
    ${side(left, kind, "ours")}${side(right, kind, "theirs")}
  </tr>`;
}

function side(line: Row["left"], kind: Row["kind"], mark: string): Html {
  const tone = kind === "same" ? "" : line === null ? "missing" : mark;
  const text = line?.[1] ?? "";
  return html`<td class="number">${line?.[0] ?? ""}</td>
    <td class="line ${tone}">
      <code>${tone === mark ? html`<mark>${text}</mark>` : text}</code>
    </td>`;
}
