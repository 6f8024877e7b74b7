/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a kernel was handed: the whole decision whether it may be believed, from the
 * setup_data chain to the last page. Every byte of it was written by another kernel or by a
 * loader. It is copied once, the copy is checked, and what comes out is either a complete
 * description or one sentence that says why not.
 *
 * Nothing is changed and nothing is given away here. Time is that of reading what was handed
 * over (times the logarithm of the number of intervals and pieces), memory a few
 * bits a page of the intervals and copies of what was checked.
 */
#ifndef KHOB_CORE_HANDOVER_H
#define KHOB_CORE_HANDOVER_H

#include "fdt.h"
#include "radix.h"
#include "setup_data.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of a sentence of refusal, with its final NUL. */
#define KHOB_WHY_MAX 192

/**
 * struct khob_handover_ops - what the caller knows of memory
 * @read: copies @len bytes from physical address @pa; other than 0 if that is no memory that
 *	another kernel may have left, or if it cannot be read. It never faults.
 * @interval: whether [@start, @end), whole pages, may be one that a loader had reserved: RAM
 *	that this kernel's boot code reserved and that is nothing of its own. 0 or, with
 *	a sentence in *@why, other than 0.
 * @held: on a kernel whose own KHO took the handover: whether it holds a page that covers @pa
 *	now; then where it begins and its order. NULL: there are intervals.
 * @alloc: @bytes > 0 of zeroes, or NULL
 * @free: takes back what @alloc gave; NULL is fine
 * @pause: called now and then; other than 0 ends it all (a signal)
 * @nodes: where nodes of trees that are copied come from
 * @end_pa: first physical address behind memory, in bytes
 */
struct khob_handover_ops {
	int (*read)(void *ctx, u64 pa, void *to, u64 len);
	int (*interval)(void *ctx, u64 start, u64 end, const char **why);
	bool (*held)(void *ctx, u64 pa, u64 *start, unsigned int *order);
	void *(*alloc)(void *ctx, u64 bytes);
	void (*free)(void *ctx, void *p);
	int (*pause)(void *ctx);
	const struct khob_radix_ops *nodes;
	u64 end_pa;
};

/**
 * struct khob_span - a piece of memory that was handed over: an interval of the loader's; on a
 *	kernel whose KHO took the handover, pages next to each other
 * @start: physical address, whole pages
 * @end: exclusive
 * @keyed: a bit a page: some key preserves it (while reading)
 * @noded: a bit a page: it is a node of the tree (while reading)
 * @kept: a bit a page: it holds data or a subtree
 */
struct khob_span {
	u64 start;
	u64 end;
	__u64 *keyed;
	__u64 *noded;
	__u64 *kept;
};

/**
 * struct khob_handed - a subtree that was handed over
 * @name: as in the root FDT
 * @pa: physical address of the bytes
 * @len: how many, > 0
 * @wrap_pa: of the FDT around them (kho-v2), or 0
 * @start: of the pages that are kept for it
 * @end: exclusive
 * @own_pages: how many of these have keys of their own: all, or none if it lies in the metadata
 * @gone: its pages are somebody's already, or others' who need no help: it is not held
 * @has_digest: whether the kernel that made it has told a digest
 * @digest: xxh64 of its bytes as that kernel made them
 * @user: for the owner of the description
 */
struct khob_handed {
	char name[KHOB_SUBTREE_NAME_MAX + 1];
	u64 pa;
	u64 len;
	u64 wrap_pa;
	u64 start;
	u64 end;
	u64 own_pages;
	bool gone;
	bool has_digest;
	u64 digest;
	void *user;
};

/**
 * struct khob_handover - the description
 * @ops: as it was read with
 * @ctx: for @ops
 * @spans: ascending and apart
 * @nr_spans: how many
 * @near: where a page was found last (khob_handover_near()); or NULL
 * @plain_start: what was asked for blobs last (khob_handover_plain()) is followed and preceded by
 *	memory without any: it begins here
 * @plain_end: and ends here, exclusive
 * @why: if it was refused: one sentence without a full stop
 * @chain_sound: every node of the chain is as the loader wrote it, as far as that is known;
 *	stays when it was refused
 * @chain: what the setup_data chain says
 * @own_fdt: the root FDT is not the chain's, but the one that the meta blob there names
 * @fdt: a copy of the root FDT
 * @fdt_len: its totalsize
 * @info: what it says
 * @subtrees: what it names, in its order
 * @nr_subtrees: how many
 * @meta: what a kho_bridge on the other side says of the tree; NULL if there was none
 * @chunks: its pieces of metadata, ascending and apart; part of @meta
 * @nr_chunks: how many
 * @records: what pages and blobs must hold
 * @nr_records: how many
 * @tree: keys of data pages, and of pages that hold subtrees
 * @others: keys, also in @tree, that clients of an outgoing kernel's own KHO had preserved; on
 *	a kernel whose KHO took the handover they are that's and not in @tree
 * @pages: data pages, without those of subtrees
 * @orders: keys of data pages, by order
 * @restored_pages: data pages that the kernel's own KHO has given to others already
 * @previous_release: of the outgoing kernel; printable, or empty
 * @kexec_count: handovers up to this one, as the outgoing kernel counted
 * @tree_ready: @tree exists
 * @others_ready: @others exists
 */
struct khob_handover {
	const struct khob_handover_ops *ops;
	void *ctx;
	struct khob_span *spans;
	u64 nr_spans;
	struct khob_span *near;
	u64 plain_start;
	u64 plain_end;
	char why[KHOB_WHY_MAX];
	bool chain_sound;
	struct khob_chain_info chain;
	bool own_fdt;
	void *fdt;
	u64 fdt_len;
	struct khob_fdt_info info;
	struct khob_handed *subtrees;
	u64 nr_subtrees;
	struct khob_meta *meta;
	struct khob_chunk *chunks;
	u64 nr_chunks;
	struct khob_record *records;
	u64 nr_records;
	struct khob_radix tree;
	struct khob_radix others;
	u64 pages;
	u64 orders[KHOB_ORDER_MAX + 1];
	u64 restored_pages;
	char previous_release[sizeof(((struct khob_kexec_metadata *)0)->previous_release) + 1];
	u32 kexec_count;
	bool tree_ready;
	bool others_ready;
};

/**
 * khob_handover_read() - read what was handed over, and decide
 * @setup_data: physical address of the first node of the chain
 * @ops: what is known of memory; must outlive the description
 * @ctx: for @ops
 * @h: the description; whatever comes back, khob_handover_free() takes it
 *
 * Return: 0, and @h is complete; -EBADMSG, and @h->why says what is wrong; -ENOENT, likewise,
 * if nothing in it is kho_bridge's, on a kernel whose own KHO took it; -ENOMEM; what
 * @ops->pause returned. On failure there is nothing but @h->why, and @h->spans if these are
 * for certain what the loader had reserved.
 */
int khob_handover_read(u64 setup_data, const struct khob_handover_ops *ops, void *ctx,
		       struct khob_handover *h);

/* Frees all that a description holds. */
void khob_handover_free(struct khob_handover *h);

/* The span that holds all of [@start, @end), or NULL. */
struct khob_span *khob_handover_span(const struct khob_handover *h, u64 start, u64 end);

/* As khob_handover_span(), for who is alone with @h and asks for pages close to each other. */
static inline struct khob_span *khob_handover_near(struct khob_handover *h, u64 start, u64 end)
{
	struct khob_span *s = h->near;

	if (likely(s && start >= s->start && start < end && end <= s->end))
		return s;
	s = khob_handover_span(h, start, end);
	if (s)
		h->near = s;
	return s;
}

/* Whether every page that [@start, @end) touches is kept. */
bool khob_handover_kept(const struct khob_handover *h, u64 start, u64 end);

/* The subtree, not gone, that has a part in [@start, @end), or NULL. */
struct khob_handed *khob_handover_blob(const struct khob_handover *h, u64 start, u64 end);

/* Whether @pa is a page of a subtree, not gone, that lies in the metadata. */
static inline bool khob_handover_metadata_blob(const struct khob_handover *h, u64 pa)
{
	const struct khob_handed *sub = khob_handover_blob(h, pa, pa + 1);

	return sub && !sub->own_pages;
}

/* handover.c: as khob_handover_plain(), and finds out what is plain around it. */
bool khob_handover_find_plain(struct khob_handover *h, u64 start, u64 end);

/*
 * Whether no subtree, gone or not, has a part in [@start, @end), once all have their places; for
 * who is alone with @h and asks for pages close to each other.
 */
static inline bool khob_handover_plain(struct khob_handover *h, u64 start, u64 end)
{
	return likely(start >= h->plain_start && start < end && end <= h->plain_end) ||
	       khob_handover_find_plain(h, start, end);
}

/* The subtree of that name that is not gone, or NULL. */
struct khob_handed *khob_handover_subtree(const struct khob_handover *h, const char *name);

/* Names of subtrees that kho_bridge makes anew for each handover. */
bool khob_internal_name(const char *name);

/* The digest of a struct khob_meta with its pieces, which nobody else reads or writes now. */
u64 khob_meta_digest(struct khob_meta *meta);

/* The order of the key that @tree has for a page at @pa. Return: false if it has none. */
bool khob_key_at(const struct khob_radix *tree, u64 pa, unsigned int *order);

#ifdef __cplusplus
}
#endif

#endif /* KHOB_CORE_HANDOVER_H */
