/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module's own files share. State is one struct for what this kernel
 * hands over (khob_out) and one for what it was handed (khob_in), both under
 * khob_lock: most operations here are rare and long, and all may sleep. Clients that
 * preserve pages hold it for reading: then only what is shared or atomic changes.
 */
#ifndef KHOB_H
#define KHOB_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pfn.h>
#include <linux/prandom.h>
#include <linux/printk.h>
#include <linux/rwsem.h>
#include <linux/seq_file.h>
#include <linux/xarray.h>

#include "core/check.h"
#include "core/control.h"
#include "core/fdt.h"
#include "core/radix.h"
#include "core/range.h"
#include "core/setup_data.h"
#include "khob/abi.h"
#include "khob/kho_bridge.h"
#include "native.h"

#define KHOB_VERSION "0.1.0"

#ifdef KHOB_TEST
#define KHOB_TEST_BUILD 1
#else
#define KHOB_TEST_BUILD 0
#endif

struct dentry;
struct gen_pool;

extern struct rw_semaphore khob_lock;

/* main.c */

/* Logs one sentence, keeps it for `status` and returns @err. */
__printf(2, 3) int khob_refuse(int err, const char *fmt, ...);
const char *khob_last_error(void);
bool khob_is_pinned(void);
/* Holds the module while it owns anything; call after each change, under khob_lock. */
void khob_update_pin(void);

/* contig.c: physically contiguous memory; sizes and alignments in pages */
unsigned long khob_end_pfn(void);

/* Which part of memory: below page @end, of node @nid (or NUMA_NO_NODE). */
struct khob_where {
	unsigned long end;
	int nid;
};

int khob_contig_alloc(unsigned long nr, unsigned long align, unsigned long *pfn);
int khob_contig_alloc_at(unsigned long nr, unsigned long align, const struct khob_where *where,
			 unsigned long *pfn);
int khob_contig_take(unsigned long pfn, unsigned long nr);
unsigned long khob_contig_pinned(unsigned long pfn, unsigned long nr);
void khob_contig_free(unsigned long pfn, unsigned long nr);
unsigned long khob_contig_largest(unsigned long nr, unsigned long align,
				  const struct khob_where *where);

/* arena.c */

/**
 * struct khob_mem_chunk - contiguous memory of an arena
 * @list: in khob_arena.chunks
 * @pool: which bytes of it are in use, by physical address
 * @pfn: first page
 * @nr: pages
 * @preserved: its pages have keys in the outgoing tree (metadata arena only)
 * @closed: it is being emptied: nothing more is handed out of it
 */
struct khob_mem_chunk {
	struct list_head list;
	struct gen_pool *pool;
	unsigned long pfn;
	unsigned long nr;
	bool preserved;
	bool closed;
};

struct khob_arena {
	struct list_head chunks;
	unsigned long nr_pages;
};

void khob_arena_init(struct khob_arena *arena);
int khob_arena_grow(struct khob_arena *arena, u64 bytes);
int khob_arena_adopt(struct khob_arena *arena, unsigned long pfn, unsigned long nr);
void khob_arena_reserve(struct khob_arena *arena, u64 bytes);
u64 khob_arena_alloc(struct khob_arena *arena, u64 bytes, bool aligned);
bool khob_arena_free(struct khob_arena *arena, u64 pa, u64 bytes);
u64 khob_arena_find(struct khob_arena *arena, u64 bytes, bool aligned);
void khob_arena_close(struct khob_arena *arena, u64 more);
void khob_arena_open(struct khob_arena *arena);
bool khob_arena_closed(struct khob_arena *arena, u64 pa);
void khob_arena_trim(struct khob_arena *arena, bool (*drop)(struct khob_mem_chunk *chunk));

/* scatter.c */

struct khob_block;

/**
 * struct khob_scatter - places at random
 * @rnd: where the next one is
 * @blocks: taken whole
 * @nr: how many
 */
struct khob_scatter {
	struct rnd_state rnd;
	struct khob_block *blocks;
	unsigned long nr;
};

int khob_scatter_begin(struct khob_scatter *sc, u64 pages, unsigned int percent, u64 seed);
u64 khob_scatter_place(struct khob_scatter *sc, unsigned int order);
void khob_scatter_end(struct khob_scatter *sc);

/* fill.c */
u64 khob_fill(u64 pa, u64 bytes, u64 seed, u64 index);

/* out*.c, freeze.c: what this kernel hands over */

/* Where a folio's or a blob's memory came from. A client's is never freed here. */
enum khob_owner { KHOB_OWNER_ARENA, KHOB_OWNER_SCATTER, KHOB_OWNER_CLIENT };

/**
 * enum khob_book - what is known of other modules' pages that are handed over
 * @KHOB_BOOK_CLIENTS: clients' pages, one by one; shared
 * @KHOB_BOOK_CHUNKS: pages that describe clients' vmalloc areas and are freed with them
 * @KHOB_BOOK_GONE: of these two, keys that were unpreserved while frozen: they go on thaw
 * @KHOB_BOOK_HELD: of clients' that are gone, keys whose pages have a reference of ours
 * @KHOB_BOOK_NR: how many books there are
 */
enum khob_book {
	KHOB_BOOK_CLIENTS,
	KHOB_BOOK_CHUNKS,
	KHOB_BOOK_GONE,
	KHOB_BOOK_HELD,
	KHOB_BOOK_NR,
};

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
 * @dentry: out/sub_fdts/NAME; NULL for a client's
 */
struct khob_subtree {
	struct list_head list;
	char name[KHOB_SUBTREE_NAME_MAX + 1];
	u64 pa;
	u64 len;
	enum khob_owner owner;
	bool gone;
	struct dentry *dentry;
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
	struct khob_radix books[KHOB_BOOK_NR];
	bool tree_ready; /* and the books */
	struct khob_arena data;
	struct khob_arena meta;
	bool unsettled; /* a chunk of @meta is not preserved yet */
	bool slack; /* something may be given back */
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
	/* valid while frozen */
	bool frozen;
	bool by_kernel; /* the kernel's own KHO hands over, from its own root FDT */
	enum khob_abi thaw_abi; /* in use before and after */
	struct list_head bufs;
	u64 fdt_pa;
	u64 fdt_len;
	struct khob_meta *meta_blob;
};

extern struct khob_out khob_out;

/* out.c */
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

/* out_folio.c */
int khob_out_preserve(const struct khob_preserve_req *req);
int khob_out_unpreserve(const struct khob_target *t);
void khob_out_unpreserve_all(void);
int khob_folio_insert(struct khob_folio *f);
void khob_folio_drop(struct khob_folio *f);
int khob_folio_move(struct khob_folio *f, u64 pa, enum khob_owner owner);

/* compact.c */
int khob_out_compact(const struct khob_compact_req *req);

/* client_out.c */
int khob_books_init(void);
void khob_books_destroy(void);
int khob_client_preserve(unsigned long pfn, unsigned long nr, enum khob_book book);
int khob_client_unpreserve(unsigned long pfn, unsigned long nr, enum khob_book book);
bool khob_client_has(unsigned long pfn, unsigned long nr, enum khob_book book);
bool khob_client_covers(u64 start, u64 end);
bool khob_client_any(void);
void khob_client_orders(u64 *orders);
void khob_client_thaw(void);

/* out_subtree.c */
int khob_out_put(const char *name, u64 len);
int khob_out_remove(const char *name);
struct khob_subtree *khob_out_subtree(const char *name);
void khob_out_remove_gone(void);

/* scratch.c */
int khob_scratch_take(const struct khob_scratch_req *req);
int khob_scratch_kernel(void);
void khob_scratch_give(void);

/* freeze.c */
int khob_freeze(enum khob_abi abi, bool by_kernel);
void khob_thaw(void);
void khob_freeze_stamp(void);
/* The root FDT as it stands, for out/fdt: frozen or written for this call; kvfree() it. */
void *khob_out_fdt(size_t *len);

/* carry.c */
int khob_carry(void);
void khob_uncarry(void);

/* ram.c: memory that another kernel left */
bool khob_ram_reserved(u64 start, u64 end);
int khob_ram_read(u64 pa, void *to, size_t len);
void khob_ram_live(u64 pa, u64 nr);
struct folio *khob_ram_folio(u64 pa, unsigned int order);
void khob_ram_free(u64 pa, u64 nr);
extern const struct khob_radix_ops khob_page_ops;

/* in*.c: what this kernel was handed */

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
 * @dentry: in/sub_fdts/NAME
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
	struct dentry *dentry;
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
	u64 gap_pages;
	u64 restored_pages;
	u64 attach_us;
	char previous_release[sizeof_field(struct khob_kexec_metadata, previous_release) + 1];
	u32 kexec_count;
};

extern struct khob_in khob_in;

/* in.c */
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

/* in_ranges.c */
int khob_in_read_ranges(void);

/* in_attach.c */
int khob_in_attach(u64 setup_data);
/* While attaching: keeps the first sentence for `status`. Return: -EBADMSG. */
__printf(1, 2) int khob_in_damaged(const char *fmt, ...);

/* in_restore.c */
int khob_in_restore(const struct khob_target *t);
int khob_in_release(const struct khob_target *t);
int khob_in_each_key(const struct khob_in_subtree *sub, int (*fn)(void *ctx, u64 key));
bool khob_in_held(u64 pa, unsigned int *order);
int khob_in_claim(u64 pa, u64 nr);
void khob_in_unclaim(u64 pa, u64 nr);
void khob_in_take(u64 pa, u64 nr);

/* debugfs*.c, sandbox.c, bench.c, corrupt.c, test/ */
int khob_debugfs_init(void);
void khob_debugfs_exit(void);

/* One line written to a control file: parse it, then act; under khob_lock. */
ssize_t khob_control_write(const char __user *buf, size_t len, loff_t *ppos,
			   int (*act)(const char *line, size_t len));

#define KHOB_CONTROL_FILE(name)								\
static ssize_t name##_write(struct file *file, const char __user *buf, size_t len,	\
			    loff_t *ppos)						\
{											\
	return khob_control_write(buf, len, ppos, name##_act);				\
}											\
static const struct file_operations name##_fops = {					\
	.owner = THIS_MODULE,								\
	.open = simple_open,								\
	.write = name##_write,								\
}

/*
 * A text file that lists numbers: they are taken at open, in one go under
 * khob_lock, so that a slow reader sees one state and holds nobody up.
 */
struct khob_snapshot {
	size_t nr;
	size_t room;
	u64 *v;
};

int khob_snapshot_add(struct khob_snapshot *snap, u64 v);
int khob_snapshot_keys(struct khob_snapshot *snap, struct khob_radix *tree);
int khob_snapshot_open(struct inode *inode, struct file *file,
		       int (*fill)(struct khob_snapshot *snap),
		       int (*show)(struct seq_file *m, void *v));
int khob_snapshot_release(struct inode *inode, struct file *file);
int khob_show_key(struct seq_file *m, void *v);
int khob_show_raw_key(struct seq_file *m, void *v);
int khob_show_range(struct seq_file *m, void *v);
int khob_show_number(struct seq_file *m, void *v);

#define KHOB_SNAPSHOT_FILE(name, show)							\
static int name##_open(struct inode *inode, struct file *file)				\
{											\
	return khob_snapshot_open(inode, file, name##_fill, show);			\
}											\
static const struct file_operations name##_fops = {					\
	.owner = THIS_MODULE,								\
	.open = name##_open,								\
	.read = seq_read,								\
	.llseek = seq_lseek,								\
	.release = khob_snapshot_release,						\
}

/* The path's last part: a subtree file finds its subtree by name, under the lock. */
static inline const char *khob_file_name(struct file *file)
{
	return file->f_path.dentry->d_name.name;
}

ssize_t khob_data_read(char __user *buf, size_t len, loff_t *ppos,
		       u64 (*readable)(u64 pa));
void khob_debugfs_out(struct dentry *root);
void khob_debugfs_in(struct dentry *root);
void khob_debugfs_status(struct dentry *root);
void khob_debugfs_out_subtree(struct khob_subtree *sub);
void khob_debugfs_in_subtree(struct khob_in_subtree *sub);
void khob_debugfs_forget(struct dentry **dentry);
int khob_sandbox_init(struct dentry *root);
void khob_sandbox_exit(void);
void khob_bench_init(struct dentry *dir);
#ifdef KHOB_TEST
void khob_corrupt_init(struct dentry *root);
#ifdef KHOB_NATIVE
void khob_kernel_api_init(struct dentry *dir);
#else
static inline void khob_kernel_api_init(struct dentry *dir) {}
#endif
void khob_vectors_init(struct dentry *dir);
void khob_race_init(struct dentry *dir);
#endif

#endif /* KHOB_H */
