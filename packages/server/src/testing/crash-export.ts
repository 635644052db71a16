/**
 * A server that is killed in the middle of a push, as a process of its own:
 * `node crash-export.ts DIR PUSH LABEL COUNT` opens the export, sends the push in the file PUSH, and
 * kills itself with SIGKILL when it reaches LABEL for the COUNT-th time. With a fifth argument, `fail`, an
 * error is thrown there, as a disk does, and it kills itself when the push was answered with that.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import {
  decodeRecord,
  encodeRecord,
  type ClientOperation,
  type KmlRecord,
  type PeerId,
  type Recno,
  type SubmittedRecord,
} from "@izo/core";

import type { Push } from "../export/export.ts";
import { openTestExport } from "./temporary-export.ts";

/** A push as a file: its records one after another, each under its origin recno. */
export function writePush(records: readonly SubmittedRecord[]): string {
  const encoded = records.map((record) =>
    Buffer.from(encodeRecord({ ...record, recno: record.origin.recno, logTimeNs: 0n })).toString(
      "base64",
    ),
  );
  return encoded.join("\n");
}

export function readPush(text: string, peer: PeerId): Push {
  const records = text
    .split("\n")
    .map((line) => decodeRecord(Buffer.from(line, "base64")) as KmlRecord<ClientOperation>);
  return { peer, host: "laptop", received: { recno: 0 as Recno, check: "0".repeat(16) }, records };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [dir = "", path = "", label = "", count = "1", how = "kill"] = process.argv.slice(2);
  let left = Number(count);
  const exported = await openTestExport(dir, {
    reach: (reached) => {
      if (reached === label) left -= 1;
      if (left !== 0 || reached !== label) return;
      if (how === "fail") throw new Error("the disk has failed");
      process.kill(process.pid, "SIGKILL");
    },
  });
  const [first = ""] = (await readFile(path, "utf8")).split("\n");
  const { origin } = decodeRecord(Buffer.from(first, "base64"));
  const push = readPush(await readFile(path, "utf8"), origin.peer);
  await exported.reintegrate(push).catch(() => process.kill(process.pid, "SIGKILL"));
  await exported[Symbol.asyncDispose]();
}
