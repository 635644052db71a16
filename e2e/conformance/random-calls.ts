import fc from "fast-check";

/** Few names, so that calls meet; a path has one to three of them. */
const name = fc.constantFrom("a", "b", "c", "d");
const path = fc
  .oneof(
    { weight: 4, arbitrary: fc.tuple(name) },
    { weight: 3, arbitrary: fc.tuple(name, name) },
    { weight: 1, arbitrary: fc.tuple(name, name, name) },
  )
  .map((names) => names.join("/"));

const slot = fc.nat(3);
/** Without set-ID bits, which a file keeps that the kernel writes past the driver (docs/divergences.md). */
const mode = fc.constantFrom("0644", "0600", "0755", "0777", "0000", "01777", "0070");
const directoryMode = fc.constantFrom("0755", "0777", "0000", "02775", "01777", "0700");
const user = fc.constantFrom("0", "1000", "2000", "3000");
const offset = fc.constantFrom(0, 1, 100, 4095, 4096, 5000, 12_288, 70_000);
const length = fc.constantFrom(1, 3, 4096, 5000, 20_000);
const letters = fc.constantFrom("x", "yy", "text", "0123456789", "%00%00");
const timeNs = fc.constantFrom("omit", "now", "1000000000123456789", "-5000000001", "3000000000");

const openFlags = fc
  .tuple(
    fc.constantFrom("O_RDONLY", "O_WRONLY", "O_RDWR", "O_RDWR"),
    fc.constantFrom("", "|O_CREAT", "|O_CREAT", "|O_CREAT|O_EXCL"),
    fc.constantFrom("", "", "", "|O_TRUNC", "|O_APPEND", "|O_NOFOLLOW", "|O_DIRECTORY"),
  )
  .map((parts) => `${parts.join("")}|O_NONBLOCK`);

const allocation = fc.constantFrom(
  "0",
  "FALLOC_FL_KEEP_SIZE",
  "FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE",
  "FALLOC_FL_ZERO_RANGE",
);

const accessList = fc.constantFrom(
  "u::rwx,g::r-x,o::r--",
  "u::rw-,u:1000:rwx,g::r--,m::rwx,o::---",
  "u::rwx,u:2000:---,g::rwx,g:3000:r-x,m::r-x,o::r-x",
);

/** A call made of words, each drawn anew. */
function call(...words: readonly (string | fc.Arbitrary<string | number>)[]): fc.Arbitrary<string> {
  const drawn = words.map((word) => (typeof word === "string" ? fc.constant(word) : word));
  return fc.tuple(...drawn).map((all) => all.join(" "));
}

/** Any call that leaves a trace, or shows one, on any file system alike: lseek(2) of a directory is not. */
const anyCall: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: call("open", slot, path, openFlags, mode) },
  { weight: 3, arbitrary: call("close", slot) },
  { weight: 4, arbitrary: call("write", slot, letters, fc.oneof(fc.constant(-1), offset)) },
  { weight: 2, arbitrary: call("fill", slot, letters, length, offset) },
  { weight: 2, arbitrary: call("read", slot, length, offset) },
  { weight: 4, arbitrary: call("mkdir", path, directoryMode) },
  { weight: 2, arbitrary: call("rmdir", path) },
  { weight: 3, arbitrary: call("unlink", path) },
  { weight: 5, arbitrary: call("rename", path, path) },
  { weight: 3, arbitrary: call("renameat2", path, path, "RENAME_EXCHANGE") },
  { weight: 1, arbitrary: call("renameat2", path, path, "RENAME_NOREPLACE") },
  { weight: 3, arbitrary: call("link", path, path) },
  { weight: 2, arbitrary: call("symlink", path, path) },
  { weight: 1, arbitrary: call("readlink", path) },
  { weight: 1, arbitrary: call("mknod", path, "S_IFREG|0644", "0", "0") },
  { weight: 1, arbitrary: call("mknod", path, "S_IFSOCK|0666", "0", "0") },
  { weight: 2, arbitrary: call("truncate", path, offset) },
  { weight: 2, arbitrary: call("ftruncate", slot, offset) },
  { weight: 2, arbitrary: call("fallocate", slot, allocation, offset, length) },
  { weight: 1, arbitrary: call("copy", slot, offset, slot, offset, length) },
  { weight: 2, arbitrary: call("chmod", path, mode) },
  { weight: 1, arbitrary: call("fchmod", slot, mode) },
  { weight: 2, arbitrary: call("chown", path, user, user) },
  { weight: 1, arbitrary: call("lchown", path, user, "-1") },
  { weight: 1, arbitrary: call("fchown", slot, user, user) },
  { weight: 2, arbitrary: call("utimens", path, timeNs, timeNs, "0") },
  { weight: 1, arbitrary: call("utimens", path, timeNs, timeNs, "AT_SYMLINK_NOFOLLOW") },
  { weight: 1, arbitrary: call("futimens", slot, timeNs, timeNs) },
  {
    weight: 2,
    arbitrary: call("setxattr", path, fc.constantFrom("user.a", "user.b"), letters, "0"),
  },
  { weight: 1, arbitrary: call("removexattr", path, "user.a") },
  { weight: 1, arbitrary: call("setfacl", path, fc.constantFrom("access", "default"), accessList) },
  { weight: 1, arbitrary: call("removexattr", path, "system.posix_acl_access") },
  {
    weight: 1,
    arbitrary: call("mmap", slot, slot, "8192", "PROT_READ|PROT_WRITE", "MAP_SHARED", "0"),
  },
  { weight: 1, arbitrary: call("map-write", slot, fc.constantFrom(0, 4100), letters) },
  { weight: 1, arbitrary: call("munmap", slot) },
  { weight: 1, arbitrary: call("fsync", slot) },
  { weight: 1, arbitrary: call("fstat", slot) },
  { weight: 1, arbitrary: call("compare-listing", path) },
  { weight: 1, arbitrary: call("umask", fc.constantFrom("0", "022", "077")) },
  { weight: 2, arbitrary: call("as", user, user, fc.constantFrom("-", "1000", "3000,2000")) },
);

/** A history of calls of one process. */
export const history = fc.array(anyCall, { minLength: 40, maxLength: 160, size: "max" });
