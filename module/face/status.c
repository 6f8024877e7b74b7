// SPDX-License-Identifier: GPL-2.0-only
/*
 * What there is to say of what is handed over and of what was.
 */
#include <asm/tsc.h>

#include "face/face.h"

/* What the kernel's own KHO speaks is in its headers: its root FDT need not be found for that. */
#ifdef KHOB_NATIVE
#include <linux/kho/abi/kexec_handover.h>
#define KHOB_KERNEL_ABI KHO_FDT_COMPATIBLE
#else
#define KHOB_KERNEL_ABI ""
#endif

static void khob_status_out(struct kho_bridge_status *s)
{
	const struct khob_out *out = &khob_out;
	u64 clients[KHOB_ORDER_MAX + 1] = {};
	unsigned int order;

	khob_client_orders(clients);
	for (order = 0; order <= KHOB_ORDER_MAX; order++) {
		s->out_orders[order] = out->orders[order] + clients[order];
		s->out_folios += s->out_orders[order];
		s->out_pages += s->out_orders[order] << order;
		s->out_client_pages += clients[order] << order;
	}
	s->out_bytes = PFN_PHYS(s->out_pages);
	if (out->tree_ready) {
		s->out_keys = khob_radix_count(&out->tree);
		s->out_nodes = out->tree.nr_nodes;
		s->out_root_phys = out->tree.root_pa;
	}
	s->out_subtrees = out->nr_subtrees;
	s->out_metadata_bytes = PFN_PHYS((u64)out->meta.nr_pages);
	s->out_arena_bytes = PFN_PHYS((u64)out->data.nr_pages);
	if (out->frozen && khob_in.got)
		s->out_carried_keys = khob_in.got->tree.nr_keys;
	s->out_others_keys = khob_native_keys();
	s->out_poisoned = out->nr_left_out;
	s->out_fdt_phys = out->fdt_pa;
	s->out_fdt_len = out->fdt_len;
	s->out_preserve_us = out->preserve_us;
	s->out_compactions = out->nr_compactions;
	s->out_compact_folios = out->compacted.folios;
	s->out_compact_bytes = out->compacted.bytes;
	s->out_compact_left = out->compacted.left;
	s->out_compact_us = out->compacted.us;
	s->scratch_areas = out->nr_scratch;
	s->scratch_bytes = out->scratch_bytes;
	s->scratch_largest = out->scratch_largest;
}

static void khob_status_got(struct kho_bridge_status *s, const struct khob_handover *h)
{
	unsigned int order;

	memcpy(s->in_orders, h->orders, sizeof(s->in_orders));
	for (order = 0; order <= KHOB_ORDER_MAX; order++)
		s->in_keys += h->orders[order];
	s->in_pages = h->pages;
	s->in_bytes = PFN_PHYS(h->pages);
	s->in_ranges = h->nr_spans;
	s->in_fdt_addr = h->chain.kho.fdt_addr;
	s->in_fdt_size = h->chain.kho.fdt_size;
	s->in_scratch_addr = h->chain.kho.scratch_addr;
	s->in_scratch_size = h->chain.kho.scratch_size;
	strscpy(s->in_abi, khob_abi_compatible(h->info.abi), sizeof(s->in_abi));
}

static void khob_status_in(struct kho_bridge_status *s)
{
	static const u32 states[] = {
		[KHOB_IN_NONE] = KHO_BRIDGE_IN_NONE,
		[KHOB_IN_ATTACHED] = KHO_BRIDGE_IN_ATTACHED,
		[KHOB_IN_REFUSED] = KHO_BRIDGE_IN_REFUSED,
	};
	const struct khob_in *in = &khob_in;

	s->in_state = states[in->state];
	if (in->got)
		khob_status_got(s, in->got);
	s->in_subtrees = khob_in_nr_subtrees();
	s->in_gap_pages = in->gap_pages;
	s->in_poisoned = in->poisoned;
	s->in_restored_pages = in->restored_pages;
	s->in_attach_us = in->attach_us;
	s->in_kexec_tsc = in->kexec_tsc;
	s->in_tsc_khz = in->tsc_khz;
	s->in_kexec_count = in->kexec_count;
	s->in_setup_data = in->setup_data;
	strscpy(s->in_reason, in->reason, sizeof(s->in_reason));
	strscpy(s->in_previous_release, in->previous_release, sizeof(s->in_previous_release));
}

static u32 khob_status_flags(void)
{
	return (KHOB_TEST_BUILD ? KHO_BRIDGE_TEST_BUILD : 0) |
	       (khob_native_source() ? KHO_BRIDGE_NATIVE : 0) |
	       (khob_out.frozen ? KHO_BRIDGE_FROZEN : 0) |
	       (khob_out.by_kernel ? KHO_BRIDGE_BY_KERNEL : 0) |
	       (khob_in.got && khob_in.native ? KHO_BRIDGE_IN_NATIVE : 0) |
	       (khob_in.chain_damaged ? KHO_BRIDGE_CHAIN_DAMAGED : 0);
}

int khob_status_fill(struct kho_bridge_status *s)
{
	BUILD_BUG_ON(sizeof(s->in_orders) != sizeof(khob_in.got->orders));
	BUILD_BUG_ON(sizeof(s->out_orders) != sizeof(khob_out.orders));
	BUILD_BUG_ON(sizeof(s->in_previous_release) < sizeof(khob_in.previous_release));
	BUILD_BUG_ON(sizeof(s->in_reason) < sizeof(khob_in.reason));
	BUILD_BUG_ON(sizeof(s->last_error) < KHOB_ERROR_MAX);

	CLASS(khob_user_lock, killed)();
	if (killed)
		return killed;
	memset(s, 0, sizeof(*s));
	s->size = sizeof(*s);
	s->flags = khob_status_flags();
	s->tsc_khz = tsc_khz;
	s->changes = khob_changes();
	strscpy(s->version, KHOB_VERSION, sizeof(s->version));
	strscpy(s->abi, khob_abi_compatible(khob_out.abi), sizeof(s->abi));
	if (khob_native_source())
		strscpy(s->native_abi, KHOB_KERNEL_ABI, sizeof(s->native_abi));
	khob_status_out(s);
	khob_status_in(s);
	khob_last_error(s->last_error);
	return 0;
}
