/* Who calls, and from where. */
#include "caller.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* user, group, supplementary groups joined by "," or "-": the effective ones, so that root can come back */
static long long run_as(char **words)
{
	gid_t groups[32];
	size_t count = 0;
	char *rest = NULL;

	if (seteuid(0) < 0 || setegid(0) < 0)
		fail("become", "root");
	for (char *word = strtok_r(words[2], ",", &rest); word != NULL && count < 32; word = strtok_r(NULL, ",", &rest))
		if (strcmp(word, "-") != 0)
			groups[count++] = number(word);
	if (setgroups(count, groups) < 0 || setegid(number(words[1])) < 0 || seteuid(number(words[0])) < 0)
		fail("become", words[0]);
	return 0;
}

static long long run_umask(char **words)
{
	umask(number(words[0]));
	return 0;
}

static long long run_chdir(char **words)
{
	decode(words[0]);
	return chdir(words[0]);
}

/* Runs a program; 0 when it could be started. */
static long long run_exec(char **words)
{
	char *arguments[] = { words[0], NULL };
	int failure = 0;
	int ends[2];
	pid_t child;

	decode(words[0]);
	if (pipe2(ends, 02000000) < 0)
		fail("make", "a pipe");
	child = fork();
	if (child == 0) {
		execv(words[0], arguments);
		failure = errno;
		_exit(write(ends[1], &failure, sizeof(failure)) == sizeof(failure) ? 126 : 127);
	}
	close(ends[1]);
	if (read(ends[0], &failure, sizeof(failure)) != sizeof(failure))
		failure = 0;
	close(ends[0]);
	waitpid(child, NULL, 0);
	errno = failure;
	return failure == 0 ? 0 : -1;
}

const struct command process_commands[] = {
	{ "as", 3, run_as },
	{ "umask", 1, run_umask },
	{ "chdir", 1, run_chdir },
	{ "exec", 1, run_exec },
	{ NULL, 0, NULL },
};
