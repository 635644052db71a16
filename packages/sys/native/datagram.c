/* socket(2), sendto(2): one datagram to a UNIX socket. Node has no datagram sockets of that family. */
#include "call.h"
#include "calls.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* (path, message); a path that begins with '@' is a name of the abstract namespace, unix(7) */
napi_value izo_sendDatagram(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	struct path buffer;
	const char *path = arg_path(&call, 0, &buffer);
	struct bytes message = arg_bytes(&call, 1);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length;
	ssize_t sent;
	int fd, failure;

	if (!call.ok)
		return call_refused(&call);
	length = strlen(path);
	if (length == 0 || length >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		return call_result(&call, -1);
	}
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return call_result(&call, -1);
	/* Nobody may be kept waiting by a receiver that does not read. */
	sent = sendto(fd, message.data, message.length, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&address,
		      offsetof(struct sockaddr_un, sun_path) + length + (path[0] == '@' ? 0 : 1));
	failure = errno;
	close(fd);
	errno = failure;
	return call_result(&call, sent);
}
