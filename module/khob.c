// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may, sentences of refusal, and that the kernel is about to go.
 */
#include <linux/atomic.h>
#include <linux/capability.h>
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/security.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "khob.h"

static bool khob_has_left;

/* Sentences are also needed by who could not get khob_lock. */
static DEFINE_SPINLOCK(khob_error_lock);
static char khob_error[KHOB_ERROR_MAX];
static LIST_HEAD(khob_listeners);

static atomic64_t khob_nr_changes;
DECLARE_WAIT_QUEUE_HEAD(khob_change_waiters);

int khob_refuse(int err, const char *fmt, ...)
{
	char error[KHOB_ERROR_MAX], *c;
	struct khob_listener *l;
	va_list args;

	va_start(args, fmt);
	vscnprintf(error, sizeof(error), fmt, args);
	va_end(args);
	/* Part of it may be what somebody wrote here: no line of its own comes of that. */
	for (c = error; *c; c++)
		if (!isascii(*c) || !isprint(*c))
			*c = '?';
	pr_notice("%s\n", error);
	spin_lock(&khob_error_lock);
	strscpy(khob_error, error, sizeof(khob_error));
	list_for_each_entry(l, &khob_listeners, list)
		if (l->task == current)
			strscpy(l->sentence, error, sizeof(l->sentence));
	spin_unlock(&khob_error_lock);
	return err;
}

void khob_listen(struct khob_listener *l)
{
	l->task = current;
	l->sentence[0] = '\0';
	spin_lock(&khob_error_lock);
	list_add(&l->list, &khob_listeners);
	spin_unlock(&khob_error_lock);
}

void khob_unlisten(struct khob_listener *l)
{
	spin_lock(&khob_error_lock);
	list_del(&l->list);
	spin_unlock(&khob_error_lock);
}

void khob_last_error(char error[KHOB_ERROR_MAX])
{
	spin_lock(&khob_error_lock);
	strscpy(error, khob_error, KHOB_ERROR_MAX);
	spin_unlock(&khob_error_lock);
}

void khob_changed(void)
{
	atomic64_inc(&khob_nr_changes);
	wake_up_interruptible_all(&khob_change_waiters);
}

u64 khob_changes(void)
{
	return atomic64_read(&khob_nr_changes);
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
