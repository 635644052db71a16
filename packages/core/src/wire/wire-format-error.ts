import { IzoError } from "../errors.ts";

/** A message that does not have the form of what it should be. Nothing of it may be used. */
export class WireFormatError extends IzoError {
  constructor(what: string, reason: string, options?: ErrorOptions) {
    super("wire-format", `Cannot read the ${what}: ${reason}`, { what, reason }, options);
  }
}
