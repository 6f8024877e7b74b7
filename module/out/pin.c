// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether the module may go.
 */
#include <linux/module.h>

#include "out/out.h"

/*
 * An owner of preserved pages cannot go: nobody else would know of them. So
 * the module holds itself while it owns any, and rmmod says that it is in use.
 */
void khob_update_pin(void)
{
	bool want;

	lockdep_assert_held_write(&khob_lock);
	if (!khob_out.frozen)
		khob_out_trim();
	want = !khob_out_empty() || khob_in_holds();
	if (want && !khob_out.pinned)
		__module_get(THIS_MODULE);
	if (!want && khob_out.pinned)
		module_put(THIS_MODULE);
	khob_out.pinned = want;
}
