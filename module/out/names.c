// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a handover names: every blob in the root FDT, and a record of what each page and
 * blob must hold.
 */
#include <linux/utsname.h>

#include "out/out.h"

void khob_name_subtree(struct khob_freezer *fz, const char *name, u64 pa, u64 len)
{
	struct khob_fdt_subtree *to = &fz->subs[fz->nr_subs++];

	strscpy(to->name, name, sizeof(to->name));
	to->addr = pa;
	to->size = len;
}

int khob_name_taken(const char *name)
{
	return khob_refuse(-EEXIST,
			   "scratch: a client of the kernel's own KHO has a subtree %s, and so has what the kernel before left: release that",
			   name);
}

/* @digest: of what was put there by whoever put it */
static void khob_add_record(struct khob_freezer *fz, u64 pa, u64 len, u64 digest)
{
	struct khob_record *rec = &fz->records[fz->nr_records++];

	rec->addr = pa;
	rec->size = len;
	rec->kind = KHOB_RECORD_BLOB;
	rec->digest = digest;
}

/*
 * Names a blob in the root FDT. kho-v2 has no length for it: what is no FDT
 * itself is copied into one, unless it came in one that is still around it (@wrap_pa).
 * *@pa: where its bytes are for the next kernel.
 */
static int khob_name_blob(struct khob_freezer *fz, const char *name, u64 *pa, u64 len, u64 wrap_pa)
{
	size_t size = khob_fdt_wrap_size(len);
	void *payload;
	u64 wrapped;

	if (khob_ram_poisoned(*pa, PFN_UP(offset_in_page(*pa) + len)))
		return khob_refuse(-EHWPOISON, "subtree %s: the machine cannot read a page of it",
				   name);
	if (khob_abi_has_blob_size(khob_out.abi) || khob_fdt_is_whole(__va(*pa), len)) {
		khob_name_subtree(fz, name, *pa, len);
		return 0;
	}
	if (wrap_pa) {
		khob_name_subtree(fz, name, wrap_pa, 0);
		return 0;
	}
	if (!size)
		return khob_refuse(-E2BIG, "%s is too large for kho-v2", name);
	wrapped = khob_buf_new(size);
	if (!wrapped)
		return -ENOMEM;
	if (khob_fdt_wrap(__va(wrapped), size, __va(*pa), len, &payload) < 0)
		return -EINVAL;
	khob_name_subtree(fz, name, wrapped, 0);
	*pa = __pa(payload);
	return 0;
}

/*
 * A blob of a client's, who may write to it until the kexec: no digest of it would hold, but that
 * of a copy does.
 */
static int khob_name_clients(struct khob_freezer *fz, const char *name, u64 pa, u64 len,
			     u64 wrap_pa)
{
	u64 at = pa;
	int ret = khob_name_blob(fz, name, &at, len, wrap_pa);

	if (!ret && at != pa)
		khob_add_record(fz, at, len, khob_xxh64(__va(at), len));
	return ret;
}

/* A blob of this module's own, with a digest of what it holds. */
static int khob_name_ours(struct khob_freezer *fz, const char *name, u64 pa, u64 len)
{
	int ret = khob_name_blob(fz, name, &pa, len, 0);

	if (!ret)
		khob_add_record(fz, pa, len, khob_xxh64(__va(pa), len));
	return ret;
}

/*
 * A blob of the kernel before keeps the digest that its first kernel gave it: what has
 * happened to it since must not look right in the next one.
 */
static int khob_name_carried(struct khob_freezer *fz, const struct khob_handed *sub)
{
	u64 pa = sub->pa;
	int ret;

	if (!sub->has_digest)
		return khob_name_clients(fz, sub->name, pa, sub->len, sub->wrap_pa);
	ret = khob_name_blob(fz, sub->name, &pa, sub->len, sub->wrap_pa);
	if (!ret)
		khob_add_record(fz, pa, sub->len, sub->digest);
	return ret;
}

static int khob_name_own(struct khob_freezer *fz, const struct khob_subtree *sub)
{
	if (sub->owner != KHOB_OWNER_CLIENT)
		return khob_name_ours(fz, sub->name, sub->pa, sub->len);
	if (!khob_client_covers(sub->pa, sub->pa + sub->len))
		return khob_refuse(-EFAULT, "subtree %s: its client has not preserved all of it",
				   sub->name);
	return khob_name_clients(fz, sub->name, sub->pa, sub->len, 0);
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
		return khob_name_clients(ctx, sub->name, sub->addr, sub->size, 0);
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

/* Records of pages that go on pass from the kernel before to the next one as they are. */
static void khob_carry_records(struct khob_freezer *fz)
{
	const struct khob_record *rec = khob_in.got ? khob_in.got->records : NULL;
	u64 i, key, nr = rec ? khob_in.got->nr_records : 0;

	for (i = 0; i < nr && fz->nr_records < fz->max_records; i++, rec++) {
		u64 pages = rec->size >> PAGE_SHIFT;

		if ((rec->kind == KHOB_RECORD_POISON && !khob_ram_poisoned(rec->addr, 1)) ||
		    (rec->kind == KHOB_RECORD_FILL && is_power_of_2(pages) &&
		     !khob_key_encode(rec->addr, ilog2(pages), &key) && khob_carried(key)))
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
		if (khob_ram_poisoned(f->pa, 1ULL << f->order))
			continue;
		rec->addr = f->pa;
		rec->size = PAGE_SIZE << f->order;
		rec->seed = f->seed;
		rec->index = f->index;
		rec->digest = f->digest;
		rec->kind = KHOB_RECORD_FILL;
		fz->nr_records++;
	}
}

/* Not by khob_name_ours(): a record of the records could not hold its own digest. */
static int khob_name_records(struct khob_freezer *fz)
{
	size_t len = fz->nr_records * sizeof(*fz->records), size = khob_fdt_wrap_size(len);
	u64 wrapped;

	fz->records_digest = khob_xxh64(fz->records, len);
	if (!len)
		return 0;
	if (khob_abi_has_blob_size(khob_out.abi)) {
		khob_name_subtree(fz, KHOB_RECORDS_NAME, __pa(fz->records), len);
		return 0;
	}
	wrapped = khob_buf_new(size);
	if (!wrapped || khob_fdt_wrap(__va(wrapped), size, fz->records, len, NULL) < 0)
		return -ENOMEM;
	khob_name_subtree(fz, KHOB_RECORDS_NAME, wrapped, 0);
	return 0;
}

static int khob_make_kexec_metadata(struct khob_freezer *fz)
{
	struct khob_kexec_metadata *km;
	u64 pa = khob_buf_new(sizeof(*km));

	if (!pa)
		return -ENOMEM;
	km = __va(pa);
	km->version = KHOB_KEXEC_METADATA_VERSION;
	strscpy(km->previous_release, init_utsname()->release, sizeof(km->previous_release));
	km->kexec_count = khob_in.kexec_count + 1;
	return khob_name_ours(fz, KHOB_KEXEC_METADATA_NAME, pa, sizeof(*km));
}

/* The first two internal subtrees and every blob: all but meta, which describes them. */
int khob_make_subtrees(struct khob_freezer *fz)
{
	struct khob_subtree *sub;
	u64 records_pa, i;
	int ret = 0;

	records_pa = khob_buf_new(max_t(u64, fz->max_records * sizeof(*fz->records), 1));
	if (!records_pa)
		return -ENOMEM;
	fz->records = __va(records_pa);
	if (khob_native_source() && !khob_out.by_kernel)
		ret = khob_name_kernels(fz);
	if (!ret && !khob_is_named(fz, KHOB_KEXEC_METADATA_NAME))
		ret = khob_make_kexec_metadata(fz);
	list_for_each_entry(sub, &khob_out.subtrees, list)
		if (!ret)
			ret = khob_name_own(fz, sub);
	for (i = 0; !ret && khob_in.got && i < khob_in.got->nr_subtrees; i++) {
		const struct khob_handed *carried = &khob_in.got->subtrees[i];

		if (khob_carries_subtree(carried))
			ret = khob_is_named(fz, carried->name) ? khob_name_taken(carried->name) :
			      khob_name_carried(fz, carried);
	}
	if (ret)
		return ret;
	khob_carry_records(fz);
	khob_own_records(fz);
	fz->nr_records += khob_poison_records(fz->records + fz->nr_records,
					      fz->max_records - fz->nr_records);
	return khob_name_records(fz);
}
