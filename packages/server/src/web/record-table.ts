import { type PeerId, printable, recordPaths, type ServerRecord } from "@izo/core";
import { html } from "hono/html";

import type { Export } from "../export/export.ts";
import type { Html } from "./html.ts";
import { peerNames } from "./page-figures.ts";
import { treeLink } from "./page-links.ts";
import { loggedMs, showAge, formatBytes, formatCount, showMode } from "./show.ts";

/** Records as a table, in the order given. */
export function recordTable(
  fileset: Export,
  records: readonly ServerRecord[],
  caption: string,
): Html {
  if (records.length === 0) return html`<p class="none">Nothing yet.</p>`;
  const nameOf = peerNames(fileset);
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0">
    <table class="records">
      <caption class="quiet">
        ${caption}
      </caption>
      <thead>
        <tr>
          <th scope="col" class="number">Record</th>
          <th scope="col">What</th>
          <th scope="col">Path</th>
          <th scope="col">By</th>
          <th scope="col">When</th>
        </tr>
      </thead>
      <tbody>
        ${records.map((record) => row(fileset, record, nameOf))}
      </tbody>
    </table>
  </div>`;
}

function row(fileset: Export, record: ServerRecord, nameOf: (peer: PeerId) => string): Html {
  const { recno, operation } = record;
  const { verb, tone, detail } = describeOperation(record);
  const paths = recordPaths(operation).map(
    (path, index) =>
      html`${index === 0 ? "" : html` <span aria-label="to">→</span> `}<a
          href="${treeLink(fileset, path)}"
          >${printable(path)}</a
        >`,
  );
  return html`<tr data-key="${recno}">
    <td class="number recno">${formatCount(recno)}</td>
    <td><span class="verb ${tone}">${verb}</span></td>
    <td class="path">
      ${paths}${detail === "" ? "" : html` <span class="detail">${detail}</span>`}
    </td>
    <td>${authorOf(record, nameOf)}</td>
    <td class="when">${showAge(loggedMs(record))}</td>
  </tr>`;
}

/** Who did it: the machine, and the program where it is known. */
export function authorOf(
  { origin, actor }: Pick<ServerRecord, "actor" | "origin">,
  nameOf: (peer: PeerId) => string,
): Html {
  const command = actor.command === "" ? `uid ${actor.uid}` : printable(actor.command);
  const title = `peer ${origin.peer}, its record ${origin.recno}, uid ${actor.uid}`;
  return html`<span title="${title}"
    >${printable(nameOf(origin.peer))} <span class="detail">${command}</span></span
  >`;
}

/** What a record did, in words, and whether it added, changed or took something away. */
export function describeOperation({ operation }: ServerRecord): {
  readonly verb: string;
  readonly tone: "added" | "changed" | "removed" | "plain";
  readonly detail: string;
} {
  switch (operation.opcode) {
    case "CREATE":
      return { verb: "created", tone: "added", detail: copyNote(operation) };
    case "MKDIR":
      return { verb: "made directory", tone: "added", detail: copyNote(operation) };
    case "SYMLINK":
      return { verb: "linked", tone: "added", detail: `→ ${printable(operation.target)}` };
    case "LINK":
      return { verb: "gave a name", tone: "added", detail: copyNote(operation) };
    case "MKNOD":
      return { verb: "made special file", tone: "added", detail: copyNote(operation) };
    case "CLOSE":
      return {
        verb: "wrote",
        tone: "changed",
        detail: [formatBytes(operation.sizeBytes), copyNote(operation)].filter(Boolean).join(", "),
      };
    case "RENAME":
      return {
        verb: operation.keepsOid ? "saved" : "moved",
        tone: "changed",
        detail: [
          operation.victim !== null && !operation.keepsOid ? "replacing what was there" : "",
          copyNote(operation),
        ]
          .filter(Boolean)
          .join(", "),
      };
    case "SETATTR": {
      const { attributes } = operation;
      const detail =
        attributes === null
          ? "times"
          : `${showMode(attributes.mode)} ${attributes.uid}:${attributes.gid}`;
      return { verb: "set", tone: "plain", detail };
    }
    case "SETEXTATTR":
      return { verb: "set", tone: "plain", detail: printable(operation.attribute) };
    case "DELEXTATTR":
      return { verb: "cleared", tone: "plain", detail: printable(operation.attribute) };
    case "UNLINK":
      return { verb: "removed", tone: "removed", detail: "" };
    case "RMDIR":
      return { verb: "removed directory", tone: "removed", detail: "" };
    case "OUTCOME":
      return { verb: operation.verdict, tone: "plain", detail: operation.reason };
    case "ALIAS":
      return {
        verb: "merged",
        tone: "plain",
        detail: `${operation.alias.slice(0, 8)} is ${operation.oid.slice(0, 8)}`,
      };
    case "TRUNCATED":
      return {
        verb: "cut the log",
        tone: "plain",
        detail: `it starts at ${formatCount(operation.oldestRecno)}`,
      };
    case "NOOP":
      return { verb: "nothing", tone: "plain", detail: "" };
  }
}

function copyNote({ conflict }: { readonly conflict: unknown }): string {
  return conflict === null ? "" : "a conflict copy";
}
