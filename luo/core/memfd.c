// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memfd as another kernel has described it: what it is, and which folio is where in it.
 */
#include "core/luo_core.h"

/* The kernel's MAX_LFS_FILESIZE, on 64 bits. */
#define LUO_SIZE_MAX 0x7fffffffffffffffULL

#define LUO_FOLIO_FLAGS (KHOB_MEMFD_FOLIO_DIRTY | KHOB_MEMFD_FOLIO_UPTODATE)

static int luo_memfd_refuse(int ret, const char *sentence, const char **why)
{
	*why = sentence;
	return ret;
}

/**
 * luo_memfd_check() - whether a description of a memfd may be believed
 * @ser: a copy of it
 * @end_pfn: pages of memory
 * @why: a sentence if not
 *
 * Its list of folios is not looked at: see luo_memfd_folios_check().
 *
 * Return: 0; -EOPNOTSUPP for seals or flags that this version has not; -EINVAL.
 */
int luo_memfd_check(const struct khob_memfd_ser *ser, u64 end_pfn, const char **why)
{
	u64 most = luo_memfd_pages(ser->size), list;

	if (ser->seals & ~KHOB_MEMFD_SEALS_ALL)
		return luo_memfd_refuse(-EOPNOTSUPP, "it has seals that nobody knows", why);
	if (ser->flags)
		return luo_memfd_refuse(-EOPNOTSUPP, "it has flags that nobody knows", why);
	if (ser->size > LUO_SIZE_MAX || ser->pos > LUO_SIZE_MAX)
		return luo_memfd_refuse(-EINVAL, "its size or position is beyond any file's", why);
	if (ser->nr_folios > most || ser->nr_folios > end_pfn)
		return luo_memfd_refuse(-EINVAL, "it has more folios than pages", why);
	if (!ser->nr_folios)
		return 0;
	list = luo_memfd_pages(ser->nr_folios * sizeof(struct khob_memfd_folio_ser));
	if (!ser->folios.first || ser->folios.total_pages < list ||
	    ser->folios.total_pages > end_pfn)
		return luo_memfd_refuse(-EINVAL, "its list of folios has another length", why);
	return 0;
}

/**
 * luo_memfd_folios_check() - whether a list of folios may be believed
 * @folios: the list, which nobody else can change
 * @nr: how many
 * @size: of the file, in bytes
 * @end_pfn: pages of memory
 * @why: a sentence if not
 *
 * They are to ascend, as every kernel writes them. What order a folio has is not known here: who
 * restores it looks whether it fits in front of the next one. Holes have no entries: one without a
 * page has lost it.
 *
 * Return: 0 or -EINVAL.
 */
int luo_memfd_folios_check(const struct khob_memfd_folio_ser *folios, u64 nr, u64 size,
			   u64 end_pfn, const char **why)
{
	u64 pages = luo_memfd_pages(size), next = 0, i;

	for (i = 0; i < nr; i++) {
		const struct khob_memfd_folio_ser *folio = folios + i;

		if (folio->flags & ~LUO_FOLIO_FLAGS)
			return luo_memfd_refuse(-EINVAL, "a folio has flags that nobody knows",
						why);
		if (!folio->pfn)
			return luo_memfd_refuse(-EINVAL, "a folio has no page", why);
		if (folio->pfn >= end_pfn)
			return luo_memfd_refuse(-EINVAL, "a folio is beyond the end of memory",
						why);
		if (folio->index >= pages || folio->index < next)
			return luo_memfd_refuse(-EINVAL,
						"a folio is beyond the file's end or out of order",
						why);
		next = folio->index + 1;
	}
	return 0;
}
