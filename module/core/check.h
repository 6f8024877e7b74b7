/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading a tree that another kernel wrote. Nothing in it is trusted: every
 * node and every key is shown to the caller before it is used, a node that is
 * reached twice (a cycle, a shared child) is refused, and counts are bounded.
 */
#ifndef KHOB_CORE_CHECK_H
#define KHOB_CORE_CHECK_H

#include "radix.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct khob_check_ops - what the caller knows about memory
 * @node: the node at @pa (page aligned, not 0, below the limit), or NULL if there is no
 *	such memory or it was given out before: the caller claims each node once
 * @key: a page that the tree holds, aligned to its order and inside the limit; other
 *	than 0 refuses it (not RAM, claimed twice, ...)
 * @word: pages of order 0, aligned and inside the limit: of the 64 from @pa on those whose bit is
 *	set. Other than true: it has not looked at them, and @key is to be asked of each. NULL:
 *	it always is.
 * @why: if @node or @key refuse, what to say of it
 */
struct khob_check_ops {
	const void *(*node)(void *ctx, u64 pa, unsigned int level, const char **why);
	int (*key)(void *ctx, u64 pa, unsigned int order, const char **why);
	bool (*word)(void *ctx, u64 pa, u64 bits);
};

/**
 * struct khob_check_limits - bounds
 * @end_pa: first physical address behind memory, in bytes
 * @max_nodes: no tree has more nodes
 */
struct khob_check_limits {
	u64 end_pa;
	u64 max_nodes;
};

/**
 * struct khob_check_result - what was found
 * @nr_keys: keys seen
 * @nr_nodes: nodes seen
 * @digest: as khob_radix_digest()
 * @why: on failure one sentence without a full stop
 * @bad_pa: on failure the physical address of the node or page it is about
 * @bad_level: on failure the level of the node that holds the bad entry
 */
struct khob_check_result {
	u64 nr_keys;
	u64 nr_nodes;
	u64 digest;
	const char *why;
	u64 bad_pa;
	unsigned int bad_level;
};

/* Walks the tree at @root_pa. Return: 0; -EINVAL with @res->why; what @ops->key returned. */
int khob_check_tree(u64 root_pa, const struct khob_check_ops *ops, void *ctx,
		    const struct khob_check_limits *limits, struct khob_check_result *res);

#ifdef __cplusplus
}
#endif

#endif /* KHOB_CORE_CHECK_H */
