// SPDX-License-Identifier: GPL-2.0-only
/*
 * Freezing: from the moment a loader has scratch until it gives it back, what
 * is handed over does not change. At that point the root FDT, the subtrees of
 * our own (records, meta, kexec-metadata) and the keys of what is carried from
 * the kernel before are made; thawing takes them all away again.
 */
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/utsname.h>
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

/* What the making of the root FDT and its subtrees shares. */
struct khob_freezer {
	struct khob_fdt_subtree *subs;
	size_t nr_subs;
	struct khob_record *records;
	u64 nr_records;
	u64 max_records;
};

/* Zeroed and preserved (the arena is). Return: physical address or 0. */
static u64 khob_buf_new(u64 len)
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

static void khob_name_subtree(struct khob_freezer *fz, const char *name, u64 pa, u64 len)
{
	struct khob_fdt_subtree *to = &fz->subs[fz->nr_subs++];

	strscpy(to->name, name, sizeof(to->name));
	to->addr = pa;
	to->size = len;
}

/*
 * Names a blob in the root FDT. kho-v2 has no length for it: what is no FDT
 * itself is copied into one (@wrap_pa: where one is already).
 */
static int khob_name_blob(struct khob_freezer *fz, const char *name, u64 pa, u64 len, u64 wrap_pa)
{
	struct khob_record *rec = &fz->records[fz->nr_records];

	if (!khob_abi_has_blob_size(khob_out.abi) && !khob_fdt_is_whole(__va(pa), len)) {
		void *payload;

		if (wrap_pa) {
			khob_name_subtree(fz, name, wrap_pa, 0);
		} else {
			size_t size = khob_fdt_wrap_size(len);
			u64 wrapped = size ? khob_buf_new(size) : 0;

			if (!size)
				return khob_refuse(-E2BIG, "%s is too large for kho-v2",
						   name);
			if (!wrapped)
				return -ENOMEM;
			if (khob_fdt_wrap(__va(wrapped), size, __va(pa), len, &payload) < 0)
				return -EINVAL;
			khob_name_subtree(fz, name, wrapped, 0);
			pa = __pa(payload);
		}
	} else {
		khob_name_subtree(fz, name, pa, len);
	}
	rec->addr = pa;
	rec->size = len;
	rec->kind = KHOB_RECORD_BLOB;
	rec->digest = khob_xxh64(__va(pa), len);
	fz->nr_records++;
	return 0;
}

/* A client may write to its blob until the kexec: no digest of it would hold. */
static int khob_name_live(struct khob_freezer *fz, const char *name, u64 pa, u64 len)
{
	u64 nr = fz->nr_records;
	int ret = khob_name_blob(fz, name, pa, len, 0);

	fz->nr_records = nr;
	return ret;
}

static int khob_name_own(struct khob_freezer *fz, const struct khob_subtree *sub)
{
	if (sub->owner == KHOB_OWNER_CLIENT &&
	    !khob_client_covers(sub->pa, sub->pa + sub->len))
		return khob_refuse(-EFAULT, "subtree %s: its client has not preserved all of it",
				   sub->name);
	if (sub->owner == KHOB_OWNER_CLIENT)
		return khob_name_live(fz, sub->name, sub->pa, sub->len);
	return khob_name_blob(fz, sub->name, sub->pa, sub->len, 0);
}

static bool khob_is_named(const struct khob_freezer *fz, const char *name)
{
	size_t i;

	for (i = 0; i < fz->nr_subs; i++)
		if (!strcmp(fz->subs[i].name, name))
			return true;
	return false;
}

/* One that the kernel's own KHO has of another client; what is not preserved is lost anyway. */
static int khob_name_others(void *ctx, const struct khob_fdt_subtree *sub)
{
	u64 pa = sub->addr, end = sub->addr + sub->size;

	if (khob_out_subtree(sub->name) || !strcmp(sub->name, KHOB_META_NAME) ||
	    !strcmp(sub->name, KHOB_RECORDS_NAME))
		return 0;
	while (pa && pa < end)
		pa = khob_out_covered(pa);
	if (pa)
		return khob_name_live(ctx, sub->name, sub->addr, sub->size);
	pr_warn("subtree %s of the kernel's own KHO is not preserved: left out\n", sub->name);
	return 0;
}

/* With the kernel's own kexec-metadata among them, which counts on from what it was handed. */
static int khob_name_kernels(struct khob_freezer *fz)
{
	void *fdt __free(khob_kvfree) = NULL;
	struct khob_fdt_info info;
	void *copy = khob_native_fdt(&info);

	if (IS_ERR(copy))
		return PTR_ERR(copy);
	fdt = copy;
	return khob_fdt_read(fdt, PAGE_SIZE, &info, khob_name_others, fz);
}

/* Records of carried pages pass from the old blob to the new one. */
static void khob_carry_records(struct khob_freezer *fz)
{
	const struct khob_in_subtree *old = khob_in_subtree(KHOB_RECORDS_NAME);
	const struct khob_record *rec = old ? __va(old->pa) : NULL;
	u64 i, key, nr = old ? old->len / sizeof(*rec) : 0;

	for (i = 0; i < nr && fz->nr_records < fz->max_records; i++, rec++) {
		u64 pages = rec->size >> PAGE_SHIFT;

		if (rec->kind != KHOB_RECORD_FILL || !is_power_of_2(pages))
			continue;
		if (!khob_key_encode(rec->addr, ilog2(pages), &key) &&
		    khob_radix_has(&khob_in.tree, key))
			fz->records[fz->nr_records++] = *rec;
	}
}

static void khob_own_records(struct khob_freezer *fz)
{
	struct khob_folio *f;
	unsigned long pfn;

	xa_for_each(&khob_out.folios, pfn, f) {
		struct khob_record *rec = &fz->records[fz->nr_records];

		if (fz->nr_records >= fz->max_records)
			break;
		rec->addr = f->pa;
		rec->size = PAGE_SIZE << f->order;
		rec->seed = f->seed;
		rec->index = f->index;
		rec->digest = f->digest;
		rec->kind = KHOB_RECORD_FILL;
		fz->nr_records++;
	}
}

/* The first two internal subtrees and every blob: all but meta, which describes them. */
static int khob_make_subtrees(struct khob_freezer *fz)
{
	struct khob_kexec_metadata *km;
	struct khob_in_subtree *carried;
	struct khob_subtree *sub;
	u64 pa, records_pa;
	int ret;

	records_pa = khob_buf_new(max_t(u64, fz->max_records * sizeof(*fz->records), 1));
	pa = khob_buf_new(sizeof(*km));
	if (!records_pa || !pa)
		return -ENOMEM;
	fz->records = __va(records_pa);
	km = __va(pa);
	km->version = KHOB_KEXEC_METADATA_VERSION;
	strscpy(km->previous_release, init_utsname()->release, sizeof(km->previous_release));
	km->kexec_count = khob_in.kexec_count + 1;
	ret = khob_native_source() && !khob_out.by_kernel ? khob_name_kernels(fz) : 0;
	if (!ret && !khob_is_named(fz, KHOB_KEXEC_METADATA_NAME))
		ret = khob_name_blob(fz, KHOB_KEXEC_METADATA_NAME, pa, sizeof(*km), 0);
	list_for_each_entry(sub, &khob_out.subtrees, list)
		if (!ret)
			ret = khob_name_own(fz, sub);
	list_for_each_entry(carried, &khob_in.subtrees, list)
		if (!ret && !khob_internal_name(carried->name) &&
		    !khob_is_named(fz, carried->name))
			ret = khob_name_blob(fz, carried->name, carried->pa, carried->len,
					     carried->wrap_pa);
	if (ret)
		return ret;
	khob_carry_records(fz);
	khob_own_records(fz);
	/* Not by khob_name_blob(): a record of the records could not hold its own digest. */
	if (khob_abi_has_blob_size(khob_out.abi)) {
		khob_name_subtree(fz, KHOB_RECORDS_NAME, records_pa,
				  fz->nr_records * sizeof(*fz->records));
	} else {
		size_t len = fz->nr_records * sizeof(*fz->records);
		u64 wrapped = khob_buf_new(khob_fdt_wrap_size(len));

		if (!wrapped || khob_fdt_wrap(__va(wrapped), khob_fdt_wrap_size(len), fz->records,
					      len, NULL) < 0)
			return -ENOMEM;
		khob_name_subtree(fz, KHOB_RECORDS_NAME, wrapped, 0);
	}
	return 0;
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

	fdt_size = khob_fdt_size(khob_out.abi, fz->subs, fz->nr_subs);
	fdt_pa = fdt_size ? khob_buf_new(fdt_size) : 0;
	if (!fdt_pa)
		return -ENOMEM;
	ret = khob_out_settle();
	if (ret)
		return ret;
	if (khob_nr_chunks() > room)
		return khob_refuse(-ENOSPC, "scratch: the metadata is in more than %u pieces",
				   room);
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
	khob_out.meta_blob = meta;
	khob_out.fdt_pa = fdt_pa;
	khob_out.fdt_len = fdt_len;
	return khob_out.by_kernel ? khob_leave_to_kernel(fz) : 0;
}

/* Says so, unless the place where it failed has said something better. */
static int khob_freeze_failed(int err)
{
	if (err == -EEXIST || err == -E2BIG || err == -EFAULT || err == -EBADMSG ||
	    err == -ENOENT || err == -ENOSPC)
		return err;
	return khob_refuse(err, "scratch: cannot write the root FDT (error %d)", err);
}

void khob_thaw(void)
{
	lockdep_assert_held_write(&khob_lock);
	khob_out.frozen = false;
	khob_in.going = false;
	khob_out.by_kernel = false;
	khob_out.abi = khob_out.thaw_abi;
	khob_native_unpublish();
	khob_native_unimport();
	khob_uncarry();
	khob_bufs_free();
	khob_out_remove_gone();
	khob_client_thaw();
}

/**
 * khob_freeze() - from here on what is handed over does not change
 * @abi: the root FDT's version, until the thaw
 * @by_kernel: the kernel's own KHO hands over; else ours does, also what others have
 *	registered with the kernel
 *
 * Context: process, khob_lock held, not frozen.
 *
 * Return: 0; else nothing changed, and the reason was logged.
 */
int khob_freeze(enum khob_abi abi, bool by_kernel)
{
	const struct khob_in_subtree *old = khob_in_subtree(KHOB_RECORDS_NAME);
	unsigned int max_subs = khob_out.nr_subtrees + khob_in.nr_subtrees +
				KHOB_INTERNAL_SUBTREES +
				(khob_native_source() ? KHOB_SUBTREES_MAX : 0);
	struct khob_fdt_subtree *subs __free(khob_kvfree) = NULL;
	struct khob_freezer fz = {
		.max_records = khob_out.nr_folios + max_subs +
			       (old ? old->len / sizeof(struct khob_record) : 0),
	};
	int ret;

	lockdep_assert_held_write(&khob_lock);
	subs = kvcalloc(max_subs, sizeof(*subs), GFP_KERNEL);
	if (!subs)
		return -ENOMEM;
	fz.subs = subs;
	ret = khob_out_tree_get();
	if (!ret)
		ret = khob_carry();
	if (ret)
		return khob_freeze_failed(ret);
	khob_out.thaw_abi = khob_out.abi;
	khob_out.abi = abi;
	khob_out.by_kernel = by_kernel;
	if (khob_native_source() && !by_kernel)
		ret = khob_native_import();
	if (!ret)
		ret = khob_make_subtrees(&fz);
	if (!ret)
		ret = khob_make_meta(&fz);
	if (ret) {
		khob_thaw();
		return khob_freeze_failed(ret);
	}
	khob_out.frozen = true;
	khob_in.going = true;
	return 0;
}

/* The moment of the kexec, for the next kernel to measure the blackout from. */
void khob_freeze_stamp(void)
{
	if (khob_out.frozen)
		khob_out.meta_blob->kexec_tsc = rdtsc_ordered();
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
