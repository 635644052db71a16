/* The calls that make and remove names, relative to a directory descriptor: mknod(2), mkdir(2), unlink(2), symlink(2), link(2), readlink(2). */
#include "call.h"
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

napi_value izo_mknodat(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path buffer;
	int dirfd = arg_int(&call, 0);
	const char *path = arg_path(&call, 1, &buffer);
	mode_t mode = arg_u32(&call, 2);
	uint32_t device = arg_u32(&call, 3);

	if (!call.ok)
		return call_refused(&call);
	/* By number: the C library's own wrapper would be the only thing here that needs glibc 2.33; Node 24 needs 2.28. */
	return call_result(&call, syscall(SYS_mknodat, dirfd, path, mode, device));
}

napi_value izo_mkdirat(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path buffer;
	int dirfd = arg_int(&call, 0);
	const char *path = arg_path(&call, 1, &buffer);
	mode_t mode = arg_u32(&call, 2);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, mkdirat(dirfd, path, mode));
}

napi_value izo_unlinkat(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path buffer;
	int dirfd = arg_int(&call, 0);
	const char *path = arg_path(&call, 1, &buffer);
	int flags = arg_int(&call, 2);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, unlinkat(dirfd, path, flags));
}

napi_value izo_symlinkat(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path target_buffer, buffer;
	const char *target = arg_path(&call, 0, &target_buffer);
	int dirfd = arg_int(&call, 1);
	const char *path = arg_path(&call, 2, &buffer);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, symlinkat(target, dirfd, path));
}

napi_value izo_linkat(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path from_buffer, to_buffer;
	int from_dirfd = arg_int(&call, 0);
	const char *from = arg_path(&call, 1, &from_buffer);
	int to_dirfd = arg_int(&call, 2);
	const char *to = arg_path(&call, 3, &to_buffer);
	int flags = arg_int(&call, 4);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, linkat(from_dirfd, from, to_dirfd, to, flags));
}

/*
 * AT_EMPTY_PATH answers ENOENT to a process without CAP_DAC_READ_SEARCH (kernels before 6.10); the way through /proc is
 * open to everybody, but needs /proc to be mounted. open(2), O_TMPFILE, names both.
 */
napi_value izo_linkFd(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path buffer;
	char source[sizeof "/proc/self/fd/-2147483648"];
	int fd = arg_int(&call, 0);
	int dirfd = arg_int(&call, 1);
	const char *path = arg_path(&call, 2, &buffer);
	int result;

	if (!call.ok)
		return call_refused(&call);
	result = linkat(fd, "", dirfd, path, AT_EMPTY_PATH);
	if (result < 0 && errno == ENOENT) {
		snprintf(source, sizeof source, "/proc/self/fd/%d", fd);
		result = linkat(AT_FDCWD, source, dirfd, path, AT_SYMLINK_FOLLOW);
	}
	return call_result(&call, result);
}

napi_value izo_readlinkat(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path buffer;
	int dirfd = arg_int(&call, 0);
	const char *path = arg_path(&call, 1, &buffer);
	struct bytes target = arg_bytes(&call, 2);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, readlinkat(dirfd, path, (char *)target.data, target.length));
}
