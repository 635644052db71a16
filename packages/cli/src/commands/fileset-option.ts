import { Option } from "@commander-js/extra-typings";

/** `--fileset NAME`, of commands that ask a server through its exported directory. */
export function filesetOption() {
  return new Option("--fileset <name>", "the name that DIR is served under")
    .env("IZO_FILESET")
    .default("rootfset");
}
