/* flock(2). */
#include "call.h"
#include "calls.h"

#include <errno.h>
#include <sys/file.h>

napi_value izo_flock(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	int fd = arg_int(&call, 0);
	int operation = arg_int(&call, 1);
	int result;

	if (!call.ok)
		return call_refused(&call);
	do
		result = flock(fd, operation);
	while (result < 0 && errno == EINTR);
	return call_result(&call, result);
}
