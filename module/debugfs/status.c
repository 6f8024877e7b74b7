// SPDX-License-Identifier: GPL-2.0-only
/*
 * The status file: one "name: value" a line, for people and for khoctl.
 */
#include <linux/debugfs.h>
#include <asm/tsc.h>

#include "debugfs/debugfs.h"

/* What the kernel's own KHO speaks is in its headers: its root FDT need not be found for that. */
#ifdef KHOB_NATIVE
#include <linux/kho/abi/kexec_handover.h>
#define KHOB_KERNEL_ABI KHO_FDT_COMPATIBLE
#else
#define KHOB_KERNEL_ABI ""
#endif

static void khob_status_orders(struct seq_file *m, const char *name, const u64 *orders)
{
	unsigned int order;

	seq_printf(m, "%s:", name);
	for (order = 0; order <= KHOB_ORDER_MAX; order++)
		if (orders[order])
			seq_printf(m, " %u:%llu", order, orders[order]);
	seq_putc(m, '\n');
}

static void khob_status_out(struct seq_file *m)
{
	const struct khob_out *out = &khob_out;
	bool tree = out->tree_ready;
	u64 orders[KHOB_ORDER_MAX + 1], folios = 0, pages = 0;
	unsigned int order;

	memcpy(orders, out->orders, sizeof(orders));
	khob_client_orders(orders);
	for (order = 0; order <= KHOB_ORDER_MAX; order++) {
		folios += orders[order];
		pages += orders[order] << order;
	}

	seq_printf(m, "out.state: %s\n", out->frozen ? "frozen" : "open");
	seq_printf(m, "out.keys: %llu\n", tree ? khob_radix_count(&out->tree) : 0);
	seq_printf(m, "out.folios: %llu\n", folios);
	seq_printf(m, "out.pages: %llu\n", pages);
	seq_printf(m, "out.bytes: %llu\n", PFN_PHYS(pages));
	khob_status_orders(m, "out.orders", orders);
	seq_printf(m, "out.subtrees: %u\n", out->nr_subtrees);
	seq_printf(m, "out.nodes: %llu\n", tree ? out->tree.nr_nodes : 0);
	seq_printf(m, "out.metadata_bytes: %llu\n", PFN_PHYS((u64)out->meta.nr_pages));
	seq_printf(m, "out.arena_bytes: %llu\n", PFN_PHYS((u64)out->data.nr_pages));
	seq_printf(m, "out.carried_keys: %llu\n",
		   out->frozen && khob_in.got ? khob_in.got->tree.nr_keys : 0);
	seq_printf(m, "out.others_keys: %llu\n", khob_native_keys());
	seq_printf(m, "out.poisoned: %llu\n", out->nr_left_out);
	seq_printf(m, "out.root_phys: 0x%llx\n", tree ? out->tree.root_pa : 0);
	seq_printf(m, "out.fdt_phys: 0x%llx\n", out->fdt_pa);
	seq_printf(m, "out.fdt_len: %llu\n", out->fdt_len);
	seq_printf(m, "out.preserve_us: %llu\n", out->preserve_us);
	seq_printf(m, "out.compactions: %llu\n", out->nr_compactions);
	seq_printf(m, "out.compact_folios: %llu\n", out->compacted.folios);
	seq_printf(m, "out.compact_bytes: %llu\n", out->compacted.bytes);
	seq_printf(m, "out.compact_left: %llu\n", out->compacted.left);
	seq_printf(m, "out.compact_us: %llu\n", out->compacted.us);
	seq_printf(m, "scratch.areas: %u\n", out->nr_scratch);
	seq_printf(m, "scratch.bytes: %llu\n", out->scratch_bytes);
	seq_printf(m, "scratch.largest: %llu\n", out->scratch_largest);
}

static void khob_status_in(struct seq_file *m)
{
	static const char * const states[] = {
		[KHOB_IN_NONE] = "none",
		[KHOB_IN_ATTACHED] = "attached",
		[KHOB_IN_REFUSED] = "refused",
	};
	const struct khob_in *in = &khob_in;
	const struct khob_handover *h = in->got;
	u64 orders[KHOB_ORDER_MAX + 1] = {}, keys = 0;
	unsigned int order;

	if (h)
		memcpy(orders, h->orders, sizeof(orders));
	for (order = 0; order <= KHOB_ORDER_MAX; order++)
		keys += orders[order];

	seq_printf(m, "in.state: %s\n", states[in->state]);
	seq_printf(m, "in.reason: %s\n", in->reason);
	seq_printf(m, "in.method: %s\n", !h ? "" : in->native ? "kho" : "indirect");
	seq_printf(m, "in.abi: %s\n", h ? khob_abi_compatible(h->info.abi) : "");
	seq_printf(m, "in.keys: %llu\n", keys);
	seq_printf(m, "in.pages: %llu\n", h ? h->pages : 0);
	seq_printf(m, "in.bytes: %llu\n", h ? PFN_PHYS(h->pages) : 0);
	khob_status_orders(m, "in.orders", orders);
	seq_printf(m, "in.subtrees: %u\n", khob_in_nr_subtrees());
	seq_printf(m, "in.ranges: %llu\n", h ? h->nr_spans : 0);
	seq_printf(m, "in.gap_pages: %llu\n", in->gap_pages);
	seq_printf(m, "in.restored_pages: %llu\n", in->restored_pages);
	seq_printf(m, "in.attach_us: %llu\n", in->attach_us);
	seq_printf(m, "in.kexec_tsc: %llu\n", in->kexec_tsc);
	seq_printf(m, "in.tsc_khz: %llu\n", in->tsc_khz);
	seq_printf(m, "in.previous_release: %s\n", in->previous_release);
	seq_printf(m, "in.kexec_count: %u\n", in->kexec_count);
}

static int khob_status_show(struct seq_file *m, void *v)
{
	char error[KHOB_ERROR_MAX];

	CLASS(khob_user_lock, killed)();
	if (killed)
		return killed;
	khob_last_error(error);
	seq_puts(m, "version: " KHOB_VERSION "\n");
	seq_printf(m, "test_build: %d\n", KHOB_TEST_BUILD);
	seq_printf(m, "source: %s\n", khob_native_source() ? "native" : "bridge");
	seq_printf(m, "native.abi: %s\n",
		   khob_native_source() ? KHOB_KERNEL_ABI : "");
	seq_printf(m, "abi: %s\n", khob_abi_compatible(khob_out.abi));
	khob_status_out(m);
	khob_status_in(m);
	seq_printf(m, "tsc_khz: %u\n", tsc_khz);
	seq_printf(m, "last_error: %s\n", error);
	return 0;
}

KHOB_SHOW_FILE(khob_status);

void khob_debugfs_status(struct dentry *root)
{
	debugfs_create_file("status", 0600, root, NULL, &khob_status_fops);
}
