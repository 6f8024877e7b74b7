// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memfd that is preserved once a kernel is loaded. Its folios cannot be handed over any more, so
 * that pages of the late room are set aside for what is in them, and filled at the very end.
 */
#include <linux/err.h>
#include <linux/io.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/sched/signal.h>

#include "luo.h"
#include "memfd/memfd.h"

#define LUO_FOLIOS_PER_PAGE (KHOB_PAGE_SIZE / sizeof(struct khob_memfd_folio_ser))

/**
 * struct luo_late - a memfd whose contents follow
 * @folios: the file's, each with a reference
 * @nr: how many
 * @pages: of the file
 * @lists: pages that say which page of the room is which of the file
 * @chunks: pages that say where @lists are
 * @taken: how many pages of the room follow here: those of the file, lists, chunks
 * @room: they
 */
struct luo_late {
	struct folio **folios;
	long nr;
	u64 pages;
	u64 lists;
	u64 chunks;
	u64 taken;
	void *room[];
};

static struct luo_late *luo_late_new(u64 pages)
{
	u64 lists = DIV_ROUND_UP_ULL(pages, LUO_FOLIOS_PER_PAGE);
	u64 chunks = DIV_ROUND_UP_ULL(lists, KHOB_VMALLOC_CHUNK_PAGES);
	struct luo_late *late = kvzalloc(struct_size(late, room, pages + lists + chunks),
					 GFP_KERNEL);

	if (!late)
		return NULL;
	late->folios = kvcalloc(pages, sizeof(*late->folios), GFP_KERNEL);
	if (!late->folios) {
		kvfree(late);
		return NULL;
	}
	late->pages = pages;
	late->lists = lists;
	late->chunks = chunks;
	return late;
}

/**
 * luo_late_free() - give everything back
 * @late: what luo_late_preserve() has returned
 */
void luo_late_free(struct luo_late *late)
{
	while (late->taken)
		luo_page_free(late->room[--late->taken]);
	luo_unpin(late->folios, late->nr);
	kvfree(late->folios);
	kvfree(late);
}

static int luo_late_take(struct luo_late *late)
{
	while (late->taken < late->pages + late->lists + late->chunks) {
		void *page = fatal_signal_pending(current) ? ERR_PTR(-EINTR) : luo_page_alloc();

		if (IS_ERR(page))
			return PTR_ERR(page);
		late->room[late->taken++] = page;
		cond_resched();
	}
	return 0;
}

/* What the next kernel reads as an area of vmalloc()'s, with an array of folios of order 0. */
static void luo_late_describe(struct luo_late *late, struct khob_memfd_ser *ser)
{
	void **lists = late->room + late->pages, **chunks = lists + late->lists;
	u64 i;

	for (i = 0; i < late->pages; i++) {
		struct khob_memfd_folio_ser *list = lists[i / LUO_FOLIOS_PER_PAGE];

		list[i % LUO_FOLIOS_PER_PAGE] = (struct khob_memfd_folio_ser) {
			.pfn = PHYS_PFN(virt_to_phys(late->room[i])),
			.flags = KHOB_MEMFD_FOLIO_DIRTY | KHOB_MEMFD_FOLIO_UPTODATE,
			.index = i,
		};
	}
	for (i = 0; i < late->lists; i++) {
		struct khob_vmalloc_chunk *chunk = chunks[i / KHOB_VMALLOC_CHUNK_PAGES];

		chunk->phys[i % KHOB_VMALLOC_CHUNK_PAGES] = virt_to_phys(lists[i]);
	}
	for (i = 1; i < late->chunks; i++)
		((struct khob_vmalloc_chunk *)chunks[i - 1])->next = virt_to_phys(chunks[i]);
	ser->folios = (struct khob_vmalloc) {
		.first = virt_to_phys(chunks[0]),
		.total_pages = late->lists,
		.flags = KHOB_VMALLOC_ALLOC,
	};
	ser->nr_folios = late->pages;
}

/**
 * luo_late_preserve() - set pages aside for a memfd
 * @file: the file; its inode is locked, its size above 0
 * @ser: its description, in the late room
 *
 * Return: what luo_late_fill() fills; or an ERR_PTR(): -ENOSPC if the room has too few pages;
 * -ENOMEM, -EINTR.
 */
struct luo_late *luo_late_preserve(struct file *file, struct khob_memfd_ser *ser)
{
	struct luo_late *late;
	long nr;
	int ret;

	late = luo_late_new(luo_memfd_pages(ser->size));
	if (!late)
		return ERR_PTR(-ENOMEM);
	ret = luo_late_take(late);
	if (!ret) {
		nr = luo_pin(file, late->folios, late->pages);
		if (nr < 0)
			ret = nr;
		else
			late->nr = nr;
	}
	if (ret) {
		luo_late_free(late);
		return ERR_PTR(ret);
	}
	luo_late_describe(late, ser);
	return late;
}

/**
 * luo_late_fill() - what the file holds now is what the next kernel gets
 * @late: what luo_late_preserve() has returned
 */
void luo_late_fill(const struct luo_late *late)
{
	long n;

	for (n = 0; n < late->nr; n++) {
		struct folio *folio = late->folios[n];
		long i, nr = folio_nr_pages(folio);

		/* It was made by fallocate() and never used: the room's are zeroes. */
		if (!folio_test_uptodate(folio))
			continue;
		for (i = 0; i < nr && folio->index + i < late->pages; i++)
			copy_page(late->room[folio->index + i],
				  page_address(folio_page(folio, i)));
	}
}
