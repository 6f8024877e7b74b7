// SPDX-License-Identifier: GPL-2.0-only
/*
 * kho_bridge/test/prove, in test builds only: asks of an interval what attach asks of each that
 * a loader names, so that it can be asked of memory that no loader would name.
 */
#include <linux/debugfs.h>

#include "debugfs/debugfs.h"
#include "test/test.h"

static int khob_prove_act(const char *line, size_t len)
{
	struct khob_target target;
	const char *why = NULL;
	int ret;

	if (khob_parse_target(line, len, &target, &why) || target.what != KHOB_WHAT_PAGE)
		return khob_refuse(-EINVAL, "prove: %s", why ?: "an address and an order");
	ret = khob_ram_prove(target.pa, target.pa + (PAGE_SIZE << target.order), &why);
	return ret ? khob_refuse(ret, "prove: %s", why) : 0;
}

KHOB_CONTROL_FILE(khob_prove);

void khob_prove_init(struct dentry *dir)
{
	debugfs_create_file("prove", 0600, dir, NULL, &khob_prove_fops);
}
