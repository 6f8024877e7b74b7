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

#ifdef __cplusplus
}
#endif

#endif /* KHOB_CORE_SETUP_DATA_H */
