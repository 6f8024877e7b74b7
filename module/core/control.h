/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lines that are written to debugfs control files, parsed. Pure code, so
 * that the fuzzers reach it; docs/debugfs.md holds the grammar.
 */
#ifndef KHOB_CORE_CONTROL_H
#define KHOB_CORE_CONTROL_H

#include "request.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * target: "all" | "0xPHYS ORDER" | "subtree NAME"
 * preserve: "pages=N order=K|mixed seed=S [scatter=PERCENT]" (each once, any order of words)
 * put: "NAME SIZE"
 * scratch: "take SIZE ALIGN [low] [node=N] [abi=VERSION]" | "kernel" | "give"; kernel: its own
 *	KHO hands over, from its own scratch
 * compact: "all" | "BYTES"
 *
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
