import type { Oid } from "@izo/core";

import type { LookRequest } from "../tree/list-directory.ts";

/**
 * The disk is not as the log says, where a record was to be applied: somebody changed it and it is not
 * logged yet. The change is logged first, then the record is judged again (design S3).
 */
export class LocalChange extends Error {
  readonly request: LookRequest;
  /** The object that was not as noted; null where a name was taken or a directory not in place. */
  readonly oid: Oid | null;

  constructor(request: LookRequest, oid: Oid | null) {
    super(`Cannot apply a record: ${request.directory} has a change that is not logged`);
    this.request = request;
    this.oid = oid;
  }
}
