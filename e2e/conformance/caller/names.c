/* Calls about names. */
#include "caller.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

static long long run_mkdir(char **words)
{
	decode(words[0]);
	return mkdir(words[0], number(words[1]));
}

static long long run_rmdir(char **words)
{
	decode(words[0]);
	return rmdir(words[0]);
}

static long long run_unlink(char **words)
{
	decode(words[0]);
	return unlink(words[0]);
}

static long long run_link(char **words)
{
	decode(words[0]);
	decode(words[1]);
	return link(words[0], words[1]);
}

/* The file of a descriptor, under a new name: slot, name. */
static long long run_link_fd(char **words)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd_of(words[0]));
	decode(words[1]);
	return linkat(AT_FDCWD, path, AT_FDCWD, words[1], AT_SYMLINK_FOLLOW);
}

static long long run_symlink(char **words)
{
	decode(words[0]);
	decode(words[1]);
	return symlink(words[0], words[1]);
}

static long long run_readlink(char **words)
{
	char target[8192];
	ssize_t length;

	decode(words[0]);
	length = readlink(words[0], target, sizeof(target));
	if (length < 0)
		return -1;
	say_bytes(target, length);
	return TEXT;
}

static long long run_rename(char **words)
{
	decode(words[0]);
	decode(words[1]);
	return rename(words[0], words[1]);
}

static long long run_renameat2(char **words)
{
	decode(words[0]);
	decode(words[1]);
	return renameat2(AT_FDCWD, words[0], AT_FDCWD, words[1], number(words[2]));
}

/* name, type and mode, major, minor */
static long long run_mknod(char **words)
{
	decode(words[0]);
	return mknod(words[0], number(words[1]), makedev(number(words[2]), number(words[3])));
}

static long long run_mkfifo(char **words)
{
	decode(words[0]);
	return mkfifo(words[0], number(words[1]));
}

/* Names a socket: slot for it, name. */
static long long run_bind(char **words)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	decode(words[1]);
	if (strlen(words[1]) >= sizeof(address.sun_path))
		fail("name a socket", words[1]);
	strcpy(address.sun_path, words[1]);
	keep_fd(words[0], fd);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return listen(fd, 1);
}

static long long run_connect(char **words)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	decode(words[1]);
	if (strlen(words[1]) >= sizeof(address.sun_path))
		fail("name a socket", words[1]);
	strcpy(address.sun_path, words[1]);
	keep_fd(words[0], fd);
	return connect(fd, (struct sockaddr *)&address, sizeof(address));
}

const struct command name_commands[] = {
	{ "mkdir", 2, run_mkdir },
	{ "rmdir", 1, run_rmdir },
	{ "unlink", 1, run_unlink },
	{ "link", 2, run_link },
	{ "link-fd", 2, run_link_fd },
	{ "symlink", 2, run_symlink },
	{ "readlink", 1, run_readlink },
	{ "rename", 2, run_rename },
	{ "renameat2", 3, run_renameat2 },
	{ "mknod", 4, run_mknod },
	{ "mkfifo", 2, run_mkfifo },
	{ "bind", 2, run_bind },
	{ "connect", 2, run_connect },
	{ NULL, 0, NULL },
};
