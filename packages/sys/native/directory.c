/* getdents64(2): one block of entries as the kernel packs them; src/read-directory.ts takes it apart. */
#include "call.h"
#include "calls.h"

#include <sys/syscall.h>
#include <unistd.h>

napi_value izo_getdents64(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	int fd = arg_int(&call, 0);
	struct bytes block = arg_bytes(&call, 1);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, syscall(SYS_getdents64, fd, block.data, block.length));
}
