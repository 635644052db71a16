import { formatTimeNs } from "./format-time.ts";
import type { Base, Operation } from "./operation.ts";
import { printable } from "./printable.ts";
import type { KmlRecord } from "./record.ts";

/**
 * A record as one line for people, as `izo log` prints it: recno, author's time, operation, paths,
 * what changed, and who did it where. Names are made harmless: no control character reaches a terminal.
 */
export function formatRecord(record: KmlRecord): string {
  const { recno, authorTimeNs, origin, actor, operation } = record;
  const time = formatTimeNs(authorTimeNs).slice(0, 19).replace("T", " ");
  const who = [`uid ${actor.uid}`, actor.command === "" ? "" : printable(actor.command)];
  const author = `${who.filter(Boolean).join(" ")} @${origin.peer.slice(0, 8)}:${origin.recno}`;
  return `${recno}  ${time}  ${operation.opcode.padEnd(10)}  ${formatOperation(operation)}  [${author}]`;
}

function formatOperation(operation: Operation): string {
  switch (operation.opcode) {
    case "NOOP":
      return "-";
    case "CREATE":
    case "MKDIR":
      return `${printable(operation.path)} ${formatMode(operation.mode)}${conflictNote(operation)}`;
    case "MKNOD":
      return `${printable(operation.path)} ${formatMode(operation.mode)} device ${operation.rdev}${conflictNote(operation)}`;
    case "SYMLINK":
      return `${printable(operation.path)} -> ${printable(operation.target)}${conflictNote(operation)}`;
    case "LINK":
      return `${printable(operation.path)} to ${operation.oid.slice(0, 8)}${conflictNote(operation)}`;
    case "UNLINK":
    case "RMDIR":
      return printable(operation.path);
    case "CLOSE": {
      const hash = operation.sha256 === null ? "open" : operation.sha256.slice(0, 12);
      const base = formatBase(operation.contentBase);
      return `${printable(operation.path)} ${operation.sizeBytes} bytes ${hash} on ${base}${conflictNote(operation)}`;
    }
    case "RENAME": {
      const over = operation.victim === null ? "" : " (replaces)";
      return `${printable(operation.fromPath)} -> ${printable(operation.toPath)}${over}${conflictNote(operation)}`;
    }
    case "SETATTR": {
      const { attributes, times } = operation;
      const owner =
        attributes && `${formatMode(attributes.mode)} ${attributes.uid}:${attributes.gid}`;
      const mtime = times && `mtime ${formatTimeNs(times.mtimeNs)}`;
      return [printable(operation.path), owner, mtime].filter(Boolean).join(" ");
    }
    case "SETEXTATTR":
      return `${printable(operation.path)} ${printable(operation.attribute)} ${operation.value.length} bytes`;
    case "DELEXTATTR":
      return `${printable(operation.path)} ${printable(operation.attribute)}`;
    case "OUTCOME":
      return `${printable(operation.path)} ${operation.verdict}: ${operation.reason}`;
    case "ALIAS":
      return `${operation.alias.slice(0, 8)} is ${operation.oid.slice(0, 8)}`;
    case "TRUNCATED":
      return `starts with ${operation.oldestRecno}`;
    case "SEALED":
      return `${operation.recno} ${operation.sizeBytes} bytes ${operation.sha256.slice(0, 12)}`;
    case "CANCELLED":
      return `${operation.recno}`;
    case "SENT": {
      const sent = operation.operation;
      const what = sent === null ? "nothing" : `${sent.opcode} ${formatOperation(sent)}`;
      return `${what} for ${operation.covers.join(", ")}`;
    }
  }
}

function formatMode(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

function formatBase(base: Base): string {
  return typeof base === "number" ? `${base}` : `${base.peer.slice(0, 8)}:${base.recno}`;
}

function conflictNote(operation: { conflict: { of: string } | null }): string {
  return operation.conflict === null
    ? ""
    : ` (conflicts with ${operation.conflict.of.slice(0, 8)})`;
}
