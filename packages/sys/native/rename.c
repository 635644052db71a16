/* renameat2(2). By number: musl has had a wrapper for a short time only. */
#include "call.h"
#include "calls.h"

#include <sys/syscall.h>
#include <unistd.h>

napi_value izo_renameat2(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path from_buffer, to_buffer;
	int from_dirfd = arg_int(&call, 0);
	const char *from = arg_path(&call, 1, &from_buffer);
	int to_dirfd = arg_int(&call, 2);
	const char *to = arg_path(&call, 3, &to_buffer);
	uint32_t flags = arg_u32(&call, 4);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, syscall(SYS_renameat2, from_dirfd, from, to_dirfd, to, flags));
}
