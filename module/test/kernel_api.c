// SPDX-License-Identifier: GPL-2.0-only
/*
 * kho_bridge/test/kernel_api, in test builds for kernels with KHO only: takes over what
 * was handed over as any client of the kernel's own API would, without attaching. So it
 * shows that the kernel's KHO itself has all of it, page by page and blob by blob.
 */
#include <linux/debugfs.h>
#include <linux/kexec_handover.h>

#include "debugfs/debugfs.h"
#include "test/test.h"

/* The records that the kernel before made, by the kernel's own look-up. */
static const struct khob_record *khob_api_records(u64 *nr)
{
	phys_addr_t pa;
	size_t size;

	if (kho_retrieve_subtree(KHOB_RECORDS_NAME, &pa, &size))
		return NULL;
	*nr = size / sizeof(struct khob_record);
	return __va(pa);
}

static int khob_api_subtree(const char *name)
{
	const struct khob_record *rec;
	phys_addr_t pa;
	size_t size;
	u64 i, nr;

	rec = khob_api_records(&nr);
	if (!rec || kho_retrieve_subtree(name, &pa, &size))
		return khob_refuse(-ENOENT, "kernel_api: the kernel knows no subtree %s", name);
	for (i = 0; i < nr; i++, rec++)
		if (rec->kind == KHOB_RECORD_BLOB && rec->addr == pa && rec->size == size)
			break;
	if (i == nr)
		return khob_refuse(-ENOENT, "kernel_api: subtree %s has no record", name);
	if (khob_xxh64(__va(pa), size) != rec->digest)
		return khob_refuse(-EBADMSG, "kernel_api: subtree %s is corrupt", name);
	pr_info("kernel_api: subtree %s, %zu bytes: good\n", name, size);
	return 0;
}

static int khob_api_folio(const struct khob_record *rec)
{
	struct folio *folio = kho_restore_folio(rec->addr);
	int ret = 0;

	if (!folio)
		return khob_refuse(-ENOENT, "kernel_api: no folio at 0x%llx", rec->addr);
	if (folio_pfn(folio) != PHYS_PFN(rec->addr) || folio_size(folio) != rec->size)
		ret = khob_refuse(-EBADMSG, "kernel_api: the folio at 0x%llx has %zu bytes",
				  rec->addr, folio_size(folio));
	else if (khob_xxh64(folio_address(folio), rec->size) != rec->digest)
		ret = khob_refuse(-EBADMSG, "kernel_api: the folio at 0x%llx is corrupt",
				  rec->addr);
	folio_put(folio);
	cond_resched();
	return ret;
}

static int khob_api_pages(const struct khob_record *rec)
{
	unsigned long nr = rec->size >> PAGE_SHIFT, i;
	struct page *page = kho_restore_pages(rec->addr, nr);
	int ret = 0;

	if (!page)
		return khob_refuse(-ENOENT, "kernel_api: no pages at 0x%llx", rec->addr);
	if (khob_xxh64(page_address(page), rec->size) != rec->digest)
		ret = khob_refuse(-EBADMSG, "kernel_api: the pages at 0x%llx are corrupt",
				  rec->addr);
	for (i = 0; i < nr; i++)
		__free_page(page + i);
	cond_resched();
	return ret;
}

/* One as a folio, one as pages, and one is left to kho_bridge: both have to find theirs. */
static int khob_api_all(void)
{
	const struct khob_record *rec;
	u64 i, nr, seen = 0, done = 0;
	int ret = 0;

	rec = khob_api_records(&nr);
	if (!rec)
		return khob_refuse(-ENOENT, "kernel_api: the kernel was handed no records");
	for (i = 0; i < nr && !ret; i++, rec++) {
		if (rec->kind != KHOB_RECORD_FILL || ++seen % 3 == 0)
			continue;
		ret = done++ % 2 ? khob_api_pages(rec) : khob_api_folio(rec);
	}
	pr_info("kernel_api: %llu folios of %llu records restored and compared\n", done, nr);
	return ret;
}

static int khob_kernel_api_act(const char *line, size_t len)
{
	struct khob_target target;
	const char *why = NULL;

	if (khob_parse_target(line, len, &target, &why))
		return khob_refuse(-EINVAL, "kernel_api: %s", why);
	if (khob_in.state != KHOB_IN_NONE)
		return khob_refuse(-EBUSY, "kernel_api: attached; this is for who is not");
	switch (target.what) {
	case KHOB_WHAT_ALL:
		return khob_api_all();
	case KHOB_WHAT_SUBTREE:
		return khob_api_subtree(target.name);
	case KHOB_WHAT_PAGE:
		break;
	}
	return khob_refuse(-EINVAL, "kernel_api: all, or subtree and a name");
}

KHOB_CONTROL_FILE(khob_kernel_api);

void khob_kernel_api_init(struct dentry *dir)
{
	debugfs_create_file("kernel_api", 0600, dir, NULL, &khob_kernel_api_fops);
}
