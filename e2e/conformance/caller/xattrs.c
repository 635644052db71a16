/* Extended attributes, and access control lists in the kernel's binary form. */
#include "caller.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

/* name, attribute, value, flags */
static long long run_setxattr(char **words)
{
	size_t length = decode(words[2]);

	decode(words[0]);
	return lsetxattr(words[0], words[1], words[2], length, number(words[3]));
}

/* slot, attribute, value, flags */
static long long run_fsetxattr(char **words)
{
	size_t length = decode(words[2]);

	return fsetxattr(fd_of(words[0]), words[1], words[2], length, number(words[3]));
}

/* Many bytes: name, attribute, count */
static long long run_setxattr_long(char **words)
{
	size_t length = number(words[2]);
	char *value = malloc(length);
	int result;

	decode(words[0]);
	memset(value, 'v', length);
	result = lsetxattr(words[0], words[1], value, length, 0);
	free(value);
	return result;
}

/* name, attribute, room */
static long long run_getxattr(char **words)
{
	char value[65536];
	ssize_t length;

	decode(words[0]);
	length = lgetxattr(words[0], words[1], value, number(words[2]));
	if (length < 0)
		return -1;
	say("%zd ", length);
	say_bytes(value, number(words[2]) == 0 ? 0 : length < 64 ? length : 64);
	return TEXT;
}

static long long run_removexattr(char **words)
{
	decode(words[0]);
	return lremovexattr(words[0], words[1]);
}

static long long run_listxattr(char **words)
{
	decode(words[0]);
	return llistxattr(words[0], NULL, 0) < 0 ? -1 : 0;
}

struct acl_entry {
	uint16_t tag;
	uint16_t perm;
	uint32_t id;
};

static uint16_t permissions_of(const char *letters)
{
	return (strchr(letters, 'r') != NULL ? 4 : 0) | (strchr(letters, 'w') != NULL ? 2 : 0) |
	       (strchr(letters, 'x') != NULL ? 1 : 0);
}

/* One entry as "u::rwx", "u:1000:r-x", "g::…", "m::…", "o::…": linux/posix_acl_xattr.h */
static struct acl_entry entry_of(char *word)
{
	char *id = strchr(word, ':');
	char *letters = id == NULL ? NULL : strchr(id + 1, ':');
	int has_id = letters != NULL && letters != id + 1;
	struct acl_entry entry = { .id = UINT32_MAX };

	if (letters == NULL)
		fail("read the entry", word);
	entry.perm = permissions_of(letters + 1);
	if (has_id)
		entry.id = strtoul(id + 1, NULL, 10);
	switch (word[0]) {
	case 'u':
		entry.tag = has_id ? 0x02 : 0x01;
		break;
	case 'g':
		entry.tag = has_id ? 0x08 : 0x04;
		break;
	case 'm':
		entry.tag = 0x10;
		break;
	default:
		entry.tag = 0x20;
	}
	return entry;
}

/* name, "access" or "default", entries joined by "," in the order of their tags */
static long long run_setfacl(char **words)
{
	struct {
		uint32_t version;
		struct acl_entry entries[32];
	} list = { .version = 2 };
	char attribute[64];
	size_t count = 0;
	char *rest = NULL;

	decode(words[0]);
	for (char *word = strtok_r(words[2], ",", &rest); word != NULL && count < 32; word = strtok_r(NULL, ",", &rest))
		list.entries[count++] = entry_of(word);
	snprintf(attribute, sizeof(attribute), "system.posix_acl_%s", words[1]);
	return lsetxattr(words[0], attribute, &list, sizeof(list.version) + count * sizeof(*list.entries), 0);
}

const struct command xattr_commands[] = {
	{ "setxattr", 4, run_setxattr },
	{ "fsetxattr", 4, run_fsetxattr },
	{ "setxattr-long", 3, run_setxattr_long },
	{ "getxattr", 3, run_getxattr },
	{ "removexattr", 2, run_removexattr },
	{ "listxattr", 1, run_listxattr },
	{ "setfacl", 3, run_setfacl },
	{ NULL, 0, NULL },
};
