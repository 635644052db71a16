/* utimensat(2), futimens(3): times to the nanosecond, which Node's double of seconds cannot carry. */
#include "call.h"
#include "calls.h"

#include <sys/stat.h>

/* Seconds and nanoseconds of one time, in two arguments; the nanoseconds may be UTIME_NOW or UTIME_OMIT. */
static struct timespec arg_time(struct call *call, size_t index)
{
	struct timespec time = { .tv_sec = arg_i64(call, index), .tv_nsec = arg_int(call, index + 1) };

	return time;
}

napi_value izo_utimensat(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path buffer;
	int dirfd = arg_int(&call, 0);
	const char *path = arg_path(&call, 1, &buffer);
	struct timespec times[2] = { arg_time(&call, 2), arg_time(&call, 4) };
	int flags = arg_int(&call, 6);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, utimensat(dirfd, path, times, flags));
}

napi_value izo_futimens(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	int fd = arg_int(&call, 0);
	struct timespec times[2] = { arg_time(&call, 1), arg_time(&call, 3) };

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, futimens(fd, times));
}
