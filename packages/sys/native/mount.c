/* umount2(2). */
#include "abi.h"
#include "call.h"
#include "calls.h"

#include <sys/mount.h>

SAME(MNT_FORCE, 1);
SAME(MNT_DETACH, 2);
SAME(UMOUNT_NOFOLLOW, 8);

napi_value izo_umount2(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path buffer;
	const char *path = arg_path(&call, 0, &buffer);
	int flags = arg_int(&call, 1);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, umount2(path, flags));
}
