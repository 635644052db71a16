/* Calls about open files and their data. */
#include "caller.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

/* slot, name, flags, mode */
static long long run_open(char **words)
{
	decode(words[1]);
	return keep_fd(words[0], open(words[1], number(words[2]), number(words[3])));
}

static long long run_close(char **words)
{
	int slot = slot_of(words[0]);
	int fd = fds[slot];

	fds[slot] = -1;
	return close(fd);
}

/* slot, length, offset; -1 for where the descriptor stands */
static long long run_read(char **words)
{
	/* As O_DIRECT wants it. */
	static char data[1 << 18] __attribute__((aligned(4096)));
	long long length = number(words[1]);
	long long offset = number(words[2]);
	ssize_t count;

	if (length > (long long)sizeof(data))
		fail("read as much as", words[1]);
	count = offset < 0 ? read(fd_of(words[0]), data, length) : pread(fd_of(words[0]), data, length, offset);
	if (count < 0)
		return -1;
	say("%zd ", count);
	say_bytes(data, count < 64 ? count : 64);
	return TEXT;
}

/* slot, text, offset */
static long long run_write(char **words)
{
	size_t length = decode(words[1]);
	long long offset = number(words[2]);

	return offset < 0 ? write(fd_of(words[0]), words[1], length) : pwrite(fd_of(words[0]), words[1], length, offset);
}

/* Many times the same byte: slot, byte, count, offset */
static long long run_fill(char **words)
{
	size_t length = number(words[2]);
	char *data = malloc(length);
	ssize_t count;

	decode(words[1]);
	memset(data, words[1][0], length);
	count = pwrite(fd_of(words[0]), data, length, number(words[3]));
	free(data);
	return count;
}

static long long run_lseek(char **words)
{
	return lseek(fd_of(words[0]), number(words[1]), number(words[2]));
}

static long long run_truncate(char **words)
{
	decode(words[0]);
	return truncate(words[0], number(words[1]));
}

static long long run_ftruncate(char **words)
{
	return ftruncate(fd_of(words[0]), number(words[1]));
}

/* slot, mode, offset, length */
static long long run_fallocate(char **words)
{
	return fallocate(fd_of(words[0]), number(words[1]), number(words[2]), number(words[3]));
}

/* slot, offset, length */
static long long run_posix_fallocate(char **words)
{
	errno = posix_fallocate(fd_of(words[0]), number(words[1]), number(words[2]));
	return errno == 0 ? 0 : -1;
}

/* slot, offset, slot, offset, length */
static long long run_copy(char **words)
{
	off64_t from = number(words[1]);
	off64_t to = number(words[3]);

	return copy_file_range(fd_of(words[0]), &from, fd_of(words[2]), &to, number(words[4]), 0);
}

static long long run_fsync(char **words)
{
	return fsync(fd_of(words[0]));
}

static long long run_fdatasync(char **words)
{
	return fdatasync(fd_of(words[0]));
}

static void ignore_signal(int number)
{
	(void)number;
}

/* slot, how often: synchronizes it, changed each time, while a timer of this process sends signals that it handles */
static long long run_fsync_signalled(char **words)
{
	const struct sigaction handling = { .sa_handler = ignore_signal, .sa_flags = SA_RESTART };
	const struct itimerval often = { { 0, 100 }, { 0, 100 } };
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };
	long long result = 0;

	if (sigaction(SIGALRM, &handling, NULL) < 0 || setitimer(ITIMER_REAL, &often, NULL) < 0)
		fail("start", "a timer");
	for (long long left = number(words[1]); left > 0 && result == 0; left--)
		result = futimens(fd_of(words[0]), NULL) < 0 ? -1 : fsync(fd_of(words[0]));
	const int failure = errno;
	setitimer(ITIMER_REAL, &never, NULL);
	errno = failure;
	return result;
}

const struct command file_commands[] = {
	{ "open", 4, run_open },
	{ "close", 1, run_close },
	{ "read", 3, run_read },
	{ "write", 3, run_write },
	{ "fill", 4, run_fill },
	{ "lseek", 3, run_lseek },
	{ "truncate", 2, run_truncate },
	{ "ftruncate", 2, run_ftruncate },
	{ "fallocate", 4, run_fallocate },
	{ "posix_fallocate", 3, run_posix_fallocate },
	{ "copy", 5, run_copy },
	{ "fsync", 1, run_fsync },
	{ "fsync-signalled", 2, run_fsync_signalled },
	{ "fdatasync", 1, run_fdatasync },
	{ NULL, 0, NULL },
};
