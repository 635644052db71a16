/*
 * The numbers that src/ spells out. They are kernel ABI and the same on every architecture that Node runs on; this file
 * makes a build fail where that is ever untrue.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SAME(name, value) _Static_assert((name) == (value), #name " differs from what src/ assumes")

SAME(AT_FDCWD, -100);
SAME(AT_SYMLINK_NOFOLLOW, 0x100);
SAME(AT_REMOVEDIR, 0x200);
SAME(AT_SYMLINK_FOLLOW, 0x400);
SAME(AT_EMPTY_PATH, 0x1000);

SAME(O_PATH, 010000000);
SAME(O_TMPFILE, 020000000 | O_DIRECTORY);

SAME(UTIME_NOW, 0x3fffffff);
SAME(UTIME_OMIT, 0x3ffffffe);

SAME(XATTR_CREATE, 1);
SAME(XATTR_REPLACE, 2);

SAME(RENAME_NOREPLACE, 1);
SAME(RENAME_EXCHANGE, 2);
SAME(RENAME_WHITEOUT, 4);

SAME(RESOLVE_NO_XDEV, 0x01);
SAME(RESOLVE_NO_MAGICLINKS, 0x02);
SAME(RESOLVE_NO_SYMLINKS, 0x04);
SAME(RESOLVE_BENEATH, 0x08);
SAME(RESOLVE_IN_ROOT, 0x10);

SAME(SEEK_SET, 0);
SAME(SEEK_DATA, 3);
SAME(SEEK_HOLE, 4);

SAME(FALLOC_FL_KEEP_SIZE, 0x01);
SAME(FALLOC_FL_PUNCH_HOLE, 0x02);
SAME(FALLOC_FL_COLLAPSE_RANGE, 0x08);
SAME(FALLOC_FL_ZERO_RANGE, 0x10);
SAME(FALLOC_FL_INSERT_RANGE, 0x20);
SAME(FALLOC_FL_UNSHARE_RANGE, 0x40);

SAME(LOCK_SH, 1);
SAME(LOCK_EX, 2);
SAME(LOCK_NB, 4);
SAME(LOCK_UN, 8);

SAME(MNT_FORCE, 1);
SAME(MNT_DETACH, 2);
SAME(UMOUNT_NOFOLLOW, 8);
