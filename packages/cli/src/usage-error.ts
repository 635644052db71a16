import { IzoError } from "@izo/core";

/** What the user asked for cannot be understood; nothing was done. */
export class UsageError extends IzoError {
  /** What to write instead. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super("usage", message);
    this.hint = hint;
  }
}
