import { type Oid, resolveOid } from "@izo/core";

import type { ChangeLog } from "../cache/change-log.ts";

/** The open CLOSEs that a removal makes pointless: their content ends before it was ever sent (design D9). */
export class OpenCloses {
  readonly #log: ChangeLog;

  constructor(log: ChangeLog) {
    this.#log = log;
  }

  /**
   * Takes back the open CLOSEs of an object whose last name is about to go.
   *
   * A crash before the removal is logged finds content that no record tells of, and logs it again.
   */
  cancel(oid: Oid): void {
    const { visible } = this.#log;
    // Content without a hash is what an open CLOSE leaves; all other files have none.
    if (visible.object(oid)?.sha256 !== null) return;
    const closes = this.#log
      .unsealed()
      .filter(({ operation }) => "oid" in operation && resolveOid(operation.oid, visible) === oid);
    for (const { recno } of closes) this.#log.cancel(recno);
  }
}
