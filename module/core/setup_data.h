/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The x86 boot protocol's setup_data chain as the incoming kernel was given
 * it: finds the SETUP_KEXEC_KHO node, the intervals that SETUP_INDIRECT nodes of ours
 * cover, and the seal over them. A loader wrote it; nothing in it is trusted.
 */
#ifndef KHOB_CORE_SETUP_DATA_H
#define KHOB_CORE_SETUP_DATA_H

#include "port.h"
#include "khob/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define KHOB_CHAIN_MAX 4096 /* nodes; a longer chain is taken for a cycle */
#define KHOB_CHAIN_FDT_MAX ((u64)1 << 20) /* bytes of a root FDT */
#define KHOB_CHAIN_SCRATCH_MAX 1024 /* scratch areas */

/**
 * struct khob_chain_ops - what the caller knows about memory
 * @read: copies @len bytes from physical address @pa; other than 0 if it is no RAM
 * @range: called for each interval [@start, @end): page aligned, not empty, no
 *	overflow, ascending and apart from the one before (so no two overlap, without
 *	remembering any); other than 0 ends the reading. May be NULL.
 */
struct khob_chain_ops {
	int (*read)(void *ctx, u64 pa, void *to, size_t len);
	int (*range)(void *ctx, u64 start, u64 end);
};

/**
 * struct khob_chain_info - what the chain says
 * @kho_data_pa: physical address of the struct khob_kho_data; 0: none in the chain
 * @kho: its contents, checked: addresses not 0, the FDT's page aligned, the scratch
 *	array's 8-byte aligned, sizes in range and no overflow
 * @sealed: a kho_bridge's loader has sealed it
 * @seal: its contents, not compared with the chain yet: whoever has the intervals does
 * @nr_nodes: nodes of the chain
 * @nr_ranges: intervals
 * @why: on failure one sentence without a full stop
 * @bad_pa: on failure the node that it is about
 */
struct khob_chain_info {
	u64 kho_data_pa;
	struct khob_kho_data kho;
	bool sealed;
	struct khob_seal seal;
	u32 nr_nodes;
	u32 nr_ranges;
	const char *why;
	u64 bad_pa;
};

/* Return: 0; -EINVAL with @info->why; -ENOENT if no SETUP_KEXEC_KHO node; what @range returned. */
int khob_chain_read(u64 head_pa, const struct khob_chain_ops *ops, void *ctx,
		    struct khob_chain_info *info);

/*
 * An interval as it is once hidden, and the interval that a node names, hidden or not. @len is
 * in bytes; 0 if there is none.
 */
struct khob_hidden_range khob_range_hide(const struct khob_setup_indirect *ind);
void khob_range_of(const struct khob_setup_indirect *ind, u64 *addr, u64 *len);

/**
 * struct khob_hide_ops - the same for khob_chain_hide()
 * @read: as in struct khob_chain_ops
 * @write: as @read, the other way; @len is a multiple of 8
 */
struct khob_hide_ops {
	int (*read)(void *ctx, u64 pa, void *to, size_t len);
	int (*write)(void *ctx, u64 pa, const void *from, size_t len);
};

/**
 * khob_chain_hide() - make our intervals name nothing, as far as the chain can be followed
 * @nr: how many are hidden, those included that were before
 *
 * The kernel shows what a SETUP_INDIRECT node names, and asks the node at each read.
 * khob_chain_read() sees the same chain afterwards, but for intervals that are no whole pages.
 *
 * Return: 0; -EFAULT if a node of ours could not be written.
 */
int khob_chain_hide(u64 head_pa, const struct khob_hide_ops *ops, void *ctx, u32 *nr);

#ifdef __cplusplus
}
#endif

#endif /* KHOB_CORE_SETUP_DATA_H */
