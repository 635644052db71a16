/* Mappings of files. */
#include "caller.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

static struct {
	char *at;
	size_t length;
} maps[SLOTS];

/* A mapping of what is not in the file any more: SIGBUS, answered as EFAULT. */
static sigjmp_buf beyond;

static void note_beyond(int signal)
{
	(void)signal;
	siglongjmp(beyond, 1);
}

/* Where a mapping is; NULL, with errno, for one that could not be made. */
static char *map_of(const char *word)
{
	errno = EBADF;
	return maps[slot_of(word)].at;
}

/* slot of the mapping, slot of the file, length, protection, flags, offset */
static long long run_mmap(char **words)
{
	size_t length = number(words[2]);
	void *at = mmap(NULL, length, number(words[3]), number(words[4]), fd_of(words[1]), number(words[5]));

	if (at == MAP_FAILED)
		return -1;
	maps[slot_of(words[0])].at = at;
	maps[slot_of(words[0])].length = length;
	return 0;
}

/* slot, offset, text */
static long long run_map_write(char **words)
{
	size_t length = decode(words[2]);
	char *map = map_of(words[0]);

	if (map == NULL)
		return -1;
	signal(SIGBUS, note_beyond);
	if (sigsetjmp(beyond, 1) != 0) {
		errno = EFAULT;
		return -1;
	}
	memcpy(map + number(words[1]), words[2], length);
	return 0;
}

/* slot, offset, length */
static long long run_map_read(char **words)
{
	char *map = map_of(words[0]);

	if (map == NULL)
		return -1;
	signal(SIGBUS, note_beyond);
	if (sigsetjmp(beyond, 1) != 0) {
		errno = EFAULT;
		return -1;
	}
	say_bytes(map + number(words[1]), number(words[2]));
	return TEXT;
}

static long long run_msync(char **words)
{
	return msync(map_of(words[0]), maps[slot_of(words[0])].length, MS_SYNC);
}

static long long run_munmap(char **words)
{
	char *map = map_of(words[0]);

	if (map == NULL)
		return -1;
	maps[slot_of(words[0])].at = NULL;
	return munmap(map, maps[slot_of(words[0])].length);
}

const struct command map_commands[] = {
	{ "mmap", 6, run_mmap },
	{ "map-write", 3, run_map_write },
	{ "map-read", 3, run_map_read },
	{ "msync", 1, run_msync },
	{ "munmap", 1, run_munmap },
	{ NULL, 0, NULL },
};
