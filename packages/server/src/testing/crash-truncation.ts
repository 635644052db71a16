/**
 * A server that is killed while it cuts its log, as a process of its own:
 * `node crash-truncation.ts DIR LABEL` opens the export, truncates its log as far as it goes, and kills
 * itself with SIGKILL when it reaches LABEL.
 */
import { openTestExport } from "./temporary-export.ts";

const [dir = "", label = ""] = process.argv.slice(2);
const exported = await openTestExport(dir, {
  reach: (reached) => {
    if (reached === label) process.kill(process.pid, "SIGKILL");
  },
});
await exported.truncate({ olderThanMs: 0, isDryRun: false });
await exported[Symbol.asyncDispose]();
