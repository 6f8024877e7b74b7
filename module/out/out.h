/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this kernel hands over: the tree of preserved pages, whose they are, blobs, and
 * the freeze from load to unload.
 */
#ifndef KHOB_OUT_H
#define KHOB_OUT_H

#include <linux/sched.h>
#include <linux/xarray.h>

#include "core/check.h"
#include "core/range.h"
#include "in/in.h"
#include "mem/mem.h"
#include "uapi/linux/kho_bridge.h"

/* fill.c */
u64 khob_fill(u64 pa, u64 bytes, u64 seed, u64 index);

/* Where a folio's or a blob's memory came from. A client's is never freed here. */
enum khob_owner { KHOB_OWNER_ARENA, KHOB_OWNER_SCATTER, KHOB_OWNER_CLIENT };

/**
 * enum khob_kind - what other modules have that is handed over
 * @KHOB_KIND_PAGES: pages of theirs
 * @KHOB_KIND_CHUNK: a page that describes a vmalloc area of theirs; nobody else has a reference
 *	to it, so that it is freed when it is unpreserved
 */
enum khob_kind { KHOB_KIND_PAGES, KHOB_KIND_CHUNK };

/**
 * struct khob_folio - a page of an order that out/preserve has made
 * @list: while a request that makes many is under way
 * @pa: physical address
 * @seed: of its contents
 * @index: of its contents
 * @digest: of its contents when it was filled
 * @order: its order
 * @owner: where the memory came from
 */
struct khob_folio {
	struct list_head list;
	u64 pa;
	u64 seed;
	u64 index;
	u64 digest;
	u8 order;
	enum khob_owner owner;
};

/**
 * struct khob_subtree - a named blob to hand over
 * @list: in khob_out.subtrees
 * @name: as in the root FDT
 * @pa: physical address: in the metadata arena, or a client's memory
 * @len: bytes
 * @owner: KHOB_OWNER_ARENA or KHOB_OWNER_CLIENT
 * @gone: its client has removed it while frozen: it goes on thaw
 * @shown: what shows it to people; NULL for a client's
 */
struct khob_subtree {
	struct list_head list;
	char name[KHOB_SUBTREE_NAME_MAX + 1];
	u64 pa;
	u64 len;
	enum khob_owner owner;
	bool gone;
	void *shown;
};

/* One area of scratch. */
struct khob_scratch_area {
	struct list_head list;
	unsigned long pfn;
	unsigned long nr;
};

/* What a compaction did: folios and bytes that moved, bytes that are still to be moved. */
struct khob_compacted {
	u64 folios;
	u64 bytes;
	u64 left;
	u64 us;
};

struct khob_out {
	enum khob_abi abi;
	struct khob_radix tree;
	struct khob_radix owners; /* of clients' pages: owners.c */
	bool tree_ready; /* and @owners */
	bool pinned; /* the module is held: pin.c */
	bool native; /* the kernel's own KHO hands over; never changes */
	struct khob_arena data;
	struct khob_arena meta;
	bool unsettled; /* a chunk of @meta is not preserved yet */
	bool slack; /* something may be given back */
	bool keeps_room; /* in @data, for an operation that has let go of khob_lock */
	struct xarray folios; /* by pfn */
	u64 nr_folios; /* in @folios; clients' pages are counted apart */
	u64 orders[KHOB_ORDER_MAX + 1];
	u64 next_index;
	u64 preserve_us;
	struct khob_compacted compacted; /* by the last compaction */
	u64 nr_compactions;
	struct list_head subtrees;
	unsigned int nr_subtrees;
	struct list_head scratch;
	unsigned int nr_scratch;
	u64 scratch_bytes;
	u64 scratch_largest;
	bool frozen;
	/* valid while frozen */
	const void *door; /* through which that was asked for; NULL: by debugfs */
	bool by_kernel; /* the kernel's own KHO hands over, from its own root FDT */
	struct khob_radix carried; /* keys of the kernel before's pages, which go on */
	bool carried_ready;
	struct khob_radix others; /* keys of clients of a kernel's own KHO; in the arena */
	bool others_ready;
	enum khob_abi thaw_abi; /* in use before and after */
	u64 nr_gone; /* entries of @owners that go on thaw */
	struct list_head bufs;
	u64 fdt_pa;
	u64 fdt_len;
	struct khob_meta *meta_blob;
	struct khob_numbers poisoned; /* pfns of this machine that are broken */
	struct khob_numbers split; /* keys that were in the tree and hold some of these */
	u64 nr_left_out; /* pages */
};

extern struct khob_out khob_out;

/* tree.c */
void khob_out_init(void);
int khob_out_tree_get(void);
int khob_out_settle(void);
int khob_out_add_range(unsigned long pfn, unsigned long nr);
void khob_out_del_range(unsigned long pfn, unsigned long nr);
int khob_out_preserve_range(unsigned long pfn, unsigned long nr);
int khob_out_add_key(u64 key);
void khob_out_del_key(u64 key);
int khob_out_add_page(u64 pa, unsigned int order);
void khob_out_del_page(u64 pa, unsigned int order);
void khob_out_trim(void);
bool khob_out_empty(void);
int khob_out_set_abi(const char *name);
u64 khob_out_covered(u64 pa);
int khob_out_add_other(u64 key);
void khob_out_drop_others(void);

/* folio.c */
int khob_out_preserve(const struct khob_preserve_req *req);
int khob_out_unpreserve(const struct khob_target *t);
int khob_folio_insert(struct khob_folio *f);
void khob_folio_drop(struct khob_folio *f);
int khob_folio_move(struct khob_folio *f, u64 pa, enum khob_owner owner);

/* compact.c */
int khob_out_compact(const struct khob_compact_req *req);

/* regions.c, beside what is in regions.h */
bool khob_regions_lock(unsigned long pfn, unsigned long nr);
void khob_regions_unlock(unsigned long pfn, unsigned long nr);

/* single.c */
#define KHOB_SINGLE_RARE 1
int khob_single_add(unsigned long pfn);
int khob_single_drop(unsigned long pfn);

/* owners.c */
int khob_owners_init(void);
void khob_owners_destroy(void);
bool khob_client_valid(unsigned long pfn, unsigned long nr);
int khob_client_add(unsigned long pfn, unsigned long nr, enum khob_kind kind);
int khob_client_preserve(unsigned long pfn, unsigned long nr, enum khob_kind kind);
int khob_client_unpreserve(unsigned long pfn, unsigned long nr, enum khob_kind kind);
bool khob_client_has(unsigned long pfn, unsigned long nr, enum khob_kind kind);
bool khob_client_covers(u64 start, u64 end);
bool khob_client_any(void);
void khob_client_orders(u64 *orders);
void khob_client_thaw(void);
bool khob_clients_unrestored(unsigned long pfn, unsigned long nr);

/* Whether one of the pages was handed over, and nobody has restored it. */
static inline bool khob_client_unrestored(unsigned long pfn, unsigned long nr)
{
	return khob_in.got && khob_clients_unrestored(pfn, nr);
}

/* subtree.c */
void khob_out_set_face(const struct khob_face *face);
int khob_out_put(const char *name, u64 len);
int khob_out_remove(const char *name);
int khob_out_add_subtree(const char *name, u64 pa, u64 len);
int khob_out_remove_client(u64 pa);
struct khob_subtree *khob_out_subtree(const char *name);
void khob_out_remove_gone(void);
int khob_out_unmapped(void);

/*
 * scratch.c: @door is whatever tells apart those who load kernels. Who has frozen is alone with
 * that until its kernel is loaded; from then on it is no one's.
 */
int khob_scratch_take(const struct khob_scratch_req *req, const void *door, u64 *pa);
int khob_scratch_kernel(const void *door);
int khob_scratch_give(const void *door);
int khob_scratch_loaded(const void *door);
void khob_scratch_close(const void *door);

/* image.c */
void khob_image_init(void);
void khob_image_exit(void);
void khob_image_begin(const void *door);
void khob_image_end(void);
int khob_image_settle(void);
bool khob_image_is_there(void);
bool khob_image_is_settled(void);
u32 khob_image_state(void);
pid_t khob_image_loader(char comm[TASK_COMM_LEN]);
void khob_image_warn(void);

/* names.c */

/**
 * struct khob_freezer - what the making of the root FDT and its subtrees shares
 * @subs: what the root FDT names
 * @nr_subs: how many
 * @records: what pages and blobs must hold, in the metadata
 * @nr_records: how many
 * @max_records: how many there is room for
 * @records_digest: of all of them, once they are complete
 */
struct khob_freezer {
	struct khob_fdt_subtree *subs;
	size_t nr_subs;
	struct khob_record *records;
	u64 nr_records;
	u64 max_records;
	u64 records_digest;
};

void khob_name_subtree(struct khob_freezer *fz, const char *name, u64 pa, u64 len);
/* Says that a carried subtree's name is another client's of the kernel's KHO. Return: -EEXIST. */
int khob_name_taken(const char *name);
int khob_make_subtrees(struct khob_freezer *fz);

/* freeze.c */
u64 khob_buf_new(u64 len);
int khob_freeze(enum khob_abi abi, bool by_kernel, const void *door);
void khob_thaw(void);
void khob_freeze_stamp(void);
/* The root FDT as it stands, for out/fdt: frozen or written for this call; kvfree() it. */
void *khob_out_fdt(size_t *len);

/* carry.c */
int khob_carry(void);
void khob_uncarry(void);
bool khob_carried(u64 key);
bool khob_carries_subtree(const struct khob_handed *sub);

/* poison.c */
int khob_poison_leave_out(void);
u64 khob_poison_records(struct khob_record *to, u64 room);
void khob_poison_take_in(void);

/* pin.c */
/* Holds the module while it owns anything; call after each change, under khob_lock. */
void khob_update_pin(void);

/* native.c: a kernel whose own KHO hands over what is registered with it */
#ifdef KHOB_NATIVE
void khob_native_init(void);
int khob_native_preserve(u64 pa, unsigned int order);
void khob_native_unpreserve(u64 pa, unsigned int order);
int khob_native_add_subtree(const char *name, u64 pa, u64 len);
void khob_native_remove_subtree(u64 pa);
void *khob_native_fdt(struct khob_fdt_info *info);
enum khob_abi khob_native_abi(void);
u64 khob_native_fdt_pa(void);
int khob_native_tree(struct khob_radix *tree);
int khob_native_import(void);
void khob_native_unimport(void);
int khob_native_changed(void);
u64 khob_native_keys(void);
int khob_native_publish(const struct khob_fdt_subtree *sub);
void khob_native_unpublish(void);
#else
static inline void khob_native_init(void) {}
static inline int khob_native_preserve(u64 pa, unsigned int order) { return 0; }
static inline void khob_native_unpreserve(u64 pa, unsigned int order) {}
static inline int khob_native_add_subtree(const char *name, u64 pa, u64 len) { return 0; }
static inline void khob_native_remove_subtree(u64 pa) {}
static inline void *khob_native_fdt(struct khob_fdt_info *info) { return ERR_PTR(-ENOENT); }
static inline enum khob_abi khob_native_abi(void) { return KHOB_ABI_NR; }
static inline u64 khob_native_fdt_pa(void) { return 0; }
static inline int khob_native_tree(struct khob_radix *tree) { return -ENOENT; }
static inline int khob_native_import(void) { return 0; }
static inline void khob_native_unimport(void) {}
static inline int khob_native_changed(void) { return 0; }
static inline u64 khob_native_keys(void) { return 0; }
static inline int khob_native_publish(const struct khob_fdt_subtree *sub) { return 0; }
static inline void khob_native_unpublish(void) {}
#endif

static inline bool khob_native_source(void)
{
	return khob_out.native;
}

#endif /* KHOB_OUT_H */
