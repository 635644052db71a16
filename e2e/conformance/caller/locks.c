/* Locks; none of them waits. */
#include "caller.h"

#include <fcntl.h>
#include <sys/file.h>

static long long run_flock(char **words)
{
	return flock(fd_of(words[0]), number(words[1]) | LOCK_NB);
}

/* slot, F_SETLK or another, type, start, length */
static long long run_lock(char **words)
{
	int command = number(words[1]);
	struct flock lock = {
		.l_type = number(words[2]),
		.l_whence = SEEK_SET,
		.l_start = number(words[3]),
		.l_len = number(words[4]),
	};

	if (fcntl(fd_of(words[0]), command, &lock) < 0)
		return -1;
	if (command != F_GETLK && command != F_OFD_GETLK)
		return 0;
	say("%s %lld %lld", lock.l_type == F_UNLCK ? "free" : lock.l_type == F_RDLCK ? "shared" : "exclusive",
	    (long long)lock.l_start, (long long)lock.l_len);
	return TEXT;
}

const struct command lock_commands[] = {
	{ "flock", 2, run_flock },
	{ "lock", 5, run_lock },
	{ NULL, 0, NULL },
};
