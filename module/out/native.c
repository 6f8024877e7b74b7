// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel with KHO of its own hands over what is registered with it. What this module
 * preserves is registered there as well, so that the kernel's own kexec_file_load() takes
 * it along; and the kernel's tree is read, so that our loader takes along what others
 * have registered.
 */
#include <linux/delay.h>
#include <linux/kexec_handover.h>
#include <linux/memory_hotplug.h>
#include <linux/random.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include "out/out.h"

/* The kernel's root FDT is one page. */
#define KHOB_NATIVE_FDT_MAX PAGE_SIZE
/* Pages; a hole in memory is no smaller. */
#define KHOB_NATIVE_HOLE PHYS_PFN(SZ_2M)
/* While the kernel changes its FDT, a look at it may find it half done. */
#define KHOB_NATIVE_TRIES 100

/* A blob that the freeze has registered with the kernel. */
struct khob_native_blob {
	struct list_head list;
	void *data;
};

static struct {
	u64 fdt_pa; /* 0 until it was found; the kernel never moves it */
	struct khob_radix keys; /* others' keys, while these are part of our tree */
	bool keys_ready;
	struct list_head blobs;
} khob_native = {
	.blobs = LIST_HEAD_INIT(khob_native.blobs),
};

bool khob_native_source(void)
{
	return kho_is_enabled();
}

/**
 * khob_native_preserve() - register one of our keys with the kernel
 * @pa: physical address, aligned to the order
 * @order: of the page
 *
 * The kernel makes the same key of it, or smaller ones where it crosses nodes.
 */
int khob_native_preserve(u64 pa, unsigned int order)
{
	return kho_preserve_pages(pfn_to_page(PHYS_PFN(pa)), 1UL << order);
}

/* Only for what khob_native_preserve() has registered: the kernel warns of anything else. */
void khob_native_unpreserve(u64 pa, unsigned int order)
{
	kho_unpreserve_pages(pfn_to_page(PHYS_PFN(pa)), 1UL << order);
}

int khob_native_add_subtree(const char *name, u64 pa, u64 len)
{
	int ret = kho_add_subtree(name, __va(pa), len);

	if (ret == -ENOMEM)
		return khob_refuse(-ENOSPC, "put: the kernel's own root FDT has no room for %s",
				   name);
	if (ret == -EEXIST)
		return khob_refuse(ret, "put: the kernel's own KHO has a subtree %s", name);
	return ret;
}

void khob_native_remove_subtree(u64 pa)
{
	kho_remove_subtree(__va(pa));
}

/* 1. The kernel's root FDT. */

struct khob_native_wanted {
	const char *name;
	u64 pa;
	bool found;
};

static int khob_native_match(void *ctx, const struct khob_fdt_subtree *sub)
{
	struct khob_native_wanted *want = ctx;

	want->found |= sub->addr == want->pa && !strcmp(sub->name, want->name);
	return 0;
}

/* Whether a page can be the kernel's: one of order 0 that nobody else has a part in. */
static bool khob_native_may_be(struct page *page)
{
	return page_count(page) == 1 && !PageSlab(page) && !PageLRU(page) &&
	       !PageReserved(page) && !PageCompound(page) && !PageHWPoison(page) &&
	       !READ_ONCE(page->mapping);
}

/* @copy: KHOB_NATIVE_FDT_MAX bytes. Return: whether @want stands in a root FDT in @page. */
static bool khob_native_is(struct page *page, void *copy, struct khob_native_wanted *want)
{
	const void *at = page_address(page);
	struct khob_fdt_info info;
	__be32 magic;

	/* Not every page need be mapped. */
	if (copy_from_kernel_nofault(&magic, at, sizeof(magic)) ||
	    be32_to_cpu(magic) != KHOB_FDT_MAGIC ||
	    copy_from_kernel_nofault(copy, at, KHOB_NATIVE_FDT_MAX))
		return false;
	return !khob_fdt_read(copy, KHOB_NATIVE_FDT_MAX, &info, khob_native_match, want) &&
	       want->found;
}

/* Return: the physical address of the page that @want stands in, or 0. */
static u64 khob_native_scan(struct khob_native_wanted *want)
{
	void *copy __free(kfree) = kmalloc(KHOB_NATIVE_FDT_MAX, GFP_KERNEL);
	unsigned long pfn, end = khob_end_pfn();

	for (pfn = 0; copy && pfn < end; pfn++) {
		struct page *page = pfn_to_online_page(pfn);

		if (!page)
			pfn = ALIGN(pfn + 1, KHOB_NATIVE_HOLE) - 1;
		else if (khob_native_may_be(page) && khob_native_is(page, copy, want))
			return PFN_PHYS(pfn);
		if (IS_ALIGNED(pfn, 1024))
			cond_resched();
	}
	return 0;
}

/*
 * Nothing that is exported tells where the kernel's root FDT is, and what debugfs shows of
 * it has the size that it had at boot. So it is found by what it says: a subtree is
 * registered whose name nobody can guess, and the page is the one in which it stands.
 */
static int khob_native_locate(void)
{
	struct khob_native_wanted want = {};
	char name[KHOB_SUBTREE_NAME_MAX + 1];
	unsigned long blob;
	int ret;

	lockdep_assert_held_write(&khob_lock);
	if (khob_native.fdt_pa)
		return 0;
	blob = get_zeroed_page(GFP_KERNEL);
	if (!blob)
		return -ENOMEM;
	snprintf(name, sizeof(name), "kho-bridge-%016llx", get_random_u64());
	want.name = name;
	want.pa = __pa(blob);
	ret = kho_add_subtree(name, (void *)blob, PAGE_SIZE);
	if (!ret) {
		khob_native.fdt_pa = khob_native_scan(&want);
		kho_remove_subtree((void *)blob);
		ret = khob_native.fdt_pa ? 0 : -ENOENT;
	}
	free_page(blob);
	if (ret)
		return khob_refuse(ret, "the root FDT of the kernel's own KHO was not found");
	return 0;
}

/**
 * khob_native_fdt() - a copy of the kernel's root FDT
 * @info: what it says
 *
 * The kernel may be changing it: two looks have to see the same, and it has to be sound.
 *
 * Return: one page, to be freed with kvfree(); or an ERR_PTR().
 */
void *khob_native_fdt(struct khob_fdt_info *info)
{
	void *copy __free(khob_kvfree) = NULL;
	const void *fdt;
	unsigned int i;
	int ret = khob_native_locate();

	if (ret)
		return ERR_PTR(ret);
	fdt = __va(khob_native.fdt_pa);
	copy = kvmalloc(KHOB_NATIVE_FDT_MAX, GFP_KERNEL);
	if (!copy)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < KHOB_NATIVE_TRIES; i++) {
		memcpy(copy, fdt, KHOB_NATIVE_FDT_MAX);
		if (!khob_fdt_read(copy, KHOB_NATIVE_FDT_MAX, info, NULL, NULL) &&
		    !memcmp(copy, fdt, KHOB_NATIVE_FDT_MAX))
			return no_free_ptr(copy);
		fsleep(USEC_PER_MSEC);
	}
	khob_refuse(-EBADMSG, "the root FDT of the kernel's own KHO: %s",
		    info->why ?: "it changes all the time");
	return ERR_PTR(-EBADMSG);
}

/* The version that the kernel's KHO speaks; KHOB_ABI_NR if its root FDT cannot be found. */
enum khob_abi khob_native_abi(void)
{
	struct khob_fdt_info info;
	void *fdt = khob_native_fdt(&info);

	if (IS_ERR(fdt))
		return KHOB_ABI_NR;
	kvfree(fdt);
	return info.abi;
}

u64 khob_native_fdt_pa(void)
{
	return khob_native.fdt_pa;
}

/* 2. The kernel's tree. Nodes are added to it at any time, and never freed. */

struct khob_native_copy {
	struct khob_radix *to;
	bool others; /* only what is in no tree of ours */
};

static const void *khob_native_node(void *ctx, u64 pa, unsigned int level, const char **why)
{
	*why = "the node is in no memory of the kernel's";
	return khob_native_ram(pa, pa + PAGE_SIZE) ? __va(pa) : NULL;
}

static int khob_native_key(void *ctx, u64 pa, unsigned int order, const char **why)
{
	const struct khob_native_copy *copy = ctx;
	u64 key;
	int ret;

	cond_resched();
	ret = khob_key_encode(pa, order, &key);
	if (ret)
		return ret;
	/* The kernel's FDT is of no use to a kernel that is handed another one. */
	if (copy->others && (pa == khob_native.fdt_pa || khob_radix_has(&khob_out.tree, key)))
		return 0;
	return khob_radix_add(copy->to, key);
}

static const struct khob_check_ops khob_native_ops = {
	.node = khob_native_node,
	.key = khob_native_key,
};

static int khob_native_read_tree(struct khob_native_copy *copy)
{
	const struct khob_check_limits limits = {
		.end_pa = PFN_PHYS(khob_end_pfn()),
		.max_nodes = khob_end_pfn(),
	};
	struct khob_check_result res = {};
	struct khob_fdt_info info;
	void *fdt = khob_native_fdt(&info);
	int ret;

	if (IS_ERR(fdt))
		return PTR_ERR(fdt);
	kvfree(fdt);
	ret = khob_check_tree(info.map_pa, &khob_native_ops, copy, &limits, &res);
	if (ret == -ENOMEM)
		return ret;
	if (ret)
		return khob_refuse(-EBADMSG,
				   "the tree of the kernel's own KHO: %s (0x%llx, level %u)",
				   res.why ?: "unreadable", res.bad_pa, res.bad_level);
	return 0;
}

/**
 * khob_native_tree() - a copy of the kernel's tree, with everybody's keys
 * @tree: to be destroyed by the caller if 0 is returned
 */
int khob_native_tree(struct khob_radix *tree)
{
	struct khob_native_copy copy = { .to = tree };
	int ret = khob_radix_init(tree, &khob_page_ops, NULL, 0);

	if (ret)
		return ret;
	ret = khob_native_read_tree(&copy);
	if (ret)
		khob_radix_destroy(tree);
	return ret;
}

static int khob_native_add_key(void *ctx, u64 key)
{
	cond_resched();
	return khob_radix_add(&khob_out.tree, key);
}

static int khob_native_del_key(void *ctx, u64 key)
{
	cond_resched();
	khob_radix_del(&khob_out.tree, key);
	return 0;
}

/* Takes back what khob_native_import() has added. */
void khob_native_unimport(void)
{
	if (!khob_native.keys_ready)
		return;
	khob_radix_walk(&khob_native.keys, 0, U64_MAX, khob_native_del_key, NULL);
	khob_radix_destroy(&khob_native.keys);
	khob_native.keys_ready = false;
}

/**
 * khob_native_import() - others' keys into our tree, for a kernel that is handed ours
 *
 * Context: process, khob_lock held.
 *
 * Return: 0; -EBADMSG; -ENOMEM; then khob_native_unimport() takes back what was added.
 */
int khob_native_import(void)
{
	struct khob_native_copy copy = { .to = &khob_native.keys, .others = true };
	int ret = khob_radix_init(&khob_native.keys, &khob_page_ops, NULL, 0);

	if (ret)
		return ret;
	khob_native.keys_ready = true;
	ret = khob_native_read_tree(&copy);
	if (!ret)
		ret = khob_radix_walk(&khob_native.keys, 0, U64_MAX, khob_native_add_key, NULL);
	return ret ?: khob_out_settle();
}

/**
 * khob_native_changed() - whether others have changed the kernel's tree since the import
 *
 * Return: 1 if they have, 0, or an error.
 */
int khob_native_changed(void)
{
	struct khob_radix now;
	struct khob_native_copy copy = { .to = &now };
	u64 key, from = 0;
	int ret;

	if (!khob_native.keys_ready)
		return 0;
	ret = khob_native_tree(copy.to);
	if (ret)
		return ret;
	/* Ours do not change while frozen. */
	for (; !ret && khob_radix_next(&now, from, &key); from = key + 1) {
		u64 pa;
		unsigned int order;

		cond_resched();
		ret = !khob_radix_has(&khob_out.tree, key) &&
		      !khob_key_decode(key, &pa, &order) && pa != khob_native.fdt_pa;
	}
	for (from = 0; !ret && khob_radix_next(&khob_native.keys, from, &key); from = key + 1) {
		cond_resched();
		ret = !khob_radix_has(&now, key);
	}
	khob_radix_destroy(&now);
	return ret;
}

u64 khob_native_keys(void)
{
	return khob_native.keys_ready ? khob_native.keys.nr_keys : 0;
}

/* 3. Subtrees that are registered for as long as a kernel is loaded. */

void khob_native_unpublish(void)
{
	struct khob_native_blob *blob, *next;

	list_for_each_entry_safe(blob, next, &khob_native.blobs, list) {
		kho_remove_subtree(blob->data);
		list_del(&blob->list);
		kfree(blob);
	}
}

/**
 * khob_native_publish() - register a subtree with the kernel until khob_native_unpublish()
 * @sub: one whose name the kernel has already stays as it is there
 */
int khob_native_publish(const struct khob_fdt_subtree *sub)
{
	struct khob_native_blob *blob __free(kfree) = kzalloc(sizeof(*blob), GFP_KERNEL);
	int ret;

	if (!blob)
		return -ENOMEM;
	blob->data = __va(sub->addr);
	ret = kho_add_subtree(sub->name, blob->data, sub->size);
	if (ret == -EEXIST)
		return 0;
	if (ret)
		return khob_refuse(-ENOSPC,
				   "scratch: the kernel's own root FDT has no room for %s",
				   sub->name);
	list_add(&no_free_ptr(blob)->list, &khob_native.blobs);
	return 0;
}
