/* Space and holes of a file: fallocate(2), lseek(2). */
#include "call.h"
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

napi_value izo_fallocate(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	int fd = arg_int(&call, 0);
	int mode = arg_int(&call, 1);
	off_t offset = arg_i64(&call, 2);
	off_t length = arg_i64(&call, 3);
	int result;

	if (!call.ok)
		return call_refused(&call);
	do
		result = fallocate(fd, mode, offset, length);
	while (result < 0 && errno == EINTR);
	return call_result(&call, result);
}

napi_value izo_lseek(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	int fd = arg_int(&call, 0);
	off_t offset = arg_i64(&call, 1);
	int whence = arg_int(&call, 2);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, lseek(fd, offset, whence));
}
