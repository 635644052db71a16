/* mount(2), umount2(2). */
#include "abi.h"
#include "call.h"
#include "calls.h"

#include <sys/mount.h>

SAME(MNT_FORCE, 1);
SAME(MNT_DETACH, 2);
SAME(UMOUNT_NOFOLLOW, 8);

SAME(MS_NOSUID, 2);
SAME(MS_NODEV, 4);

/* (source, target, type, flags, data) */
napi_value izo_mount(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path source_buffer, target_buffer, type_buffer, data_buffer;
	const char *source = arg_path(&call, 0, &source_buffer);
	const char *target = arg_path(&call, 1, &target_buffer);
	const char *type = arg_path(&call, 2, &type_buffer);
	uint32_t flags = arg_u32(&call, 3);
	const char *data = arg_path(&call, 4, &data_buffer);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, mount(source, target, type, flags, data));
}

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
