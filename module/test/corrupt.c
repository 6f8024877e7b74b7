// SPDX-License-Identifier: GPL-2.0-only
/*
 * kho_bridge/test/corrupt, in test builds only: flips one bit in what is about
 * to be handed over, so that the next kernel can be seen to notice.
 */
#include <linux/debugfs.h>

#include "debugfs/debugfs.h"
#include "test/test.h"

static void khob_flip(u64 pa, unsigned int bit)
{
	u8 *byte = __va(pa + bit / BITS_PER_BYTE);

	*byte ^= BIT(bit % BITS_PER_BYTE);
	pr_notice("test: flipped bit %u of the byte at 0x%llx\n", bit % BITS_PER_BYTE,
		  pa + bit / BITS_PER_BYTE);
}

/* The first child of the root: an inner node, deep enough to lead astray. */
static u64 khob_some_node(void)
{
	unsigned int i;

	for (i = 0; i < KHOB_TABLE_ENTRIES; i++)
		if (khob_out.tree.root->table[i])
			return khob_out.tree.root->table[i];
	return khob_out.tree.root_pa;
}

static int khob_corrupt_act(const char *line, size_t len)
{
	struct khob_folio *f;
	unsigned long pfn;

	if (!khob_out.frozen)
		return khob_refuse(-EINVAL, "corrupt: load a kernel first");
	if (sysfs_streq(line, "page")) {
		xa_for_each(&khob_out.folios, pfn, f) {
			khob_flip(f->pa, 12345);
			return 0;
		}
		return khob_refuse(-ENOENT, "corrupt: no page is preserved");
	}
	if (sysfs_streq(line, "blob") && list_empty(&khob_out.subtrees))
		return khob_refuse(-ENOENT, "corrupt: there is no blob");
	if (sysfs_streq(line, "blob"))
		khob_flip(list_first_entry(&khob_out.subtrees, struct khob_subtree, list)->pa, 99);
	else if (sysfs_streq(line, "node"))
		khob_flip(khob_some_node(), 8 * 8 * 7 + 13);
	else if (sysfs_streq(line, "fdt"))
		khob_flip(khob_out.fdt_pa, 8 * 8 + 4);
	else if (sysfs_streq(line, "value"))
		/* The last bytes are strings: sound as an FDT, and not what was written. */
		khob_flip(khob_out.fdt_pa + khob_out.fdt_len - 2, 0);
	else
		return khob_refuse(-EINVAL, "corrupt: page, blob, node, fdt or value");
	return 0;
}

KHOB_CONTROL_FILE(khob_corrupt);

void khob_test_init(void)
{
	struct dentry *root = khob_debugfs_dir(""), *sandbox = khob_debugfs_dir("sandbox");
	struct dentry *dir = debugfs_create_dir("test", root);

	debugfs_create_file("corrupt", 0600, dir, NULL, &khob_corrupt_fops);
	khob_prove_init(dir);
	khob_kernel_api_init(dir);
	khob_vectors_init(sandbox);
	khob_race_init(sandbox);
	dput(sandbox);
	dput(root);
}
