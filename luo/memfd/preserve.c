// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memfd on the way out: its folios are preserved one by one, from wherever they are once the
 * scattered ones have been gathered, and a list says which is where.
 */
#include <linux/err.h>
#include <linux/io.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/vmalloc.h>

#include "luo.h"
#include "memfd/memfd.h"

/**
 * struct luo_memfd_out - a memfd that is preserved
 * @folios: its folios, as the next kernel is told; NULL if there are none
 * @list: the memory that these are in
 * @nr: how many
 * @late: where its contents will be, if it was preserved too late for its folios; or NULL
 * @frozen: how the file was
 */
struct luo_memfd_out {
	struct khob_memfd_folio_ser *folios;
	struct luo_list list;
	u64 nr;
	struct luo_late *late;
	struct luo_frozen frozen;
};

static struct kho_vmalloc *luo_memfd_list(struct khob_memfd_ser *ser)
{
	BUILD_BUG_ON(sizeof(ser->folios) != sizeof(struct kho_vmalloc));
	return (struct kho_vmalloc *)&ser->folios;
}

/**
 * luo_memfd_is() - whether a file is of this kind
 * @file: any file
 *
 * Return: true for what shmem has that no directory names: not for hugetlb's memfds.
 */
bool luo_memfd_is(const struct file *file)
{
	return luo_shmem_is(file) && !file_inode(file)->i_nlink;
}

/**
 * luo_shmem_is() - whether a file is one that can be kept
 * @file: any file
 *
 * Return: true for any regular file on tmpfs: not for hugetlb's.
 */
bool luo_shmem_is(const struct file *file)
{
	const struct inode *inode = file_inode(file);

	/* Some file systems show another one's pages as theirs. */
	return shmem_mapping(file->f_mapping) && file->f_mapping->host == inode &&
	       S_ISREG(inode->i_mode);
}

/*
 * Preserves a folio that has a reference. It is taken for dirty and up to date, whatever it is
 * now: that can change until the jump.
 */
static int luo_memfd_preserve_folio(struct folio *folio, struct khob_memfd_folio_ser *ser)
{
	int ret = kho_preserve_folio(folio);

	if (ret)
		return ret;
	folio_lock(folio);
	folio_mark_dirty(folio);
	/* It was made by fallocate() and never used. */
	if (!folio_test_uptodate(folio)) {
		folio_zero_range(folio, 0, folio_size(folio));
		flush_dcache_folio(folio);
		folio_mark_uptodate(folio);
	}
	folio_unlock(folio);
	ser->pfn = folio_pfn(folio);
	ser->flags = KHOB_MEMFD_FOLIO_DIRTY | KHOB_MEMFD_FOLIO_UPTODATE;
	ser->index = folio->index;
	return 0;
}

/* Unpreserves the first @nr of a list, each of which has a reference, and gives that back. */
static void luo_memfd_drop_folios(const struct khob_memfd_folio_ser *folios, u64 nr)
{
	while (nr) {
		struct folio *folio = pfn_folio(folios[--nr].pfn);

		kho_unpreserve_folio(folio);
		luo_unpin_one(folio);
		cond_resched();
	}
}

/* Preserves folios that have references, which on failure are given back. */
static int luo_memfd_preserve_pinned(struct luo_memfd_out *out, struct folio **folios, u64 nr,
				     struct khob_memfd_ser *ser)
{
	int ret = luo_list_alloc(&out->list, array_size(nr, sizeof(*out->folios)));
	u64 i = 0;

	if (ret) {
		luo_unpin(folios, nr);
		return ret;
	}
	out->folios = out->list.at;
	for (; i < nr; i++) {
		ret = luo_memfd_preserve_folio(folios[i], out->folios + i);
		if (ret)
			break;
		cond_resched();
	}
	if (!ret)
		ret = kho_preserve_vmalloc(out->folios, luo_memfd_list(ser));
	if (ret) {
		luo_memfd_drop_folios(out->folios, i);
		luo_unpin(folios + i, nr - i);
		luo_list_free(&out->list);
		return ret;
	}
	out->nr = nr;
	return 0;
}

static int luo_memfd_preserve_all(struct file *file, struct luo_memfd_out *out,
				  struct khob_memfd_ser *ser)
{
	u64 pages = luo_memfd_pages(ser->size);
	long nr;

	struct folio **folios __free(luo_kvfree) = kvcalloc(pages, sizeof(*folios), GFP_KERNEL);

	if (!folios)
		return -ENOMEM;
	nr = luo_pin(file, folios, pages);
	if (nr < 0)
		return nr;
	return luo_memfd_preserve_pinned(out, folios, nr, ser);
}

/* With the inode locked. */
static int luo_memfd_describe(struct file *file, struct luo_memfd_out *out,
			      struct khob_memfd_ser *ser)
{
	u64 size = i_size_read(file_inode(file));
	unsigned int seals = SHMEM_I(file_inode(file))->seals & ~out->frozen.seals;
	int ret;

	if (seals & ~KHOB_MEMFD_SEALS_ALL)
		return -EOPNOTSUPP;
	if (luo_memfd_pages(size) > KHOB_MEMFD_FOLIOS_MAX)
		return -EFBIG;
	ser->pos = file->f_pos;
	ser->size = size;
	ser->seals = seals;
	if (!size)
		return 0;
	if (luo_room_has(ser)) {
		out->late = luo_late_preserve(file, ser);
		return PTR_ERR_OR_ZERO(out->late);
	}
	ret = luo_memfd_preserve_all(file, out, ser);
	if (!ret)
		ser->nr_folios = out->nr;
	return ret;
}

/**
 * luo_memfd_preserve() - hand a memfd over, and freeze it
 * @file: the file
 * @data: where it is described, for the next kernel
 * @more: for luo_memfd_unpreserve()
 *
 * Once a kernel is loaded its contents, not its folios, go along, as far as there is late room.
 *
 * Return: 0; -EOPNOTSUPP for seals that this version has not; -EFBIG; -EBUSY once a kernel is
 * loaded and there is no late room, -ENOSPC if that is full; -ENOMEM; -EINTR.
 */
int luo_memfd_preserve(struct file *file, u64 *data, void **more)
{
	struct inode *inode = file_inode(file);
	struct khob_memfd_ser *ser;
	struct luo_memfd_out *out;
	int ret;

	out = kzalloc(sizeof(*out), GFP_KERNEL);
	if (!out)
		return -ENOMEM;
	BUILD_BUG_ON(sizeof(*ser) > KHOB_PAGE_SIZE);
	ser = luo_page_alloc();
	if (IS_ERR(ser)) {
		kfree(out);
		return PTR_ERR(ser);
	}
	inode_lock(inode);
	luo_freeze(inode, &out->frozen);
	/* Nobody changes which pages it has any more: write(2) need not wait for all of them. */
	inode_unlock(inode);
	/* Of one that is late only the contents go along. */
	ret = luo_room_has(ser) ? 0 : luo_gather(file);
	inode_lock(inode);
	if (!ret)
		ret = luo_memfd_describe(file, out, ser);
	if (ret)
		luo_thaw(inode, &out->frozen);
	inode_unlock(inode);
	if (ret) {
		luo_page_free(ser);
		kfree(out);
		return ret;
	}
	*data = virt_to_phys(ser);
	*more = out;
	return 0;
}

/**
 * luo_memfd_unpreserve() - undo luo_memfd_preserve()
 * @file: the file
 * @data: as that has said
 * @more: as that has said
 */
void luo_memfd_unpreserve(struct file *file, u64 data, void *more)
{
	struct khob_memfd_ser *ser = phys_to_virt(data);
	struct inode *inode = file_inode(file);
	struct luo_memfd_out *out = more;

	inode_lock(inode);
	luo_thaw(inode, &out->frozen);
	if (out->late)
		luo_late_free(out->late);
	if (out->nr) {
		kho_unpreserve_vmalloc(luo_memfd_list(ser));
		luo_memfd_drop_folios(out->folios, out->nr);
		luo_list_free(&out->list);
	}
	luo_page_free(ser);
	inode_unlock(inode);
	kfree(out);
}

/**
 * luo_memfd_write() - what may have changed since it was preserved: the position, the contents of
 * one that was preserved late, and holes
 * @file: the file
 * @data: as luo_memfd_preserve() has said
 * @more: as that has said
 */
void luo_memfd_write(const struct file *file, u64 data, const void *more)
{
	struct khob_memfd_ser *ser = phys_to_virt(data);
	const struct luo_memfd_out *out = more;

	ser->pos = file->f_pos;
	if (out->late)
		luo_late_fill(out->late);
	else if (out->frozen.loose)
		luo_refill(file->f_mapping, out->folios, out->nr);
}

/**
 * luo_memfd_cost() - what handing a memfd over takes, here or in the kernel before
 * @data: where it is described
 * @incoming: the kernel before has described it, and it waits to be retrieved
 * @cost: is added to; by nothing if the description is not sound
 */
void luo_memfd_cost(u64 data, bool incoming, struct luo_cost *cost)
{
	struct khob_memfd_ser ser;
	const char *why;

	if (!incoming)
		memcpy(&ser, phys_to_virt(data), sizeof(ser));
	else if (luo_ram_read(data, &ser, sizeof(ser)))
		return;
	if (luo_memfd_check(&ser, PHYS_PFN(luo_ram_end()), &why))
		return;
	cost->bytes += luo_memfd_pages(ser.size) << PAGE_SHIFT;
	cost->folios += ser.nr_folios;
	/* The description, the list, and the pages that say where the list is. */
	cost->metadata += KHOB_PAGE_SIZE;
	if (ser.nr_folios) {
		u64 pages = DIV_ROUND_UP_ULL(ser.nr_folios * sizeof(struct khob_memfd_folio_ser),
					     KHOB_PAGE_SIZE);

		pages += DIV_ROUND_UP_ULL(pages, KHOB_VMALLOC_CHUNK_PAGES);
		cost->metadata += pages * KHOB_PAGE_SIZE;
	}
}
