/*
 * Everything that can be seen of a directory tree, in one line: names, types, modes, owners, link counts, sizes, targets,
 * devices, extended attributes, a sum of the content, and which times have moved since the line before. Times that were set
 * are shown as they are; those near now only by their moving, so that two file systems can be compared. Contents and extended
 * attributes are read only where a time has moved, or when all are asked for.
 */
#include "caller.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define PATHS 4096
#define NEAR_SECONDS 86400
#define SUMMED_BYTES (1 << 20)
/* What a file may take on disk beside its data: a block for attributes, of which a cache has more. */
#define SLACK_BYTES 16384
#define SPARSE_TRIES 4

struct seen {
	char *path;
	ino_t ino;
	struct timespec mtime;
	struct timespec ctime;
	int is_here;
};

static struct seen seen[PATHS];
static int seen_count;
static int reads_all;

static int differ(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec || a.tv_nsec != b.tv_nsec;
}

/* What stood under a path before; another inode there is a new thing. */
static struct seen *remembered(const char *path, ino_t ino)
{
	for (int at = 0; at < seen_count; at++)
		if (seen[at].ino == ino && strcmp(seen[at].path, path) == 0) {
			seen[at].is_here = 1;
			return &seen[at];
		}
	if (seen_count == PATHS)
		fail("remember", path);
	seen[seen_count].path = strdup(path);
	seen[seen_count].ino = ino;
	seen[seen_count].is_here = 1;
	seen[seen_count].mtime = seen[seen_count].ctime = (struct timespec){ 0, 0 };
	return &seen[seen_count++];
}

/* What is not there any more is forgotten: its inode number can be given to something else. */
static void forget_absent(void)
{
	int kept = 0;

	for (int at = 0; at < seen_count; at++) {
		if (seen[at].is_here)
			seen[kept++] = seen[at];
		else
			free(seen[at].path);
	}
	seen_count = kept;
	for (int at = 0; at < seen_count; at++)
		seen[at].is_here = 0;
}

/* Shows times; whether any has moved, or the inode is new. */
static int show_times(const char *path, const struct stat *stat)
{
	struct seen *before = remembered(path, stat->st_ino);
	int is_new = before->ctime.tv_sec == 0;
	int has_moved = is_new || differ(before->mtime, stat->st_mtim) || differ(before->ctime, stat->st_ctim);

	if (llabs((long long)stat->st_mtim.tv_sec - time(NULL)) > NEAR_SECONDS)
		say(" mtime=%lld.%09ld", (long long)stat->st_mtim.tv_sec, stat->st_mtim.tv_nsec);
	/* Reading a file moves this time on some file systems: it is shown of those that nobody reads. */
	if (S_ISREG(stat->st_mode) && stat->st_size == 0 && llabs((long long)stat->st_atim.tv_sec - time(NULL)) > NEAR_SECONDS)
		say(" atime=%lld.%09ld", (long long)stat->st_atim.tv_sec, stat->st_atim.tv_nsec);
	if (!is_new && differ(before->mtime, stat->st_mtim))
		say(" +mtime");
	if (!is_new && differ(before->ctime, stat->st_ctim))
		say(" +ctime");
	before->mtime = stat->st_mtim;
	before->ctime = stat->st_ctim;
	return has_moved;
}

/* FNV-1a over the first part of a file; what follows in huge ones are holes. */
static void show_content(int directory, const char *name)
{
	static unsigned char data[1 << 16];
	uint64_t sum = 0xcbf29ce484222325;
	size_t total = 0;
	ssize_t length = 0;
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NOATIME);

	if (fd < 0) {
		say(" unreadable=%s", errno_name(errno));
		return;
	}
	while (total < SUMMED_BYTES && (length = read(fd, data, sizeof(data))) > 0) {
		total += length;
		for (ssize_t at = 0; at < length; at++)
			sum = (sum ^ data[at]) * 0x100000001b3;
	}
	if (length < 0)
		say(" read=%s", errno_name(errno));
	say(" sum=%016llx", (unsigned long long)sum);
	close(fd);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void show_xattrs(const char *path)
{
	static char names[65536];
	static char value[65536];
	char *sorted[256];
	size_t count = 0;
	ssize_t length = llistxattr(path, names, sizeof(names));

	for (char *name = names; length > 0 && name < names + length && count < 256; name += strlen(name) + 1)
		sorted[count++] = name;
	qsort(sorted, count, sizeof(*sorted), by_text);
	for (size_t at = 0; at < count; at++) {
		ssize_t size = lgetxattr(path, sorted[at], value, sizeof(value));

		if (strcmp(sorted[at], "security.selinux") == 0)
			continue;
		say(" %s=", sorted[at]);
		if (size < 0)
			say("%s", errno_name(errno));
		else if (size > 256)
			say("%zd-bytes", size);
		else
			say_bytes(value, size);
	}
}

/*
 * Whether a file has fewer blocks than bytes. ext4 can say so for a moment of what it is just writing back: such an
 * answer has to stand when it is asked for again. One that somebody has kept does.
 */
static int is_sparse(int directory, const char *name)
{
	for (int tries = 0; tries < SPARSE_TRIES; tries++) {
		struct timespec pause = { 0, tries * 1000000L };
		struct stat stat;

		if (tries > 0)
			nanosleep(&pause, NULL);
		if (fstatat(directory, name, &stat, AT_SYMLINK_NOFOLLOW) < 0)
			return 0;
		if (stat.st_blocks * 512LL + SLACK_BYTES >= stat.st_size)
			return 0;
	}
	return 1;
}

static void show_directory(const char *path);

static void show_entry(int directory, const char *path, const char *name)
{
	struct stat stat;
	char target[8192];
	ssize_t length;
	int has_moved;

	if (fstatat(directory, name, &stat, AT_SYMLINK_NOFOLLOW) < 0) {
		say(" | %s %s", path, errno_name(errno));
		return;
	}
	say(" | ");
	say_bytes(path, strlen(path));
	say(" %s %04o %u:%u %lu", type_name(stat.st_mode), stat.st_mode & 07777, stat.st_uid, stat.st_gid,
	    (unsigned long)stat.st_nlink);
	if (S_ISCHR(stat.st_mode) || S_ISBLK(stat.st_mode))
		say(" dev=%u,%u", major(stat.st_rdev), minor(stat.st_rdev));
	if (S_ISLNK(stat.st_mode) && (length = readlinkat(directory, name, target, sizeof(target))) >= 0) {
		say(" ->");
		say_bytes(target, length);
	}
	if (S_ISREG(stat.st_mode))
		say(" size=%lld%s", (long long)stat.st_size, is_sparse(directory, name) ? " sparse" : "");
	has_moved = show_times(path, &stat);
	if (has_moved || reads_all)
		show_xattrs(path);
	if (S_ISREG(stat.st_mode) && stat.st_size > 0 && (has_moved || reads_all))
		show_content(directory, name);
	if (S_ISDIR(stat.st_mode))
		show_directory(path);
}

static void show_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOATIME);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	char **names = malloc(PATHS * sizeof(*names));
	int count = 0;
	struct dirent *entry;

	if (directory == NULL) {
		say(" unlisted=%s", errno_name(errno));
		free(names);
		return;
	}
	while (count < PATHS && (entry = readdir(directory)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			names[count++] = strdup(entry->d_name);
	qsort(names, count, sizeof(*names), by_text);
	for (int at = 0; at < count; at++) {
		char below[8192];

		snprintf(below, sizeof(below), "%s/%s", path, names[at]);
		show_entry(fd, below, names[at]);
		free(names[at]);
	}
	free(names);
	closedir(directory);
}

/* "all", or "changed" */
static long long run_tree(char **words)
{
	reads_all = strcmp(words[0], "all") == 0;
	show_entry(AT_FDCWD, ".", ".");
	forget_absent();
	return TEXT;
}

/* What was seen of another directory is of no use for this one. */
static long long run_forget(char **words)
{
	(void)words;
	for (int at = 0; at < seen_count; at++)
		seen[at].is_here = 0;
	forget_absent();
	return 0;
}

const struct command tree_commands[] = {
	{ "tree", 1, run_tree },
	{ "forget", 0, run_forget },
	{ NULL, 0, NULL },
};
