/* The FUSE device, /dev/fuse: what of its protocol (linux/fuse.h) is not plain reading and writing of a file. */
#include "call.h"
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* linux/fuse.h since 7.40; older headers lack it. */
struct backing_map {
	int32_t fd;
	uint32_t flags;
	uint64_t padding;
};

#define BACKING_OPEN _IOW(229, 1, struct backing_map)
#define BACKING_CLOSE _IOW(229, 2, uint32_t)

static int64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* EINTR: a signal; ENOENT: the request was interrupted before it could be read. The next one is as good. */
static ssize_t receive(int fd, struct bytes buffer)
{
	ssize_t length;

	do
		length = read(fd, buffer.data, buffer.length);
	while (length < 0 && (errno == EINTR || errno == ENOENT));
	return length;
}

/*
 * (fd, buffer, spin in microseconds) -> the length of one request. EAGAIN when none came in that time: waiting awake for a
 * moment costs less than being woken, and a program that has just been answered usually asks again at once.
 */
napi_value izo_fuseReceive(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	int fd = arg_int(&call, 0);
	struct bytes buffer = arg_bytes(&call, 1);
	uint32_t spin_us = arg_u32(&call, 2);
	int64_t deadline;
	ssize_t length;

	if (!call.ok)
		return call_refused(&call);
	length = receive(fd, buffer);
	if (length >= 0 || errno != EAGAIN || spin_us == 0)
		return call_result(&call, length);
	deadline = monotonic_ns() + spin_us * 1000LL;
	do
		length = receive(fd, buffer);
	while (length < 0 && errno == EAGAIN && monotonic_ns() < deadline);
	return call_result(&call, length);
}

/* (fd, buffer, length) -> its length. ENOENT when the request was interrupted, EINVAL when it was answered before. */
napi_value izo_fuseSend(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	int fd = arg_int(&call, 0);
	struct bytes buffer = arg_bytes(&call, 1);
	uint32_t length = arg_u32(&call, 2);
	ssize_t sent;

	if (!call.ok)
		return call_refused(&call);
	if (length > buffer.length) {
		errno = EINVAL;
		return call_result(&call, -1);
	}
	do
		sent = write(fd, buffer.data, length);
	while (sent < 0 && errno == EINTR);
	return call_result(&call, sent);
}

/* A descriptor of the same file that can only be read; -1 where there can be none. */
static int open_reader(int fd)
{
	char link[sizeof "/proc/self/fd/-2147483648"];

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	return open(link, O_RDONLY | O_CLOEXEC);
}

/*
 * (device, fd of a file) -> the number under which the kernel has it.
 *
 * The kernel keeps what it is given for as long as the number is registered, and opens the file anew for each of its own
 * files, with the flags of that one. One that can be written to would make its inode count as open for writing after
 * its last writer is gone, as long as somebody reads: no lease would be given.
 */
napi_value izo_fuseOpenBacking(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	int device = arg_int(&call, 0);
	int fd = arg_int(&call, 1);
	struct backing_map map = { .fd = fd };
	bool is_writable;
	napi_value result;

	if (!call.ok)
		return call_refused(&call);
	is_writable = (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY;
	if (is_writable)
		map.fd = open_reader(fd);
	if (map.fd < 0)
		map.fd = fd;
	result = call_result(&call, ioctl(device, BACKING_OPEN, &map));
	if (map.fd != fd)
		close(map.fd);
	return result;
}

napi_value izo_fuseCloseBacking(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	int fd = arg_int(&call, 0);
	uint32_t backing = arg_u32(&call, 1);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, ioctl(fd, BACKING_CLOSE, &backing));
}
