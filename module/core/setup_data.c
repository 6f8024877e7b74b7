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

#define KHOB_IN_PAGE (KHOB_PAGE_SIZE - 1) /* the bits of an address below its page */

struct khob_hidden_range khob_range_hide(const struct khob_setup_indirect *ind)
{
	struct khob_hidden_range hidden = { .type = ind->type, .addr = ind->addr & ~KHOB_IN_PAGE };
	u64 addr, len, high;

	khob_range_of(ind, &addr, &len);
	high = len >> KHOB_PAGE_SHIFT >> 32;
	if (!((addr | len) & KHOB_IN_PAGE) && high <= KHOB_IN_PAGE) {
		hidden.pages = (u32)(len >> KHOB_PAGE_SHIFT);
		hidden.addr |= high;
	}
	return hidden;
}

void khob_range_of(const struct khob_setup_indirect *ind, u64 *addr, u64 *len)
{
	*addr = ind->addr;
	*len = ind->len;
	if (!ind->len) { /* struct khob_hidden_range */
		*addr &= ~KHOB_IN_PAGE;
		*len = ((ind->addr & KHOB_IN_PAGE) << 32 | ind->reserved) << KHOB_PAGE_SHIFT;
	} else if ((ind->len & KHOB_IN_PAGE) == KHOB_IN_PAGE) {
		/* The loader leaves out RAM's last byte, so that boot code sees where it ends. */
		(*len)++;
	}
}

static int khob_chain_indirect(struct khob_chain *c, u64 pa, u32 len)
{
	struct khob_setup_indirect ind;
	u64 addr, size, end;

	if (len < sizeof(ind))
		return khob_refuse(c, pa, "a SETUP_INDIRECT node is too short");
	if (c->ops->read(c->ctx, pa + sizeof(struct khob_setup_data), &ind, sizeof(ind)))
		return khob_refuse(c, pa, "a SETUP_INDIRECT node is in no memory");
	if (ind.type != KHOB_SETUP_INDIRECT_RANGE)
		return 0; /* the boot loader's */

	khob_range_of(&ind, &addr, &size);
	if ((addr | size) & KHOB_IN_PAGE)
		return khob_refuse(c, pa, "an interval is not page aligned");
	if (!size)
		return khob_refuse(c, pa, "an interval is empty");
	if (khob_wraps(addr, size))
		return khob_refuse(c, pa, "an interval wraps around the address space");
	end = addr + size;
	if (c->info->nr_ranges && addr < c->ranges_end)
		return khob_refuse(c, pa, "intervals overlap or do not ascend");
	c->ranges_end = end;
	c->info->nr_ranges++;
	return c->ops->range ? c->ops->range(c->ctx, addr, end) : 0;
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

/*
 * The length first: whoever reads the node meanwhile sees the interval or nothing, since the
 * address stays that of the same page. The rest is for khob_chain_read().
 */
static int khob_hide_node(const struct khob_hide_ops *ops, void *ctx, u64 pa, u32 *nr)
{
	struct khob_setup_indirect ind;
	struct khob_hidden_range hidden;
	const size_t len_at = offsetof(struct khob_hidden_range, len);
	const size_t addr_at = offsetof(struct khob_hidden_range, addr);

	if (ops->read(ctx, pa, &ind, sizeof(ind)) || ind.type != KHOB_SETUP_INDIRECT_RANGE)
		return 0;
	(*nr)++;
	if (!ind.len)
		return 0;
	hidden = khob_range_hide(&ind);
	if (ops->write(ctx, pa + len_at, &hidden.len, sizeof(hidden.len)) ||
	    ops->write(ctx, pa, &hidden, len_at) ||
	    ops->write(ctx, pa + addr_at, &hidden.addr, sizeof(hidden.addr)))
		return -EFAULT;
	return 0;
}

int khob_chain_hide(u64 head_pa, const struct khob_hide_ops *ops, void *ctx, u32 *nr)
{
	const u64 bytes = sizeof(struct khob_setup_data) + sizeof(struct khob_setup_indirect);
	struct khob_setup_data node;
	u32 nodes = 0;
	int ret = 0;
	u64 pa;

	*nr = 0;
	for (pa = head_pa; pa && nodes < KHOB_CHAIN_MAX; pa = node.next, nodes++) {
		if (khob_wraps(pa, bytes) || ops->read(ctx, pa, &node, sizeof(node)))
			break;
		/* Whatever length the node has: the kernel does not look at it. */
		if (node.type != KHOB_SETUP_INDIRECT ||
		    (node.next < pa + bytes && node.next + sizeof(node) > pa))
			continue;
		if (khob_hide_node(ops, ctx, pa + sizeof(node), nr))
			ret = -EFAULT;
	}
	return ret;
}
