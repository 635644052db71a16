import {
  isAbout,
  type Opcode,
  OPCODES,
  parseEventsPath,
  type Recno,
  type ServerRecord,
  writeEventsRequest,
} from "@izo/core";
import { html } from "hono/html";

import type { Export } from "../export/export.ts";
import type { AppContext } from "../routes/app-environment.ts";
import type { Html } from "./html.ts";
import { changesLink } from "./page-links.ts";
import { answerPage } from "./page.ts";
import { recordTable } from "./record-table.ts";
import { formatCount } from "./show.ts";

const PAGE_RECORDS = 50;
/** How far back one page looks for what a filter lets through. */
const MAX_LOOKED_AT = 20_000;
const WINDOW = 500;

/** What the choice of operations offers, with the words of the table. */
const KINDS: readonly (readonly [Opcode, string])[] = [
  ["CREATE", "created"],
  ["MKDIR", "made directory"],
  ["CLOSE", "wrote"],
  ["RENAME", "moved or saved"],
  ["UNLINK", "removed"],
  ["RMDIR", "removed directory"],
  ["SYMLINK", "linked"],
  ["SETATTR", "set attributes"],
  ["OUTCOME", "merged or refused"],
];

interface Filter {
  readonly path: string;
  readonly opcode: Opcode | null;
  readonly before: Recno | null;
}

/** The log, the latest record first; the first page of it follows what comes. */
export function getChanges(c: AppContext) {
  const { fileset } = c.var;
  const filter = filterOf(c);
  const { records, next } = findRecords(fileset, filter);
  const isAll = filter.path === "/" && filter.opcode === null;
  const follows = writeEventsRequest({
    ...(filter.path !== "/" && { path: filter.path }),
    ...(filter.opcode !== null && { opcodes: [filter.opcode] }),
  });
  return answerPage(c, {
    title: `Changes of ${fileset.filesetName}`,
    fileset,
    section: "changes",
    follows: filter.before === null ? follows : null,
    body: html`<h1>Changes</h1>
      ${form(fileset, filter)}
      <div data-live="records">
        ${
          records.length === 0 && !isAll
            ? html`<p class="none">
                No record like this${next === null ? "" : " among those looked at"}.
              </p>`
            : recordTable(fileset, records, "Changes, the latest first")
        }
      </div>
      <p class="paging">
        ${filter.before === null ? "" : html`<a href="${link(fileset, filter, null)}">Latest</a> `}
        ${next === null ? "" : html`<a href="${link(fileset, filter, next)}">Older than record ${formatCount(next)}</a>`}
      </p>`,
  });
}

function filterOf(c: AppContext): Filter {
  const { op = "", before = "" } = c.req.query();
  return {
    // Read from the address as it came: names are bytes.
    path: parseEventsPath(/\?([^#]*)/.exec(c.req.url)?.[1] ?? "") ?? "/",
    opcode: Object.hasOwn(OPCODES, op) ? (op as Opcode) : null,
    before: /^\d{1,15}$/.test(before) ? (Number(before) as Recno) : null,
  };
}

function findRecords(
  fileset: Export,
  { path, opcode, before }: Filter,
): { records: ServerRecord[]; next: Recno | null } {
  const { oldestRecno, headPosition } = fileset;
  let end = Math.min((before ?? Infinity) - 1, headPosition.recno);
  const stopAt = end - MAX_LOOKED_AT;
  const records: ServerRecord[] = [];
  while (end >= oldestRecno && end > stopAt) {
    const from = Math.max(end - WINDOW, oldestRecno - 1) as Recno;
    for (const record of fileset.recordsBehind(from, end - from).toReversed()) {
      const { operation, recno } = record;
      if (opcode !== null && operation.opcode !== opcode) continue;
      if (path !== "/" && !isAbout(operation, path)) continue;
      if (records.length === PAGE_RECORDS) return { records, next: (recno + 1) as Recno };
      records.push(record);
    }
    end = from;
  }
  return { records, next: end >= oldestRecno ? ((end + 1) as Recno) : null };
}

function link(fileset: Export, { path, opcode }: Filter, before: Recno | null): string {
  const href = changesLink(fileset, path === "/" ? undefined : path);
  const query = [
    ...(opcode === null ? [] : [`op=${opcode}`]),
    ...(before === null ? [] : [`before=${before}`]),
  ].join("&");
  return query === "" ? href : `${href}${href.includes("?") ? "&" : "?"}${query}`;
}

function form(fileset: Export, { path, opcode }: Filter): Html {
  return html`<form class="filter" method="get" action="${changesLink(fileset)}">
    <label
      >Path
      <input
        name="path"
        value="${path === "/" ? "" : path.toWellFormed()}"
        placeholder="/all/of/it"
        spellcheck="false"
    /></label>
    <label
      >What
      <select name="op">
        <option value="">everything</option>
        ${KINDS.map(
          ([name, text]) =>
            html`<option value="${name}" ${name === opcode ? html`selected` : ""}>${text}</option>`,
        )}
      </select></label
    >
    <button>Show</button>
  </form>`;
}
