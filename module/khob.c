// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lock that everything is under, who may take it, and sentences of refusal.
 */
#include <linux/atomic.h>
#include <linux/capability.h>
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/security.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "khob.h"

DECLARE_RWSEM(khob_lock);

static bool khob_has_left;

/* Sentences are also needed by who could not get khob_lock. */
static DEFINE_SPINLOCK(khob_error_lock);
static char khob_error[KHOB_ERROR_MAX];
static atomic_t khob_nr_refusals;

int khob_lock_killable(void)
{
	return down_write_killable(&khob_lock);
}

int khob_refuse(int err, const char *fmt, ...)
{
	char error[KHOB_ERROR_MAX], *c;
	va_list args;

	va_start(args, fmt);
	vscnprintf(error, sizeof(error), fmt, args);
	va_end(args);
	/* Part of it may be what somebody wrote here: no line of its own comes of that. */
	for (c = error; *c; c++)
		if (!isascii(*c) || !isprint(*c))
			*c = '?';
	pr_notice("%s\n", error);
	scoped_guard(spinlock, &khob_error_lock)
		strscpy(khob_error, error, sizeof(khob_error));
	atomic_inc(&khob_nr_refusals);
	return err;
}

unsigned int khob_refusals(void)
{
	return atomic_read(&khob_nr_refusals);
}

void khob_last_error(char error[KHOB_ERROR_MAX])
{
	spin_lock(&khob_error_lock);
	strscpy(error, khob_error, KHOB_ERROR_MAX);
	spin_unlock(&khob_error_lock);
}

/*
 * Lockdown: scratch is where a kernel is loaded to that kexec_load(2) would refuse, and
 * everything else here names physical addresses, shows what is there and makes it
 * somebody's, as /dev/mem does.
 */
int khob_may(int cap)
{
	if (!capable(cap))
		return -EPERM;
	return security_locked_down(cap == CAP_SYS_BOOT ? LOCKDOWN_KEXEC : LOCKDOWN_DEV_MEM);
}

void khob_set_leaving(void)
{
	WRITE_ONCE(khob_has_left, true);
}

bool khob_is_leaving(void)
{
	return READ_ONCE(khob_has_left);
}
