import type { TimeNs } from "../kml/identity.ts";
import { bytesToText, NAME_MAX_BYTES, textToBytes, type Name } from "../kml/name.ts";

const MARKER = /\.conflict-(?<time>\d{8}T\d{6}Z)-(?<host>[A-Za-z0-9_-]*?)(?<number>-\d+)?(?=\.|$)/;
const LONGEST_EXTENSION_BYTES = 32;
const LONGEST_HOST = 32;

/**
 * The name of a conflict copy: `base.conflict-<author's UTC time>-<host>.ext` (design §7). At most 255
 * bytes, the base cut at a character boundary; a leading dot stays; `.tar.*` is one extension; an
 * existing marker is replaced and never nested; a taken name gets `-2`, `-3` ….
 *
 * @param isTaken tells whether the directory of the copy already has this name
 */
export function conflictName(
  name: Name,
  authorTimeNs: TimeNs,
  host: string,
  isTaken: (name: Name) => boolean,
): Name {
  const { base, extension } = splitExtension(name.replace(MARKER, ""));
  const marker = `.conflict-${utcStamp(authorTimeNs)}-${hostLabel(host)}`;
  for (let attempt = 1; ; attempt += 1) {
    const suffix = `${marker}${attempt === 1 ? "" : `-${attempt}`}${extension}`;
    const room = NAME_MAX_BYTES - textToBytes(suffix).length;
    const candidate = `${cutAtCharacter(base, room)}${suffix}` as Name;
    if (!isTaken(candidate)) return candidate;
  }
}

/** What the name of a conflict copy says. */
export interface ConflictMark {
  /** The author's time, `2026-01-02T03:04:05Z`. */
  readonly time: string;
  readonly host: string;
  /** The name without the marker: where the copy would stand if nothing were in its way. */
  readonly originalName: Name;
  /**
   * The name with `.<host>-<time>` in the place of the marker: the name of a file that stays beside the
   * other for good.
   */
  readonly keptName: Name;
}

/** Reads the name of a conflict copy; undefined where it is none. */
export function parseConflictName(name: Name): ConflictMark | undefined {
  const match = MARKER.exec(name);
  if (match?.groups === undefined) return undefined;
  const { time = "", host = "", number = "" } = match.groups;
  return {
    time: time.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"),
    host,
    originalName: name.replace(MARKER, "") as Name,
    keptName: name.replace(MARKER, `.${host}-${time}${number}`) as Name,
  };
}

/** `20260102T030405Z`; a clock out of the range of dates gives the nearest end of it. */
function utcStamp(timeNs: TimeNs): string {
  const ms = Number(timeNs / 1_000_000n);
  const inRange = Math.min(Math.max(ms, 0), 253_402_300_799_000);
  return new Date(inRange).toISOString().replaceAll(/[-:]|\.\d+/g, "");
}

/** A host name made safe for a file name: letters, digits, `_` and `-`. */
function hostLabel(host: string): string {
  const label = host.replaceAll(/[^A-Za-z0-9_-]/g, "_").slice(0, LONGEST_HOST);
  return label === "" ? "unknown" : label;
}

function splitExtension(name: string): { base: string; extension: string } {
  const match = /^(?<base>.+?)(?<extension>\.tar\.[^.]+|\.[^.]+)$/.exec(name);
  const dot = match?.groups?.["extension"]?.startsWith(".tar.")
    ? match.index + match.groups["base"]!.length
    : name.lastIndexOf(".");
  const extension = dot > 0 ? name.slice(dot) : "";
  if (textToBytes(extension).length > LONGEST_EXTENSION_BYTES) return { base: name, extension: "" };
  return { base: extension === "" ? name : name.slice(0, dot), extension };
}

function cutAtCharacter(text: string, maxBytes: number): string {
  const bytes = textToBytes(text);
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes;
  // Bytes 10xxxxxx continue a character of UTF-8.
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end -= 1;
  return bytesToText(bytes.subarray(0, end));
}
