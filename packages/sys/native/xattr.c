/*
 * xattr(7), by path without following a symlink, and by descriptor.
 *
 * The kernel never returns more than 64 KiB (XATTR_SIZE_MAX, XATTR_LIST_MAX in linux/limits.h), so the caller's buffer of
 * that size needs no asking for the length first, between which and the reading the attribute could grow.
 */
#include "call.h"
#include "calls.h"

#include <sys/xattr.h>

napi_value izo_lgetxattr(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path path_buffer, name_buffer;
	const char *path = arg_path(&call, 0, &path_buffer);
	const char *name = arg_path(&call, 1, &name_buffer);
	struct bytes value = arg_bytes(&call, 2);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, lgetxattr(path, name, value.data, value.length));
}

napi_value izo_fgetxattr(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path name_buffer;
	int fd = arg_int(&call, 0);
	const char *name = arg_path(&call, 1, &name_buffer);
	struct bytes value = arg_bytes(&call, 2);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, fgetxattr(fd, name, value.data, value.length));
}

napi_value izo_lsetxattr(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path path_buffer, name_buffer;
	const char *path = arg_path(&call, 0, &path_buffer);
	const char *name = arg_path(&call, 1, &name_buffer);
	struct bytes value = arg_bytes(&call, 2);
	int flags = arg_int(&call, 3);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, lsetxattr(path, name, value.data, value.length, flags));
}

napi_value izo_fsetxattr(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path name_buffer;
	int fd = arg_int(&call, 0);
	const char *name = arg_path(&call, 1, &name_buffer);
	struct bytes value = arg_bytes(&call, 2);
	int flags = arg_int(&call, 3);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, fsetxattr(fd, name, value.data, value.length, flags));
}

napi_value izo_llistxattr(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path path_buffer;
	const char *path = arg_path(&call, 0, &path_buffer);
	struct bytes list = arg_bytes(&call, 1);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, llistxattr(path, (char *)list.data, list.length));
}

napi_value izo_flistxattr(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	int fd = arg_int(&call, 0);
	struct bytes list = arg_bytes(&call, 1);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, flistxattr(fd, (char *)list.data, list.length));
}

napi_value izo_lremovexattr(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path path_buffer, name_buffer;
	const char *path = arg_path(&call, 0, &path_buffer);
	const char *name = arg_path(&call, 1, &name_buffer);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, lremovexattr(path, name));
}

napi_value izo_fremovexattr(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path name_buffer;
	int fd = arg_int(&call, 0);
	const char *name = arg_path(&call, 1, &name_buffer);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, fremovexattr(fd, name));
}
