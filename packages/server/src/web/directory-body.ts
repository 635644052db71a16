import { printable } from "@izo/core";
import { html } from "hono/html";

import type { Export } from "../export/export.ts";
import type { PathEntry } from "../export/tree/path-entry.ts";
import type { Html } from "./html.ts";
import { changesLink, downloadLink, treeLink } from "./page-links.ts";
import { pathTrail } from "./path-trail.ts";
import { showAge, formatBytes, formatCount, showNumber } from "./show.ts";

const PAGE_ENTRIES = 1000;

type Child = PathEntry["children"][number];

/** What a directory holds: directories first, then by name. */
export function directoryBody(fileset: Export, entry: PathEntry, page: number): Html {
  const { path, children } = entry;
  const sorted = children.toSorted(byKind);
  const pages = Math.max(1, Math.ceil(sorted.length / PAGE_ENTRIES));
  const current = Math.min(Math.max(1, Math.trunc(page) || 1), pages);
  const shown = sorted.slice((current - 1) * PAGE_ENTRIES, current * PAGE_ENTRIES);
  return html`${pathTrail(fileset, path)}
    <p class="facts">
      ${showNumber(children.length, "entry", "entries")} ·
      <a href="${changesLink(fileset, path)}">changes below it</a>
    </p>
    ${
      shown.length === 0
        ? html`<p class="none">Empty.</p>`
        : html`<div class="scroll" role="region" aria-label="Entries" tabindex="0">
            <table class="entries">
              <caption class="quiet">
                Entries
              </caption>
              <thead>
                <tr>
                  <th scope="col">Name</th>
                  <th scope="col" class="number">Size</th>
                  <th scope="col">Changed</th>
                  <th scope="col"><span class="quiet">Download</span></th>
                </tr>
              </thead>
              <tbody>
                ${shown.map((child) => row(fileset, path, child))}
              </tbody>
            </table>
          </div>`
    }
    ${pages === 1 ? "" : paging(fileset, path, current, pages)}`;
}

function byKind(a: Child, b: Child): number {
  return Number(b.object.kind === "directory") - Number(a.object.kind === "directory");
}

function row(fileset: Export, above: string, { entry, object }: Child): Html {
  const isDirectory = object.kind === "directory";
  const path = `${above === "/" ? "" : above}/${entry.name}`;
  return html`<tr>
    <th scope="row" class="path">
      <a href="${treeLink(fileset, isDirectory ? `${path}/` : path)}"
        >${printable(entry.name)}${isDirectory ? "/" : ""}</a
      >${
        object.kind === "symlink"
          ? html` <span class="detail">→ ${printable(object.target)}</span>`
          : ""
      }${object.conflict === null ? "" : html` <span class="state attention">conflict copy</span>`}
    </th>
    <td class="number">${object.kind === "file" ? formatBytes(object.sizeBytes) : ""}</td>
    <td class="when">${isDirectory ? "" : showAge(Number(object.mtimeNs / 1_000_000n))}</td>
    <td>
      ${
        object.kind === "file"
          ? html`<a
              href="${downloadLink(fileset, path)}"
              aria-label="Download ${printable(entry.name)}"
              download
              >download</a
            >`
          : ""
      }
    </td>
  </tr>`;
}

function paging(fileset: Export, path: string, current: number, pages: number): Html {
  const link = (page: number, text: string): Html =>
    html`<a href="${treeLink(fileset, path)}?page=${page}">${text}</a>`;
  return html`<nav class="paging" aria-label="Pages">
    ${current > 1 ? link(current - 1, "Before") : ""}
    <span>Page ${formatCount(current)} of ${formatCount(pages)}</span>
    ${current < pages ? link(current + 1, "Next") : ""}
  </nav>`;
}
