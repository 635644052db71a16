/* Numbers and names of constants, in what is asked and in what is answered. */
#include "caller.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define NAMED(name) { #name, name }

static const struct {
	const char *name;
	long long value;
} constants[] = {
	NAMED(O_RDONLY), NAMED(O_WRONLY), NAMED(O_RDWR), NAMED(O_CREAT), NAMED(O_EXCL), NAMED(O_TRUNC), NAMED(O_APPEND),
	NAMED(O_NOFOLLOW), NAMED(O_DIRECTORY), NAMED(O_NONBLOCK), NAMED(O_PATH), NAMED(O_TMPFILE), NAMED(O_SYNC),
	NAMED(O_DSYNC), NAMED(O_DIRECT), NAMED(O_NOATIME),
	NAMED(S_IFREG), NAMED(S_IFIFO), NAMED(S_IFCHR), NAMED(S_IFBLK), NAMED(S_IFSOCK), NAMED(S_IFDIR),
	NAMED(RENAME_NOREPLACE), NAMED(RENAME_EXCHANGE), NAMED(RENAME_WHITEOUT),
	NAMED(SEEK_SET), NAMED(SEEK_CUR), NAMED(SEEK_END), NAMED(SEEK_DATA), NAMED(SEEK_HOLE),
	NAMED(FALLOC_FL_KEEP_SIZE), NAMED(FALLOC_FL_PUNCH_HOLE), NAMED(FALLOC_FL_ZERO_RANGE),
	NAMED(FALLOC_FL_COLLAPSE_RANGE), NAMED(FALLOC_FL_INSERT_RANGE),
	NAMED(XATTR_CREATE), NAMED(XATTR_REPLACE),
	NAMED(LOCK_SH), NAMED(LOCK_EX), NAMED(LOCK_UN), NAMED(F_RDLCK), NAMED(F_WRLCK), NAMED(F_UNLCK),
	NAMED(F_SETLK), NAMED(F_GETLK), NAMED(F_OFD_SETLK), NAMED(F_OFD_GETLK),
	NAMED(PROT_READ), NAMED(PROT_WRITE), NAMED(MAP_SHARED), NAMED(MAP_PRIVATE),
	NAMED(AT_SYMLINK_NOFOLLOW), NAMED(AT_SYMLINK_FOLLOW), NAMED(AT_EMPTY_PATH),
	NAMED(R_OK), NAMED(W_OK), NAMED(X_OK), NAMED(F_OK),
};

static long long constant(const char *name, size_t length)
{
	char *end;
	long long value;

	for (size_t at = 0; at < sizeof(constants) / sizeof(*constants); at++)
		if (strlen(constants[at].name) == length && strncmp(constants[at].name, name, length) == 0)
			return constants[at].value;
	value = strtoll(name, &end, 0);
	if (end != name + length)
		fail("read the number", name);
	return value;
}

long long number(const char *word)
{
	long long value = 0;

	for (const char *rest = word; rest != NULL;) {
		const char *bar = strchr(rest, '|');

		value |= constant(rest, bar == NULL ? strlen(rest) : (size_t)(bar - rest));
		rest = bar == NULL ? NULL : bar + 1;
	}
	return value;
}

const char *errno_name(int number)
{
	/* Two names for one number: the one that manual pages of file systems use. */
	return number == EOPNOTSUPP ? "EOPNOTSUPP" : strerrorname_np(number);
}
