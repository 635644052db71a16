import type { InodeForm } from "../cache/inode/inode-form.ts";
import type { Remote } from "../sync/remote.ts";
import type { LocalReplica } from "../sync/replica/local-replica.ts";
import { compareWithServer } from "./compare-with-server.ts";
import { inspectCache, type CacheInspection } from "./inspect-cache.ts";

/** What a running mount is inspected by. */
interface InspectedMount {
  readonly cacheDir: string;
  readonly form: InodeForm;
  readonly replica: LocalReplica;
  readonly remote: Remote;
}

/** Inspects the cache of a running mount, from inside its process, and its tree against the server's. */
export async function inspectMount(
  { cacheDir, form, replica, remote }: InspectedMount,
  { isQuick }: { readonly isQuick: boolean },
  signal: AbortSignal,
): Promise<CacheInspection> {
  const inspection = await inspectCache(
    {
      cacheDir,
      form,
      peer: replica.peer,
      visible: () => replica.visible,
      recno: replica.position.recno,
      indexDamage: replica.describeDamage(),
      notices: [],
      isMounted: true,
    },
    { isQuick, signal },
  );
  let notice: string | null = null;
  let differences = null;
  try {
    differences = await compareWithServer(replica, remote, signal);
    if (differences === null) notice = "both move on too fast";
  } catch (error) {
    signal.throwIfAborted();
    notice = error instanceof Error ? error.message : String(error);
  }
  return {
    ...inspection,
    differences: [...inspection.differences, ...(differences ?? [])],
    notices: notice === null ? [] : [`not compared with the server: ${notice}`],
  };
}
