import {
  printable,
  routePath,
  type ServerRecord,
  type Sha256,
  type TreeObject,
  writeFilesPath,
} from "@izo/core";
import { html } from "hono/html";

import type { Export } from "../export/export.ts";
import type { PathEntry } from "../export/tree/path-entry.ts";
import { type Html, property } from "./html.ts";
import { peerNames } from "./page-figures.ts";
import { changesLink, downloadLink } from "./page-links.ts";
import { pathTrail } from "./path-trail.ts";
import { readText } from "./read-text.ts";
import { authorOf, describeOperation } from "./record-table.ts";
import {
  loggedMs,
  showAge,
  formatBytes,
  formatCount,
  showMode,
  showNumber,
  showTime,
} from "./show.ts";

const HISTORY_RECORDS = 100;
/** Longer texts are looked at elsewhere. */
const PREVIEW_BYTES = 64 * 1024;

/** A file, symlink or special file: what it is, what is in it, and all that became of it. */
export async function fileBody(fileset: Export, { path, object }: PathEntry): Promise<Html> {
  const { kind, sha256 } = object;
  const raw = `${routePath("files", { fileset: fileset.filesetName })}${writeFilesPath(path)}`;
  return html`${pathTrail(fileset, path)}
    ${
      kind === "file"
        ? html`<p class="actions">
            <a class="button" href="${downloadLink(fileset, path)}" download>Download</a>
            <a href="${raw}">View as it is</a>
            <a href="${changesLink(fileset, path)}">Records about this path</a>
          </p>`
        : ""
    }
    <dl class="properties">${properties(object)}</dl>
    ${await preview(fileset, object)}
    <section aria-labelledby="history">
      <h2 id="history">History</h2>
      ${history(fileset, path, object, sha256)}
    </section>`;
}

function properties(object: TreeObject): Html {
  const { kind, sizeBytes, mtimeNs, mode, uid, gid, target, sha256, oid, xattrs } = object;
  return html`${
    kind === "file"
      ? property("Size", `${formatBytes(sizeBytes)} (${showNumber(sizeBytes, "byte")})`)
      : property("Kind", kind)
  }
  ${kind === "symlink" ? property("Points to", html`<code>${printable(target)}</code>`) : ""}
  ${property("Modified", showTime(Number(mtimeNs / 1_000_000n)) ?? "unknown")}
  ${property("Mode", html`<code>${showMode(mode)}</code> ${uid}:${gid}`)}
  ${xattrs.size === 0 ? "" : property("Attributes", [...xattrs.keys()].map(printable).join(", "))}
  ${sha256 === null ? "" : property("SHA-256", html`<code class="hash">${sha256}</code>`)}
  ${property("Object", html`<code class="hash">${oid}</code>`)}`;
}

async function preview(fileset: Export, { kind, sizeBytes, sha256 }: TreeObject): Promise<Html> {
  if (kind !== "file" || sizeBytes === 0 || sha256 === null) return html``;
  const text = await readText(fileset, sha256, PREVIEW_BYTES);
  if (text === null) return html``;
  return html`<section aria-labelledby="content">
    <h2 id="content">Content</h2>
    <pre class="content" tabindex="0">${text}</pre>
  </section>`;
}

function history(fileset: Export, path: string, { oid }: TreeObject, current: Sha256 | null): Html {
  const records = fileset.history.lastRecords(oid, HISTORY_RECORDS);
  if (records.length === 0) {
    return html`<p class="none">The log was cut off behind its last change.</p>`;
  }
  const hashes = records.flatMap(({ operation }) =>
    operation.opcode === "CLOSE" && operation.sha256 !== null ? [operation.sha256] : [],
  );
  const missing = fileset.missingContents(hashes);
  const nameOf = peerNames(fileset);
  const content = ({ operation }: ServerRecord): Html | string => {
    if (operation.opcode !== "CLOSE" || operation.sha256 === null) return "";
    const { sha256 } = operation;
    if (sha256 === current) return "as it is now";
    if (missing.has(sha256)) return "not kept any more";
    return html`<a href="${downloadLink(fileset, path, sha256)}" download>download</a>`;
  };
  return html`<div class="scroll" role="region" aria-label="History" tabindex="0">
    <table>
      <caption class="quiet">
        What became of it, the latest first
      </caption>
      <thead>
        <tr>
          <th scope="col" class="number">Record</th>
          <th scope="col">What</th>
          <th scope="col">By</th>
          <th scope="col">When</th>
          <th scope="col">Content</th>
        </tr>
      </thead>
      <tbody>
        ${records.map((record) => {
          const { verb, tone, detail } = describeOperation(record);
          const { operation } = record;
          const moved =
            operation.opcode === "RENAME"
              ? html`<span class="path"
                  >${printable(operation.fromPath)} → ${printable(operation.toPath)}</span
                >`
              : detail;
          return html`<tr>
            <td class="number recno">${formatCount(record.recno)}</td>
            <td><span class="verb ${tone}">${verb}</span> <span class="detail">${moved}</span></td>
            <td>${authorOf(record, nameOf)}</td>
            <td class="when">${showAge(loggedMs(record))}</td>
            <td>${content(record)}</td>
          </tr>`;
        })}
      </tbody>
    </table>
  </div>`;
}
