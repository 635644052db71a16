/**
 * Where a mount is not as a plain directory on ext4: reasons, with the names of all cases that differ
 * because of them. docs/divergences.md says more.
 */
type Divergences = Readonly<Record<string, readonly string[]>>;

const EVERYWHERE: Divergences = {
  "RENAME_WHITEOUT is EINVAL": ["rename: with a whiteout left behind"],
  "FUSE has no request that takes a range out of a file, or puts one in": [
    "fallocate: taking a range out",
    "fallocate: putting a range in",
  ],
  "the kernel takes offsets beyond the largest file of ext4": ["sizes: beyond where one can seek"],
  "times of a FIFO do not move with its data": ["special files: a FIFO carries data"],
  "fstat of an O_PATH descriptor of a removed file fails": [
    "removed while open: a file that was only looked at",
  ],
};

/** What nobody but root can do on a directory. */
const BY_ROOT: Divergences = {
  ...EVERYWHERE,
  "trusted.* belongs to one machine": ["extended attributes: of the trusted and the system"],
  "the mount is nodev": ["special files: a device is opened"],
};

const NAMELESS = [
  "open: without a name",
  "open: without a name, and given one with all that was changed",
  "open: without a name, for good",
];

/** Of a mount by the kernel driver, where all names are ignored. */
const IGNORED: Divergences = {
  ...BY_ROOT,
  "a file without a name cannot get one that is ignored, nor be made where all is": NAMELESS,
};

const FUSE_NATIVE: Divergences = {
  "O_TMPFILE is EOPNOTSUPP": NAMELESS,
  "names are UTF-8": ["names: that are no text"],
  "each name of a file has attributes of its own in the kernel, and a new name changes only its own":
    [
      "paths that lead nowhere, or are too long: link to",
      "rename: two names of one file",
      "link: counts names",
      "link: writes go to all names",
      "link: by descriptor",
      "directories: move their times with their entries",
      "rights of a file: owner",
      "removed while open: a file with another name",
      "listings: say what is there",
    ],
  "chown(2) that names nobody does not come here": [
    "owners: change by root only, groups by their members",
    "set-ID bits after: chown to nobody else",
    "set-ID bits after: chown of a directory stay",
    "set-ID bits after: chown of somebody else's directory to nobody stay",
  ],
  "the kernel takes set-ID bits away as it finds right, which is not all that ext4 does": [
    "set-ID bits after: write",
    "set-ID bits after: write of nothing",
    "set-ID bits after: truncate",
    "set-ID bits after: truncate to the same size",
    "set-ID bits after: ftruncate",
    "set-ID bits after: open with O_TRUNC",
    "set-ID bits after: fallocate",
    "set-ID bits after: punching a hole",
    "set-ID bits after: copying into it",
  ],
  "O_DIRECT writes of any length go through": ["open: past the cache"],
  "sizes beyond 2^53 are EIO": ["sizes: beyond what there can be"],
  "what a mapping writes moves the times when it is written back": [
    "mappings: that are shared are the file",
    "mappings: move the time of a file",
    "mappings: see a file grow",
  ],
  "access control lists are kept, and not gone by": [
    "access control lists: let in and keep out",
    "access control lists: and the mode are one",
    "access control lists: are inherited",
    "access control lists: drop set-group-ID for who is not of the group",
    "access control lists: of a directory guard its entries",
  ],
  "fstat of what has no path any more fails": [
    "removed while open: a directory",
    "removed while open: a directory with what was open in it",
    "removed while open: a socket and a symlink",
  ],
  "listings do not know inode numbers, and a place in one is a count": [
    "listings: lose nothing while another lists and entries go",
    "listings: of many names",
  ],
};

/** Of a mount of an ordinary user, by the kernel driver and without passthrough. */
const WITHOUT_ROOT: Divergences = {
  "O_DIRECT writes of any length go through": ["open: past the cache"],
  "what a mapping writes moves the times when it is written back": [
    "mappings: that are shared are the file",
    "mappings: move the time of a file",
    "mappings: see a file grow",
  ],
};

/** By driver, without root, and of what is ignored, the reason for each case. */
export const DIVERGENCES: Readonly<
  Record<"kernel" | "fuse-native" | "without root" | "ignored", ReadonlyMap<string, string>>
> = {
  kernel: reasonsOf(BY_ROOT),
  "fuse-native": reasonsOf({ ...BY_ROOT, ...FUSE_NATIVE }),
  ignored: reasonsOf(IGNORED),
  "without root": reasonsOf({ ...EVERYWHERE, ...WITHOUT_ROOT }),
};

function reasonsOf(divergences: Divergences): Map<string, string> {
  return new Map(
    Object.entries(divergences).flatMap(([reason, names]) => names.map((name) => [name, reason])),
  );
}
