// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaching to what the kernel before left: from its ranges (in_ranges.c) to the
 * root FDT, the tree and its pages. Every byte of it was written by another
 * kernel or by a loader; whatever does not fit together is refused with one
 * sentence, and then nothing was given to the allocator.
 */
#include <linux/ctype.h>
#include <linux/ktime.h>
#include <linux/overflow.h>

#include "in/in.h"

/* While attaching; the sentence goes to khob_in.reason. */
int khob_in_damaged(const char *fmt, ...)
{
	va_list args;

	if (!khob_in.reason[0]) {
		va_start(args, fmt);
		vscnprintf(khob_in.reason, sizeof(khob_in.reason), fmt, args);
		va_end(args);
	}
	return -EBADMSG;
}

/* 1. The root FDT and the blobs that it names. */

/*
 * Where a blob's bytes are and which pages they take. The FDT of kho-v2 gives
 * no length; an FDT at that address does, within the interval that holds it.
 */
static int khob_in_place_blob(struct khob_in_subtree *sub, const struct khob_fdt_subtree *from)
{
	struct khob_in_range *r = khob_in_find(from->addr, from->addr + 1);
	u64 region = from->size;

	if (!r)
		return khob_in_damaged("subtree %s at 0x%llx is in no covered interval",
				       from->name, from->addr);
	sub->pa = from->addr;
	sub->len = from->size;
	if (!khob_abi_has_blob_size(khob_in.info.abi)) {
		const void *data, *fdt = __va(from->addr);
		const char *why = NULL;
		size_t len;

		if (khob_fdt_unwrap(fdt, r->end - from->addr, &data, &len, &why))
			return khob_in_damaged("subtree %s: %s", from->name, why);
		sub->pa = from->addr + (data - fdt);
		sub->len = len;
		region = len;
		if (data != fdt) {
			sub->wrap_pa = from->addr;
			region = khob_fdt_wrap_size(len);
		}
	}
	if (!region || region > r->end - from->addr)
		return khob_in_damaged("subtree %s: %llu bytes at 0x%llx leave its interval",
				       from->name, region, from->addr);
	sub->start = ALIGN_DOWN(from->addr, PAGE_SIZE);
	sub->end = PAGE_ALIGN(from->addr + region);
	return 0;
}

static int khob_in_add_subtree(void *ctx, const struct khob_fdt_subtree *from)
{
	struct khob_in_subtree *sub __free(kfree) = kzalloc(sizeof(*sub), GFP_KERNEL);
	int ret;

	if (!sub)
		return -ENOMEM;
	strscpy(sub->name, from->name, sizeof(sub->name));
	ret = khob_in_place_blob(sub, from);
	if (ret)
		return ret;
	khob_in.nr_subtrees++;
	list_add_tail(&no_free_ptr(sub)->list, &khob_in.subtrees);
	return 0;
}

static int khob_in_read_fdt(void)
{
	const struct khob_kho_data *kho = &khob_in.chain.kho;
	struct khob_fdt_info again;
	int ret;

	/* khob_chain_read() has bounded the size. */
	if (!khob_in_find(kho->fdt_addr, kho->fdt_addr + kho->fdt_size))
		return khob_in_damaged("the root FDT at 0x%llx is in no covered interval",
				       kho->fdt_addr);
	khob_in.fdt_len = kho->fdt_size;
	khob_in.fdt = kvmalloc(khob_in.fdt_len, GFP_KERNEL);
	if (!khob_in.fdt)
		return -ENOMEM;
	memcpy(khob_in.fdt, __va(kho->fdt_addr), khob_in.fdt_len);
	/* First as a whole: placing a subtree needs the version that the root names. */
	ret = khob_fdt_read(khob_in.fdt, khob_in.fdt_len, &khob_in.info, NULL, NULL);
	if (ret)
		return khob_in_damaged("root FDT: %s", khob_in.info.why ?: "unreadable");
	ret = khob_fdt_read(khob_in.fdt, khob_in.fdt_len, &again, khob_in_add_subtree, NULL);
	if (ret)
		return ret;
	/* A loader may give the size of the pages; what was written is totalsize. */
	khob_in.fdt_len = be32_to_cpup(khob_in.fdt + offsetof(struct khob_fdt_header, totalsize));
	return 0;
}

/* 2. What a kho_bridge on the other side says of its tree; an upstream kernel says nothing. */

static int khob_in_read_meta(void)
{
	const struct khob_in_subtree *sub = khob_in_subtree(KHOB_META_NAME);
	const struct khob_meta *meta;
	unsigned int i;
	u64 digest;

	if (!sub)
		return 0;
	if (sub->len < sizeof(*meta) || !IS_ALIGNED(sub->pa, sizeof(u64)))
		return khob_in_damaged("meta blob: %llu bytes at 0x%llx cannot hold it",
				       sub->len, sub->pa);
	meta = __va(sub->pa);
	if (meta->magic != KHOB_META_MAGIC || meta->version != KHOB_META_VERSION)
		return khob_in_damaged("meta blob: magic 0x%llx, version %u are not ours",
				       meta->magic, meta->version);
	if (meta->nr_chunks > (sub->len - sizeof(*meta)) / sizeof(meta->chunks[0]))
		return khob_in_damaged("meta blob: %u chunks do not fit into %llu bytes",
				       meta->nr_chunks, sub->len);
	digest = khob_xxh64(khob_in.fdt, khob_in.fdt_len);
	if (digest != meta->fdt_digest)
		return khob_in_damaged("root FDT: digest 0x%llx, 0x%llx was handed over", digest,
				       meta->fdt_digest);
	khob_in.meta = *meta;
	khob_in.chunks = kvcalloc(max(meta->nr_chunks, 1U), sizeof(meta->chunks[0]), GFP_KERNEL);
	if (!khob_in.chunks)
		return -ENOMEM;
	memcpy(khob_in.chunks, meta->chunks, meta->nr_chunks * sizeof(meta->chunks[0]));
	for (i = 0; i < meta->nr_chunks; i++) {
		u64 addr = khob_in.chunks[2 * i], size = khob_in.chunks[2 * i + 1], end;

		if (!IS_ALIGNED(addr | size, PAGE_SIZE) || check_add_overflow(addr, size, &end) ||
		    !khob_in_find(addr, end))
			return khob_in_damaged("meta blob: chunk 0x%llx+0x%llx is not covered",
					       addr, size);
	}
	return 0;
}

static void khob_in_read_kexec_metadata(void)
{
	const struct khob_in_subtree *sub = khob_in_subtree(KHOB_KEXEC_METADATA_NAME);
	const struct khob_kexec_metadata *km;
	char *c;

	if (!sub || sub->len < sizeof(*km))
		return;
	km = __va(sub->pa);
	if (km->version != KHOB_KEXEC_METADATA_VERSION)
		return;
	khob_in.kexec_count = km->kexec_count;
	/* The last byte of the copy is never written: it ends the string. */
	memcpy(khob_in.previous_release, km->previous_release, sizeof(km->previous_release));
	/* It is shown in a line of `status`: another kernel does not get to write more lines. */
	for (c = khob_in.previous_release; *c; c++)
		if (!isascii(*c) || !isprint(*c))
			*c = '?';
}

static bool khob_in_chunk(u64 start, u64 end)
{
	unsigned int i;

	for (i = 0; i < khob_in.meta.nr_chunks; i++)
		if (start >= khob_in.chunks[2 * i] &&
		    end - khob_in.chunks[2 * i] <= khob_in.chunks[2 * i + 1])
			return true;
	return false;
}

/* 3. The tree. */

static const void *khob_in_check_node(void *ctx, u64 pa, unsigned int level, const char **why)
{
	struct khob_in_range *r = khob_in_find(pa, pa + PAGE_SIZE);

	*why = "the node is in no covered interval";
	if (!r)
		return NULL;
	*why = "the node is outside the metadata";
	if (khob_in.meta.nr_chunks && !khob_in_chunk(pa, pa + PAGE_SIZE))
		return NULL;
	*why = "the node is reached twice";
	if (test_and_set_bit(PHYS_PFN(pa - r->start), r->noded))
		return NULL;
	return __va(pa);
}

static struct khob_in_subtree *khob_in_blob_at(u64 start, u64 end)
{
	struct khob_in_subtree *sub;

	list_for_each_entry(sub, &khob_in.subtrees, list)
		if (start < sub->end && end > sub->start)
			return sub;
	return NULL;
}

static int khob_in_check_key(void *ctx, u64 pa, unsigned int order, const char **why)
{
	u64 nr = 1ULL << order, end = pa + (nr << PAGE_SHIFT), key;
	struct khob_in_range *r = khob_in_find(pa, end);
	struct khob_in_subtree *sub;
	unsigned int held;
	unsigned long bit;
	int ret;

	cond_resched();
	/* A client of the kernel's has restored it. */
	if (khob_in.native && !khob_native_order(pa, &held)) {
		khob_in.restored_pages += nr;
		return 0;
	}
	if (!r) {
		*why = "the page is in no covered interval";
		return -EBADMSG;
	}
	bit = PHYS_PFN(pa - r->start);
	if (find_next_bit(r->keyed, bit + nr, bit) < bit + nr) {
		*why = "the page is preserved twice";
		return -EBADMSG;
	}
	bitmap_set(r->keyed, bit, nr);
	if (khob_in_chunk(pa, end))
		return 0;
	/* A blob's last page may belong to a larger order: keep all of it. */
	sub = khob_in_blob_at(pa, end);
	if (sub) {
		sub->start = min(sub->start, pa);
		sub->end = max(sub->end, end);
		sub->own_pages += nr;
	}
	ret = khob_key_encode(pa, order, &key);
	if (!ret)
		ret = khob_radix_add(sub ? &khob_in.blobs : &khob_in.tree, key);
	if (ret)
		*why = "the page's key cannot be kept";
	return ret;
}

static const struct khob_check_ops khob_in_check_ops = {
	.node = khob_in_check_node,
	.key = khob_in_check_key,
};

static int khob_in_read_tree(void)
{
	const struct khob_check_limits limits = {
		.end_pa = PFN_PHYS(khob_end_pfn()),
		.max_nodes = khob_end_pfn(),
	};
	struct khob_check_result res = {};
	int ret;

	ret = khob_radix_init(&khob_in.tree, &khob_page_ops, NULL, 0);
	if (ret)
		return ret;
	khob_in.tree_ready = true;
	ret = khob_radix_init(&khob_in.blobs, &khob_page_ops, NULL, 0);
	if (ret)
		return ret;
	khob_in.blobs_ready = true;
	ret = khob_check_tree(khob_in.info.map_pa, &khob_in_check_ops, NULL, &limits, &res);
	if (ret == -ENOMEM)
		return ret;
	if (ret)
		return khob_in_damaged("tree: %s (0x%llx, in a node of level %u)",
				       res.why ?: "unreadable", res.bad_pa, res.bad_level);
	if (!khob_in.meta.magic)
		return 0;
	if (res.digest != khob_in.meta.tree_digest || res.nr_keys != khob_in.meta.nr_keys ||
	    res.nr_nodes != khob_in.meta.nr_nodes)
		return khob_in_damaged("tree: %llu keys, %llu nodes, sum %llx, not %llu %llu %llx",
				       res.nr_keys, res.nr_nodes, res.digest,
				       khob_in.meta.nr_keys, khob_in.meta.nr_nodes,
				       khob_in.meta.tree_digest);
	return 0;
}

/* 4. What is kept: data pages and blobs. The rest is the kernel's again. */

static bool khob_in_is_metadata(u64 start, u64 end)
{
	const struct khob_kho_data *kho = &khob_in.chain.kho;
	struct khob_in_range *r = khob_in_find(start, end);
	unsigned long bit = PHYS_PFN(start - r->start), last = PHYS_PFN(end - r->start);

	return find_next_bit(r->noded, last, bit) < last ||
	       (start < kho->fdt_addr + kho->fdt_size && end > kho->fdt_addr);
}

static int khob_in_keep_key(void *ctx, u64 key)
{
	struct khob_in_range *r;
	unsigned int order;
	u64 pa, end;

	cond_resched();
	if (khob_key_decode(key, &pa, &order))
		return -EINVAL;
	end = pa + (PAGE_SIZE << order);
	if (khob_in_is_metadata(pa, end))
		return khob_radix_del(&khob_in.tree, key);
	r = khob_in_find(pa, end);
	bitmap_set(r->kept, PHYS_PFN(pa - r->start), 1UL << order);
	khob_in.pages += 1ULL << order;
	khob_in.orders[order]++;
	return 0;
}

static int khob_in_keep(void)
{
	struct khob_in_subtree *sub;

	list_for_each_entry(sub, &khob_in.subtrees, list) {
		struct khob_in_range *r = khob_in_find(sub->start, sub->end);
		unsigned long bit, last;

		if (!r)
			return khob_in_damaged("subtree %s leaves its interval", sub->name);
		bit = PHYS_PFN(sub->start - r->start);
		last = PHYS_PFN(sub->end - r->start);
		if (find_next_zero_bit(r->keyed, last, bit) < last)
			return khob_in_damaged("subtree %s is not all preserved", sub->name);
		if (sub->own_pages && sub->own_pages != last - bit)
			return khob_in_damaged("subtree %s is only half metadata", sub->name);
		if (find_next_bit(r->kept, last, bit) < last)
			return khob_in_damaged("subtree %s shares pages with another", sub->name);
		bitmap_set(r->kept, bit, last - bit);
	}
	return khob_radix_walk(&khob_in.tree, 0, U64_MAX, khob_in_keep_key, NULL);
}

/* The kernel's own KHO reads the root FDT whenever a client of it asks for a subtree. */
static void khob_in_leave_fdt(struct khob_in_range *r, unsigned long *bit, unsigned long *end)
{
	const struct khob_kho_data *kho = &khob_in.chain.kho;
	u64 start = r->start + PFN_PHYS(*bit), stop = r->start + PFN_PHYS(*end);
	u64 fdt_end = PAGE_ALIGN(kho->fdt_addr + kho->fdt_size);

	if (khob_in.own_fdt || kho->fdt_addr >= stop || fdt_end <= start)
		return;
	if (kho->fdt_addr > start)
		*end = PHYS_PFN(kho->fdt_addr - r->start);
	else
		*bit = min(*end, (unsigned long)PHYS_PFN(fdt_end - r->start));
}

static void khob_in_free_gaps(void)
{
	unsigned int i;

	if (khob_in.native)
		khob_native_take_metadata();
	for (i = 0; i < khob_in.nr_ranges; i++) {
		struct khob_in_range *r = &khob_in.ranges[i];
		unsigned long nr = PHYS_PFN(r->end - r->start), bit, end;

		for (bit = find_first_zero_bit(r->kept, nr); bit < nr;
		     bit = find_next_zero_bit(r->kept, nr, end)) {
			end = find_next_bit(r->kept, nr, bit);
			if (khob_in.native)
				khob_in_leave_fdt(r, &bit, &end);
			khob_in_free(r->start + PFN_PHYS(bit), end - bit);
			if (!khob_in.native)
				khob_in.gap_pages += end - bit;
		}
		kvfree(r->keyed);
		kvfree(r->noded);
		r->keyed = NULL;
		r->noded = NULL;
	}
}

/**
 * khob_in_attach() - take over what the kernel before left
 * @setup_data: physical address of the first setup_data node
 *
 * Context: process, khob_lock held.
 *
 * Return: 0; -EEXIST if there is a handover in use already; -EBADMSG if it was
 * refused: khob_in.reason says why, all its memory stays reserved; -ENOMEM.
 */
int khob_in_attach(u64 setup_data)
{
	ktime_t begin = ktime_get();
	struct khob_in_subtree *sub;
	int ret;

	if (khob_in.state == KHOB_IN_ATTACHED)
		return khob_refuse(-EEXIST, "attach: already attached");
	if (khob_in.going)
		return khob_refuse(-EBUSY, "attach: a kernel is loaded; unload it first");
	if (!setup_data)
		return khob_refuse(-EINVAL, "attach: no setup_data address");
	khob_in_clear();
	khob_in.setup_data = setup_data;
	khob_in.native = khob_native_boot();
	ret = khob_in_read_ranges();
	if (!ret)
		ret = khob_in_read_fdt();
	if (!ret)
		ret = khob_in_read_meta();
	if (!ret)
		ret = khob_in_read_tree();
	if (!ret)
		ret = khob_in_keep();
	if (ret) {
		if (!khob_in.reason[0])
			khob_in_damaged("error %d", ret);
		khob_in.state = KHOB_IN_REFUSED;
		return khob_refuse(ret, "attach: %s", khob_in.reason);
	}
	khob_in_read_kexec_metadata();
	khob_in.state = KHOB_IN_ATTACHED;
	khob_in.boot = true;
	list_for_each_entry(sub, &khob_in.subtrees, list)
		khob_in_show(sub);
	khob_in_free_gaps();
	khob_in.attach_us = ktime_us_delta(ktime_get(), begin);
	pr_info("attached: %llu pages and %u subtrees of %s, %llu pages between them freed\n",
		khob_in.pages, khob_in.nr_subtrees, khob_in.previous_release, khob_in.gap_pages);
	return 0;
}
