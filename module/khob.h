/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every part of the module uses: the lock, the way to refuse, who may, the version.
 * The parts, and which of them may use which, are in docs/architecture.md.
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

/* Waits for khob_lock as long as the caller is not killed. Return: 0 or -EINTR. */
int khob_lock_killable(void);

/*
 * khob_lock for writing until the end of the block, where a user waits for it; whoever
 * declares one looks at its value first: 0, or -EINTR and it is not held.
 */
static inline void khob_unlock_unless(int killed)
{
	if (!killed)
		up_write(&khob_lock);
}

DEFINE_CLASS(khob_user_lock, int, khob_unlock_unless(_T), khob_lock_killable(), void)

/* Logs one sentence, keeps it for `status` and returns @err. */
__printf(2, 3) int khob_refuse(int err, const char *fmt, ...);

#define KHOB_ERROR_MAX 256
/* The last of these sentences. */
void khob_last_error(char error[KHOB_ERROR_MAX]);
/* How many there have been. */
unsigned int khob_refusals(void);

/*
 * Whether whoever is calling may: it has @cap, CAP_SYS_ADMIN or, for what makes room for a
 * kernel, CAP_SYS_BOOT; and the kernel is not locked down. Return: 0 or -EPERM.
 */
int khob_may(int cap);

/* The kernel is about to jump into the next one: from here on nothing is given back. */
void khob_set_leaving(void);
bool khob_is_leaving(void);

/**
 * struct khob_face - who shows subtrees to people as they come and go
 * @show: one that is there from now on; returns what @hide is given, NULL if it cannot
 * @hide: it is gone; NULL is fine
 */
struct khob_face {
	void *(*show)(const char *name, u64 len);
	void (*hide)(void *shown);
};

#endif /* KHOB_H */
