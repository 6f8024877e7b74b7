// SPDX-License-Identifier: GPL-2.0-only
/*
 * Closes the file through which the kernel itself shows what was handed over, for as long as
 * it runs and whoever owns the memory by then: each SETUP_INDIRECT node's target, as
 * /sys/kernel/boot_params/setup_data/N/data.
 */
#include "in/in.h"

static int khob_hide_read(void *ctx, u64 pa, void *to, size_t len)
{
	return khob_ram_read(pa, to, len);
}

static int khob_hide_write(void *ctx, u64 pa, const void *from, size_t len)
{
	return khob_ram_write(pa, from, len);
}

static const struct khob_hide_ops khob_hide_ops = {
	.read = khob_hide_read,
	.write = khob_hide_write,
};

/**
 * khob_in_hide_chain() - have the chain's intervals name nothing to anybody but this module
 * @setup_data: physical address of the first setup_data node
 *
 * To be called before anything is decided; twice is once. What could not be done is in the
 * log, and khoctl sees it from outside.
 */
void khob_in_hide_chain(u64 setup_data)
{
	u32 nr;

	if (khob_chain_hide(setup_data, &khob_hide_ops, NULL, &nr))
		pr_warn("what was handed over stays readable in /sys/kernel/boot_params/setup_data\n");
}
