/*
 * The convention between src/ and native/, in one place.
 *
 * JavaScript hands over numbers, names and buffers to be filled; a call answers with one number: the result, or -errno.
 * Messages, options and result objects are made in TypeScript, so nothing here allocates, and nothing here can leak.
 * An argument of the wrong type is a TypeError: reading NaN as descriptor 0 would act on somebody's file.
 */
#ifndef IZO_SYS_CALL_H
#define IZO_SYS_CALL_H

#include <limits.h>
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CALL_MAX_ARGUMENTS 8

struct call {
	napi_env env;
	napi_value argv[CALL_MAX_ARGUMENTS];
	bool ok;     /* every argument read so far is usable */
	int failure; /* -errno of a refused argument; 0 when !ok means that an exception is pending */
};

/*
 * A name as the kernel takes it. The room beyond PATH_MAX tells "too long" from "just fits": Node-API cuts a string that
 * does not fit, at a character boundary, so up to three bytes before the end of the buffer.
 */
struct path {
	char bytes[PATH_MAX + 4];
};

struct bytes {
	uint8_t *data;
	size_t length;
};

/* Reads the arguments; missing ones are undefined and refused when they are asked for. */
struct call call_begin(napi_env env, napi_callback_info info);

/* What to return when !call.ok: -errno, or nothing when an exception is pending. */
napi_value call_refused(const struct call *call);

/* The answer of a call: the result of a system call as it came, -1 standing for errno. */
napi_value call_result(const struct call *call, int64_t result);

int arg_int(struct call *call, size_t index);
uint32_t arg_u32(struct call *call, size_t index);

/* An offset, size or number of seconds: a safe integer, or a bigint within 64 bits. */
int64_t arg_i64(struct call *call, size_t index);

/* A user or group id; -1 means "leave as it is", as in chown(2). */
uint32_t arg_id(struct call *call, size_t index);

/* A name: a string (as UTF-8) or a Uint8Array (as it is). A NUL inside is EINVAL: the kernel would stop reading there. */
const char *arg_path(struct call *call, size_t index, struct path *path);

/* The memory of a Uint8Array, valid until the call returns. */
struct bytes arg_bytes(struct call *call, size_t index);

/* The memory of an ArrayBuffer of exactly `size` bytes. */
void *arg_slots(struct call *call, size_t index, size_t size);

#endif
