import { IzoError } from "@izo/core";

/** The configuration file cannot be used. */
export class InvalidConfigError extends IzoError {
  constructor(file: string, reason: string, options?: ErrorOptions) {
    super(
      "invalid-config",
      `Cannot use the configuration ${JSON.stringify(file)}: ${reason}`,
      { file },
      options,
    );
  }
}
