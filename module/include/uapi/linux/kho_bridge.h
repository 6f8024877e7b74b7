/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Generated, do not edit, from abi-gen/schema/device.yaml
 * (make it again with: cmake --build build --target abi)
 *
 * /dev/kho_bridge, version 1. How programs drive the module. Each ioctl takes a struct whose first
 * field is its size, as the caller knows it: what the caller does not know is taken for 0, what the
 * module does not know has to be 0 (E2BIG). Texts end with a 0. A field that is called reserved is
 * 0 in both directions.
 */
#ifndef _UAPI_LINUX_KHO_BRIDGE_H
#define _UAPI_LINUX_KHO_BRIDGE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Numbers that sizes and values are made of. */

#define KHO_BRIDGE_TYPE 0xbc /* The type that the numbers of all ioctls have. */
#define KHO_BRIDGE_NAME_MAX 63 /* Length of the longest name of a subtree. [bytes] */
#define KHO_BRIDGE_ORDERS 53 /* Orders that there are; the largest one is less by 1. */
#define KHO_BRIDGE_SENTENCE_MAX 256 /* A sentence fits this with its 0. [bytes] */
/* The compatible string of a version of the ABI fits this with its 0. [bytes] */
#define KHO_BRIDGE_ABI_MAX 16
#define KHO_BRIDGE_RELEASE_MAX 72 /* The release of a kernel fits this with its 0. [bytes] */
#define KHO_BRIDGE_COMM_MAX 16 /* The name of a task fits this with its 0. [bytes] */
#define KHO_BRIDGE_EXTENT_GAP 0x100000 /* The largest gap that an extent passes over. [bytes] */
/* In place of an order, that folios of several orders are wanted. */
#define KHO_BRIDGE_ORDER_MIXED 0xffffffffU
#define KHO_BRIDGE_NODE_ANY 0xffffffffU /* In place of a NUMA node, that any will do. */

/*
 * The ioctls. There is no size in their numbers, since the structs grow. Behind each is the struct
 * that it takes, or 0, and the capability that it needs.
 */

/* Says how everything stands. */
#define KHO_BRIDGE_STATUS _IO(KHO_BRIDGE_TYPE, 0x00) /* kho_bridge_status, CAP_SYS_ADMIN */
/* Says why the last ioctl or write of this open file was refused. */
#define KHO_BRIDGE_REFUSAL _IO(KHO_BRIDGE_TYPE, 0x01) /* kho_bridge_refusal */
/* Opens what is handed over, or what was, as a file of its own (O_CLOEXEC). */
#define KHO_BRIDGE_OPEN _IO(KHO_BRIDGE_TYPE, 0x02) /* kho_bridge_open, CAP_SYS_ADMIN, returns fd */
/* Sets the version of the ABI that is handed over in. */
#define KHO_BRIDGE_SET_ABI _IO(KHO_BRIDGE_TYPE, 0x03) /* kho_bridge_abi, CAP_SYS_ADMIN */
/* Allocates folios, fills them and preserves them. */
#define KHO_BRIDGE_PRESERVE _IO(KHO_BRIDGE_TYPE, 0x04) /* kho_bridge_preserve, CAP_SYS_ADMIN */
/* Gives back what KHO_BRIDGE_PRESERVE and KHO_BRIDGE_PUT have made. */
#define KHO_BRIDGE_UNPRESERVE _IO(KHO_BRIDGE_TYPE, 0x05) /* kho_bridge_target, CAP_SYS_ADMIN */
/*
 * Moves scattered folios of KHO_BRIDGE_PRESERVE into contiguous memory. What has moved stays where
 * it is, also if it returns an error.
 */
#define KHO_BRIDGE_COMPACT _IO(KHO_BRIDGE_TYPE, 0x06) /* kho_bridge_compact, CAP_SYS_ADMIN */
/* Makes a subtree of zeroes and opens it. */
#define KHO_BRIDGE_PUT _IO(KHO_BRIDGE_TYPE, 0x07) /* kho_bridge_put, CAP_SYS_ADMIN, returns fd */
/*
 * Takes one more area of scratch. The first one freezes: what is handed over does not change from
 * then on until KHO_BRIDGE_SCRATCH_GIVE, or until this open file is closed without
 * KHO_BRIDGE_LOADED.
 */
#define KHO_BRIDGE_SCRATCH_TAKE _IO(KHO_BRIDGE_TYPE, 0x08) /* kho_bridge_scratch, CAP_SYS_BOOT */
/* Freezes for a handover by the kernel's own KHO, without an area. */
#define KHO_BRIDGE_SCRATCH_KERNEL _IO(KHO_BRIDGE_TYPE, 0x09) /* 0, CAP_SYS_BOOT */
/* Gives all scratch back and thaws. */
#define KHO_BRIDGE_SCRATCH_GIVE _IO(KHO_BRIDGE_TYPE, 0x0a) /* 0, CAP_SYS_BOOT */
/* Says what has become of the kernel that was loaded. */
#define KHO_BRIDGE_IMAGE _IO(KHO_BRIDGE_TYPE, 0x0b) /* kho_bridge_image, CAP_SYS_BOOT */
/* Attaches to what the kernel before has left. */
#define KHO_BRIDGE_ATTACH _IO(KHO_BRIDGE_TYPE, 0x0c) /* kho_bridge_attach, CAP_SYS_ADMIN */
/* Makes pages live that were handed over, and gives them to the page allocator. */
#define KHO_BRIDGE_RESTORE _IO(KHO_BRIDGE_TYPE, 0x0d) /* kho_bridge_target, CAP_SYS_ADMIN */
/* Lets go of what is left of what was handed over. */
#define KHO_BRIDGE_RELEASE _IO(KHO_BRIDGE_TYPE, 0x0e) /* kho_bridge_target, CAP_SYS_ADMIN */
/* Tells that the kernel is loaded that what is frozen goes to. */
#define KHO_BRIDGE_LOADED _IO(KHO_BRIDGE_TYPE, 0x0f) /* 0, CAP_SYS_BOOT */
/* Says how far the KHO_BRIDGE_ATTACH is that somebody waits for. It does not wait itself. */
#define KHO_BRIDGE_PROGRESS _IO(KHO_BRIDGE_TYPE, 0x10) /* kho_bridge_progress, CAP_SYS_ADMIN */

/* Flags, and what fields may be. */

/* kho_bridge_status.flags: What holds. */
#define KHO_BRIDGE_TEST_BUILD 0x1U /* The module was built for tests. */
#define KHO_BRIDGE_NATIVE 0x2U /* The kernel's own KHO is the source. */
#define KHO_BRIDGE_FROZEN 0x4U /* What is handed over does not change. */
#define KHO_BRIDGE_BY_KERNEL 0x8U /* It is frozen, and the kernel's own KHO hands over. */
#define KHO_BRIDGE_IN_NATIVE 0x10U /* The kernel's own KHO took what came in. */
#define KHO_BRIDGE_CHAIN_DAMAGED 0x20U /* The chain of setup_data is damaged. */

/* kho_bridge_compact.flags: How to compact. */
#define KHO_BRIDGE_COMPACT_ALL 0x1U /* All, and what lies in chunks at most half full as well. */

/* kho_bridge_scratch.flags: Where an area of scratch is to lie. */
#define KHO_BRIDGE_SCRATCH_LOW 0x1U /* Below 4 GiB. */

/* kho_bridge_subtree.flags: What is known of a subtree. */
#define KHO_BRIDGE_HAS_DIGEST 0x1U /* Its maker has told its digest. */

/* kho_bridge_bench_row.flags: Which fields of a row count. */
#define KHO_BRIDGE_HAS_UPSTREAM 0x1U /* The kernel's own tree did the same work. */
#define KHO_BRIDGE_HAS_NODES 0x2U /* Everything was deleted; nodes are counted. */

/* kho_bridge_status.in_state: What was handed to this kernel. */
#define KHO_BRIDGE_IN_NONE 0U /* Nothing is attached. */
#define KHO_BRIDGE_IN_ATTACHED 1U /* It is attached. */
#define KHO_BRIDGE_IN_REFUSED 2U /* It was refused; the reason is in the status. */

/* kho_bridge_image.state: What has become of the kernel that was loaded. */
#define KHO_BRIDGE_IMAGE_NONE 0U /* Nothing is frozen. */
#define KHO_BRIDGE_IMAGE_LOADING 1U /* It is frozen, and whoever froze it goes on. */
#define KHO_BRIDGE_IMAGE_LOADED 2U /* What is frozen goes to the kernel that is loaded. */
#define KHO_BRIDGE_IMAGE_REPLACED 3U /* Another kernel has been loaded since: it gets nothing. */
#define KHO_BRIDGE_IMAGE_UNLOADED 4U /* That kernel is no longer loaded, nor is another. */

/* kho_bridge_open.what: What to open, and what is read there. */
#define KHO_BRIDGE_OUT_KEYS 0U /* Keys that are handed over, each a u64. */
/* Physical ranges that are handed over, each a struct kho_bridge_range. */
#define KHO_BRIDGE_OUT_RANGES 1U
#define KHO_BRIDGE_OUT_SCRATCH 2U /* Areas of scratch, each a struct kho_bridge_range. */
/* Subtrees that are handed over, each a struct kho_bridge_subtree. */
#define KHO_BRIDGE_OUT_SUBTREES 3U
#define KHO_BRIDGE_OUT_SUBTREE 4U /* The bytes of the one of that name, to read, write and map. */
#define KHO_BRIDGE_OUT_DATA 5U /* Preserved memory; an offset is a physical address. */
#define KHO_BRIDGE_OUT_FDT 6U /* The bytes of the root FDT. */
#define KHO_BRIDGE_IN_KEYS 7U /* Keys of data pages that are still held, each a u64. */
/* Physical ranges that are still held, each a struct kho_bridge_range. */
#define KHO_BRIDGE_IN_RANGES 8U
/* Subtrees that were handed over, each a struct kho_bridge_subtree. */
#define KHO_BRIDGE_IN_SUBTREES 9U
#define KHO_BRIDGE_IN_SUBTREE 10U /* The bytes of the one of that name, to read and map. */
#define KHO_BRIDGE_IN_DATA 11U /* Memory that is still held; an offset is a physical address. */
#define KHO_BRIDGE_IN_FDT 12U /* The bytes of the root FDT that came in. */
/* Times of the tree at its work, each a struct kho_bridge_bench_row. */
#define KHO_BRIDGE_BENCH 13U
/* Ranges and the small gaps between them, each piece a struct kho_bridge_extent. */
#define KHO_BRIDGE_OUT_EXTENTS 14U

/* kho_bridge_target.what: What an ioctl is about. */
#define KHO_BRIDGE_ALL 0U /* All that there is. */
#define KHO_BRIDGE_PAGE 1U /* The pages of an address and an order. */
#define KHO_BRIDGE_SUBTREE 2U /* The subtree of a name. */

/* What ioctls take; all of them may grow. */

/**
 * struct kho_bridge_status - How everything stands.
 * @size: Of the struct. [bytes]
 * @flags: What holds.
 * @in_state: What was handed to this kernel.
 * @tsc_khz: Rate of the time stamp counter. [kHz]
 * @changes: Counts what has changed; poll() tells of more.
 * @out_keys: Keys of the tree.
 * @out_folios: Folios that are preserved, of all orders.
 * @out_pages: What these are together. [pages]
 * @out_bytes: The same. [bytes]
 * @out_client_pages: Those of other modules. [pages]
 * @out_subtrees: Subtrees.
 * @out_nodes: Nodes of the tree.
 * @out_metadata_bytes: Memory for what describes the handover. [bytes]
 * @out_arena_bytes: Contiguous memory that folios lie in. [bytes]
 * @out_carried_keys: Keys that came in, are still held and go on.
 * @out_others_keys: Keys of others in the tree of the kernel's own KHO.
 * @out_poisoned: Those left out because the machine cannot read them. [pages]
 * @out_root_phys: The tree's root. [physical address]
 * @out_fdt_phys: The root FDT. [physical address]
 * @out_fdt_len: The root FDT. [bytes]
 * @out_preserve_us: What the last preserve took. [microseconds]
 * @out_compactions: Compactions that began.
 * @out_compact_folios: Folios that the last one moved.
 * @out_compact_bytes: What these are together. [bytes]
 * @out_compact_left: What should have moved and has not. [bytes]
 * @out_compact_us: What it took. [microseconds]
 * @scratch_areas: Areas of scratch.
 * @scratch_bytes: What these are together. [bytes]
 * @scratch_largest: The largest piece that there was when one could not be taken. [bytes]
 * @in_keys: Keys of data pages that are still held.
 * @in_pages: What these are together. [pages]
 * @in_bytes: The same. [bytes]
 * @in_subtrees: Subtrees that are still held.
 * @in_ranges: Physical ranges that are still held.
 * @in_gap_pages: Those that nobody preserved, between such as somebody did. [pages]
 * @in_poisoned: Those set aside because the machine cannot read them. [pages]
 * @in_restored_pages: Those that became live. [pages]
 * @in_attach_us: What the attach took. [microseconds]
 * @in_kexec_tsc: Time stamp counter at the jump.
 * @in_tsc_khz: Rate of that counter. [kHz]
 * @in_kexec_count: Handovers up to the one that came in.
 * @in_setup_data: The chain that was attached to last. [physical address]
 * @in_fdt_addr: The root FDT in struct kho_data of that chain. [physical address]
 * @in_fdt_size: Its size there. [bytes]
 * @in_scratch_addr: The list of scratch areas there. [physical address]
 * @in_scratch_size: Its size there. [bytes]
 * @out_orders: Folios of each order that go out.
 * @in_orders: Folios of each order that are still held.
 * @version: The module's version.
 * @abi: The version of the ABI that is handed over in.
 * @native_abi: That of the kernel's own KHO, empty if it is not the source.
 * @in_abi: That of what came in.
 * @in_previous_release: The kernel before.
 * @in_reason: Why what came in was refused, a sentence.
 * @last_error: What was refused last, a sentence.
 */
struct kho_bridge_status {
	__u32 size;
	__u32 flags;
	__u32 in_state;
	__u32 tsc_khz;
	__aligned_u64 changes;
	__aligned_u64 out_keys;
	__aligned_u64 out_folios;
	__aligned_u64 out_pages;
	__aligned_u64 out_bytes;
	__aligned_u64 out_client_pages;
	__aligned_u64 out_subtrees;
	__aligned_u64 out_nodes;
	__aligned_u64 out_metadata_bytes;
	__aligned_u64 out_arena_bytes;
	__aligned_u64 out_carried_keys;
	__aligned_u64 out_others_keys;
	__aligned_u64 out_poisoned;
	__aligned_u64 out_root_phys;
	__aligned_u64 out_fdt_phys;
	__aligned_u64 out_fdt_len;
	__aligned_u64 out_preserve_us;
	__aligned_u64 out_compactions;
	__aligned_u64 out_compact_folios;
	__aligned_u64 out_compact_bytes;
	__aligned_u64 out_compact_left;
	__aligned_u64 out_compact_us;
	__aligned_u64 scratch_areas;
	__aligned_u64 scratch_bytes;
	__aligned_u64 scratch_largest;
	__aligned_u64 in_keys;
	__aligned_u64 in_pages;
	__aligned_u64 in_bytes;
	__aligned_u64 in_subtrees;
	__aligned_u64 in_ranges;
	__aligned_u64 in_gap_pages;
	__aligned_u64 in_poisoned;
	__aligned_u64 in_restored_pages;
	__aligned_u64 in_attach_us;
	__aligned_u64 in_kexec_tsc;
	__aligned_u64 in_tsc_khz;
	__aligned_u64 in_kexec_count;
	__aligned_u64 in_setup_data;
	__aligned_u64 in_fdt_addr;
	__aligned_u64 in_fdt_size;
	__aligned_u64 in_scratch_addr;
	__aligned_u64 in_scratch_size;
	__aligned_u64 out_orders[KHO_BRIDGE_ORDERS];
	__aligned_u64 in_orders[KHO_BRIDGE_ORDERS];
	char version[KHO_BRIDGE_ABI_MAX];
	char abi[KHO_BRIDGE_ABI_MAX];
	char native_abi[KHO_BRIDGE_ABI_MAX];
	char in_abi[KHO_BRIDGE_ABI_MAX];
	char in_previous_release[KHO_BRIDGE_RELEASE_MAX];
	char in_reason[KHO_BRIDGE_SENTENCE_MAX];
	char last_error[KHO_BRIDGE_SENTENCE_MAX];
};

/**
 * struct kho_bridge_refusal - Of the last ioctl or write of this open file that was refused.
 * @size: Of the struct. [bytes]
 * @error: The errno, 0 if none was refused.
 * @sentence: Why it was.
 */
struct kho_bridge_refusal {
	__u32 size;
	__u32 error;
	char sentence[KHO_BRIDGE_SENTENCE_MAX];
};

/**
 * struct kho_bridge_open - What to open.
 * @size: Of the struct. [bytes]
 * @what: What to open.
 * @keys: Of KHO_BRIDGE_BENCH, what all sizes follow from.
 * @name: Of KHO_BRIDGE_OUT_SUBTREE and KHO_BRIDGE_IN_SUBTREE, the subtree's.
 */
struct kho_bridge_open {
	__u32 size;
	__u32 what;
	__aligned_u64 keys;
	char name[KHO_BRIDGE_NAME_MAX + 1];
};

/**
 * struct kho_bridge_abi - A version of the ABI.
 * @size: Of the struct. [bytes]
 * @reserved: 0.
 * @abi: Its compatible string.
 */
struct kho_bridge_abi {
	__u32 size;
	__u32 reserved;
	char abi[KHO_BRIDGE_ABI_MAX];
};

/**
 * struct kho_bridge_preserve - What to preserve.
 * @size: Of the struct. [bytes]
 * @order: That of the folios, or KHO_BRIDGE_ORDER_MIXED.
 * @pages: How many. [pages]
 * @seed: What the contents follow from.
 * @scatter: How much of the upper part of RAM every second one of them is taken from at
 *	random. [percent]
 * @reserved: 0.
 */
struct kho_bridge_preserve {
	__u32 size;
	__u32 order;
	__aligned_u64 pages;
	__aligned_u64 seed;
	__u32 scatter;
	__u32 reserved;
};

/**
 * struct kho_bridge_target - What to give back, to restore or to let go of.
 * @size: Of the struct. [bytes]
 * @what: What it is.
 * @pa: Of KHO_BRIDGE_PAGE. [physical address]
 * @order: Of KHO_BRIDGE_PAGE.
 * @reserved: 0.
 * @name: Of KHO_BRIDGE_SUBTREE.
 */
struct kho_bridge_target {
	__u32 size;
	__u32 what;
	__aligned_u64 pa;
	__u32 order;
	__u32 reserved;
	char name[KHO_BRIDGE_NAME_MAX + 1];
};

/**
 * struct kho_bridge_compact - How much to compact, and what came of it.
 * @size: Of the struct. [bytes]
 * @flags: How.
 * @most: In: what to move at most, unless KHO_BRIDGE_COMPACT_ALL. [bytes]
 * @folios: Out, also where it was refused: folios that moved.
 * @bytes: Out: what these are together. [bytes]
 * @left: Out: what should have moved and has not. [bytes]
 * @us: Out: what it took. [microseconds]
 */
struct kho_bridge_compact {
	__u32 size;
	__u32 flags;
	__aligned_u64 most;
	__aligned_u64 folios;
	__aligned_u64 bytes;
	__aligned_u64 left;
	__aligned_u64 us;
};

/**
 * struct kho_bridge_put - A subtree to make.
 * @size: Of the struct. [bytes]
 * @reserved: 0.
 * @len: Of the subtree. [bytes]
 * @name: Its name.
 */
struct kho_bridge_put {
	__u32 size;
	__u32 reserved;
	__aligned_u64 len;
	char name[KHO_BRIDGE_NAME_MAX + 1];
};

/**
 * struct kho_bridge_scratch - An area of scratch to take.
 * @size: Of the struct. [bytes]
 * @flags: Where.
 * @bytes: How large. [bytes]
 * @align: What its address is a multiple of. [bytes]
 * @node: NUMA node, or KHO_BRIDGE_NODE_ANY.
 * @reserved: 0.
 * @abi: That of this freeze; empty, the one that is set.
 * @pa: Out: where it is. [physical address]
 * @largest: Out, if there is no such piece: the largest. [bytes]
 */
struct kho_bridge_scratch {
	__u32 size;
	__u32 flags;
	__aligned_u64 bytes;
	__aligned_u64 align;
	__u32 node;
	__u32 reserved;
	char abi[KHO_BRIDGE_ABI_MAX];
	__aligned_u64 pa;
	__aligned_u64 largest;
};

/**
 * struct kho_bridge_image - What has become of the kernel that was loaded.
 * @size: Of the struct. [bytes]
 * @state: What has become of it.
 * @others_changed: 1 if others have changed the kernel's own tree since it was copied, else 0.
 * @pid: Of who froze, in the initial namespace; 0 if nobody has.
 * @comm: Its name.
 */
struct kho_bridge_image {
	__u32 size;
	__u32 state;
	__u32 others_changed;
	__u32 pid;
	char comm[KHO_BRIDGE_COMM_MAX];
};

/**
 * struct kho_bridge_attach - What to attach to.
 * @size: Of the struct. [bytes]
 * @reserved: 0.
 * @setup_data: The first node of the chain. [physical address]
 */
struct kho_bridge_attach {
	__u32 size;
	__u32 reserved;
	__aligned_u64 setup_data;
};

/**
 * struct kho_bridge_progress - How far an attach is with the memory that was handed over.
 * @size: Of the struct. [bytes]
 * @reserved: 0.
 * @done: What it has gone through. [bytes]
 * @all: What it goes through, 0 unless it does. [bytes]
 */
struct kho_bridge_progress {
	__u32 size;
	__u32 reserved;
	__aligned_u64 done;
	__aligned_u64 all;
};

/* What is read, one after the other, in the files that KHO_BRIDGE_OPEN gives; these never grow. */

/**
 * struct kho_bridge_range - Physical memory.
 * @start: Its first byte. [physical address]
 * @end: The first byte behind it. [physical address]
 */
struct kho_bridge_range {
	__aligned_u64 start;
	__aligned_u64 end;
};

/**
 * struct kho_bridge_extent - Physical memory, and how much of it is meant. It may have gaps of
 *	up to KHO_BRIDGE_EXTENT_GAP; where keys are few and far between there are more extents than
 *	that would need.
 * @start: Its first byte. [physical address]
 * @end: The first byte behind it. [physical address]
 * @bytes: What is meant, its first and last page among it. [bytes]
 */
struct kho_bridge_extent {
	__aligned_u64 start;
	__aligned_u64 end;
	__aligned_u64 bytes;
};

/**
 * struct kho_bridge_subtree - A subtree.
 * @name: Its name.
 * @len: Its length. [bytes]
 * @digest: The xxh64 of its bytes, if KHO_BRIDGE_HAS_DIGEST.
 * @flags: What is known of it.
 * @reserved: 0.
 */
struct kho_bridge_subtree {
	char name[KHO_BRIDGE_NAME_MAX + 1];
	__aligned_u64 len;
	__aligned_u64 digest;
	__u32 flags;
	__u32 reserved;
};

/**
 * struct kho_bridge_bench_row - How long a piece of work took.
 * @work: Its name.
 * @keys: How many it was about.
 * @ns: What it took, for all of them. [nanoseconds]
 * @nodes: Nodes that are left, if KHO_BRIDGE_HAS_NODES.
 * @upstream_ns: Of the kernel's own tree, if KHO_BRIDGE_HAS_UPSTREAM. [nanoseconds]
 * @upstream_nodes: The same of nodes.
 * @flags: Which of these count.
 * @repetitions: The times are the middle ones of so many.
 */
struct kho_bridge_bench_row {
	char work[32];
	__aligned_u64 keys;
	__aligned_u64 ns;
	__aligned_u64 nodes;
	__aligned_u64 upstream_ns;
	__aligned_u64 upstream_nodes;
	__u32 flags;
	__u32 repetitions;
};

#endif /* _UAPI_LINUX_KHO_BRIDGE_H */
