/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this kernel was handed: from the setup_data chain to what is still held, and
 * pages that become this kernel's own.
 */
#ifndef KHOB_IN_H
#define KHOB_IN_H

#include <linux/fs.h>

#include "core/check.h"
#include "core/control.h"
#include "core/fdt.h"
#include "core/setup_data.h"
#include "mem/mem.h"

struct folio;

/**
 * struct khob_in_range - an interval that the loader covered
 * @start: physical address
 * @end: exclusive
 * @keyed: a bit a page: some key preserves it (during attach)
 * @noded: a bit a page: it is a node of the tree (during attach)
 * @kept: a bit a page: still owned by this module
 */
struct khob_in_range {
	u64 start;
	u64 end;
	unsigned long *keyed;
	unsigned long *noded;
	unsigned long *kept;
};

/**
 * struct khob_in_subtree - a blob that was handed over
 * @list: in khob_in.subtrees
 * @name: as in the root FDT
 * @pa: physical address of the bytes
 * @len: how many
 * @wrap_pa: of the FDT around them (kho-v2), or 0
 * @start: of the pages that are kept for it
 * @end: exclusive
 * @own_pages: how many of these have keys of their own (khob_in.blobs): all, or none
 *	if it lies in the metadata
 * @shown: what shows it to people
 */
struct khob_in_subtree {
	struct list_head list;
	char name[KHOB_SUBTREE_NAME_MAX + 1];
	u64 pa;
	u64 len;
	u64 wrap_pa;
	u64 start;
	u64 end;
	u64 own_pages;
	void *shown;
};

enum khob_in_state { KHOB_IN_NONE, KHOB_IN_ATTACHED, KHOB_IN_REFUSED };

struct khob_in {
	enum khob_in_state state;
	char reason[160];
	bool native; /* by this kernel's own KHO: pages are live only through it */
	bool own_fdt; /* ours, to which the meta blob of the kernel's root FDT has led */
	u64 setup_data;
	struct khob_chain_info chain;
	struct khob_in_range *ranges;
	unsigned int nr_ranges;
	bool intervals_ok; /* each is reserved memory, none overlaps another */
	void *fdt; /* a copy */
	size_t fdt_len;
	struct khob_fdt_info info;
	struct list_head subtrees;
	unsigned int nr_subtrees;
	struct khob_radix tree; /* a copy: keys of data pages still held */
	bool tree_ready;
	struct khob_radix blobs; /* keys of pages that hold subtrees, as long as these are held */
	bool blobs_ready;
	struct khob_meta meta; /* zeroed if the outgoing kernel left none */
	u64 *chunks; /* meta's chunks: pairs of address and size */
	u64 pages;
	u64 orders[KHOB_ORDER_MAX + 1];
	/* From here on it stays when all is given back. */
	bool boot; /* this kernel was handed something */
	bool going; /* a kernel is loaded, which gets what is held: nothing may be given back */
	u64 gap_pages;
	u64 restored_pages;
	u64 attach_us;
	char previous_release[sizeof_field(struct khob_kexec_metadata, previous_release) + 1];
	u32 kexec_count;
};

extern struct khob_in khob_in;

/* state.c */
void khob_in_set_face(const struct khob_face *face);
void khob_in_show(struct khob_in_subtree *sub);
void khob_in_hide(struct khob_in_subtree *sub);
void khob_in_init(void);
void khob_in_clear(void);
struct khob_in_range *khob_in_find(u64 start, u64 end);
bool khob_in_kept(u64 start, u64 end);
struct khob_in_subtree *khob_in_subtree(const char *name);
bool khob_in_holds(void);
bool khob_in_key_at(const struct khob_radix *tree, u64 pa, unsigned int *order);
/* Subtrees that every freeze adds: meta, records, kexec-metadata. */
#define KHOB_INTERNAL_SUBTREES 3
bool khob_internal_name(const char *name);

/* ranges.c */
int khob_in_read_ranges(void);

/* attach.c */
int khob_in_attach(u64 setup_data);
/* While attaching: keeps the first sentence for `status`. Return: -EBADMSG. */
__printf(1, 2) int khob_in_damaged(const char *fmt, ...);

/* live.c: pages become this kernel's, by its own KHO where that took them */
void khob_in_live(u64 pa, u64 nr);
struct folio *khob_in_folio(u64 pa, unsigned int order);
void khob_in_free(u64 pa, u64 nr);

/* restore.c */
int khob_in_restore(const struct khob_target *t);
int khob_in_release(const struct khob_target *t);
int khob_in_each_key(const struct khob_in_subtree *sub, int (*fn)(void *ctx, u64 key));
bool khob_in_held(u64 pa, unsigned int *order);
int khob_in_claim(u64 pa, u64 nr);
void khob_in_unclaim(u64 pa, u64 nr);
void khob_in_take(u64 pa, u64 nr);

/* native.c: a kernel with KHO of its own took the handover, and pages are its own to give */
#ifdef KHOB_NATIVE
bool khob_native_boot(void);
bool khob_native_order(u64 pa, unsigned int *order);
bool khob_native_ram(u64 start, u64 end);
int khob_native_ranges(u64 map_pa, int (*add)(void *ctx, u64 start, u64 end), void *ctx,
		       struct khob_check_result *res);
void khob_native_live(u64 pa, u64 nr);
struct folio *khob_native_folio(u64 pa);
void khob_native_free(u64 pa, u64 nr);
void khob_native_take_metadata(void);
#else
static inline bool khob_native_boot(void) { return false; }
static inline bool khob_native_order(u64 pa, unsigned int *order) { return false; }
static inline bool khob_native_ram(u64 start, u64 end) { return false; }
static inline int khob_native_ranges(u64 map_pa, int (*add)(void *ctx, u64 start, u64 end),
				     void *ctx, struct khob_check_result *res) { return -EINVAL; }
static inline void khob_native_live(u64 pa, u64 nr) {}
static inline struct folio *khob_native_folio(u64 pa) { return NULL; }
static inline void khob_native_free(u64 pa, u64 nr) {}
static inline void khob_native_take_metadata(void) {}
#endif

#endif /* KHOB_IN_H */
