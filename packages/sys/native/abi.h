/*
 * Numbers that src/ spells out are kernel ABI and the same on every architecture that Node runs on. Where that is ever
 * untrue, the build fails.
 */
#ifndef IZO_SYS_ABI_H
#define IZO_SYS_ABI_H

#define SAME(name, value) _Static_assert((name) == (value), #name " differs from what src/ assumes")

#endif
