/* Calls about attributes. */
#include "caller.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static long long run_chmod(char **words)
{
	decode(words[0]);
	return chmod(words[0], number(words[1]));
}

static long long run_fchmod(char **words)
{
	return fchmod(fd_of(words[0]), number(words[1]));
}

static long long run_chown(char **words)
{
	decode(words[0]);
	return chown(words[0], number(words[1]), number(words[2]));
}

static long long run_lchown(char **words)
{
	decode(words[0]);
	return lchown(words[0], number(words[1]), number(words[2]));
}

static long long run_fchown(char **words)
{
	return fchown(fd_of(words[0]), number(words[1]), number(words[2]));
}

/* Nanoseconds since 1970, "now" or "omit". */
static struct timespec time_of(const char *word)
{
	struct timespec time = { 0, 0 };

	if (strcmp(word, "now") == 0) {
		time.tv_nsec = UTIME_NOW;
	} else if (strcmp(word, "omit") == 0) {
		time.tv_nsec = UTIME_OMIT;
	} else {
		long long ns = number(word);

		time.tv_nsec = (ns % 1000000000 + 1000000000) % 1000000000;
		time.tv_sec = (ns - time.tv_nsec) / 1000000000;
	}
	return time;
}

/* name, atime, mtime, flags */
static long long run_utimens(char **words)
{
	struct timespec times[2] = { time_of(words[1]), time_of(words[2]) };

	decode(words[0]);
	return utimensat(AT_FDCWD, words[0], times, number(words[3]));
}

/* slot, atime, mtime */
static long long run_futimens(char **words)
{
	struct timespec times[2] = { time_of(words[1]), time_of(words[2]) };

	return futimens(fd_of(words[0]), times);
}

static long long show(int result, const struct stat *stat)
{
	if (result < 0)
		return -1;
	say("%s %04o %u:%u nlink=%lu", type_name(stat->st_mode), stat->st_mode & 07777, stat->st_uid, stat->st_gid,
	    (unsigned long)stat->st_nlink);
	if (S_ISCHR(stat->st_mode) || S_ISBLK(stat->st_mode))
		say(" dev=%u,%u", major(stat->st_rdev), minor(stat->st_rdev));
	if (!S_ISDIR(stat->st_mode))
		say(" size=%lld", (long long)stat->st_size);
	return TEXT;
}

static long long run_stat(char **words)
{
	struct stat found;

	decode(words[0]);
	return show(stat(words[0], &found), &found);
}

static long long run_lstat(char **words)
{
	struct stat found;

	decode(words[0]);
	return show(lstat(words[0], &found), &found);
}

static long long run_fstat(char **words)
{
	struct stat found;

	return show(fstat(fd_of(words[0]), &found), &found);
}

/* Whether two names are of one inode. */
static long long run_same(char **words)
{
	struct stat a;
	struct stat b;

	decode(words[0]);
	decode(words[1]);
	if (lstat(words[0], &a) < 0 || lstat(words[1], &b) < 0)
		return -1;
	return a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* Whether a descriptor is of the inode of a name: slot, name */
static long long run_same_fd(char **words)
{
	struct stat a;
	struct stat b;

	decode(words[1]);
	if (fstat(fd_of(words[0]), &a) < 0 || lstat(words[1], &b) < 0)
		return -1;
	return a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

static ino_t noted[SLOTS];

/* Remembers the inode number of a descriptor, for same-ino. */
static long long run_note_ino(char **words)
{
	struct stat found;

	if (fstat(fd_of(words[0]), &found) < 0)
		return -1;
	noted[slot_of(words[0])] = found.st_ino;
	return 0;
}

/* Whether the inode number of a descriptor is still the one that was noted. */
static long long run_same_ino(char **words)
{
	struct stat found;

	if (fstat(fd_of(words[0]), &found) < 0)
		return -1;
	return noted[slot_of(words[0])] == found.st_ino;
}

/* Whether the first was changed before the second, or at the same moment. */
static long long run_ordered(char **words)
{
	struct stat a;
	struct stat b;

	decode(words[0]);
	decode(words[1]);
	if (lstat(words[0], &a) < 0 || lstat(words[1], &b) < 0)
		return -1;
	if (a.st_mtim.tv_sec != b.st_mtim.tv_sec)
		return a.st_mtim.tv_sec < b.st_mtim.tv_sec;
	return a.st_mtim.tv_nsec <= b.st_mtim.tv_nsec;
}

/* What the rights that count say. */
static long long run_access(char **words)
{
	decode(words[0]);
	return faccessat(AT_FDCWD, words[0], number(words[1]), AT_EACCESS);
}

static long long run_statvfs(char **words)
{
	struct statvfs found;

	decode(words[0]);
	if (statvfs(words[0], &found) < 0)
		return -1;
	say("bsize=%lu frsize=%lu namemax=%lu blocks=%lu files=%lu", found.f_bsize, found.f_frsize, found.f_namemax,
	    (unsigned long)found.f_blocks, (unsigned long)found.f_files);
	return TEXT;
}

const struct command attribute_commands[] = {
	{ "chmod", 2, run_chmod },
	{ "fchmod", 2, run_fchmod },
	{ "chown", 3, run_chown },
	{ "lchown", 3, run_lchown },
	{ "fchown", 3, run_fchown },
	{ "utimens", 4, run_utimens },
	{ "futimens", 3, run_futimens },
	{ "stat", 1, run_stat },
	{ "lstat", 1, run_lstat },
	{ "fstat", 1, run_fstat },
	{ "same", 2, run_same },
	{ "same-fd", 2, run_same_fd },
	{ "note-ino", 1, run_note_ino },
	{ "same-ino", 1, run_same_ino },
	{ "ordered", 2, run_ordered },
	{ "access", 2, run_access },
	{ "statvfs", 1, run_statvfs },
	{ NULL, 0, NULL },
};
