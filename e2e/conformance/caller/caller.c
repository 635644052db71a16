/* Reads commands and answers them: see caller.h. */
#include "caller.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORDS 16

int fds[SLOTS];
static char text[TEXT_BYTES];
static size_t text_length;

static const struct command *const tables[] = {
	name_commands, file_commands, attribute_commands, xattr_commands, lock_commands,
	map_commands,  directory_commands, process_commands, tree_commands,
};

void say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text_length += vsnprintf(text + text_length, TEXT_BYTES - text_length, format, arguments);
	va_end(arguments);
	if (text_length >= TEXT_BYTES)
		fail("answer: it is too long", "");
}

void say_bytes(const void *bytes, size_t length)
{
	const unsigned char *byte = bytes;

	for (size_t at = 0; at < length; at++)
		say(byte[at] > ' ' && byte[at] < 0x7f && byte[at] != '%' ? "%c" : "%%%02x", byte[at]);
}

void fail(const char *what, const char *word)
{
	fprintf(stderr, "Cannot %s \"%s\"\n", what, word);
	exit(2);
}

size_t decode(char *word)
{
	char *to = word;

	for (char *from = word; *from != '\0'; to++) {
		unsigned int byte;

		if (*from == '%' && sscanf(from + 1, "%2x", &byte) == 1) {
			*to = (char)byte;
			from += 3;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
	return to - word;
}

int slot_of(const char *word)
{
	long long slot = number(word);

	if (slot < 0 || slot >= SLOTS)
		fail("use the slot", word);
	return (int)slot;
}

int fd_of(const char *word)
{
	return fds[slot_of(word)];
}

long long keep_fd(const char *word, int fd)
{
	int slot = slot_of(word);

	if (fd < 0)
		return -1;
	if (fds[slot] >= 0)
		close(fds[slot]);
	fds[slot] = fd;
	return 0;
}

const char *type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "file";
	case S_IFDIR:
		return "dir";
	case S_IFLNK:
		return "link";
	case S_IFIFO:
		return "fifo";
	case S_IFSOCK:
		return "socket";
	case S_IFCHR:
		return "char";
	case S_IFBLK:
		return "block";
	default:
		return "unknown";
	}
}

static const struct command *find(const char *name)
{
	for (size_t table = 0; table < sizeof(tables) / sizeof(*tables); table++)
		for (const struct command *command = tables[table]; command->name != NULL; command++)
			if (strcmp(command->name, name) == 0)
				return command;
	fail("find the command", name);
}

static void answer(char *line)
{
	char *words[WORDS + 1] = { NULL };
	int count = 0;
	const struct command *command;
	long long result;

	for (char *word = strtok(line, " \n"); word != NULL && count < WORDS; word = strtok(NULL, " \n"))
		words[count++] = word;
	if (count == 0)
		fail("read", "an empty line");
	command = find(words[0]);
	if (count - 1 != command->words)
		fail("take these words for the command", words[0]);
	text_length = 0;
	errno = 0;
	result = command->run(words + 1);
	if (result < 0)
		puts(errno_name(errno));
	else if (result == TEXT)
		printf("%.*s\n", (int)text_length, text);
	else
		printf("%lld\n", result);
	fflush(stdout);
}

int main(void)
{
	char *line = NULL;
	size_t room = 0;

	for (int slot = 0; slot < SLOTS; slot++)
		fds[slot] = -1;
	umask(0);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	while (getline(&line, &room, stdin) > 0)
		answer(line);
	return 0;
}
