/* recv(2) with poll(2): for threads that do nothing but take what comes over one connection. */
#include "call.h"
#include "calls.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

/* Whether there is something to read, an end or an error included, within that time. */
static bool is_readable(int fd, int wait_ms)
{
	struct pollfd waited = { .fd = fd, .events = POLLIN };
	int ready;

	do
		ready = poll(&waited, 1, wait_ms);
	while (ready < 0 && errno == EINTR);
	return ready != 0; /* what is wrong is found by the call that follows */
}

/*
 * (fd, buffer, milliseconds to wait for the first byte, for each further one) -> how many bytes came: all that fit, or
 * those before a pause or the end. 0 at the end of the stream, EAGAIN when nothing came in time.
 */
napi_value izo_receive(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	int fd = arg_int(&call, 0);
	struct bytes buffer = arg_bytes(&call, 1);
	int wait_ms = arg_int(&call, 2);
	int pause_ms = arg_int(&call, 3);
	size_t received = 0;

	if (!call.ok)
		return call_refused(&call);
	while (received < buffer.length) {
		ssize_t count = recv(fd, buffer.data + received, buffer.length - received, MSG_DONTWAIT);

		if (count > 0) {
			received += (size_t)count;
		} else if (count == 0) {
			break;
		} else if (errno == EAGAIN) {
			if (is_readable(fd, received == 0 ? wait_ms : pause_ms))
				continue;
			errno = EAGAIN;
			return call_result(&call, received == 0 ? -1 : (int64_t)received);
		} else if (errno != EINTR) {
			/* What came before is good; the next call finds an end. */
			return call_result(&call, received == 0 ? -1 : (int64_t)received);
		}
	}
	return call_result(&call, (int64_t)received);
}
