import { ProblemError } from "@izo/core";

/** Refuses a body that is longer than the server takes. @throws ProblemError `too-large` */
export function tooLarge(what: string, maxBytes: number): never {
  throw new ProblemError(
    "too-large",
    `Cannot take the ${what}: it is longer than ${maxBytes} bytes`,
    { limit: maxBytes },
  );
}
