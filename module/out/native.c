// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel with KHO of its own hands over what is registered with it. What this module
 * preserves is registered there as well, so that the kernel's own kexec_file_load() takes
 * it along; and the kernel's tree is read, so that our loader takes along what others
 * have registered.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/kexec_handover.h>
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

/* Keys, in any order: how many, and a sum of digests of them. */
struct khob_native_sum {
	u64 nr;
	u64 sum;
};

static struct {
	u64 fdt_pa; /* 0 until it was found; the kernel never moves it */
	struct khob_radix keys; /* others' keys, while these are part of our tree */
	struct khob_native_sum taken; /* of these, when they were taken */
	bool keys_ready;
	struct list_head blobs;
} khob_native = {
	.blobs = LIST_HEAD_INIT(khob_native.blobs),
};

void khob_native_init(void)
{
	khob_out.native = kho_is_enabled();
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
	       !PageOffline(page) && !PageReserved(page) && !PageCompound(page) &&
	       !PageHWPoison(page) && !READ_ONCE(page->mapping);
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

/*
 * Until a kernel was handed something, its debugfs shows its root FDT: a file's data is then
 * what says where that is. It is believed only if @want stands there.
 */
static u64 khob_native_shown(void *copy, struct khob_native_wanted *want)
{
	static const char * const path[] = { "kho", "out", "fdt" };
	struct debugfs_blob_wrapper blob = {};
	struct dentry *at = NULL, *next;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(path); i++) {
		next = debugfs_lookup(path[i], at);
		dput(at);
		at = next;
		if (!at)
			return 0;
	}
	if (d_really_is_positive(at) &&
	    copy_from_kernel_nofault(&blob, d_inode(at)->i_private, sizeof(blob)))
		blob.data = NULL;
	dput(at);
	if (!blob.data || !virt_addr_valid(blob.data) || !PAGE_ALIGNED(blob.data) ||
	    !khob_native_is(virt_to_page(blob.data), copy, want))
		return 0;
	return __pa(blob.data);
}

/* Return: the physical address of the page that @want stands in, or 0. */
static u64 khob_native_scan(void *copy, struct khob_native_wanted *want)
{
	unsigned long pfn, end = khob_end_pfn();

	for (pfn = 0; pfn < end; pfn++) {
		struct page *page = pfn_to_online_page(pfn);

		if (!page)
			pfn = ALIGN(pfn + 1, KHOB_NATIVE_HOLE) - 1;
		else if (khob_native_may_be(page) && khob_native_is(page, copy, want))
			return PFN_PHYS(pfn);
		if (IS_ALIGNED(pfn, 1024)) {
			cond_resched();
			if (fatal_signal_pending(current))
				return 0;
		}
	}
	return 0;
}

/*
 * Nothing that is exported tells where the kernel's root FDT is. So a subtree is registered
 * whose name nobody can guess, and the page is the one in which it stands. Where debugfs
 * does not lead to it (on a kernel that was handed something), all of memory is
 * looked through, once, when a kernel is loaded.
 */
static int khob_native_locate(void)
{
	void *copy __free(kfree) = kmalloc(KHOB_NATIVE_FDT_MAX, GFP_KERNEL);
	struct khob_native_wanted want = {};
	char name[KHOB_SUBTREE_NAME_MAX + 1];
	unsigned long blob;
	int ret;

	lockdep_assert_held_write(&khob_lock);
	if (khob_native.fdt_pa)
		return 0;
	blob = get_zeroed_page(GFP_KERNEL);
	if (!blob || !copy) {
		free_page(blob);
		return -ENOMEM;
	}
	snprintf(name, sizeof(name), "kho-bridge-%016llx", get_random_u64());
	want.name = name;
	want.pa = __pa(blob);
	ret = kho_add_subtree(name, (void *)blob, PAGE_SIZE);
	if (!ret) {
		khob_native.fdt_pa = khob_native_shown(copy, &want) ?:
				     khob_native_scan(copy, &want);
		kho_remove_subtree((void *)blob);
		ret = khob_native.fdt_pa ? 0 : fatal_signal_pending(current) ? -EINTR : -ENOENT;
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

/* The version that the kernel's KHO speaks, by its own header; KHOB_ABI_NR if it is new to us. */
enum khob_abi khob_native_abi(void)
{
	return khob_abi_from_compatible(KHO_FDT_COMPATIBLE);
}

u64 khob_native_fdt_pa(void)
{
	return khob_native.fdt_pa;
}

/* 2. The kernel's tree. Nodes are added to it at any time, and never freed. */

/**
 * struct khob_native_walk - one walk over the kernel's tree
 * @nodes: copies of the nodes from the root to where the walk is, one a level
 * @key: called for each key; other than 0 ends the walk
 * @ctx: for @key
 */
struct khob_native_walk {
	struct khob_node *nodes;
	int (*key)(void *ctx, u64 key);
	void *ctx;
};

/* What a node of the kernel's can be: a page that somebody has, and that is nobody else's. */
static bool khob_native_node_page(u64 pa)
{
	struct page *page = pfn_to_online_page(PHYS_PFN(pa));

	return page && page_count(page) && !PageSlab(page) && !PageBuddy(page) &&
	       !PageLRU(page) && !PageOffline(page) && !PageHWPoison(page);
}

static const void *khob_native_node(void *ctx, u64 pa, unsigned int level, const char **why)
{
	struct khob_native_walk *walk = ctx;

	*why = "it was interrupted";
	cond_resched();
	if (fatal_signal_pending(current))
		return NULL;
	*why = "the node is in no memory of the kernel's";
	if (!khob_native_node_page(pa) || khob_ram_copy(pa, &walk->nodes[level], PAGE_SIZE))
		return NULL;
	return &walk->nodes[level];
}

static int khob_native_key(void *ctx, u64 pa, unsigned int order, const char **why)
{
	const struct khob_native_walk *walk = ctx;
	u64 key;
	int ret = khob_key_encode(pa, order, &key);

	return ret ?: walk->key(walk->ctx, key);
}

static const struct khob_check_ops khob_native_ops = {
	.node = khob_native_node,
	.key = khob_native_key,
};

/* Calls @key for each key of the kernel's tree as it is now. */
static int khob_native_read_tree(int (*key)(void *ctx, u64 key), void *ctx)
{
	const struct khob_check_limits limits = {
		.end_pa = PFN_PHYS(khob_end_pfn()),
		.max_nodes = khob_end_pfn(),
	};
	struct khob_native_walk walk = { .key = key, .ctx = ctx };
	struct khob_check_result res = {};
	struct khob_fdt_info info;
	void *fdt = khob_native_fdt(&info);
	int ret;

	if (IS_ERR(fdt))
		return PTR_ERR(fdt);
	kvfree(fdt);
	walk.nodes = kvmalloc_array(KHOB_TREE_DEPTH, sizeof(*walk.nodes), GFP_KERNEL);
	if (!walk.nodes)
		return -ENOMEM;
	ret = khob_check_tree(info.map_pa, &khob_native_ops, &walk, &limits, &res);
	kvfree(walk.nodes);
	if (!ret || ret == -ENOMEM)
		return ret;
	return khob_refuse(-EBADMSG, "the tree of the kernel's own KHO: %s (0x%llx, level %u)",
			   res.why ?: "unreadable", res.bad_pa, res.bad_level);
}

static int khob_native_copy_key(void *ctx, u64 key)
{
	return khob_radix_add(ctx, key);
}

/* Whether a key is another client's. The kernel's FDT is of no use to who is handed ours. */
static bool khob_native_others(u64 key)
{
	unsigned int order;
	u64 pa;

	return !khob_radix_has(&khob_out.tree, key) && !khob_key_decode(key, &pa, &order) &&
	       pa != khob_native.fdt_pa;
}

static void khob_native_sum_add(struct khob_native_sum *sum, u64 key)
{
	sum->nr++;
	sum->sum += khob_xxh64(&key, sizeof(key));
}

/**
 * khob_native_tree() - a copy of the kernel's tree, with everybody's keys
 * @tree: to be destroyed by the caller if 0 is returned
 */
int khob_native_tree(struct khob_radix *tree)
{
	int ret = khob_radix_init(tree, &khob_page_ops, NULL, 0);

	if (ret)
		return ret;
	ret = khob_native_read_tree(khob_native_copy_key, tree);
	if (ret)
		khob_radix_destroy(tree);
	return ret;
}

static int khob_native_take_key(void *ctx, u64 key)
{
	if (!khob_native_others(key))
		return 0;
	khob_native_sum_add(&khob_native.taken, key);
	return khob_radix_add(&khob_native.keys, key);
}

static int khob_native_add_key(void *ctx, u64 key)
{
	int ret;

	cond_resched();
	ret = khob_radix_add(&khob_out.tree, key);
	return ret ?: khob_out_add_other(key);
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
	int ret = khob_radix_init(&khob_native.keys, &khob_page_ops, NULL, 0);

	if (ret)
		return ret;
	khob_native.keys_ready = true;
	khob_native.taken = (struct khob_native_sum) {};
	ret = khob_native_read_tree(khob_native_take_key, NULL);
	if (!ret)
		ret = khob_radix_walk(&khob_native.keys, 0, U64_MAX, khob_native_add_key, NULL);
	return ret ?: khob_out_settle();
}

/* Ours do not change while frozen, and those that were taken are in our tree. */
static int khob_native_sum_key(void *ctx, u64 key)
{
	if (khob_radix_has(&khob_native.keys, key) || khob_native_others(key))
		khob_native_sum_add(ctx, key);
	return 0;
}

/**
 * khob_native_changed() - whether others have changed the kernel's tree since the import
 *
 * Reads the kernel's tree, and keeps nothing of it. Return: 1 if they have, 0, or an error.
 */
int khob_native_changed(void)
{
	struct khob_native_sum now = {};
	int ret;

	if (!khob_native.keys_ready)
		return 0;
	ret = khob_native_read_tree(khob_native_sum_key, &now);
	return ret ?: now.nr != khob_native.taken.nr || now.sum != khob_native.taken.sum;
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
 * @sub: what was put here is registered already, and the kernel's own kexec-metadata stays
 *	as it is
 *
 * Return: 0; -EEXIST if another client has one of this name; -ENOSPC; -ENOMEM.
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
		return khob_out_subtree(sub->name) || !strcmp(sub->name, KHOB_KEXEC_METADATA_NAME) ?
		       0 : khob_name_taken(sub->name);
	if (ret)
		return khob_refuse(-ENOSPC,
				   "scratch: the kernel's own root FDT has no room for %s",
				   sub->name);
	list_add(&no_free_ptr(blob)->list, &khob_native.blobs);
	return 0;
}
