/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lines that are written to debugfs control files, parsed. Pure code, so
 * that the fuzzers reach it; docs/debugfs.md holds the grammar.
 */
#ifndef KHOB_CORE_CONTROL_H
#define KHOB_CORE_CONTROL_H

#include "fdt.h"

#ifdef __cplusplus
extern "C" {
#endif

enum khob_what { KHOB_WHAT_ALL, KHOB_WHAT_PAGE, KHOB_WHAT_SUBTREE };

/* "all" | "0xPHYS ORDER" | "subtree NAME" */
struct khob_target {
	enum khob_what what;
	u64 pa;
	unsigned int order;
	char name[KHOB_SUBTREE_NAME_MAX + 1];
};

#define KHOB_ORDER_MIXED 0xffffffffu

/* "pages=N order=K|mixed seed=S [scatter=PERCENT]" (each once, any order of words) */
struct khob_preserve_req {
	u64 pages;
	unsigned int order; /* or KHOB_ORDER_MIXED */
	u64 seed;
	unsigned int scatter; /* percent, 0..100; 0: contiguous only */
};

#define KHOB_NODE_ANY 0xffffffffu

/*
 * "take SIZE ALIGN [low] [node=N] [abi=VERSION]" | "kernel" | "give"; bytes, @align a power of
 * two of at least a page; low: below 4 GiB; kernel: its own KHO hands over, from its own scratch
 */
enum khob_scratch_what { KHOB_SCRATCH_GIVE, KHOB_SCRATCH_TAKE, KHOB_SCRATCH_KERNEL };

struct khob_scratch_req {
	enum khob_scratch_what what;
	bool low;
	u32 node; /* or KHOB_NODE_ANY */
	enum khob_abi abi; /* of this freeze only; or KHOB_ABI_NR: the one that is set */
	u64 size;
	u64 align;
};

/* "all" | "BYTES" */
struct khob_compact_req {
	bool all; /* what is scattered, and the chunks that are worth emptying */
	u64 most; /* bytes at most, and only of what is scattered; U64_MAX with @all */
};

/*
 * Each parses one line of @len bytes (one trailing newline allowed, no NUL).
 * Numbers are decimal or 0x hex and must fit. Return: 0, or -EINVAL with one
 * sentence without a full stop in *@why; the result is then not to be used.
 */
int khob_parse_u64(const char *line, size_t len, u64 *value, const char **why);
int khob_parse_target(const char *line, size_t len, struct khob_target *t, const char **why);
int khob_parse_preserve(const char *line, size_t len, struct khob_preserve_req *req,
			const char **why);
int khob_parse_put(const char *line, size_t len, struct khob_fdt_subtree *sub, const char **why);
int khob_parse_scratch(const char *line, size_t len, struct khob_scratch_req *req,
		       const char **why);
int khob_parse_compact(const char *line, size_t len, struct khob_compact_req *req,
		       const char **why);

#ifdef __cplusplus
}
#endif

#endif /* KHOB_CORE_CONTROL_H */
