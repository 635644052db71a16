import { Option } from "@commander-js/extra-typings";

/** `--json`, as every command has it. */
export function jsonOption() {
  return new Option("--json", "print JSON: one object, or one per line for streams");
}
