/* Listings. */
#include "caller.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static DIR *directories[SLOTS];
static long places[SLOTS];

/* The directory of a slot; NULL, with errno, where it could not be opened. */
static DIR *directory_of(const char *word)
{
	errno = EBADF;
	return directories[slot_of(word)];
}

static long long run_opendir(char **words)
{
	int slot = slot_of(words[0]);

	decode(words[1]);
	directories[slot] = opendir(words[1]);
	return directories[slot] == NULL ? -1 : 0;
}

static long long run_closedir(char **words)
{
	DIR *directory = directory_of(words[0]);

	return directory == NULL ? -1 : closedir(directory);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Reads on, and gives the names in their order as text, as file systems have orders of their own: slot, at most how many */
static long long run_readdir(char **words)
{
	DIR *directory = directory_of(words[0]);
	long long most = number(words[1]);
	char **names = malloc(most * sizeof(*names));
	long long count = 0;
	struct dirent *entry;

	if (directory == NULL)
		return -1;
	errno = 0;
	while (count < most && (entry = readdir(directory)) != NULL)
		names[count++] = strdup(entry->d_name);
	if (errno != 0)
		return -1;
	qsort(names, count, sizeof(*names), by_text);
	for (long long at = 0; at < count; at++) {
		say(at == 0 ? "%s" : " %s", names[at]);
		free(names[at]);
	}
	free(names);
	return TEXT;
}

/* Reads on, and gives only how many there were: slot, at most how many */
static long long run_readdir_count(char **words)
{
	DIR *directory = directory_of(words[0]);
	long long most = number(words[1]);
	long long count = 0;

	if (directory == NULL)
		return -1;
	while (count < most && readdir(directory) != NULL)
		count++;
	return count;
}

/* Reads on to the end, and removes what it finds: slot, path of the directory. How many were removed. */
static long long run_remove_listed(char **words)
{
	DIR *directory = directory_of(words[0]);
	long long count = 0;
	struct dirent *entry;
	char path[512];

	if (directory == NULL)
		return -1;
	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", words[1], entry->d_name);
		if (remove(path) < 0)
			return -1;
		count++;
	}
	return count;
}

static long long run_telldir(char **words)
{
	DIR *directory = directory_of(words[0]);

	if (directory == NULL)
		return -1;
	places[slot_of(words[0])] = telldir(directory);
	return 0;
}

static long long run_seekdir(char **words)
{
	DIR *directory = directory_of(words[0]);

	if (directory == NULL)
		return -1;
	seekdir(directory, places[slot_of(words[0])]);
	return 0;
}

static long long run_rewinddir(char **words)
{
	DIR *directory = directory_of(words[0]);

	if (directory == NULL)
		return -1;
	rewinddir(directory);
	return 0;
}

/*
 * Whether types and inode numbers of a listing are those of its entries: how many differ. Not of "..", which a listing
 * that was kept has from before the directory was moved.
 */
static long long run_compare_listing(char **words)
{
	DIR *directory;
	struct dirent *entry;
	struct stat found;
	long long differing = 0;

	decode(words[0]);
	directory = opendir(words[0]);
	if (directory == NULL)
		return -1;
	while ((entry = readdir(directory)) != NULL) {
		if (strcmp(entry->d_name, "..") == 0)
			continue;
		if (fstatat(dirfd(directory), entry->d_name, &found, 0x100) < 0)
			return -1;
		if (entry->d_ino != found.st_ino || entry->d_type != IFTODT(found.st_mode))
			differing++;
	}
	closedir(directory);
	return differing;
}

/* At most so many entries are gone through from each of their places. */
enum { MOST_PLACES = 512 };

/* Whether each place in a listing leads on to what stood behind it: how many do not. */
static long long run_seek_listing(char **words)
{
	DIR *directory;
	struct dirent *entry;
	char *names[MOST_PLACES];
	long behind[MOST_PLACES];
	int count = 0;
	long long astray = 0;

	decode(words[0]);
	directory = opendir(words[0]);
	if (directory == NULL)
		return -1;
	while (count < MOST_PLACES && (entry = readdir(directory)) != NULL) {
		names[count] = strdup(entry->d_name);
		behind[count++] = telldir(directory);
	}
	for (int at = 0; at < count; at++) {
		seekdir(directory, behind[at]);
		entry = readdir(directory);
		if (at + 1 == count ? entry != NULL : entry == NULL || strcmp(entry->d_name, names[at + 1]) != 0)
			astray++;
	}
	for (int at = 0; at < count; at++)
		free(names[at]);
	closedir(directory);
	return astray;
}

/* Makes many empty files: directory, how many, prefix of their names. */
static long long run_populate(char **words)
{
	char path[512];

	for (long long at = 0; at < number(words[1]); at++) {
		snprintf(path, sizeof(path), "%s/%s%lld", words[0], words[2], at);
		if (mknod(path, S_IFREG | 0644, 0) < 0)
			return -1;
	}
	return 0;
}

const struct command directory_commands[] = {
	{ "opendir", 2, run_opendir },
	{ "closedir", 1, run_closedir },
	{ "readdir", 2, run_readdir },
	{ "readdir-count", 2, run_readdir_count },
	{ "remove-listed", 2, run_remove_listed },
	{ "telldir", 1, run_telldir },
	{ "seekdir", 1, run_seekdir },
	{ "rewinddir", 1, run_rewinddir },
	{ "compare-listing", 1, run_compare_listing },
	{ "seek-listing", 1, run_seek_listing },
	{ "populate", 3, run_populate },
	{ NULL, 0, NULL },
};
