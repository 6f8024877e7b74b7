// SPDX-License-Identifier: GPL-2.0-only
/*
 * The root FDT of a handover, and where the blobs are that it names.
 */
#include "handover_parts.h"

/* The totalsize that an FDT's header gives, in bytes. */
static u64 khob_fdt_totalsize(const struct khob_fdt_header *header)
{
	u8 b[4];

	memcpy(b, &header->totalsize, sizeof(b));
	return (u64)b[0] << 24 | (u64)b[1] << 16 | (u64)b[2] << 8 | b[3];
}

/* A blob's length where the root FDT gives none: what stands there is an FDT. 0: it is not. */
static u64 khob_unsized_len(struct khob_handover *h, u64 addr, u64 room)
{
	struct khob_fdt_header header;

	if (room < sizeof(header) || h->ops->read(h->ctx, addr, &header, sizeof(header)))
		return 0;
	return khob_fdt_totalsize(&header);
}

int khob_copy_blob(struct khob_handover *h, const struct khob_handed *sub, u64 room,
		   struct khob_blob *blob)
{
	u64 addr = sub->wrap_pa ? sub->wrap_pa : sub->pa;
	bool sized = khob_abi_has_blob_size(h->info.abi);
	u64 len = sized ? sub->len : khob_unsized_len(h, addr, room);
	const char *why = NULL;

	if (!len || len > room)
		return khob_damaged(h, "subtree %s: %llu bytes at 0x%llx leave its interval",
				    sub->name, KHOB_LL(len), KHOB_LL(addr));
	blob->size = len;
	blob->copy = h->ops->alloc(h->ctx, len);
	if (!blob->copy)
		return -ENOMEM;
	if (h->ops->read(h->ctx, addr, blob->copy, len))
		return khob_damaged(h, "subtree %s: 0x%llx cannot be read", sub->name,
				    KHOB_LL(addr));
	blob->data = blob->copy;
	blob->len = len;
	if (!sized && khob_fdt_unwrap(blob->copy, len, &blob->data, &blob->len, &why))
		return khob_damaged(h, "subtree %s: %s", sub->name, why);
	if (!blob->len)
		return khob_damaged(h, "subtree %s: it is empty", sub->name);
	return 0;
}

struct khob_fdt_reader {
	struct khob_handover *h;
	u64 nr;
};

static int khob_take_subtree(void *ctx, const struct khob_fdt_subtree *from)
{
	struct khob_fdt_reader *reader = ctx;
	struct khob_handed *to = &reader->h->subtrees[reader->nr++];

	memcpy(to->name, from->name, sizeof(to->name));
	to->pa = from->addr;
	to->len = from->size;
	return 0;
}

static int khob_handed_cmp(const void *a, const void *b)
{
	const struct khob_handed *x = a, *y = b;

	if (x->pa == y->pa)
		return 0;
	return x->pa < y->pa ? -1 : 1;
}

/* The FDT at @addr and what it names, as it stands there: ascending addresses, and lengths. */
static int khob_read_fdt(struct khob_handover *h, u64 addr, u64 size)
{
	struct khob_fdt_reader reader = { .h = h };
	int ret;

	if (!h->ops->held && !khob_handover_span(h, addr, addr + size))
		return khob_damaged(h, "the root FDT at 0x%llx is in no covered interval",
				    KHOB_LL(addr));
	h->ops->free(h->ctx, h->fdt);
	h->ops->free(h->ctx, h->subtrees);
	h->subtrees = NULL;
	h->nr_subtrees = 0;
	h->fdt = h->ops->alloc(h->ctx, size);
	if (!h->fdt)
		return -ENOMEM;
	if (h->ops->read(h->ctx, addr, h->fdt, size))
		return khob_damaged(h, "the root FDT at 0x%llx is in no memory that is held",
				    KHOB_LL(addr));
	/* First as a whole: what a subtree says depends on the version that the root names. */
	if (khob_fdt_read(h->fdt, size, &h->info, NULL, NULL))
		return khob_damaged(h, "root FDT: %s", h->info.why ? h->info.why : "unreadable");
	/* A loader may give the size of the pages; what was written is totalsize. */
	h->fdt_len = khob_fdt_totalsize(h->fdt);
	h->subtrees = h->ops->alloc(h->ctx, (h->info.nr_subtrees + 1) * sizeof(*h->subtrees));
	if (!h->subtrees)
		return -ENOMEM;
	ret = khob_fdt_read(h->fdt, size, &h->info, khob_take_subtree, &reader);
	if (ret)
		return ret;
	h->nr_subtrees = reader.nr;
	khob_sort(h->subtrees, h->nr_subtrees, sizeof(*h->subtrees), khob_handed_cmp);
	return 0;
}

/* On a kernel that was handed another kernel's root FDT: the one of ours that its blob names. */
static int khob_read_own_fdt(struct khob_handover *h)
{
	if (!h->meta->fdt_size || h->meta->fdt_size > KHOB_FDT_SIZE_MAX ||
	    h->meta->fdt_addr > U64_MAX - h->meta->fdt_size)
		return khob_damaged(h, "meta blob: no root FDT can have 0x%llx bytes at 0x%llx",
				    KHOB_LL(h->meta->fdt_size), KHOB_LL(h->meta->fdt_addr));
	h->own_fdt = true;
	return khob_read_fdt(h, h->meta->fdt_addr, h->meta->fdt_size);
}

/* The root FDT, and what a kho_bridge on the other side says of it and of the tree. */
int khob_handover_fdt(struct khob_handover *h)
{
	const struct khob_handed *sub;
	u64 digest;
	int ret;

	/* khob_chain_read() has bounded the size. */
	ret = khob_read_fdt(h, h->chain.kho.fdt_addr, h->chain.kho.fdt_size);
	if (ret)
		return ret;
	sub = khob_handover_subtree(h, KHOB_META_NAME);
	if (!sub && h->chain.sealed)
		return khob_damaged(h, "root FDT: it names no metadata, but the chain is sealed");
	if (!sub && h->ops->held) {
		khob_damaged(h, "nothing in it is kho_bridge's: it is the kernel's own clients'");
		return -ENOENT;
	}
	if (!sub)
		return 0;
	ret = khob_read_meta(h, sub);
	if (ret)
		return ret;
	if (!h->chain.sealed && !h->ops->held)
		return khob_damaged(h, "setup_data chain: the seal over the intervals is missing");
	if (h->ops->held && h->meta->fdt_addr) {
		ret = khob_read_own_fdt(h);
		if (ret)
			return ret;
	}
	digest = khob_xxh64(h->fdt, h->fdt_len);
	if (digest != h->meta->fdt_digest)
		return khob_damaged(h, "root FDT: digest 0x%llx, 0x%llx was handed over",
				    KHOB_LL(digest), KHOB_LL(h->meta->fdt_digest));
	return khob_check_chunks(h);
}

/*
 * Where a blob's bytes are and which pages they take. @seen: what is below it was looked at
 * already, for other blobs: they come in the order of their addresses, and no byte is copied
 * for two of them.
 */
static int khob_place_blob(struct khob_handover *h, struct khob_handed *sub, u64 *seen)
{
	u64 addr = sub->pa, region = sub->len;
	struct khob_span *s = khob_handover_span(h, addr, addr + 1);
	struct khob_blob blob = { .len = 0 };
	int ret;

	sub->start = addr & ~(u64)(KHOB_PAGE_SIZE - 1);
	sub->end = sub->start;
	if (!s && h->ops->held) {
		/* A client of the kernel's own KHO has its pages already. */
		sub->gone = true;
		return 0;
	}
	if (!s)
		return khob_damaged(h, "subtree %s at 0x%llx is in no covered interval", sub->name,
				    KHOB_LL(addr));
	if (!khob_abi_has_blob_size(h->info.abi)) {
		if (addr < *seen)
			return khob_damaged(h, "subtree %s shares bytes with another", sub->name);
		ret = khob_copy_blob(h, sub, s->end - addr, &blob);
		*seen = addr + blob.size;
		if (!ret && blob.data != blob.copy) {
			sub->wrap_pa = addr;
			sub->pa = addr + ((const u8 *)blob.data - blob.copy);
			region = khob_fdt_wrap_size(blob.len);
		} else {
			region = blob.len;
		}
		sub->len = blob.len;
		h->ops->free(h->ctx, blob.copy);
		if (ret)
			return ret;
	}
	if (region && region > s->end - addr && h->ops->held) {
		sub->gone = true;
		return 0;
	}
	if (!region || region > s->end - addr)
		return khob_damaged(h, "subtree %s: %llu bytes at 0x%llx leave its interval",
				    sub->name, KHOB_LL(region), KHOB_LL(addr));
	sub->end = (addr + region + KHOB_PAGE_SIZE - 1) & ~(u64)(KHOB_PAGE_SIZE - 1);
	return 0;
}

int khob_handover_place(struct khob_handover *h)
{
	u64 i, seen = 0;
	int ret = 0;

	for (i = 0; !ret && i < h->nr_subtrees; i++) {
		ret = h->ops->pause(h->ctx);
		if (!ret)
			ret = khob_place_blob(h, &h->subtrees[i], &seen);
	}
	return ret;
}
