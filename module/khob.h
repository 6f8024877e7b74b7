/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every part of the module uses: the lock, the way to refuse, the version. The
 * parts, and which of them may use which, are in docs/architecture.md.
 */
#ifndef KHOB_H
#define KHOB_H

#include <linux/printk.h>
#include <linux/rwsem.h>

#include "khob/abi.h"

#define KHOB_VERSION "0.2.0"

#ifdef KHOB_TEST
#define KHOB_TEST_BUILD 1
#else
#define KHOB_TEST_BUILD 0
#endif

/*
 * Guards what this kernel hands over and what it was handed: most operations here are
 * rare and long, and all may sleep. Clients that preserve pages hold it for
 * reading: then only what is shared or atomic changes.
 */
extern struct rw_semaphore khob_lock;

/* Logs one sentence, keeps it for `status` and returns @err. */
__printf(2, 3) int khob_refuse(int err, const char *fmt, ...);
const char *khob_last_error(void);

/**
 * struct khob_face - who shows subtrees to people as they come and go
 * @show: one that is there from now on; returns what @hide is given
 * @hide: it is gone; NULL is fine
 */
struct khob_face {
	void *(*show)(const char *name, u64 len);
	void (*hide)(void *shown);
};

#endif /* KHOB_H */
