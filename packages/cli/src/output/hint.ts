const NOBODY_ANSWERS =
  "is the server running, and does HOST:PORT lead to it? Try: curl http://HOST:PORT/healthz";

/** What a person can do about an error, by its code; a line under the message. */
const HINTS: Readonly<Record<string, string>> = {
  "remote-unreachable": NOBODY_ANSWERS,
  unreachable: NOBODY_ANSWERS,
  "invalid-url": "write it like http://nas:8370/rootfset",
  "unknown-fileset": "the server lists its filesets at /v1/filesets; the default name is rootfset",
  "permit-held": "ask its holder, or wait: izo permit MNT take",
  "unknown-directory": "a new directory has to be on the server first: izo flush MNT",
  "protocol-version": "run the same version of izo on both machines",
  "exposed-server":
    "make a token (izo token create DIR) and give --tls-cert and --tls-key; or --insecure, where everybody in the network may read and write",
  "unusable-tls": "give a PEM certificate and the key that it was made for",
  "unusable-token": "put the token in a file, name it with --token-file, and use an https:// URL",
  "untrusted-server":
    "check the URL; name the authority of the server's certificate with --ca, your own with --client-cert and --client-key",
  "read-only": "ask whoever runs the server",
  "unknown-token": "see the tokens with: izo token list DIR",
  "invalid-token-file":
    "put it back from a backup, or make new tokens after moving it away: nobody gets in meanwhile",
  "token-required":
    "make one on the server's machine (izo token create DIR), and name its file with --token-file",
  "token-invalid": "ask whoever runs the server for a new token",
  "token-expired": "ask whoever runs the server for a new token",
  "out-of-scope": "ask whoever runs the server for a token that allows it",
  "peer-taken":
    "use a token of the holder who used this cache first, or another cache; on the server: izo peers forget",
  "already-served": "another izo serve has it; stop that one first",
  "cache-in-use": "another mount uses this cache; give this one its own --cache",
  "cache-unsupported": "put the cache on another file system with --cache",
  "cache-of-another":
    "mount as the user who made it, or give this mount its own --cache; what was not pushed yet is in the old one",
  "fusermount3-missing":
    "install it: apt-get install -y fuse3; or mount as root, in a container with --cap-add SYS_ADMIN",
  "fusermount3-refused":
    "see /etc/fuse.conf, and whether the mount point is yours; izo doctor says what this machine permits",
  "cache-marks-lost":
    "copy the cache again as its owner with cp -a or rsync -aX; or use a new --cache, and take what was not pushed yet from the old one's tree/",
  "foreign-cache":
    "give this mount its own --cache, or remove the old cache after looking at its status",
  "mount-point-missing": "make it first: mkdir -p MNT",
  "mount-point-not-empty": "mount at an empty directory",
  "mount-point-in-use": "see what is there with: izo status MNT",
  "not-mounted": "mount it first: izo mount URL MNT --cache DIR",
  "forced-offline": "let it ask the server again with: izo online MNT",
  "invalid-settings":
    "put settings.json aside to mount with the default settings; pins and hoard rules are in it",
  "mount-not-answering": "a dead mount is taken down with: izo umount --lazy MNT",
  "server-not-answering":
    "only a running server can be asked: izo serve DIR, and name the same DIR and --fileset here",
  "anchor-missing":
    "put the state directory back from a backup (docs/recovery.md); the files in the export are as they were",
  "would-overwrite": "look with --dry-run, then say --overwrite, or put it elsewhere with --to",
  "content-expired": "how long old contents are kept: izo serve --help",
  "unknown-peer": "see the peers with: izo peers DIR",
  "removal-held":
    "see what is held with: izo held MNT, then izo held confirm MNT, or izo held drop MNT",
  "nothing-held": "see what is held with: izo held MNT",
  "no-conflict": "see which there are with: izo conflicts MNT",
  "no-log": "name the log of an export (DIR/.intermezzo/FILESET), a cache, or a segment",
  "kml-damaged": "look at it with: izo kml dump; the log is never repaired silently",
  "log-diverged":
    "see what this mount can bring back: izo salvage MNT --dry-run; more in docs/recovery.md",
  differs: "what to do about each kind of difference is in docs/recovery.md",
  "log-truncated": "the server no longer keeps those records; start at a later one with --after",
  "recno-not-in-log": "the log no longer holds those records; start at a later one with --after",
  "cursor-in-use": "end the other one first, or give this one its own --cursor",
  "invalid-cursor": "name the right file, or remove it to begin anew (--from)",
  "command-failed":
    "put right what the command complains about and start again: it goes on with this record; or --skip-failed",
  EADDRINUSE: "another process listens there; choose another with --listen HOST:PORT",
  EADDRNOTAVAIL: "the address is not one of this machine",
  EACCES: "run as a user who may do that, usually root",
  EPERM: "run as a user who may do that, usually root",
  EBUSY: "a process still uses it; close it, or detach with: izo umount --lazy MNT",
  ENOSPC: "make space on that disk; nothing was lost",
  "no-space": "make space on the server's disk; nothing was lost",
};

/** The hint for an error, or undefined where there is nothing to add. */
export function hintFor(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("hint" in error && typeof error.hint === "string") return error.hint;
  return "code" in error ? HINTS[String(error.code)] : undefined;
}
