import { z } from "zod";

import { type Config, configSchema } from "./config-schema.ts";
import { InvalidConfigError } from "./invalid-config-error.ts";

/** The configuration that a file's text says. @throws InvalidConfigError */
export function parseConfig(file: string, text: string): Config {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InvalidConfigError(file, "it is not JSON", { cause });
  }
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue === undefined ? "" : z.core.toDotPath(issue.path);
  throw new InvalidConfigError(
    file,
    `${place === "" ? "" : `${place}: `}${issue?.message ?? "it is not a configuration"}`,
  );
}
