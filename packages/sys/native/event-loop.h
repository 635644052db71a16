/*
 * The few calls of libuv that wait for a descriptor on Node's event loop. Declared here, for a C compiler must be enough to
 * build this addon; handles are opaque, and their size is asked for when it runs, so only what libuv 1.x promises to keep
 * is relied on (uv.h; docs.libuv.org, "Handle types": the order of uv_handle_type is part of the ABI).
 */
#ifndef IZO_SYS_EVENT_LOOP_H
#define IZO_SYS_EVENT_LOOP_H

#include <stddef.h>

struct uv_loop_s;
typedef struct uv_poll_s uv_poll_t;
typedef struct uv_handle_s uv_handle_t;
typedef void (*uv_poll_cb)(uv_poll_t *handle, int status, int events);
typedef void (*uv_close_cb)(uv_handle_t *handle);

#define UV_POLL 8
#define UV_READABLE 1

size_t uv_handle_size(int type);
void *uv_handle_get_data(const uv_handle_t *handle);
void uv_handle_set_data(uv_handle_t *handle, void *data);
int uv_poll_init(struct uv_loop_s *loop, uv_poll_t *handle, int fd);
int uv_poll_start(uv_poll_t *handle, int events, uv_poll_cb callback);
int uv_poll_stop(uv_poll_t *handle);
void uv_close(uv_handle_t *handle, uv_close_cb callback);

#endif
