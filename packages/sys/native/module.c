/* The addon's entry. Context-aware and without global state, so every worker thread can load it. */
#include "calls.h"

#define IZO_DESCRIBE(name) { #name, NULL, izo_##name, NULL, NULL, NULL, napi_enumerable, NULL },

NAPI_MODULE_INIT()
{
	static const napi_property_descriptor calls[] = { IZO_CALLS(IZO_DESCRIBE) };

	napi_define_properties(env, exports, sizeof calls / sizeof calls[0], calls);
	return exports;
}
