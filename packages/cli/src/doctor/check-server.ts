import type { HttpRemote } from "@izo/client";

import { hintFor } from "../output/hint.ts";
import { formatMs } from "../output/quantity.ts";
import { answerOfFileset } from "../status/answer.ts";
import { failure, type Finding, ok, warning } from "./finding.ts";

/** Certificates and log times are read by people; nothing in the order of changes depends on clocks. */
const SKEW_MS = 30_000;
const SLOW_MS = 1_000;

/** Whether a server answers, lets us in, and has a clock like ours. */
export async function checkServer(remote: HttpRemote, signal: AbortSignal): Promise<Finding[]> {
  const startMs = performance.now();
  let probe;
  try {
    probe = await remote.probe(signal);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [failure("server", message, hintFor(error) ?? "Check the URL and the network")];
  }
  const tookMs = performance.now() - startMs;
  const { profile, dateMs } = probe;
  const found = `fileset ${profile.name} at record ${profile.head.recno}, answered in ${formatMs(tookMs)}`;
  return [
    tookMs > SLOW_MS
      ? warning("server", found, "Look at the network: polls and pushes take as long")
      : ok("server", found),
    ok("changes", describeChanges(profile.changesBelow)),
    checkClock(dateMs),
    await checkFileset(remote, signal),
  ];
}

/** What whoever shows this token may change there. */
function describeChanges(changesBelow: string | null): string {
  if (changesBelow === null) return "none are taken: the server, or the token, is for reading only";
  if (changesBelow === "/") return "everything may be changed";
  return `what is below ${JSON.stringify(changesBelow)} may be changed, and nothing else`;
}

/** The header has whole seconds, and took a while to come. */
function checkClock(dateMs: number | null): Finding {
  if (dateMs === null) return ok("clock", "the server states no time");
  const skewMs = Math.abs(Date.now() - dateMs);
  const found = `${formatMs(skewMs)} apart from the server's`;
  return skewMs < SKEW_MS
    ? ok("clock", found)
    : warning(
        "clock",
        `${found}: times in the log and in the names of conflict copies are off; nothing else is`,
        "Set the clocks: timedatectl set-ntp true",
      );
}

async function checkFileset(remote: HttpRemote, signal: AbortSignal): Promise<Finding> {
  try {
    const status = await remote.status(signal);
    const { isSafe, sentence } = answerOfFileset(status);
    if (!isSafe) return warning("fileset", sentence, "See izo status URL");
    if (status.watching === "scanning") {
      return warning(
        "fileset",
        "direct changes on the server are found by scanning only",
        "On the server: sysctl fs.inotify.max_user_watches=1048576",
      );
    }
    return ok("fileset", sentence);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return warning("fileset", message, hintFor(error) ?? "See izo status URL");
  }
}
