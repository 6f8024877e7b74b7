/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one kind of file there is: shmem's. Sessions take memfds, and others without a name; what is
 * kept may have a name.
 */
#ifndef LUO_MEMFD_H
#define LUO_MEMFD_H

#include <linux/fs.h>
#include <linux/kconfig.h>
#include <linux/xarray.h>

#include "core/luo_core.h"

/**
 * struct luo_cost - what handing files over takes
 * @bytes: their memory
 * @folios: that it is in
 * @metadata: bytes that tell of them
 */
struct luo_cost {
	u64 bytes;
	u64 folios;
	u64 metadata;
};

/* preserve.c */
bool luo_memfd_is(const struct file *file);
bool luo_shmem_is(const struct file *file);
int luo_memfd_preserve(struct file *file, u64 *data, void **more);
void luo_memfd_unpreserve(struct file *file, u64 data, void *more);
void luo_memfd_write(const struct file *file, u64 data, const void *more);
void luo_memfd_cost(u64 data, bool incoming, struct luo_cost *cost);

/* retrieve.c */
int luo_memfd_retrieve(u64 data, void **more, struct file *into, struct file **file, bool *again);
void luo_memfd_discard(u64 data, void *more);

/* ram.c */
int luo_ram_read(u64 pa, void *to, u64 len);
u64 luo_ram_end(void);

/* freeze.c */

/**
 * struct luo_frozen - how a file was before it was frozen
 * @seals: those that were added
 * @immutable: whether it was made so
 * @loose: nothing keeps its pages from being punched out
 */
struct luo_frozen {
	unsigned int seals;
	bool immutable;
	bool loose;
};

void luo_freeze(struct inode *inode, struct luo_frozen *frozen);
void luo_thaw(struct inode *inode, const struct luo_frozen *frozen);

/* scatter.c */

/* Pages that lie together well enough: 2 MiB. */
#define LUO_RUN (2UL << (20 - PAGE_SHIFT))

/**
 * struct luo_scatter - a file's single pages, by where they are
 * @mapping: the file's
 * @maps: bitmaps of them
 * @nr: how many are in short runs
 * @runs: how many of these there are
 */
struct luo_scatter {
	struct address_space *mapping;
	struct xarray maps;
	unsigned long nr;
	unsigned long runs;
};

void luo_scatter_init(struct luo_scatter *scatter, struct address_space *mapping);
int luo_scatter_add(struct luo_scatter *scatter, unsigned long pfn);
void luo_scatter_count(struct luo_scatter *scatter);
void luo_scatter_del(struct luo_scatter *scatter, unsigned long pfn);
bool luo_scatter_has(const struct luo_scatter *scatter, unsigned long pfn);
void luo_scatter_free(struct luo_scatter *scatter);

/* contig.c */

/* Pages in use that were of no use after all, and are remembered. */
#define LUO_CONTIG_HOLES 32

/**
 * struct luo_contig - contiguous memory
 * @pfn: first page
 * @nr: pages
 * @used: those in front that are somebody else's by now
 * @holes: among these, pages that nobody has; first those that were taken again
 * @nr_holes: how many
 * @nr_again: how many were taken again
 */
struct luo_contig {
	unsigned long pfn;
	unsigned long nr;
	unsigned long used;
	unsigned long holes[LUO_CONTIG_HOLES];
	unsigned int nr_holes;
	unsigned int nr_again;
};

static inline bool luo_contig_is_full(const struct luo_contig *contig)
{
	return contig->used == contig->nr && !contig->nr_again;
}

int luo_contig_take(struct luo_contig *contig, int nid, unsigned long nr,
		    const struct luo_scatter *keep);
struct folio *luo_contig_next(struct luo_contig *contig);
void luo_contig_spoil(struct luo_contig *contig, unsigned long pfn);
void luo_contig_settle(struct luo_contig *contig);
void luo_contig_give(struct luo_contig *contig);

/* list.c */

/**
 * struct luo_list - memory for a list
 * @at: the memory
 * @contig: its pages, if they are contiguous
 */
struct luo_list {
	void *at;
	struct luo_contig contig;
};

int luo_list_alloc(struct luo_list *list, size_t size);
void luo_list_free(struct luo_list *list);

/* gather.c */
int luo_gather(struct file *file);

/* pin.c */
long luo_pin(struct file *file, struct folio **folios, unsigned long max);
void luo_unpin(struct folio **folios, unsigned long nr);
void luo_unpin_one(struct folio *folio);

/* late.c */
struct luo_late;
struct luo_late *luo_late_preserve(struct file *file, struct khob_memfd_ser *ser);
void luo_late_free(struct luo_late *late);
void luo_late_fill(const struct luo_late *late);

/* refill.c */
void luo_refill(struct address_space *mapping, const struct khob_memfd_folio_ser *folios, u64 nr);

/* shmem.c */
struct file *luo_shmem_new(void);
bool luo_shmem_is_empty(const struct file *file);
int luo_shmem_commit(s64 pages);
int luo_shmem_charge(struct inode *inode, s64 pages, bool limited);
void luo_shmem_uncharge(struct inode *inode, s64 pages);
void luo_shmem_dress(struct file *file, const struct khob_memfd_ser *ser);

/* adopt.c */

/*
 * filemap_add_folio() takes shmem's folios, but where CONFIG_DEBUG_VM is set it insists on
 * getting none. There each page takes the place of one that shmem has allocated.
 */
#define LUO_ADOPTS_LARGE (!IS_ENABLED(CONFIG_DEBUG_VM))

/* Folios that are restored before they are put into a file. */
#define LUO_BATCH 256

/**
 * struct luo_adoption - folios on their way into a file
 * @file: the file
 * @named: somebody else may know it by now: it is sealed until all is in it
 * @seals: that it had
 * @size: that it will have
 * @folios: restored ones, each with one reference
 * @index: where each goes
 * @nr: how many
 * @done: how many of them are in the file
 * @charged: pages that Committed_AS has and the file has not yet
 * @blocks: pages that its file system has and the file has not yet
 */
struct luo_adoption {
	struct file *file;
	bool named;
	unsigned int seals;
	u64 size;
	struct folio *folios[LUO_BATCH];
	pgoff_t index[LUO_BATCH];
	unsigned int nr;
	unsigned int done;
	s64 charged;
	s64 blocks;
};

int luo_adopt_start(struct luo_adoption *adoption, struct file *into);
int luo_adopt(struct luo_adoption *adoption);
void luo_adopt_end(struct luo_adoption *adoption);
void luo_adopt_drop(struct luo_adoption *adoption);

/* region.c */
int luo_region_fill(struct file *file, u64 bytes, int nid);

#endif /* LUO_MEMFD_H */
