import { UsageError } from "../usage-error.ts";

/** An option of `izo mount`, as far as its place in `-o` depends on it. */
export interface MountOptionName {
  /** `--cache-quota`. */
  readonly name: string;
  readonly takesValue: boolean;
}

/** The command line of mount(8) to a helper: `mount.izo URL MNT [-sfnv] [-o …]`. */
export interface HelperCall {
  readonly url: string;
  readonly mountPoint: string;
  /** What `izo mount` is given besides. */
  readonly options: readonly string[];
  /** `-f`: everything but the mounting. */
  readonly isFake: boolean;
}

/**
 * What mount(8), systemd and fstab(5) say for themselves, or what every izo mount is anyway. Mounts are
 * `nosuid,nodev`: nobody can ask for less.
 */
const IGNORED = new Set([
  "rw",
  "defaults",
  "auto",
  "noauto",
  "nofail",
  "_netdev",
  "user",
  "nouser",
  "users",
  "owner",
  "group",
  "nosuid",
  "nodev",
  "relatime",
  "noatime",
  "atime",
  "exec",
  "async",
]);

/**
 * Reads the arguments that mount(8) gives a helper. Every option of `izo mount` can stand in `-o`, without
 * its dashes: `-o cache=/var/cache/project,mode=replica`.
 *
 * @param known the options of `izo mount`
 * @throws UsageError for anything that would be silently lost, unless `-s` asks for that
 */
export function parseHelperCall(
  argv: readonly string[],
  known: readonly MountOptionName[],
): HelperCall {
  const words: string[] = [];
  const given: string[] = [];
  let isFake = false;
  let isSloppy = false;
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? "";
    if (word === "-o") given.push(...splitOptions(argv[++index] ?? ""));
    else if (word === "-t" || word === "-N") index++;
    else if (/^-[a-z]+$/.test(word)) {
      isFake ||= word.includes("f");
      isSloppy ||= word.includes("s");
      if (word.includes("r")) given.push("ro");
    } else words.push(word);
  }
  const [url, mountPoint] = words;
  if (url === undefined || mountPoint === undefined || words.length > 2) {
    throw new UsageError(
      "Cannot mount: a URL and a mount point are needed",
      "mount -t izo http://HOST:PORT/FILESET MNT -o cache=DIR",
    );
  }
  const options = given.flatMap((option) => toMountOption(option, known, isSloppy));
  return { url, mountPoint, options, isFake };
}

/** Options are parted by commas; a comma in a value is written `\,`. */
function splitOptions(text: string): string[] {
  return text
    .split(/(?<!\\),/)
    .map((option) => option.replaceAll("\\,", ","))
    .filter((option) => option !== "");
}

function toMountOption(
  option: string,
  known: readonly MountOptionName[],
  isSloppy: boolean,
): string[] {
  const [, key = "", value] = /^([^=]*)(?:=(.*))?$/s.exec(option) ?? [];
  if (IGNORED.has(key) || key.startsWith("x-") || key === "comment") return [];
  const name = `--${key === "ro" ? "read-only" : key.replaceAll("_", "-")}`;
  const match = known.find((candidate) => candidate.name === name);
  if (match !== undefined && match.takesValue === (value !== undefined)) {
    return value === undefined ? [name] : [`${name}=${value}`];
  }
  if (isSloppy) return [];
  const reason =
    match === undefined
      ? "izo mount has no such option"
      : `it ${match.takesValue ? "needs a value" : "takes no value"}`;
  throw new UsageError(`Cannot mount with "${option}": ${reason}`, "see: man mount.izo");
}
