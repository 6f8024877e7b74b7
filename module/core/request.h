/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a user asks for, whichever way it came: structs of /dev/kho_bridge become requests
 * here, lines of debugfs in control.c, and both are checked here. Pure code, so that the
 * fuzzers reach it.
 */
#ifndef KHOB_CORE_REQUEST_H
#define KHOB_CORE_REQUEST_H

#include "fdt.h"
#include "uapi/linux/kho_bridge.h"

#ifdef __cplusplus
extern "C" {
#endif

enum khob_what { KHOB_WHAT_ALL, KHOB_WHAT_PAGE, KHOB_WHAT_SUBTREE };

/* What is said of a name that none can have. */
#define KHOB_NAME_WANTED "a subtree's name is 1 to 63 characters of A-Z a-z 0-9 , . _ + -"

struct khob_target {
	enum khob_what what;
	u64 pa;
	unsigned int order;
	char name[KHOB_SUBTREE_NAME_MAX + 1];
};

#define KHOB_ORDER_MIXED KHO_BRIDGE_ORDER_MIXED

struct khob_preserve_req {
	u64 pages;
	unsigned int order; /* or KHOB_ORDER_MIXED */
	u64 seed;
	unsigned int scatter; /* percent, 0..100; 0: contiguous only */
};

#define KHOB_NODE_ANY KHO_BRIDGE_NODE_ANY

enum khob_scratch_what { KHOB_SCRATCH_GIVE, KHOB_SCRATCH_TAKE, KHOB_SCRATCH_KERNEL };

struct khob_scratch_req {
	enum khob_scratch_what what;
	bool low; /* below 4 GiB */
	u32 node; /* or KHOB_NODE_ANY */
	enum khob_abi abi; /* of this freeze only; or KHOB_ABI_NR: the one that is set */
	u64 size; /* bytes */
	u64 align; /* bytes, a power of two of at least a page */
};

struct khob_compact_req {
	bool all; /* what is scattered, and the chunks that are worth emptying */
	u64 most; /* bytes at most, and only of what is scattered; U64_MAX with @all */
};

/*
 * What holds for a request however it came. Return: 0; or -EINVAL, with one sentence
 * without a full stop in *@why.
 */
int khob_check_target(const struct khob_target *t, const char **why);
int khob_check_preserve(const struct khob_preserve_req *req, const char **why);
int khob_check_scratch(const struct khob_scratch_req *req, const char **why);
int khob_check_compact(const struct khob_compact_req *req, const char **why);
int khob_check_put(const struct khob_fdt_subtree *sub, const char **why);

/*
 * A struct of the device's becomes a request that has been checked. Nothing is assumed of it;
 * names need not end in NUL. Return: as above; what was made is then not to be used.
 */
int khob_request_target(const struct kho_bridge_target *from, struct khob_target *t,
			const char **why);
int khob_request_preserve(const struct kho_bridge_preserve *from, struct khob_preserve_req *req,
			  const char **why);
int khob_request_scratch(const struct kho_bridge_scratch *from, struct khob_scratch_req *req,
			 const char **why);
int khob_request_compact(const struct kho_bridge_compact *from, struct khob_compact_req *req,
			 const char **why);
int khob_request_put(const struct kho_bridge_put *from, struct khob_fdt_subtree *sub,
		     const char **why);
/* @name has room for KHO_BRIDGE_NAME_MAX + 1; it is empty where no name is wanted. */
int khob_request_open(const struct kho_bridge_open *from, char *name, const char **why);
int khob_request_abi(const struct kho_bridge_abi *from, enum khob_abi *abi, const char **why);

#ifdef __cplusplus
}
#endif

#endif /* KHOB_CORE_REQUEST_H */
