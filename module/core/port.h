/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the pure core needs of its surroundings: types, errno values, string
 * functions and xxh64. The same core files are compiled into the module, the
 * unit tests and the fuzzers; this header is the only place that knows which.
 */
#ifndef KHOB_CORE_PORT_H
#define KHOB_CORE_PORT_H

#ifdef __KERNEL__

#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/xxhash.h>

static inline u64 khob_xxh64(const void *data, size_t len)
{
	return xxh64(data, len, 0);
}

/* The number of the lowest and of the highest bit set; @x is not 0. */
static inline unsigned int khob_first_bit(u64 x)
{
	return __ffs64(x);
}

static inline unsigned int khob_last_bit(u64 x)
{
	return fls64(x) - 1;
}

#else /* userspace */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <xxhash.h>

/* The types of <stdint.h> on x86-64, the one architecture there is. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

#ifndef U64_MAX
#define U64_MAX UINT64_MAX
#endif

static inline u64 khob_xxh64(const void *data, size_t len)
{
	return XXH64(data, len, 0);
}

static inline unsigned int khob_first_bit(u64 x)
{
	return (unsigned int)__builtin_ctzll(x);
}

static inline unsigned int khob_last_bit(u64 x)
{
	return 63U - (unsigned int)__builtin_clzll(x);
}

#endif

#endif /* KHOB_CORE_PORT_H */
