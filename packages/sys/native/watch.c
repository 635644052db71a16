/*
 * Calls a function on the event loop whenever a descriptor can be read: what Node does for sockets, for descriptors that it
 * does not know, such as /dev/fuse. The descriptor stays the caller's; the watch must end before it is closed.
 */
#include "call.h"
#include "calls.h"
#include "event-loop.h"

#include <errno.h>
#include <stdlib.h>

struct watch {
	napi_env env;
	napi_ref callback;
	napi_async_context context;
	napi_async_cleanup_hook_handle cleanup;
	uv_poll_t *poll;
};

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = uv_handle_get_data((uv_handle_t *)poll);
	napi_handle_scope scope;
	napi_value callback, receiver, result;

	(void)status; /* an error is found by the read that follows */
	(void)events;
	if (napi_open_handle_scope(watch->env, &scope) != napi_ok)
		return;
	if (napi_get_reference_value(watch->env, watch->callback, &callback) == napi_ok &&
	    napi_get_global(watch->env, &receiver) == napi_ok &&
	    napi_make_callback(watch->env, watch->context, receiver, callback, 0, NULL, &result) == napi_pending_exception) {
		napi_value error;

		if (napi_get_and_clear_last_exception(watch->env, &error) == napi_ok)
			napi_fatal_exception(watch->env, error);
	}
	napi_close_handle_scope(watch->env, scope);
}

static void on_closed(uv_handle_t *poll)
{
	struct watch *watch = uv_handle_get_data(poll);

	free(poll);
	napi_remove_async_cleanup_hook(watch->cleanup);
	free(watch);
}

/* Ends the watch; the rest is freed when the loop lets go of the handle. */
static void end(struct watch *watch)
{
	uv_poll_stop(watch->poll);
	napi_delete_reference(watch->env, watch->callback);
	napi_async_destroy(watch->env, watch->context);
	uv_close((uv_handle_t *)watch->poll, on_closed);
}

static void on_environment_ends(napi_async_cleanup_hook_handle handle, void *data)
{
	(void)handle;
	end(data);
}

/* (fd, callback) -> the watch, as an external for endWatch(). */
napi_value izo_watch(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	int fd = arg_int(&call, 0);
	struct watch *watch;
	struct uv_loop_s *loop;
	napi_value name, external;
	int result;

	if (!call.ok)
		return call_refused(&call);
	watch = calloc(1, sizeof *watch);
	if (watch != NULL)
		watch->poll = calloc(1, uv_handle_size(UV_POLL));
	if (watch == NULL || watch->poll == NULL || napi_get_uv_event_loop(env, &loop) != napi_ok) {
		errno = ENOMEM;
		result = -1;
	} else {
		result = uv_poll_init(loop, watch->poll, fd); /* libuv answers with -errno */
		if (result < 0) {
			errno = -result;
			result = -1;
		}
	}
	if (result < 0) {
		if (watch != NULL)
			free(watch->poll);
		free(watch);
		return call_result(&call, result);
	}
	watch->env = env;
	uv_handle_set_data((uv_handle_t *)watch->poll, watch);
	napi_create_reference(env, call.argv[1], 1, &watch->callback);
	napi_create_string_utf8(env, "izo:watch", NAPI_AUTO_LENGTH, &name);
	napi_async_init(env, NULL, name, &watch->context);
	napi_add_async_cleanup_hook(env, on_environment_ends, watch, &watch->cleanup);
	uv_poll_start(watch->poll, UV_READABLE, on_readable);
	napi_create_external(env, watch, NULL, NULL, &external);
	return external;
}

/* Once for each watch: afterwards the external points nowhere. */
napi_value izo_endWatch(napi_env env, napi_callback_info info)
{
	struct call call = call_begin(env, info);
	void *watch = NULL;

	if (napi_get_value_external(env, call.argv[0], &watch) == napi_ok)
		end(watch);
	return call_result(&call, 0);
}
