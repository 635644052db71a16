/* openat(2), openat2(2). Every descriptor is close-on-exec, as Node's own: a child process must not inherit it. */
#include "call.h"
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How often a look-up that lost a race against renames is tried again. The kernel's own advice is "retry"; a bound keeps a busy tree from stalling the caller. */
#define RACED_LOOKUPS_MAX 64

napi_value izo_openat(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path buffer;
	int dirfd = arg_int(&call, 0);
	const char *path = arg_path(&call, 1, &buffer);
	int flags = arg_int(&call, 2);
	mode_t mode = arg_u32(&call, 3);
	int fd;

	if (!call.ok)
		return call_refused(&call);
	do
		fd = openat(dirfd, path, flags | O_CLOEXEC, mode);
	while (fd < 0 && errno == EINTR);
	return call_result(&call, fd);
}

napi_value izo_openat2(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path buffer;
	int dirfd = arg_int(&call, 0);
	const char *path = arg_path(&call, 1, &buffer);
	struct open_how how = {
		.flags = arg_u32(&call, 2) | O_CLOEXEC,
		.mode = arg_u32(&call, 3),
		.resolve = arg_u32(&call, 4),
	};
	int raced = 0;
	long fd;

	if (!call.ok)
		return call_refused(&call);
	do
		fd = syscall(SYS_openat2, dirfd, path, &how, sizeof how);
	while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++raced < RACED_LOOKUPS_MAX)));
	return call_result(&call, fd);
}
