// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks the chain of setup_data nodes. Layout and the meaning of the types are
 * those of the Linux x86 boot protocol; foreign nodes (a boot loader's own) may
 * stand between ours and are passed over.
 */
#include "setup_data.h"

/* A reader's state: what is known of the chain and where the last interval ended. */
struct khob_chain {
	const struct khob_chain_ops *ops;
	void *ctx;
	struct khob_chain_info *info;
	u64 ranges_end;
};

static int khob_refuse(struct khob_chain *c, u64 node_pa, const char *why)
{
	c->info->bad_pa = node_pa;
	c->info->why = why;
	return -EINVAL;
}

/* Whether [@pa, @pa + @size) overflows; reaching the end of the space exactly does too. */
static bool khob_wraps(u64 pa, u64 size)
{
	return size > U64_MAX - pa;
}

static const char *khob_kho_data_why(const struct khob_kho_data *kho)
{
	/* KHO ABI: the root FDT starts a page; the areas are an array of struct khob_scratch. */
	if (!kho->fdt_addr || (kho->fdt_addr & (KHOB_PAGE_SIZE - 1)))
		return "the root FDT's address is 0 or not page aligned";
	if (kho->fdt_size < sizeof(struct khob_fdt_header) || kho->fdt_size > KHOB_CHAIN_FDT_MAX)
		return "the root FDT's size is out of range";
	if (khob_wraps(kho->fdt_addr, kho->fdt_size))
		return "the root FDT wraps around the address space";
	if (!kho->scratch_addr || kho->scratch_addr % sizeof(u64))
		return "the scratch areas' address is 0 or not aligned";
	if (!kho->scratch_size || kho->scratch_size % sizeof(struct khob_scratch) ||
	    kho->scratch_size / sizeof(struct khob_scratch) > KHOB_CHAIN_SCRATCH_MAX)
		return "the scratch areas' size is out of range";
	if (khob_wraps(kho->scratch_addr, kho->scratch_size))
		return "the scratch areas wrap around the address space";
	return NULL;
}

static int khob_chain_kho(struct khob_chain *c, u64 pa, u32 len)
{
	struct khob_chain_info *info = c->info;
	const char *why;

	if (info->kho_data_pa)
		return khob_refuse(c, pa, "the chain has two SETUP_KEXEC_KHO nodes");
	if (len < sizeof(info->kho))
		return khob_refuse(c, pa, "the SETUP_KEXEC_KHO node is too short");
	if (c->ops->read(c->ctx, pa + sizeof(struct khob_setup_data), &info->kho,
			 sizeof(info->kho)))
		return khob_refuse(c, pa, "the SETUP_KEXEC_KHO node is in no memory");
	why = khob_kho_data_why(&info->kho);
	if (why)
		return khob_refuse(c, pa, why);
	info->kho_data_pa = pa + sizeof(struct khob_setup_data);
	return 0;
}

static int khob_chain_indirect(struct khob_chain *c, u64 pa, u32 len)
{
	struct khob_setup_indirect ind;
	u64 end;

	if (len < sizeof(ind))
		return khob_refuse(c, pa, "a SETUP_INDIRECT node is too short");
	if (c->ops->read(c->ctx, pa + sizeof(struct khob_setup_data), &ind, sizeof(ind)))
		return khob_refuse(c, pa, "a SETUP_INDIRECT node is in no memory");
	if (ind.type != KHOB_SETUP_INDIRECT_RANGE)
		return 0; /* the boot loader's */

	/* The loader leaves out the last byte of RAM, so that the boot code sees where it ends. */
	if ((ind.len & (KHOB_PAGE_SIZE - 1)) == KHOB_PAGE_SIZE - 1)
		ind.len++;
	if ((ind.addr | ind.len) & (KHOB_PAGE_SIZE - 1))
		return khob_refuse(c, pa, "an interval is not page aligned");
	if (!ind.len)
		return khob_refuse(c, pa, "an interval is empty");
	if (khob_wraps(ind.addr, ind.len))
		return khob_refuse(c, pa, "an interval wraps around the address space");
	end = ind.addr + ind.len;
	if (c->info->nr_ranges && ind.addr < c->ranges_end)
		return khob_refuse(c, pa, "intervals overlap or do not ascend");
	c->ranges_end = end;
	c->info->nr_ranges++;
	return c->ops->range ? c->ops->range(c->ctx, ind.addr, end) : 0;
}

static int khob_chain_seal(struct khob_chain *c, u64 pa, u32 len)
{
	struct khob_chain_info *info = c->info;

	if (info->sealed)
		return khob_refuse(c, pa, "the chain has two seals");
	if (len != sizeof(info->seal) ||
	    c->ops->read(c->ctx, pa + sizeof(struct khob_setup_data), &info->seal,
			 sizeof(info->seal)))
		return khob_refuse(c, pa, "the seal is cut off");
	if (info->seal.magic != KHOB_SEAL_MAGIC || info->seal.version != KHOB_SEAL_VERSION)
		return khob_refuse(c, pa, "the seal's magic or version is not ours");
	info->sealed = true;
	return 0;
}

int khob_chain_read(u64 head_pa, const struct khob_chain_ops *ops, void *ctx,
		    struct khob_chain_info *info)
{
	struct khob_chain c = { .ops = ops, .ctx = ctx, .info = info };
	struct khob_setup_data node;
	u64 pa;

	memset(info, 0, sizeof(*info));
	/* Linux x86 boot protocol: a physical address, 0 ends the chain. */
	for (pa = head_pa; pa; pa = node.next) {
		int err = 0;

		if (info->nr_nodes == KHOB_CHAIN_MAX)
			return khob_refuse(&c, pa, "the chain does not end");
		if (khob_wraps(pa, sizeof(node)))
			return khob_refuse(&c, pa, "a node wraps around the address space");
		if (ops->read(ctx, pa, &node, sizeof(node)))
			return khob_refuse(&c, pa, "a node is in no memory");
		if (khob_wraps(pa + sizeof(node), node.len))
			return khob_refuse(&c, pa, "a node's data wraps around the address space");
		info->nr_nodes++;

		if (node.type == KHOB_SETUP_KEXEC_KHO)
			err = khob_chain_kho(&c, pa, node.len);
		else if (node.type == KHOB_SETUP_INDIRECT)
			err = khob_chain_indirect(&c, pa, node.len);
		else if (node.type == KHOB_SETUP_SEAL)
			err = khob_chain_seal(&c, pa, node.len);
		if (err)
			return err;
	}
	if (!info->kho_data_pa) {
		info->why = "the chain has no SETUP_KEXEC_KHO node";
		return -ENOENT;
	}
	return 0;
}
