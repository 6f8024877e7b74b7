// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks what a user asks for, and makes requests of what comes through the device.
 */
#include "khob/luo.h"
#include "radix.h"
#include "request.h"

static_assert(KHOB_SUBTREE_NAME_MAX == KHO_BRIDGE_NAME_MAX, "names are as long in both");
static_assert(KHOB_ORDER_MAX + 1 == KHO_BRIDGE_ORDERS, "so are lists of orders");

static int khob_no(const char **why, const char *sentence)
{
	*why = sentence;
	return -EINVAL;
}

static int khob_check_reserved(u32 reserved, const char **why)
{
	return reserved ? khob_no(why, "a field that has no meaning is not 0") : 0;
}

static int khob_check_flags(u32 flags, u32 known, const char **why)
{
	return flags & ~known ? khob_no(why, "a flag is not known") : 0;
}

/* Copies a name of at most @max bytes and a NUL; false if there is no NUL. */
static bool khob_copy_text(char *to, const char *from, size_t room)
{
	size_t i;

	for (i = 0; i < room; i++) {
		to[i] = from[i];
		if (!to[i])
			return true;
	}
	to[room - 1] = '\0';
	return false;
}

static int khob_copy_name(char *to, const char *from, const char **why)
{
	if (!khob_copy_text(to, from, KHO_BRIDGE_NAME_MAX + 1) || !khob_subtree_name_ok(to))
		return khob_no(why, KHOB_NAME_WANTED);
	return 0;
}

int khob_check_target(const struct khob_target *t, const char **why)
{
	u64 key;

	if (t->what != KHOB_WHAT_PAGE)
		return 0;
	if (t->order > KHOB_ORDER_MAX)
		return khob_no(why, "the order is out of range");
	if (khob_key_encode(t->pa, t->order, &key))
		return khob_no(why, "the address is not aligned to the order");
	return 0;
}

int khob_check_preserve(const struct khob_preserve_req *req, const char **why)
{
	if (!req->pages)
		return khob_no(why, "pages= wants a number above 0");
	if (req->order != KHOB_ORDER_MIXED && req->order > KHOB_ORDER_MAX)
		return khob_no(why, "order= wants a page order or mixed");
	if (req->scatter > 100)
		return khob_no(why, "scatter= wants a percentage from 0 to 100");
	if (req->order != KHOB_ORDER_MIXED && req->pages & (((u64)1 << req->order) - 1))
		return khob_no(why,
			       "pages= is no multiple of the pages of one folio of this order");
	return 0;
}

int khob_check_scratch(const struct khob_scratch_req *req, const char **why)
{
	if (req->align < KHOB_PAGE_SIZE || (req->align & (req->align - 1)))
		return khob_no(why, "the alignment is no power of two of at least a page");
	/* So that rounding up to pages or to the alignment cannot overflow. */
	if (!req->size || req->size > U64_MAX - req->align)
		return khob_no(why, "the size is out of range");
	return 0;
}

int khob_check_compact(const struct khob_compact_req *req, const char **why)
{
	return req->most ? 0 : khob_no(why, "all or a number of bytes above 0 is wanted");
}

int khob_check_put(const struct khob_fdt_subtree *sub, const char **why)
{
	/* A kernel that has LUO does not boot with anything else in it. */
	if (!strcmp(sub->name, KHOB_LUO_NAME))
		return khob_no(why, KHOB_LUO_NAME " is the Live Update Orchestrator's alone");
	return sub->size ? 0 : khob_no(why, "a subtree has at least one byte");
}

int khob_request_target(const struct kho_bridge_target *from, struct khob_target *t,
			const char **why)
{
	int err = khob_check_reserved(from->reserved, why);

	memset(t, 0, sizeof(*t));
	if (err)
		return err;
	switch (from->what) {
	case KHO_BRIDGE_ALL:
		t->what = KHOB_WHAT_ALL;
		return 0;
	case KHO_BRIDGE_PAGE:
		t->what = KHOB_WHAT_PAGE;
		t->pa = from->pa;
		t->order = from->order;
		return khob_check_target(t, why);
	case KHO_BRIDGE_SUBTREE:
		t->what = KHOB_WHAT_SUBTREE;
		return khob_copy_name(t->name, from->name, why);
	default:
		return khob_no(why, "all, a page or a subtree is wanted");
	}
}

int khob_request_preserve(const struct kho_bridge_preserve *from, struct khob_preserve_req *req,
			  const char **why)
{
	int err = khob_check_reserved(from->reserved, why);

	*req = (struct khob_preserve_req){
		.pages = from->pages,
		.order = from->order,
		.seed = from->seed,
		.scatter = from->scatter,
	};
	return err ? err : khob_check_preserve(req, why);
}

/* The version that @from names, @none for "". Return: 0 or -EINVAL. */
static int khob_copy_abi(const char *from, enum khob_abi none, enum khob_abi *abi,
			 const char **why)
{
	char name[KHO_BRIDGE_ABI_MAX];

	*abi = none;
	if (!*from)
		return 0;
	if (khob_copy_text(name, from, sizeof(name)))
		*abi = khob_abi_from_compatible(name);
	return *abi == none || *abi == KHOB_ABI_NR ?
		       khob_no(why, "a version that the schema has is wanted") : 0;
}

int khob_request_scratch(const struct kho_bridge_scratch *from, struct khob_scratch_req *req,
			 const char **why)
{
	int err = khob_check_reserved(from->reserved, why);

	*req = (struct khob_scratch_req){
		.what = KHOB_SCRATCH_TAKE,
		.low = from->flags & KHO_BRIDGE_SCRATCH_LOW,
		.node = from->node,
		.size = from->bytes,
		.align = from->align,
	};
	if (!err)
		err = khob_check_flags(from->flags, KHO_BRIDGE_SCRATCH_LOW, why);
	if (!err)
		err = khob_copy_abi(from->abi, KHOB_ABI_NR, &req->abi, why);
	return err ? err : khob_check_scratch(req, why);
}

int khob_request_compact(const struct kho_bridge_compact *from, struct khob_compact_req *req,
			 const char **why)
{
	int err = khob_check_flags(from->flags, KHO_BRIDGE_COMPACT_ALL, why);

	req->all = from->flags & KHO_BRIDGE_COMPACT_ALL;
	req->most = req->all ? U64_MAX : from->most;
	return err ? err : khob_check_compact(req, why);
}

int khob_request_put(const struct kho_bridge_put *from, struct khob_fdt_subtree *sub,
		     const char **why)
{
	int err = khob_check_reserved(from->reserved, why);

	memset(sub, 0, sizeof(*sub));
	sub->size = from->len;
	if (!err)
		err = khob_copy_name(sub->name, from->name, why);
	return err ? err : khob_check_put(sub, why);
}

int khob_request_open(const struct kho_bridge_open *from, char *name, const char **why)
{
	if (from->what > KHO_BRIDGE_OUT_EXTENTS)
		return khob_no(why, "what is to be opened is not known");
	if (from->keys && from->what != KHO_BRIDGE_BENCH)
		return khob_no(why, "a number of keys is for a bench only");
	if (from->what == KHO_BRIDGE_OUT_SUBTREE || from->what == KHO_BRIDGE_IN_SUBTREE)
		return khob_copy_name(name, from->name, why);
	*name = '\0';
	return *from->name ? khob_no(why, "a name is for a subtree only") : 0;
}

int khob_request_abi(const struct kho_bridge_abi *from, enum khob_abi *abi, const char **why)
{
	int err = khob_check_reserved(from->reserved, why);

	if (err)
		return err;
	return *from->abi ? khob_copy_abi(from->abi, KHOB_ABI_NR, abi, why) :
			    khob_no(why, "a version that the schema has is wanted");
}
