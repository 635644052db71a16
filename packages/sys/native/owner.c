/* fchownat(2), fchmodat(2). */
#include "call.h"
#include "calls.h"

#include <sys/stat.h>
#include <unistd.h>

napi_value izo_fchownat(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path buffer;
	int dirfd = arg_int(&call, 0);
	const char *path = arg_path(&call, 1, &buffer);
	uid_t uid = arg_id(&call, 2);
	gid_t gid = arg_id(&call, 3);
	int flags = arg_int(&call, 4);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, fchownat(dirfd, path, uid, gid, flags));
}

/* The kernel's fchmodat takes no flags before 6.6; the C library stands in for "no follow" through O_PATH and /proc. */
napi_value izo_fchmodat(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path buffer;
	int dirfd = arg_int(&call, 0);
	const char *path = arg_path(&call, 1, &buffer);
	mode_t mode = arg_u32(&call, 2);
	int flags = arg_int(&call, 3);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, fchmodat(dirfd, path, mode, flags));
}
