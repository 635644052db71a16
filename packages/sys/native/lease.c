/*
 * Read leases, fcntl(2) F_SETLEASE: the kernel grants one exactly while nobody can write to the file, a shared mapping whose
 * descriptor is closed included. That makes it the question "is there a writer?".
 *
 * Whoever opens the file for writing while we hold the lease makes the kernel send us a signal. By default that is SIGIO,
 * whose default action ends the process. So the signal is first set to SIGURG: ignored by default, and not used by Node. It
 * is below SIGRTMIN, so it never has to be queued, and the kernel never falls back to SIGIO when a queue is full.
 */
#include "call.h"
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

static int take_read_lease(int fd)
{
	if (fcntl(fd, F_SETSIG, SIGURG) < 0)
		return -1;
	return fcntl(fd, F_SETLEASE, F_RDLCK);
}

napi_value izo_setReadLease(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	int fd = arg_int(&call, 0);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, take_read_lease(fd));
}

napi_value izo_releaseLease(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	int fd = arg_int(&call, 0);

	if (!call.ok)
		return call_refused(&call);
	return call_result(&call, fcntl(fd, F_SETLEASE, F_UNLCK));
}

/* The lease lives for these two calls only: a writer that opens in between waits for microseconds, not for the lease-break time. */
napi_value izo_hasWriter(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	int fd = arg_int(&call, 0);

	if (!call.ok)
		return call_refused(&call);
	if (take_read_lease(fd) < 0)
		return call_result(&call, errno == EAGAIN ? 1 : -1);
	return call_result(&call, fcntl(fd, F_SETLEASE, F_UNLCK));
}
