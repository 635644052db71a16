/* syncfs(2). */
#include "call.h"
#include "calls.h"

#include <unistd.h>

napi_value izo_syncfs(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	int fd = arg_int(&call, 0);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, syncfs(fd));
}
