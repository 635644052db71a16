import { IzoError } from "../errors.ts";

/** A record that the format cannot hold: a field out of its range, or all of it too long. */
export class InvalidRecordError extends IzoError {
  constructor(reason: string, data: Readonly<Record<string, unknown>> = {}) {
    super("invalid-record", `Cannot write the record: ${reason}`, { reason, ...data });
  }
}
