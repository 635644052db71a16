/*
 * Many new files of one directory, each with content, attributes and one extended attribute: seven calls for a file, and
 * one call of JavaScript for all of them.
 */
#include "call.h"
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MODE_BITS 07777

/* What src/make-files.ts writes: as many 64-bit integers. */
struct wanted {
	int64_t mode, uid, gid, modification_s, modification_ns, size_bytes;
};

/* What all of them share. */
struct making {
	int dirfd;
	const char *attribute;
	size_t value_length;
};

static int write_whole(int fd, const struct bytes *content)
{
	size_t done = 0;

	while (done < content->length) {
		ssize_t count = pwrite(fd, content->data + done, content->length - done, (off_t)done);

		if (count < 0 && errno != EINTR)
			return -1;
		if (count > 0)
			done += (size_t)count;
	}
	return 0;
}

static int give_attributes(int fd, const struct wanted *wanted)
{
	const struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT },
		{ .tv_sec = wanted->modification_s, .tv_nsec = wanted->modification_ns },
	};
	bool has_owner;
	struct stat made;

	if (fstat(fd, &made) < 0)
		return -1;
	has_owner = made.st_uid == (uid_t)wanted->uid && made.st_gid == (gid_t)wanted->gid;
	if (!has_owner && fchown(fd, (uid_t)wanted->uid, (gid_t)wanted->gid) < 0)
		return -1;
	/* A change of the owner takes set-id bits away. */
	if ((!has_owner || (made.st_mode & MODE_BITS) != (mode_t)wanted->mode) && fchmod(fd, (mode_t)wanted->mode) < 0)
		return -1;
	return futimens(fd, times);
}

/* The attribute comes last: a file that has it is complete. 0 or an errno; then nothing stays. */
static int make_one(const struct making *making, const char *name, const struct wanted *wanted,
                    const struct bytes *content, const uint8_t *value)
{
	int fd = openat(making->dirfd, name, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, (mode_t)wanted->mode & 0777);
	int error = 0;

	if (fd < 0)
		return errno;
	if (write_whole(fd, content) < 0 ||
	    ((size_t)wanted->size_bytes != content->length && ftruncate(fd, wanted->size_bytes) < 0) ||
	    give_attributes(fd, wanted) < 0 ||
	    fsetxattr(fd, making->attribute, value, making->value_length, 0) < 0) {
		error = errno;
		unlinkat(making->dirfd, name, 0);
	}
	close(fd);
	return error;
}

static bool is_sound(struct bytes names, struct bytes wanted, struct bytes values, size_t value_length, size_t count)
{
	size_t ends = 0;

	for (size_t index = 0; index < names.length; index++)
		ends += names.data[index] == 0;
	return ends == count && wanted.length == count * sizeof(struct wanted) &&
	       (uintptr_t)wanted.data % sizeof(int64_t) == 0 && values.length == count * value_length;
}

/*
 * (directory, names that end with a NUL each, a struct each, an array of contents, name of the attribute, its values, the
 * length of each, an errno each to be written: 0 for one that was made) -> 0
 */
napi_value izo_makeFiles(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path attribute;
	struct making making = { .dirfd = arg_int(&call, 0), .attribute = arg_path(&call, 4, &attribute) };
	struct bytes names = arg_bytes(&call, 1), wanted = arg_bytes(&call, 2), values = arg_bytes(&call, 5);
	struct bytes errors = arg_bytes(&call, 7);
	const char *name = (const char *)names.data;

	making.value_length = arg_u32(&call, 6);
	if (!call.ok)
		return call_refused(&call);
	errno = EINVAL;
	if (!is_sound(names, wanted, values, making.value_length, errors.length))
		return call_result(&call, -1);
	for (size_t index = 0; index < errors.length; index++) {
		struct call content = { .env = env, .ok = true };
		struct bytes bytes;
		napi_handle_scope scope;

		if (napi_open_handle_scope(env, &scope) != napi_ok)
			return NULL;
		if (napi_get_element(env, call.argv[3], (uint32_t)index, &content.argv[0]) != napi_ok)
			content.ok = false;
		bytes = content.ok ? arg_bytes(&content, 0) : (struct bytes){ NULL, 0 };
		napi_close_handle_scope(env, scope);
		if (!content.ok)
			return NULL;
		errors.data[index] = (uint8_t)make_one(&making, name, (const struct wanted *)wanted.data + index, &bytes,
		                                       values.data + index * making.value_length);
		name += strlen(name) + 1;
	}
	return call_result(&call, 0);
}
