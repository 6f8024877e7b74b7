// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lock that everything is under, and sentences of refusal.
 */
#include <linux/kernel.h>

#include "khob.h"

DECLARE_RWSEM(khob_lock);

static char khob_error[256];

int khob_refuse(int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vscnprintf(khob_error, sizeof(khob_error), fmt, args);
	va_end(args);
	pr_notice("%s\n", khob_error);
	return err;
}

const char *khob_last_error(void)
{
	return khob_error;
}
