import { formatTimeNs, type KmlRecord, writeFilesPath } from "@izo/core";

/**
 * A record as environment variables of a command. Paths are text; where names are bytes that are no UTF-8,
 * `IZO_PATH_ENCODED` has them as `%XX`. Nothing of them is ever part of a command line.
 */
export function recordEnvironment(record: KmlRecord, url: string): Record<string, string> {
  const { recno, operation, origin, actor, logTimeNs } = record;
  const { path, from } = pathsOf(record);
  return {
    IZO_URL: url,
    IZO_RECNO: String(recno),
    IZO_OPCODE: operation.opcode,
    IZO_TIME: formatTimeNs(logTimeNs),
    IZO_PATH: path.toWellFormed(),
    IZO_PATH_ENCODED: writeFilesPath(path),
    IZO_FROM_PATH: from.toWellFormed(),
    IZO_PEER: origin.peer,
    IZO_UID: String(actor.uid),
    IZO_COMMAND: actor.command.toWellFormed(),
    IZO_SHA256: operation.opcode === "CLOSE" ? (operation.sha256 ?? "") : "",
    IZO_SIZE: operation.opcode === "CLOSE" ? String(operation.sizeBytes) : "",
  };
}

function pathsOf({ operation }: KmlRecord): { path: string; from: string } {
  if (operation.opcode === "RENAME") return { path: operation.toPath, from: operation.fromPath };
  return { path: "path" in operation ? operation.path : "", from: "" };
}
