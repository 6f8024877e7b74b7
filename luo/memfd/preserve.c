// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memfd on the way out: its folios stay in place and are preserved one by one, and a list says
 * which is where.
 */
#include <linux/err.h>
#include <linux/io.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/vmalloc.h>

#include "memfd/memfd.h"

/**
 * struct luo_memfd_out - a memfd that is preserved
 * @folios: its folios, as the next kernel is told; NULL if there are none
 * @nr: how many
 * @frozen: how the file was
 */
struct luo_memfd_out {
	struct khob_memfd_folio_ser *folios;
	u64 nr;
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
	const struct inode *inode = file_inode(file);

	return shmem_mapping(file->f_mapping) && S_ISREG(inode->i_mode) && !inode->i_nlink;
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
	u64 i = 0;
	int ret = 0;

	out->folios = vcalloc(nr, sizeof(*out->folios));
	if (!out->folios) {
		luo_unpin(folios, nr);
		return -ENOMEM;
	}
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
		vfree(out->folios);
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
 * Return: 0; -EOPNOTSUPP for seals that this version has not; -EFBIG; -EBUSY once a kernel is
 * loaded; -ENOMEM; -EINTR.
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
	ser = kho_alloc_preserve(sizeof(*ser));
	if (IS_ERR(ser)) {
		kfree(out);
		return PTR_ERR(ser);
	}
	inode_lock(inode);
	luo_freeze(inode, &out->frozen);
	ret = luo_memfd_describe(file, out, ser);
	if (ret)
		luo_thaw(inode, &out->frozen);
	inode_unlock(inode);
	if (ret) {
		kho_unpreserve_free(ser);
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
	if (out->nr) {
		kho_unpreserve_vmalloc(luo_memfd_list(ser));
		luo_memfd_drop_folios(out->folios, out->nr);
		vfree(out->folios);
	}
	kho_unpreserve_free(ser);
	inode_unlock(inode);
	kfree(out);
}

/**
 * luo_memfd_write() - what may have changed since it was preserved: the position
 * @file: the file
 * @data: as luo_memfd_preserve() has said
 */
void luo_memfd_write(const struct file *file, u64 data)
{
	struct khob_memfd_ser *ser = phys_to_virt(data);

	ser->pos = file->f_pos;
}
