/*
 * Whole small files of one directory, read by a thread of libuv's pool: six calls for each, and one call of JavaScript for
 * all of them. Only a file counts whose stat is the expected one before and after.
 */
#include "call.h"
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define NS_PER_SECOND 1000000000LL
#define MAX_SECONDS (INT64_MAX / NS_PER_SECOND - 1)

/* What src/read-unchanged.ts writes: as many 64-bit integers. */
struct expected {
	int64_t device, inode, birth_ns, change_ns, modification_ns, size_bytes;
};

/* The memory of all but the descriptor is that of JavaScript's buffers, which are kept for as long as this. */
struct reading {
	napi_async_work work;
	napi_deferred deferred;
	napi_ref kept[4];
	int dirfd;
	struct bytes names;    /* each ends with a NUL */
	struct bytes expected; /* a struct each */
	struct bytes contents; /* as large as all sizes together, in that order */
	struct bytes is_read;  /* a byte each, 1 where the content is there */
};

static bool time_is(struct statx_timestamp time, int64_t ns)
{
	/* Beyond 64 bits it was noted as the nearest: such a file is left to whoever looks closer. */
	if (time.tv_sec > MAX_SECONDS || time.tv_sec < -MAX_SECONDS)
		return false;
	return time.tv_sec * NS_PER_SECOND + time.tv_nsec == ns;
}

static bool is_as_expected(int dirfd, const char *name, int flags, const struct expected *expected)
{
	struct statx stat;

	if (statx(dirfd, name, flags, STATX_BASIC_STATS | STATX_BTIME, &stat) < 0 || !S_ISREG(stat.stx_mode))
		return false;
	return (int64_t)stat.stx_ino == expected->inode &&
	       (int64_t)makedev(stat.stx_dev_major, stat.stx_dev_minor) == expected->device &&
	       (int64_t)stat.stx_size == expected->size_bytes && time_is(stat.stx_ctime, expected->change_ns) &&
	       time_is(stat.stx_mtime, expected->modification_ns) &&
	       ((stat.stx_mask & STATX_BTIME) != 0 ? time_is(stat.stx_btime, expected->birth_ns) : expected->birth_ns == 0);
}

static bool read_whole(int fd, uint8_t *into, size_t length)
{
	size_t done = 0;

	while (done < length) {
		ssize_t count = pread(fd, into + done, length - done, (off_t)done);

		if (count == 0 || (count < 0 && errno != EINTR))
			return false;
		if (count > 0)
			done += (size_t)count;
	}
	return true;
}

static bool read_one(int dirfd, const char *name, const struct expected *expected, uint8_t *into)
{
	bool is_read;
	int fd;

	/* Asked before opening: opening a device can have effects. */
	if (!is_as_expected(dirfd, name, AT_SYMLINK_NOFOLLOW, expected))
		return false;
	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	is_read = is_as_expected(fd, "", AT_EMPTY_PATH, expected) && read_whole(fd, into, (size_t)expected->size_bytes) &&
	          is_as_expected(fd, "", AT_EMPTY_PATH, expected);
	close(fd);
	return is_read;
}

static void read_all(napi_env env, void *data)
{
	struct reading *reading = data;
	const char *name = (const char *)reading->names.data;
	const struct expected *expected = (const struct expected *)reading->expected.data;
	uint8_t *into = reading->contents.data;

	(void)env;
	for (size_t index = 0; index < reading->is_read.length; index++) {
		reading->is_read.data[index] = read_one(reading->dirfd, name, &expected[index], into);
		into += expected[index].size_bytes;
		name += strlen(name) + 1;
	}
}

static void let_go(napi_env env, struct reading *reading)
{
	for (size_t index = 0; index < 4; index++)
		if (reading->kept[index] != NULL)
			napi_delete_reference(env, reading->kept[index]);
	if (reading->work != NULL)
		napi_delete_async_work(env, reading->work);
	free(reading);
}

static void tell(napi_env env, napi_status status, void *data)
{
	struct reading *reading = data;
	napi_value undefined;

	(void)status; /* cancelled with its environment: nobody waits any more */
	if (napi_get_undefined(env, &undefined) == napi_ok)
		napi_resolve_deferred(env, reading->deferred, undefined);
	let_go(env, reading);
}

/* Whether the buffers fit together: nothing behind them is read or written, whatever JavaScript hands over. */
static bool is_sound(const struct reading *reading)
{
	const struct expected *expected = (const struct expected *)reading->expected.data;
	size_t count = reading->is_read.length, names = 0, left = reading->contents.length;

	if (reading->expected.length != count * sizeof *expected || (uintptr_t)expected % sizeof(int64_t) != 0)
		return false;
	for (size_t index = 0; index < reading->names.length; index++)
		names += reading->names.data[index] == 0;
	for (size_t index = 0; index < count; index++) {
		if (expected[index].size_bytes < 0 || (uint64_t)expected[index].size_bytes > left)
			return false;
		left -= (size_t)expected[index].size_bytes;
	}
	return names == count;
}

/* (directory, names, expected stats, room for the contents, room for a byte each) -> a promise of undefined. */
napi_value izo_readUnchanged(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct reading *reading, wanted = { .dirfd = arg_int(&call, 0) };
	napi_value name, promise;

	wanted.names = arg_bytes(&call, 1);
	wanted.expected = arg_bytes(&call, 2);
	wanted.contents = arg_bytes(&call, 3);
	wanted.is_read = arg_bytes(&call, 4);
	if (!call.ok)
		return call_refused(&call);
	errno = EINVAL;
	if (!is_sound(&wanted))
		return call_result(&call, -1);
	errno = ENOMEM;
	reading = malloc(sizeof *reading);
	if (reading == NULL)
		return call_result(&call, -1);
	*reading = wanted;
	for (size_t index = 0; index < 4; index++)
		if (napi_create_reference(env, call.argv[index + 1], 1, &reading->kept[index]) != napi_ok)
			goto failed;
	if (napi_create_string_utf8(env, "readUnchanged", NAPI_AUTO_LENGTH, &name) != napi_ok ||
	    napi_create_async_work(env, NULL, name, read_all, tell, reading, &reading->work) != napi_ok ||
	    napi_create_promise(env, &reading->deferred, &promise) != napi_ok)
		goto failed;
	if (napi_queue_async_work(env, reading->work) == napi_ok)
		return promise;
failed:
	let_go(env, reading);
	errno = ENOMEM;
	return call_result(&call, -1);
}
