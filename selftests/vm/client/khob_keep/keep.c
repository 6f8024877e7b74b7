// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client that keeps named memory over any number of kexecs: folios, ranges of pages and
 * vmalloc areas, which it is told to add and to drop. What an item holds follows from its
 * seed and is compared when it is restored. The same source runs over kho_bridge and over a
 * kernel's own KHO.
 *
 * /sys/module/khob_keep/parameters/run takes one of
 *	add NAME folio|pages|vmalloc PAGES SEED
 *	drop NAME
 *	save		preserve all items, and a table of them as a subtree
 *	forget		undo that
 *	restore		take all of it over, in the next kernel
 * The write fails, and the log says why, if something is not as it should be.
 * parameters/list has a line an item: NAME KIND PAGES SEED.
 */
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#define NAME "khob-keep"
#define MAGIC 0x6b686f622d6b6565ULL
#define ITEMS_MAX 64

enum kind { FOLIO, PAGES, VMALLOC, NR_KINDS };

static const char * const kinds[] = { "folio", "pages", "vmalloc" };

/* Of the table, which the next kernel finds by name. phys: but of a vmalloc area. */
struct item {
	char name[24];
	u32 kind;
	u32 nr;
	u64 seed;
	u64 phys;
	struct kho_vmalloc area;
};

/*
 * self: kho-v2 hands over a copy of the table, and the table's own pages besides.
 */
struct table {
	u64 magic;
	u64 self;
	u64 nr;
	struct item items[ITEMS_MAX];
};

static struct item items[ITEMS_MAX];
static void *memory[ITEMS_MAX];
static unsigned int nr_items;
/* Once saved. */
static struct table *table;

static int refuse(int err, const char *what, const char *name)
{
	pr_err("khob_keep: %s %s: error %d\n", what, name, err);
	return err;
}

static u64 word_of(u64 seed, u64 page, u64 index)
{
	return (seed << 32 | page) * 0x9e3779b97f4a7c15ULL + index;
}

static void fill(const struct item *item, void *to)
{
	u64 *word = to;
	u64 page, i;

	for (page = 0; page < item->nr; page++)
		for (i = 0; i < PAGE_SIZE / sizeof(*word); i++)
			*word++ = word_of(item->seed, page, i);
}

static bool filled(const struct item *item, const void *from)
{
	const u64 *word = from;
	u64 page, i;

	for (page = 0; page < item->nr; page++)
		for (i = 0; i < PAGE_SIZE / sizeof(*word); i++)
			if (*word++ != word_of(item->seed, page, i))
				return false;
	return true;
}

static void *item_alloc(const struct item *item)
{
	unsigned int order = get_order((size_t)item->nr << PAGE_SHIFT);
	struct page *page;
	unsigned int i;

	if (item->kind == VMALLOC)
		return vmalloc((size_t)item->nr << PAGE_SHIFT);
	page = alloc_pages(GFP_KERNEL | (item->kind == FOLIO ? __GFP_COMP : 0), order);
	if (!page)
		return NULL;
	if (item->kind == PAGES) {
		split_page(page, order);
		for (i = item->nr; i < 1U << order; i++)
			__free_page(page + i);
	}
	return page_address(page);
}

static void item_free(const struct item *item, void *mem)
{
	unsigned int i;

	if (item->kind == VMALLOC)
		vfree(mem);
	else if (item->kind == FOLIO)
		folio_put(virt_to_folio(mem));
	else
		for (i = 0; i < item->nr; i++)
			__free_page(virt_to_page(mem) + i);
}

static unsigned int find(const char *name)
{
	unsigned int i;

	for (i = 0; i < nr_items; i++)
		if (!strcmp(items[i].name, name))
			break;
	return i;
}

static int item_add(const char *name, const char *kind, u32 nr, u64 seed)
{
	int found = match_string(kinds, NR_KINDS, kind);
	struct item *item = &items[nr_items];

	if (table || nr_items == ITEMS_MAX || found < 0 || find(name) < nr_items || !nr ||
	    (found == FOLIO && !is_power_of_2(nr)))
		return refuse(-EINVAL, "add", name);
	*item = (struct item){ .kind = found, .nr = nr, .seed = seed };
	strscpy(item->name, name, sizeof(item->name));
	memory[nr_items] = item_alloc(item);
	if (!memory[nr_items])
		return refuse(-ENOMEM, "add", name);
	fill(item, memory[nr_items]);
	nr_items++;
	return 0;
}

static int item_drop(const char *name)
{
	unsigned int i = find(name);

	if (table || i == nr_items)
		return refuse(-ENOENT, "drop", name);
	if (!filled(&items[i], memory[i]))
		return refuse(-EBADMSG, "drop: other contents", name);
	item_free(&items[i], memory[i]);
	items[i] = items[--nr_items];
	memory[i] = memory[nr_items];
	return 0;
}

static int item_preserve(struct item *item, void *mem)
{
	if (item->kind == VMALLOC)
		return kho_preserve_vmalloc(mem, &item->area);
	item->phys = virt_to_phys(mem);
	if (item->kind == FOLIO)
		return kho_preserve_folio(virt_to_folio(mem));
	return kho_preserve_pages(virt_to_page(mem), item->nr);
}

static void item_unpreserve(struct item *item, void *mem)
{
	if (item->kind == VMALLOC)
		kho_unpreserve_vmalloc(&item->area);
	else if (item->kind == FOLIO)
		kho_unpreserve_folio(virt_to_folio(mem));
	else
		kho_unpreserve_pages(virt_to_page(mem), item->nr);
}

static void unpreserve(unsigned int nr)
{
	while (nr--)
		item_unpreserve(&table->items[nr], memory[nr]);
	kho_unpreserve_free(table);
	table = NULL;
}

static int items_save(void)
{
	unsigned int i;
	int ret;

	if (table)
		return refuse(-EEXIST, "save", NAME);
	table = kho_alloc_preserve(sizeof(*table));
	if (IS_ERR(table)) {
		ret = PTR_ERR(table);
		table = NULL;
		return refuse(ret, "save: the table of", NAME);
	}
	memcpy(table->items, items, sizeof(items));
	for (i = 0; i < nr_items; i++) {
		ret = item_preserve(&table->items[i], memory[i]);
		if (ret) {
			unpreserve(i);
			return refuse(ret, "save", items[i].name);
		}
	}
	table->magic = MAGIC;
	table->self = virt_to_phys(table);
	table->nr = nr_items;
	ret = kho_add_subtree(NAME, table, sizeof(*table));
	if (ret) {
		unpreserve(nr_items);
		return refuse(ret, "save: the subtree", NAME);
	}
	return 0;
}

static int items_forget(void)
{
	if (!table)
		return refuse(-ENOENT, "forget", NAME);
	kho_remove_subtree(table);
	unpreserve(nr_items);
	return 0;
}

static void *item_restore(const struct item *item)
{
	struct folio *folio;
	struct page *page;

	if (item->kind == VMALLOC)
		return kho_restore_vmalloc(&item->area);
	if (item->kind == PAGES) {
		page = kho_restore_pages(item->phys, item->nr);
		return page ? page_address(page) : NULL;
	}
	folio = kho_restore_folio(item->phys);
	if (!folio || folio_nr_pages(folio) != item->nr)
		return NULL;
	return folio_address(folio);
}

/* What is restored before something is wrong is leaked: the run is over anyway. */
static int items_restore(void)
{
	struct table *from __free(kfree) = kmalloc(sizeof(*from), GFP_KERNEL);
	phys_addr_t pa;
	unsigned int i;
	size_t size;
	int ret;

	if (!from)
		return -ENOMEM;
	ret = kho_retrieve_subtree(NAME, &pa, &size);
	if (ret)
		return refuse(ret, "restore", NAME);
	if (size != sizeof(*from))
		return refuse(-EBADMSG, "restore: the size of", NAME);
	memcpy(from, phys_to_virt(pa), sizeof(*from));
	if (from->magic != MAGIC || from->nr > ITEMS_MAX || nr_items)
		return refuse(-EBADMSG, "restore: the table of", NAME);
	for (i = 0; i < from->nr; i++) {
		void *mem = item_restore(&from->items[i]);

		if (!mem)
			return refuse(-ENOENT, "restore", from->items[i].name);
		items[nr_items] = from->items[i];
		memory[nr_items++] = mem;
		if (!filled(&from->items[i], mem))
			return refuse(-EBADMSG, "restore: other contents", from->items[i].name);
	}
	kho_restore_free(phys_to_virt(from->self));
	return 0;
}

static int run_set(const char *value, const struct kernel_param *kp)
{
	char name[24] = "", kind[8] = "";
	u64 seed = 0;
	u32 nr = 0;

	if (sysfs_streq(value, "save"))
		return items_save();
	if (sysfs_streq(value, "forget"))
		return items_forget();
	if (sysfs_streq(value, "restore"))
		return items_restore();
	if (sscanf(value, "add %23s %7s %u %llu", name, kind, &nr, &seed) == 4)
		return item_add(name, kind, nr, seed);
	if (sscanf(value, "drop %23s", name) == 1)
		return item_drop(name);
	return refuse(-EINVAL, "run", value);
}

static int list_get(char *to, const struct kernel_param *kp)
{
	unsigned int i;
	int len = 0;

	for (i = 0; i < nr_items; i++)
		len += sysfs_emit_at(to, len, "%s %s %u %llu\n", items[i].name,
				     kinds[items[i].kind], items[i].nr, items[i].seed);
	return len;
}

static const struct kernel_param_ops run_ops = { .set = run_set };
static const struct kernel_param_ops list_ops = { .get = list_get };

module_param_cb(run, &run_ops, NULL, 0200);
MODULE_PARM_DESC(run, "add, drop, save, forget or restore");
module_param_cb(list, &list_ops, NULL, 0400);
MODULE_PARM_DESC(list, "all items");

static void __exit keep_exit(void)
{
	unsigned int i;

	if (table)
		items_forget();
	for (i = 0; i < nr_items; i++)
		item_free(&items[i], memory[i]);
}

module_exit(keep_exit);

MODULE_DESCRIPTION("Test client of kho_bridge that keeps named memory");
MODULE_LICENSE("GPL");
