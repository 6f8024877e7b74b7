// SPDX-License-Identifier: GPL-2.0-only
/*
 * Freezing: from the moment a loader has scratch until it gives it back, what
 * is handed over does not change. At that point the root FDT, the subtrees of
 * our own (records, meta, kexec-metadata) and the keys of what is carried from
 * the kernel before are made; thawing takes them all away again.
 */
#include <linux/overflow.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "out/out.h"

/* Chunks that may still be added while the meta blob is being made. */
#define KHOB_META_SLACK 16

/* Metadata that lives as long as the freeze. */
struct khob_buf {
	struct list_head list;
	u64 pa;
	u64 bytes;
};

/* Zeroed and preserved (the arena is). Return: physical address or 0. */
u64 khob_buf_new(u64 len)
{
	struct khob_buf *buf = kzalloc(sizeof(*buf), GFP_KERNEL);

	if (!buf)
		return 0;
	buf->bytes = PAGE_ALIGN(len);
	buf->pa = khob_arena_alloc(&khob_out.meta, buf->bytes, false);
	if (!buf->pa) {
		kfree(buf);
		return 0;
	}
	memset(__va(buf->pa), 0, buf->bytes);
	list_add(&buf->list, &khob_out.bufs);
	return buf->pa;
}

static void khob_bufs_free(void)
{
	struct khob_buf *buf, *next;

	list_for_each_entry_safe(buf, next, &khob_out.bufs, list) {
		khob_arena_free(&khob_out.meta, buf->pa, buf->bytes);
		list_del(&buf->list);
		kfree(buf);
	}
	khob_out.meta_blob = NULL;
	khob_out.fdt_pa = 0;
	khob_out.fdt_len = 0;
}

static unsigned int khob_nr_chunks(void)
{
	return list_count_nodes(&khob_out.meta.chunks);
}

/*
 * The kernel hands its own root FDT over, which names our subtrees too. Its tree cannot be
 * read once the next kernel has booted: that is what ours is for, to which the meta blob leads.
 */
static int khob_leave_to_kernel(struct khob_freezer *fz)
{
	size_t i;
	int ret;

	khob_out.meta_blob->fdt_addr = khob_out.fdt_pa;
	khob_out.meta_blob->fdt_size = khob_out.fdt_len;
	for (i = 0; i < fz->nr_subs; i++) {
		ret = khob_native_publish(&fz->subs[i]);
		if (ret)
			return ret;
	}
	khob_out.fdt_pa = khob_native_fdt_pa();
	khob_out.fdt_len = PAGE_SIZE;
	return 0;
}

/*
 * Room for the meta blob and the root FDT, then both: no memory is taken after
 * the digests, which cover every node of the tree and every byte of the FDT.
 */
static int khob_make_meta(struct khob_freezer *fz)
{
	unsigned int room = khob_nr_chunks() + KHOB_META_SLACK;
	size_t len = struct_size_t(struct khob_meta, chunks, room);
	bool wrap = !khob_abi_has_blob_size(khob_out.abi);
	struct khob_mem_chunk *chunk;
	struct khob_meta *meta;
	void *payload;
	u64 pa, fdt_pa;
	size_t fdt_size;
	long fdt_len;
	int ret;

	pa = khob_buf_new(wrap ? khob_fdt_wrap_size(len) : len);
	if (!pa)
		return -ENOMEM;
	meta = __va(pa);
	if (wrap) {
		/* Around zeroes; they are written in place below. */
		if (khob_fdt_wrap(meta, khob_fdt_wrap_size(len), NULL, len, &payload) < 0)
			return -EINVAL;
		meta = payload;
	}
	khob_name_subtree(fz, KHOB_META_NAME, pa, wrap ? 0 : len);
	if (fz->nr_subs > KHOB_SUBTREES_MAX)
		return khob_refuse(-ENOSPC,
				   "scratch: %u subtrees and %zu of the kernel before and of metadata are more than %d: unpreserve or release %zu",
				   khob_out.nr_subtrees, fz->nr_subs - khob_out.nr_subtrees,
				   KHOB_SUBTREES_MAX, fz->nr_subs - KHOB_SUBTREES_MAX);

	fdt_size = khob_fdt_size(khob_out.abi, fz->subs, fz->nr_subs);
	fdt_pa = fdt_size ? khob_buf_new(fdt_size) : 0;
	if (!fdt_pa)
		return -ENOMEM;
	ret = khob_out_settle();
	if (ret)
		return ret;
	if (khob_nr_chunks() > min(room, KHOB_META_CHUNKS_MAX))
		return khob_refuse(-ENOSPC, "scratch: the metadata is in more than %u pieces",
				   min(room, KHOB_META_CHUNKS_MAX));
	fdt_len = khob_fdt_write(__va(fdt_pa), fdt_size, khob_out.abi, khob_out.tree.root_pa,
				 fz->subs, fz->nr_subs);
	if (fdt_len < 0)
		return fdt_len;

	meta->magic = KHOB_META_MAGIC;
	meta->version = KHOB_META_VERSION;
	list_for_each_entry(chunk, &khob_out.meta.chunks, list) {
		meta->chunks[meta->nr_chunks].addr = PFN_PHYS(chunk->pfn);
		meta->chunks[meta->nr_chunks++].size = PFN_PHYS(chunk->nr);
	}
	meta->nr_keys = khob_radix_count(&khob_out.tree);
	meta->nr_nodes = khob_out.tree.nr_nodes;
	meta->tree_digest = khob_radix_digest(&khob_out.tree);
	meta->fdt_digest = khob_xxh64(__va(fdt_pa), fdt_len);
	meta->tsc_khz = tsc_khz;
	meta->boot_count = khob_in.kexec_count + 1;
	meta->records_digest = fz->records_digest;
	if (khob_out.others_ready) {
		meta->others_root = khob_out.others.root_pa;
		meta->others_digest = khob_radix_digest(&khob_out.others);
	}
	khob_out.meta_blob = meta;
	khob_out.fdt_pa = fdt_pa;
	khob_out.fdt_len = fdt_len;
	ret = khob_out.by_kernel ? khob_leave_to_kernel(fz) : 0;
	meta->digest = khob_meta_digest(meta);
	return ret;
}

void khob_thaw(void)
{
	lockdep_assert_held_write(&khob_lock);
	khob_out.frozen = false;
	khob_image_end();
	khob_in.going = false;
	khob_out.by_kernel = false;
	khob_out.abi = khob_out.thaw_abi;
	khob_native_unpublish();
	khob_native_unimport();
	khob_out_drop_others();
	khob_bufs_free();
	khob_poison_take_in();
	khob_uncarry();
	khob_out_remove_gone();
	khob_client_thaw();
}

static int khob_freeze_all(enum khob_abi abi, bool by_kernel)
{
	unsigned int max_subs = khob_out.nr_subtrees + khob_in_nr_subtrees() +
				KHOB_INTERNAL_SUBTREES +
				(khob_native_source() ? KHOB_SUBTREES_MAX : 0);
	struct khob_fdt_subtree *subs __free(khob_kvfree) = NULL;
	struct khob_freezer fz = {
		.max_records = khob_out.nr_folios + max_subs +
			       (khob_in.got ? khob_in.got->nr_records : 0),
	};
	int ret;

	subs = kvcalloc(max_subs, sizeof(*subs), GFP_KERNEL);
	if (!subs)
		return -ENOMEM;
	fz.subs = subs;
	khob_out.thaw_abi = khob_out.abi;
	khob_out.abi = abi;
	khob_out.by_kernel = by_kernel;
	ret = khob_out_tree_get();
	if (!ret)
		ret = khob_carry();
	if (!ret)
		ret = khob_poison_leave_out();
	fz.max_records += khob_out.poisoned.nr;
	if (!ret && khob_native_source() && !by_kernel)
		ret = khob_native_import();
	if (!ret)
		ret = khob_make_subtrees(&fz);
	if (!ret)
		ret = khob_make_meta(&fz);
	if (ret)
		khob_thaw();
	return ret;
}

/**
 * khob_freeze() - from here on what is handed over does not change
 * @abi: the root FDT's version, until the thaw
 * @by_kernel: the kernel's own KHO hands over; else ours does, also what others have
 *	registered with the kernel
 * @door: whose the freeze is until a kernel is loaded (khob_out.door)
 *
 * Context: process, khob_lock held, not frozen.
 *
 * Return: 0; else nothing changed, and the reason was logged.
 */
int khob_freeze(enum khob_abi abi, bool by_kernel, const void *door)
{
	struct khob_listener heard;
	int ret;

	lockdep_assert_held_write(&khob_lock);
	if (khob_ram_encrypted())
		return khob_refuse(-EOPNOTSUPP, "scratch: this kernel encrypts its memory (SME)");
	if (khob_in.state == KHOB_IN_REFUSED)
		return khob_refuse(-EBADMSG, "scratch: release what was refused first: %s",
				   khob_in.reason);
	khob_listen(&heard);
	ret = khob_out_unmapped() ?: khob_freeze_all(abi, by_kernel);
	khob_unlisten(&heard);
	if (ret) {
		/* Unless the place where it failed has said something better. */
		if (heard.sentence[0])
			return ret;
		if (ret == -ENOMEM)
			return khob_refuse(ret, "scratch: not enough memory to freeze; try again");
		return khob_refuse(ret, "scratch: cannot write the root FDT (error %d)", ret);
	}
	khob_out.frozen = true;
	khob_in.going = true;
	khob_image_begin(door);
	return 0;
}

/* The moment of the kexec, for the next kernel to measure the blackout from. */
void khob_freeze_stamp(void)
{
	if (!khob_out.frozen)
		return;
	khob_out.meta_blob->kexec_tsc = rdtsc_ordered();
	khob_out.meta_blob->digest = khob_meta_digest(khob_out.meta_blob);
}

void *khob_out_fdt(size_t *len)
{
	struct khob_fdt_subtree *subs __free(khob_kvfree) = NULL;
	struct khob_freezer fz = {};
	struct khob_subtree *sub;
	void *fdt;
	long ret;

	lockdep_assert_held_write(&khob_lock);
	if (khob_out.frozen) {
		*len = khob_out.fdt_len;
		fdt = kvmalloc(khob_out.fdt_len, GFP_KERNEL);
		if (!fdt)
			return ERR_PTR(-ENOMEM);
		return memcpy(fdt, __va(khob_out.fdt_pa), khob_out.fdt_len);
	}
	if (khob_native_source()) {
		struct khob_fdt_info info;

		*len = PAGE_SIZE;
		return khob_native_fdt(&info);
	}
	if (!khob_out.tree_ready)
		return ERR_PTR(-ENOENT);
	subs = kvcalloc(max(khob_out.nr_subtrees, 1U), sizeof(*subs), GFP_KERNEL);
	if (!subs)
		return ERR_PTR(-ENOMEM);
	fz.subs = subs;
	list_for_each_entry(sub, &khob_out.subtrees, list)
		khob_name_subtree(&fz, sub->name, sub->pa, sub->len);
	*len = khob_fdt_size(khob_out.abi, subs, fz.nr_subs);
	if (!*len)
		return ERR_PTR(-E2BIG);
	fdt = kvzalloc(*len, GFP_KERNEL);
	if (!fdt)
		return ERR_PTR(-ENOMEM);
	ret = khob_fdt_write(fdt, *len, khob_out.abi, khob_out.tree.root_pa, subs, fz.nr_subs);
	if (ret < 0) {
		kvfree(fdt);
		return ERR_PTR(ret);
	}
	return fdt;
}
