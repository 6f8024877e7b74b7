// SPDX-License-Identifier: GPL-2.0-only
/*
 * The status file: one "name: value" a line.
 */
#include <linux/debugfs.h>

#include "debugfs/debugfs.h"

static void khob_show_orders(struct seq_file *m, const char *name, const __u64 *orders)
{
	unsigned int order;

	seq_printf(m, "%s:", name);
	for (order = 0; order < KHO_BRIDGE_ORDERS; order++)
		if (orders[order])
			seq_printf(m, " %u:%llu", order, orders[order]);
	seq_putc(m, '\n');
}

static void khob_show_out(struct seq_file *m, const struct kho_bridge_status *s)
{
	seq_printf(m, "out.state: %s\n", s->flags & KHO_BRIDGE_FROZEN ? "frozen" : "open");
	seq_printf(m, "out.keys: %llu\n", s->out_keys);
	seq_printf(m, "out.folios: %llu\n", s->out_folios);
	seq_printf(m, "out.pages: %llu\n", s->out_pages);
	seq_printf(m, "out.bytes: %llu\n", s->out_bytes);
	seq_printf(m, "out.client_pages: %llu\n", s->out_client_pages);
	khob_show_orders(m, "out.orders", s->out_orders);
	seq_printf(m, "out.subtrees: %llu\n", s->out_subtrees);
	seq_printf(m, "out.nodes: %llu\n", s->out_nodes);
	seq_printf(m, "out.metadata_bytes: %llu\n", s->out_metadata_bytes);
	seq_printf(m, "out.arena_bytes: %llu\n", s->out_arena_bytes);
	seq_printf(m, "out.carried_keys: %llu\n", s->out_carried_keys);
	seq_printf(m, "out.others_keys: %llu\n", s->out_others_keys);
	seq_printf(m, "out.poisoned: %llu\n", s->out_poisoned);
	seq_printf(m, "out.root_phys: 0x%llx\n", s->out_root_phys);
	seq_printf(m, "out.fdt_phys: 0x%llx\n", s->out_fdt_phys);
	seq_printf(m, "out.fdt_len: %llu\n", s->out_fdt_len);
	seq_printf(m, "out.preserve_us: %llu\n", s->out_preserve_us);
	seq_printf(m, "out.compactions: %llu\n", s->out_compactions);
	seq_printf(m, "out.compact_folios: %llu\n", s->out_compact_folios);
	seq_printf(m, "out.compact_bytes: %llu\n", s->out_compact_bytes);
	seq_printf(m, "out.compact_left: %llu\n", s->out_compact_left);
	seq_printf(m, "out.compact_us: %llu\n", s->out_compact_us);
	seq_printf(m, "scratch.areas: %llu\n", s->scratch_areas);
	seq_printf(m, "scratch.bytes: %llu\n", s->scratch_bytes);
	seq_printf(m, "scratch.largest: %llu\n", s->scratch_largest);
}

static const char *khob_in_method(const struct kho_bridge_status *s)
{
	if (s->in_state != KHO_BRIDGE_IN_ATTACHED)
		return "";
	return s->flags & KHO_BRIDGE_IN_NATIVE ? "kho" : "indirect";
}

static void khob_show_in(struct seq_file *m, const struct kho_bridge_status *s)
{
	static const char * const states[] = {
		[KHO_BRIDGE_IN_NONE] = "none",
		[KHO_BRIDGE_IN_ATTACHED] = "attached",
		[KHO_BRIDGE_IN_REFUSED] = "refused",
	};

	seq_printf(m, "in.state: %s\n", states[s->in_state]);
	seq_printf(m, "in.reason: %s\n", s->in_reason);
	seq_printf(m, "in.chain_damaged: %d\n", !!(s->flags & KHO_BRIDGE_CHAIN_DAMAGED));
	seq_printf(m, "in.method: %s\n", khob_in_method(s));
	seq_printf(m, "in.abi: %s\n", s->in_abi);
	seq_printf(m, "in.keys: %llu\n", s->in_keys);
	seq_printf(m, "in.pages: %llu\n", s->in_pages);
	seq_printf(m, "in.bytes: %llu\n", s->in_bytes);
	khob_show_orders(m, "in.orders", s->in_orders);
	seq_printf(m, "in.subtrees: %llu\n", s->in_subtrees);
	seq_printf(m, "in.ranges: %llu\n", s->in_ranges);
	seq_printf(m, "in.gap_pages: %llu\n", s->in_gap_pages);
	seq_printf(m, "in.poisoned: %llu\n", s->in_poisoned);
	seq_printf(m, "in.restored_pages: %llu\n", s->in_restored_pages);
	seq_printf(m, "in.attach_us: %llu\n", s->in_attach_us);
	seq_printf(m, "in.kexec_tsc: %llu\n", s->in_kexec_tsc);
	seq_printf(m, "in.tsc_khz: %llu\n", s->in_tsc_khz);
	seq_printf(m, "in.previous_release: %s\n", s->in_previous_release);
	seq_printf(m, "in.kexec_count: %llu\n", s->in_kexec_count);
}

static int khob_status_show(struct seq_file *m, void *v)
{
	struct kho_bridge_status *s __free(kfree) = kmalloc(sizeof(*s), GFP_KERNEL);
	int ret;

	if (!s)
		return -ENOMEM;
	ret = khob_status_fill(s);
	if (ret)
		return ret;
	seq_printf(m, "version: %s\n", s->version);
	seq_printf(m, "test_build: %d\n", !!(s->flags & KHO_BRIDGE_TEST_BUILD));
	seq_printf(m, "source: %s\n", s->flags & KHO_BRIDGE_NATIVE ? "native" : "bridge");
	seq_printf(m, "native.abi: %s\n", s->native_abi);
	seq_printf(m, "abi: %s\n", s->abi);
	khob_show_out(m, s);
	khob_show_in(m, s);
	seq_printf(m, "tsc_khz: %u\n", s->tsc_khz);
	seq_printf(m, "last_error: %s\n", s->last_error);
	return 0;
}

KHOB_SHOW_FILE(khob_status);

void khob_debugfs_status(struct dentry *root)
{
	debugfs_create_file("status", 0600, root, NULL, &khob_status_fops);
}
