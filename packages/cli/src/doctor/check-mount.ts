import type { MountStatus } from "@izo/client";

import type { KnownMount } from "../mounts/open-mount.ts";
import { hintFor } from "../output/hint.ts";
import { answerOfMount } from "../status/answer.ts";
import { describeWakeUps } from "../status/describe-wake-ups.ts";
import { checkDisk } from "./check-disk.ts";
import { failure, type Finding, ok, warning } from "./finding.ts";

/** Whether a mount answers, and how it is. */
export async function checkMount({ note, control }: KnownMount): Promise<Finding[]> {
  const disk = await checkDisk("cache", note.cacheDir, "the cache");
  let status: MountStatus;
  try {
    status = await control.status();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [failure("mount", message, hintFor(error) ?? "izo umount MNT, and mount again"), disk];
  }
  const { driver, lastError } = status;
  const { isSafe, sentence } = answerOfMount(status, Date.now());
  return [
    isSafe
      ? ok("mount", sentence)
      : warning("mount", sentence, lastError?.advice ?? "See izo status MNT"),
    lastError === null
      ? ok("errors", "none that was not put right")
      : warning("errors", lastError.message, lastError.advice),
    ok(
      "driver",
      [
        driver.name,
        driver.protocol === null ? "" : `FUSE ${driver.protocol}`,
        driver.hasPassthrough ? "data goes past izo" : "",
        driver.reason,
      ]
        .filter((part) => part !== "")
        .join(", "),
    ),
    ...(driver.wakeUps === null ? [] : [ok("wake-ups", describeWakeUps(driver.wakeUps))]),
    status.conflicts === 0
      ? ok("conflicts", "none")
      : warning("conflicts", `${status.conflicts} wait for a decision`, "izo conflicts MNT"),
    disk,
  ];
}
