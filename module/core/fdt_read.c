// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads FDTs that another kernel or a client wrote: the root FDT and, under
 * kho-v2, the FDT that a blob is or is wrapped in. Section numbers are those of
 * the Devicetree specification v0.4. Every offset is checked against its block
 * before use, and what libfdt's fdt_check_full() refuses is refused here.
 */
#include "fdt.h"

/* libfdt holds sizes in int. */
#define KHOB_FDT_TOTAL_MAX 0x7fffffffu

#define KHOB_FDT_FIELD(field) offsetof(struct khob_fdt_header, field)

/* An FDT whose header is sound: where its blocks are. */
struct khob_fdt_in {
	const u8 *base;
	u32 total;
	u32 struct_at;
	u32 struct_size; /* a multiple of 4 */
	u32 strings_at;
	u32 strings_size;
};

/* A walk over the structure block and the token that it stands at. */
struct khob_fdt_walk {
	const struct khob_fdt_in *in;
	u32 next; /* offset of the next token in the structure block, a multiple of 4 */
	u32 depth; /* nodes that are open, the one that this token begins included */
	bool closed; /* the root node has ended */
	bool props_over; /* a child has ended: its parent may have no more properties */
	u32 tag;
	const char *name; /* of the node or property */
	const u8 *value;
	u32 len;
};

static u32 khob_get32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

/* KHO ABI: values are native-endian; the format aligns them to 4 bytes only. */
static u64 khob_get_u64(const u8 *p)
{
	u64 value;

	memcpy(&value, p, sizeof(value));
	return value;
}

static bool khob_block_ok(const struct khob_fdt_in *in, u32 at, u32 size)
{
	return at >= sizeof(struct khob_fdt_header) && at <= in->total && size <= in->total - at;
}

/* Section 5.3: 8-byte aligned pairs of address and size up to one of size 0. */
static bool khob_rsvmap_ok(const struct khob_fdt_in *in, u32 at)
{
	static const u8 end[8];

	if (at % 8 || at < sizeof(struct khob_fdt_header))
		return false;
	for (; at <= in->total && in->total - at >= 16; at += 16)
		if (!memcmp(in->base + at + 8, end, sizeof(end)))
			return true;
	return false;
}

/* Reads the header (section 5.2). Return: NULL, or what is wrong with it. */
static const char *khob_fdt_open(struct khob_fdt_in *in, const void *buf, size_t size)
{
	const u8 *p = buf;
	u32 version, last_comp;

	if (size < sizeof(struct khob_fdt_header))
		return "the FDT is shorter than its header";
	if (khob_get32(p + KHOB_FDT_FIELD(magic)) != KHOB_FDT_MAGIC)
		return "the FDT has a wrong magic number";

	in->base = p;
	in->total = khob_get32(p + KHOB_FDT_FIELD(totalsize));
	if (in->total < sizeof(struct khob_fdt_header) || in->total > size ||
	    in->total > KHOB_FDT_TOTAL_MAX)
		return "the FDT's total size is out of range";

	version = khob_get32(p + KHOB_FDT_FIELD(version));
	last_comp = khob_get32(p + KHOB_FDT_FIELD(last_comp_version));
	if (version < KHOB_FDT_VERSION || last_comp > KHOB_FDT_VERSION)
		return "the FDT is of another format version";

	in->struct_at = khob_get32(p + KHOB_FDT_FIELD(off_dt_struct));
	in->struct_size = khob_get32(p + KHOB_FDT_FIELD(size_dt_struct));
	/* Section 5.6: the block is 4-byte aligned; each token fills a multiple of 4. */
	if (!khob_block_ok(in, in->struct_at, in->struct_size) ||
	    (in->struct_at | in->struct_size) % 4)
		return "the FDT's structure block is out of range";
	in->strings_at = khob_get32(p + KHOB_FDT_FIELD(off_dt_strings));
	in->strings_size = khob_get32(p + KHOB_FDT_FIELD(size_dt_strings));
	if (!khob_block_ok(in, in->strings_at, in->strings_size))
		return "the FDT's strings block is out of range";
	if (!khob_rsvmap_ok(in, khob_get32(p + KHOB_FDT_FIELD(off_mem_rsvmap))))
		return "the FDT's memory reservation block is out of range";
	return NULL;
}

/* What a token carries (section 5.4.1). As struct_size is a multiple of 4, padding fits. */
static const char *khob_fdt_carried(struct khob_fdt_walk *w, const u8 *p, u32 left)
{
	const struct khob_fdt_in *in = w->in;
	const u8 *nul;
	u32 name_at;

	if (w->tag == KHOB_FDT_BEGIN_NODE) {
		nul = memchr(p, 0, left);
		if (!nul)
			return "a node's name does not end";
		w->name = (const char *)p;
		w->next += ((u32)(nul - p) + 4) & ~3u;
		return NULL;
	}

	if (left < 8)
		return "a property does not end";
	w->len = khob_get32(p);
	name_at = khob_get32(p + 4);
	if (w->len > left - 8)
		return "a property's value is longer than the structure block";
	w->value = p + 8;
	w->next += 8 + ((w->len + 3) & ~3u);
	if (name_at >= in->strings_size ||
	    !memchr(in->base + in->strings_at + name_at, 0, in->strings_size - name_at))
		return "a property's name is not in the strings block";
	w->name = (const char *)in->base + in->strings_at + name_at;
	return NULL;
}

/* Whether the token may stand where it does (section 5.4.2). */
static const char *khob_fdt_placed(struct khob_fdt_walk *w)
{
	if (w->closed && w->tag != KHOB_FDT_END)
		return "something follows the FDT's root node";
	if (!w->depth && !w->closed && w->tag != KHOB_FDT_BEGIN_NODE)
		return "the FDT does not begin with its root node";

	switch (w->tag) {
	case KHOB_FDT_BEGIN_NODE:
		if (!w->depth != !*w->name)
			return "the FDT's root node has a name or another node has none";
		w->depth++;
		w->props_over = false;
		break;
	case KHOB_FDT_END_NODE:
		w->depth--;
		w->props_over = true;
		w->closed = !w->depth;
		break;
	case KHOB_FDT_PROP:
		if (w->props_over)
			return "a property follows a node";
		break;
	case KHOB_FDT_END:
		if (w->depth)
			return "the FDT ends inside a node";
		if (w->next != w->in->struct_size)
			return "the structure block is longer than what is in it";
		break;
	default: /* FDT_NOP */
		break;
	}
	return NULL;
}

/* On to the next token. Return: NULL, or what is wrong with it. */
static const char *khob_fdt_step(struct khob_fdt_walk *w)
{
	const char *why = NULL;
	const u8 *p = w->in->base + w->in->struct_at + w->next;
	u32 left = w->in->struct_size - w->next;

	if (left < 4)
		return "the structure block does not end";
	w->tag = khob_get32(p);
	w->next += 4;
	switch (w->tag) {
	case KHOB_FDT_BEGIN_NODE:
	case KHOB_FDT_PROP:
		why = khob_fdt_carried(w, p + 4, left - 4);
		break;
	case KHOB_FDT_END_NODE:
	case KHOB_FDT_NOP:
	case KHOB_FDT_END:
		break;
	default:
		return "the structure block holds an unknown token";
	}
	return why ? why : khob_fdt_placed(w);
}

static void khob_walk_begin(struct khob_fdt_walk *w, const struct khob_fdt_in *in)
{
	memset(w, 0, sizeof(*w));
	w->in = in;
}

/* Whether the string list (section 2.2.4) of this property names @compatible. */
static bool khob_walk_lists(const struct khob_fdt_walk *w, const char *compatible)
{
	size_t len = strlen(compatible) + 1;
	u32 at = 0;

	while (at < w->len) {
		const u8 *nul = memchr(w->value + at, 0, w->len - at);

		if (!nul)
			return false;
		if (w->len - at >= len && !memcmp(w->value + at, compatible, len))
			return true;
		at = (u32)(nul - w->value) + 1;
	}
	return false;
}

static bool khob_walk_is(const struct khob_fdt_walk *w, const char *prop)
{
	return !strcmp(w->name, prop);
}

/* A property that is one u64, there once, and not 0. */
static const char *khob_walk_u64(const struct khob_fdt_walk *w, u64 *value, const char *why)
{
	if (*value || w->len != sizeof(*value))
		return why;
	*value = khob_get_u64(w->value);
	return *value ? NULL : why;
}

static const char *khob_root_prop(const struct khob_fdt_walk *w, struct khob_fdt_info *info)
{
	unsigned int i;

	if (khob_walk_is(w, KHOB_PROP_MEMORY_MAP))
		return khob_walk_u64(w, &info->map_pa,
				     "the root FDT's preserved-memory-map is not one address");
	if (!khob_walk_is(w, KHOB_PROP_COMPATIBLE))
		return NULL;
	if (info->abi != KHOB_ABI_NR)
		return "the root FDT has two compatible properties";
	for (i = 0; i < KHOB_ABI_NR; i++)
		if (khob_walk_lists(w, khob_abi_compatible((enum khob_abi)i)))
			info->abi = (enum khob_abi)i;
	if (info->abi == KHOB_ABI_NR)
		return "the root FDT's compatible is no version that is known here: "
		       KHOB_COMPATIBLE_KHO_V2 ", " KHOB_COMPATIBLE_KHO_V3 " or "
		       KHOB_COMPATIBLE_KHO_V4;
	return NULL;
}

/* The root's properties are complete: nodes or the end follow. */
static const char *khob_root_done(const struct khob_fdt_info *info)
{
	if (info->abi == KHOB_ABI_NR)
		return "the root FDT has no compatible property";
	if (!info->map_pa)
		return "the root FDT has no preserved-memory-map";
	if (info->map_pa & (KHOB_PAGE_SIZE - 1))
		return "the root FDT's preserved-memory-map is not page aligned";
	return NULL;
}

static const char *khob_sub_prop(const struct khob_fdt_walk *w, enum khob_abi abi,
				 struct khob_fdt_subtree *sub)
{
	if (khob_walk_is(w, KHOB_PROP_DATA))
		return khob_walk_u64(w, &sub->addr,
				     "a subtree's preserved-data is not one address");
	if (khob_abi_has_blob_size(abi) && khob_walk_is(w, KHOB_PROP_BLOB_SIZE))
		return khob_walk_u64(w, &sub->size, "a subtree's blob-size is not one size");
	return NULL;
}

static const char *khob_sub_done(enum khob_abi abi, const struct khob_fdt_subtree *sub)
{
	if (!sub->addr)
		return "a subtree has no preserved-data";
	if (khob_abi_has_blob_size(abi) && !sub->size)
		return "a subtree has no blob-size";
	if (sub->size > U64_MAX - sub->addr)
		return "a subtree reaches behind the end of the address space";
	return NULL;
}

/* Whether a child of the root before the one that @w stands at has the same name. */
static bool khob_sub_twice(const struct khob_fdt_walk *w)
{
	struct khob_fdt_walk other;

	khob_walk_begin(&other, w->in);
	/* @w has been here before, so no step fails. */
	while (!khob_fdt_step(&other) && other.next < w->next)
		if (other.tag == KHOB_FDT_BEGIN_NODE && other.depth == 2 &&
		    !strcmp(other.name, w->name))
			return true;
	return false;
}

static const char *khob_sub_begin(const struct khob_fdt_walk *w, struct khob_fdt_info *info,
				  struct khob_fdt_subtree *sub, bool check)
{
	if (!khob_subtree_name_ok(w->name))
		return "a subtree has a name that none may have";
	if (++info->nr_subtrees > KHOB_SUBTREES_MAX)
		return "the root FDT names too many subtrees";
	if (check && khob_sub_twice(w))
		return "two subtrees have the same name";
	memset(sub, 0, sizeof(*sub));
	memcpy(sub->name, w->name, strlen(w->name));
	return NULL;
}

/* One pass over a root FDT: with no @fn to check it, then to hand out the subtrees. */
static int khob_root_pass(const struct khob_fdt_in *in, struct khob_fdt_info *info,
			  int (*fn)(void *ctx, const struct khob_fdt_subtree *sub), void *ctx)
{
	struct khob_fdt_subtree sub;
	struct khob_fdt_walk w;

	info->abi = KHOB_ABI_NR;
	info->map_pa = 0;
	info->nr_subtrees = 0;
	khob_walk_begin(&w, in);
	do {
		const char *why = khob_fdt_step(&w);
		bool sub_ends = w.tag == KHOB_FDT_END_NODE && w.depth == 1;

		if (!why && w.tag == KHOB_FDT_PROP && w.depth == 1)
			why = khob_root_prop(&w, info);
		else if (!why && w.tag == KHOB_FDT_PROP && w.depth == 2)
			why = khob_sub_prop(&w, info->abi, &sub);
		else if (!why && ((w.tag == KHOB_FDT_BEGIN_NODE && w.depth == 2) || w.closed))
			why = khob_root_done(info);
		else if (!why && sub_ends)
			why = khob_sub_done(info->abi, &sub);
		if (!why && w.tag == KHOB_FDT_BEGIN_NODE && w.depth == 2)
			why = khob_sub_begin(&w, info, &sub, !fn);
		if (why) {
			info->why = why;
			return -EINVAL;
		}
		if (fn && sub_ends) {
			int err = fn(ctx, &sub);

			if (err)
				return err;
		}
	} while (w.tag != KHOB_FDT_END);
	return 0;
}

int khob_fdt_read(const void *buf, size_t size, struct khob_fdt_info *info,
		  int (*sub)(void *ctx, const struct khob_fdt_subtree *sub), void *ctx)
{
	struct khob_fdt_in in;
	int err;

	memset(info, 0, sizeof(*info));
	info->abi = KHOB_ABI_NR;
	info->why = khob_fdt_open(&in, buf, size);
	if (!info->why && in.total > KHOB_FDT_SIZE_MAX)
		info->why = "the root FDT is too large";
	if (info->why)
		return -EINVAL;
	err = khob_root_pass(&in, info, NULL, NULL);
	return err || !sub ? err : khob_root_pass(&in, info, sub, ctx);
}

int khob_fdt_unwrap(const void *buf, size_t max, const void **data, size_t *len,
		    const char **why)
{
	const u8 *payload = NULL;
	struct khob_fdt_in in;
	struct khob_fdt_walk w;
	bool wrapper = false;
	u32 payload_len = 0;

	*why = khob_fdt_open(&in, buf, max);
	if (*why)
		return -EINVAL;
	khob_walk_begin(&w, &in);
	do {
		*why = khob_fdt_step(&w);
		if (*why)
			return -EINVAL;
		if (w.tag != KHOB_FDT_PROP || w.depth != 1)
			continue;
		if (khob_walk_is(&w, KHOB_PROP_COMPATIBLE)) {
			wrapper = khob_walk_lists(&w, KHOB_BLOB_COMPATIBLE);
		} else if (khob_walk_is(&w, KHOB_BLOB_PROP)) {
			payload = w.value;
			payload_len = w.len;
		}
	} while (w.tag != KHOB_FDT_END);

	if (wrapper && !payload) {
		*why = "the wrapper of a blob has no data";
		return -EINVAL;
	}
	*data = wrapper ? (const void *)payload : buf;
	*len = wrapper ? payload_len : in.total;
	return 0;
}

bool khob_fdt_is_whole(const void *data, size_t len)
{
	const void *inside;
	const char *why;
	size_t inside_len;

	/* A wrapper counts as bytes: it is wrapped again, and once unwrapped it is itself. */
	return !khob_fdt_unwrap(data, len, &inside, &inside_len, &why) && inside == data &&
	       inside_len == len;
}
