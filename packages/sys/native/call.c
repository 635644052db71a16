#include "call.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_SAFE_INTEGER 9007199254740991.0 /* 2^53 - 1, ECMA-262 Number.MAX_SAFE_INTEGER */

static void refuse(struct call *call, int failure)
{
	if (call->ok) {
		call->ok = false;
		call->failure = failure;
	}
}

static void refuse_type(struct call *call, size_t index, const char *expected)
{
	char message[128];

	if (!call->ok)
		return;
	snprintf(message, sizeof message, "Cannot read argument %zu: it is not %s", index + 1, expected);
	napi_throw_type_error(call->env, "ERR_INVALID_ARG_TYPE", message);
	refuse(call, 0);
}

struct call call_begin(napi_env env, napi_callback_info info)
{
	struct call call = { .env = env, .ok = true };
	size_t argc = CALL_MAX_ARGUMENTS;

	if (napi_get_cb_info(env, info, &argc, call.argv, NULL, NULL) != napi_ok)
		refuse_type(&call, 0, "readable");
	return call;
}

static napi_value number(const struct call *call, int64_t value)
{
	napi_value result = NULL;

	napi_create_int64(call->env, value, &result);
	return result;
}

napi_value call_refused(const struct call *call)
{
	return call->failure == 0 ? NULL : number(call, call->failure);
}

napi_value call_result(const struct call *call, int64_t result)
{
	int error = errno;

	if (result < 0)
		return number(call, -error);
	/* A larger offset would come out rounded. No file is that long, but a sparse one on XFS could be. */
	if (result > (int64_t)MAX_SAFE_INTEGER)
		return number(call, -EOVERFLOW);
	return number(call, result);
}

static int64_t arg_integer(struct call *call, size_t index, double least, double most, const char *expected)
{
	double value = NAN;

	if (napi_get_value_double(call->env, call->argv[index], &value) != napi_ok || !(value >= least && value <= most) ||
	    value != trunc(value)) {
		refuse_type(call, index, expected);
		return 0;
	}
	return (int64_t)value;
}

int arg_int(struct call *call, size_t index)
{
	return (int)arg_integer(call, index, INT32_MIN, INT32_MAX, "a 32-bit integer");
}

uint32_t arg_u32(struct call *call, size_t index)
{
	return (uint32_t)arg_integer(call, index, 0, UINT32_MAX, "an unsigned 32-bit integer");
}

uint32_t arg_id(struct call *call, size_t index)
{
	return (uint32_t)arg_integer(call, index, -1, UINT32_MAX, "a user or group id");
}

int64_t arg_i64(struct call *call, size_t index)
{
	napi_valuetype type = napi_undefined;
	int64_t value = 0;
	bool lossless = false;

	napi_typeof(call->env, call->argv[index], &type);
	if (type != napi_bigint)
		return arg_integer(call, index, -MAX_SAFE_INTEGER, MAX_SAFE_INTEGER, "a safe integer");
	if (napi_get_value_bigint_int64(call->env, call->argv[index], &value, &lossless) != napi_ok || !lossless)
		refuse_type(call, index, "a 64-bit integer");
	return value;
}

const char *arg_path(struct call *call, size_t index, struct path *path)
{
	napi_valuetype type = napi_undefined;
	size_t length = 0;

	napi_typeof(call->env, call->argv[index], &type);
	if (type == napi_string) {
		if (napi_get_value_string_utf8(call->env, call->argv[index], path->bytes, sizeof path->bytes, &length) != napi_ok)
			refuse_type(call, index, "a readable string");
	} else {
		struct bytes bytes = arg_bytes(call, index);

		length = bytes.length;
		if (length > 0 && length < PATH_MAX)
			memcpy(path->bytes, bytes.data, length);
	}
	if (length >= PATH_MAX) {
		refuse(call, -ENAMETOOLONG);
		length = 0;
	}
	if (memchr(path->bytes, 0, length) != NULL)
		refuse(call, -EINVAL);
	path->bytes[length] = 0;
	return path->bytes;
}

struct bytes arg_bytes(struct call *call, size_t index)
{
	napi_typedarray_type type;
	struct bytes bytes = { NULL, 0 };
	void *data = NULL;

	if (napi_get_typedarray_info(call->env, call->argv[index], &type, &bytes.length, &data, NULL, NULL) != napi_ok ||
	    type != napi_uint8_array) {
		refuse_type(call, index, "a Uint8Array");
		return (struct bytes){ NULL, 0 };
	}
	bytes.data = data;
	return bytes;
}

void *arg_slots(struct call *call, size_t index, size_t size)
{
	void *data = NULL;
	size_t length = 0;

	if (napi_get_arraybuffer_info(call->env, call->argv[index], &data, &length) != napi_ok || length != size) {
		refuse_type(call, index, "an ArrayBuffer of the expected size");
		return NULL;
	}
	return data;
}
