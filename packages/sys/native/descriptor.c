/* Descriptors that come from another process: socketpair(2), recvmsg(2) with SCM_RIGHTS (unix(7)), fcntl(2) F_SETFL. */
#include "call.h"
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

/* (slots for two int32) -> 0; the two ends of a connection */
napi_value izo_socketPair(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	int32_t *ends = arg_slots(&call, 0, 2 * sizeof *ends);
	int made[2];
	int result;

	if (!call.ok)
		return call_refused(&call);
	result = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, made);
	if (result == 0) {
		ends[0] = made[0];
		ends[1] = made[1];
	}
	return call_result(&call, result);
}

/* (socket) -> the descriptor that came over it, close-on-exec; ENOMSG when what came has none. Never waits. */
napi_value izo_receiveDescriptor(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	int fd = arg_int(&call, 0);
	char byte;
	struct iovec data = { .iov_base = &byte, .iov_len = sizeof byte };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes,
	};
	struct cmsghdr *header;
	ssize_t length;
	int received;

	if (!call.ok)
		return call_refused(&call);
	do
		length = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (length < 0 && errno == EINTR);
	if (length < 0)
		return call_result(&call, -1);
	header = CMSG_FIRSTHDR(&message);
	if (header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(sizeof received)) {
		errno = ENOMSG;
		return call_result(&call, -1);
	}
	memcpy(&received, CMSG_DATA(header), sizeof received);
	return call_result(&call, received);
}

/* Reads that find nothing, and writes that find no room, are EAGAIN from now on, for all who share the open file. */
napi_value izo_setNonBlocking(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	int fd = arg_int(&call, 0);
	int flags;

	if (!call.ok)
		return call_refused(&call);
	flags = fcntl(fd, F_GETFL);
	return call_result(&call, flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}
