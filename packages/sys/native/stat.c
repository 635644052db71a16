/* statx(2): the only stat with the birth time, which tells an inode from the next one of the same number. */
#include "call.h"
#include "calls.h"

#include <sys/stat.h>

/*
 * What src/stat.ts reads, 8 bytes each. Times stay in two parts: one 64-bit number of nanoseconds ends in the year 2262,
 * ext4 and XFS do not.
 */
struct stat_slots {
	uint64_t inode;
	double mode, links, uid, gid, size_bytes, blocks;
	double device_major, device_minor, special_major, special_minor;
	double has_birth_time;
	double times[4][2]; /* access, modification, change, birth: seconds, nanoseconds */
};

static void put_time(double slot[2], struct statx_timestamp time)
{
	slot[0] = (double)time.tv_sec;
	slot[1] = time.tv_nsec;
}

napi_value izo_statx(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path buffer;
	struct statx stat;
	int dirfd = arg_int(&call, 0);
	const char *path = arg_path(&call, 1, &buffer);
	int flags = arg_int(&call, 2);
	struct stat_slots *slots = arg_slots(&call, 3, sizeof *slots);
	int result;

	if (!call.ok)
		return call_refused(&call);
	result = statx(dirfd, path, flags, STATX_BASIC_STATS | STATX_BTIME, &stat);
	if (result < 0)
		return call_result(&call, result);
	slots->inode = stat.stx_ino;
	slots->mode = stat.stx_mode;
	slots->links = stat.stx_nlink;
	slots->uid = stat.stx_uid;
	slots->gid = stat.stx_gid;
	slots->size_bytes = (double)stat.stx_size;
	slots->blocks = (double)stat.stx_blocks;
	slots->device_major = stat.stx_dev_major;
	slots->device_minor = stat.stx_dev_minor;
	slots->special_major = stat.stx_rdev_major;
	slots->special_minor = stat.stx_rdev_minor;
	slots->has_birth_time = (stat.stx_mask & STATX_BTIME) != 0;
	put_time(slots->times[0], stat.stx_atime);
	put_time(slots->times[1], stat.stx_mtime);
	put_time(slots->times[2], stat.stx_ctime);
	put_time(slots->times[3], stat.stx_btime);
	return call_result(&call, result);
}
