/* Copying inside the kernel: ioctl_ficlone(2), copy_file_range(2). */
#include "call.h"
#include "calls.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

napi_value izo_reflink(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	int from_fd = arg_int(&call, 0);
	int to_fd = arg_int(&call, 1);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, ioctl(to_fd, FICLONE, from_fd));
}

napi_value izo_copyFileRange(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	int from_fd = arg_int(&call, 0);
	off_t from_offset = arg_i64(&call, 1);
	int to_fd = arg_int(&call, 2);
	off_t to_offset = arg_i64(&call, 3);
	int64_t length = arg_i64(&call, 4);
	ssize_t copied;

	if (!call.ok)
		return call_refused(&call);
	if (length < 0) { /* as an unsigned size it would mean "all of it" */
		errno = EINVAL;
		return call_result(&call, -1);
	}
	do
		copied = copy_file_range(from_fd, &from_offset, to_fd, &to_offset, (size_t)length, 0);
	while (copied < 0 && errno == EINTR);
	return call_result(&call, copied);
}
