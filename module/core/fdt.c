// SPDX-License-Identifier: GPL-2.0-only
/*
 * The root FDT and the wrapper FDT: writer and reader. The format is that of the
 * Devicetree specification v0.4 chapter 5: big-endian header, memory reservation
 * block, structure block of 32-bit tokens, strings block. It is written and read
 * byte by byte, so neither endianness nor alignment of the buffer matters.
 */
#include "fdt.h"

#define KHOB_FDT_HEADER_SIZE sizeof(struct khob_fdt_header)
/* Chapter 5.3: entries of two u64, the last one 0, 0. We write that one only. */
#define KHOB_FDT_RSV_SIZE 16
/* Chapter 5.4.1: token, length, offset of the name. */
#define KHOB_FDT_PROP_SIZE 12
/* libfdt holds sizes in int: a larger FDT is one that others cannot read. */
#define KHOB_FDT_TOTAL_MAX 0x7fffffffu

#define KHOB_FDT_FIELD(field) offsetof(struct khob_fdt_header, field)

/* KHO ABI: which root compatible goes with which version, and what it holds. */
static const struct {
	const char *compatible;
	bool has_blob_size;
} khob_abis[KHOB_ABI_NR] = {
	[KHOB_ABI_KHO_V2] = { KHOB_COMPATIBLE_KHO_V2, KHOB_HAS_BLOB_SIZE_KHO_V2 },
	[KHOB_ABI_KHO_V3] = { KHOB_COMPATIBLE_KHO_V3, KHOB_HAS_BLOB_SIZE_KHO_V3 },
	[KHOB_ABI_KHO_V4] = { KHOB_COMPATIBLE_KHO_V4, KHOB_HAS_BLOB_SIZE_KHO_V4 },
};

static bool khob_abi_valid(enum khob_abi abi)
{
	return (unsigned int)abi < KHOB_ABI_NR;
}

enum khob_abi khob_abi_from_compatible(const char *compatible)
{
	unsigned int i;

	for (i = 0; i < KHOB_ABI_NR; i++)
		if (!strcmp(compatible, khob_abis[i].compatible))
			break;
	return (enum khob_abi)i;
}

const char *khob_abi_compatible(enum khob_abi abi)
{
	return khob_abi_valid(abi) ? khob_abis[abi].compatible : "unknown";
}

bool khob_abi_has_blob_size(enum khob_abi abi)
{
	return khob_abi_valid(abi) && khob_abis[abi].has_blob_size;
}

bool khob_subtree_name_ok(const char *name)
{
	size_t i;

	for (i = 0; name[i]; i++) {
		char c = name[i];

		if (i == KHOB_SUBTREE_NAME_MAX)
			return false;
		/* Chapter 2.2.1, table 2.1; no unit address. */
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9') || c == ',' || c == '.' || c == '_' || c == '+' ||
		      c == '-'))
			return false;
	}
	/* Names become file names. */
	return i && strcmp(name, ".") && strcmp(name, "..");
}

/* Chapter 5.4.1: tokens are 32-bit aligned, what they carry is padded. */
static size_t khob_align4(size_t x)
{
	return (x + 3) & ~(size_t)3;
}

static void khob_put32(u8 *p, u32 value)
{
	p[0] = value >> 24;
	p[1] = value >> 16 & 0xff;
	p[2] = value >> 8 & 0xff;
	p[3] = value & 0xff;
}

/*
 * The writer. It goes over the tree twice: with no buffer to measure, then to
 * write, so that both always agree.
 */
struct khob_fdt_out {
	u8 *base; /* NULL: measure */
	size_t at; /* offset of the next byte */
};

static const char *const khob_root_strings[] = {
	KHOB_PROP_COMPATIBLE,
	KHOB_PROP_MEMORY_MAP,
	KHOB_PROP_DATA,
	KHOB_PROP_BLOB_SIZE,
};

static const char *const khob_wrap_strings[] = { KHOB_PROP_COMPATIBLE, KHOB_BLOB_PROP };

/* Bytes and their padding; no bytes given means zeroes. */
static void khob_out_bytes(struct khob_fdt_out *out, const void *bytes, size_t len)
{
	size_t padded = khob_align4(len);

	if (out->base) {
		memset(out->base + out->at + (bytes ? len : 0), 0, padded - (bytes ? len : 0));
		if (bytes)
			memcpy(out->base + out->at, bytes, len);
	}
	out->at += padded;
}

static void khob_out32(struct khob_fdt_out *out, u32 value)
{
	if (out->base)
		khob_put32(out->base + out->at, value);
	out->at += sizeof(value);
}

static void khob_out_node(struct khob_fdt_out *out, const char *name)
{
	khob_out32(out, KHOB_FDT_BEGIN_NODE);
	khob_out_bytes(out, name, strlen(name) + 1);
}

/* @name is an index of @strings, which khob_out_finish() writes in this order. */
static void khob_out_prop(struct khob_fdt_out *out, const char *const *strings, unsigned int name,
			  const void *value, size_t len)
{
	u32 name_at = 0;
	unsigned int i;

	for (i = 0; i < name; i++)
		name_at += strlen(strings[i]) + 1;
	khob_out32(out, KHOB_FDT_PROP);
	khob_out32(out, len);
	khob_out32(out, name_at);
	khob_out_bytes(out, value, len);
}

/* KHO ABI: values are native-endian u64, not cells. */
static void khob_out_u64(struct khob_fdt_out *out, const char *const *strings, unsigned int name,
			 u64 value)
{
	khob_out_prop(out, strings, name, &value, sizeof(value));
}

static void khob_out_begin(struct khob_fdt_out *out, void *base)
{
	out->base = base;
	out->at = KHOB_FDT_HEADER_SIZE + KHOB_FDT_RSV_SIZE;
}

/* Ends the structure block, writes strings and header. Return: totalsize. */
static size_t khob_out_finish(struct khob_fdt_out *out, const char *const *strings,
			      unsigned int nr_strings)
{
	const size_t struct_at = KHOB_FDT_HEADER_SIZE + KHOB_FDT_RSV_SIZE;
	size_t strings_at;
	unsigned int i;

	khob_out32(out, KHOB_FDT_END);
	strings_at = out->at;
	for (i = 0; i < nr_strings; i++) {
		size_t len = strlen(strings[i]) + 1;

		if (out->base)
			memcpy(out->base + out->at, strings[i], len);
		out->at += len;
	}
	if (!out->base)
		return out->at;

	memset(out->base, 0, struct_at);
	khob_put32(out->base + KHOB_FDT_FIELD(magic), KHOB_FDT_MAGIC);
	khob_put32(out->base + KHOB_FDT_FIELD(totalsize), out->at);
	khob_put32(out->base + KHOB_FDT_FIELD(off_dt_struct), struct_at);
	khob_put32(out->base + KHOB_FDT_FIELD(off_dt_strings), strings_at);
	khob_put32(out->base + KHOB_FDT_FIELD(off_mem_rsvmap), KHOB_FDT_HEADER_SIZE);
	khob_put32(out->base + KHOB_FDT_FIELD(version), KHOB_FDT_VERSION);
	khob_put32(out->base + KHOB_FDT_FIELD(last_comp_version), KHOB_FDT_COMP_VERSION);
	khob_put32(out->base + KHOB_FDT_FIELD(size_dt_strings), out->at - strings_at);
	khob_put32(out->base + KHOB_FDT_FIELD(size_dt_struct), strings_at - struct_at);
	return out->at;
}

static size_t khob_fdt_make(void *base, enum khob_abi abi, u64 map_pa,
			    const struct khob_fdt_subtree *subs, size_t nr)
{
	const char *const *strings = khob_root_strings;
	const char *compatible = khob_abi_compatible(abi);
	struct khob_fdt_out out;
	size_t i;

	khob_out_begin(&out, base);
	khob_out_node(&out, "");
	khob_out_prop(&out, strings, 0, compatible, strlen(compatible) + 1);
	khob_out_u64(&out, strings, 1, map_pa);
	for (i = 0; i < nr; i++) {
		khob_out_node(&out, subs[i].name);
		khob_out_u64(&out, strings, 2, subs[i].addr);
		if (khob_abi_has_blob_size(abi))
			khob_out_u64(&out, strings, 3, subs[i].size);
		khob_out32(&out, KHOB_FDT_END_NODE);
	}
	khob_out32(&out, KHOB_FDT_END_NODE);
	return khob_out_finish(&out, strings, khob_abi_has_blob_size(abi) ? 4 : 3);
}

/* What the reader would refuse is not written. */
static bool khob_fdt_writable(enum khob_abi abi, u64 map_pa, const struct khob_fdt_subtree *subs,
			      size_t nr)
{
	size_t i, j;

	if (!khob_abi_valid(abi) || !map_pa || (map_pa & (KHOB_PAGE_SIZE - 1)) ||
	    nr > KHOB_SUBTREES_MAX)
		return false;
	for (i = 0; i < nr; i++) {
		if (!memchr(subs[i].name, '\0', sizeof(subs[i].name)) ||
		    !khob_subtree_name_ok(subs[i].name) || !subs[i].addr)
			return false;
		if (khob_abi_has_blob_size(abi) &&
		    (!subs[i].size || subs[i].size > U64_MAX - subs[i].addr))
			return false;
		for (j = 0; j < i; j++)
			if (!strcmp(subs[i].name, subs[j].name))
				return false;
	}
	return true;
}

size_t khob_fdt_size(enum khob_abi abi, const struct khob_fdt_subtree *subs, size_t nr)
{
	/* The address of the map does not change the size: any good one will do. */
	if (!khob_fdt_writable(abi, KHOB_PAGE_SIZE, subs, nr))
		return 0;
	return khob_fdt_make(NULL, abi, KHOB_PAGE_SIZE, subs, nr);
}

long khob_fdt_write(void *buf, size_t size, enum khob_abi abi, u64 map_pa,
		    const struct khob_fdt_subtree *subs, size_t nr)
{
	if (!khob_fdt_writable(abi, map_pa, subs, nr))
		return -EINVAL;
	if (khob_fdt_make(NULL, abi, map_pa, subs, nr) > size)
		return -ENOSPC;
	return khob_fdt_make(buf, abi, map_pa, subs, nr);
}

static size_t khob_fdt_wrap_make(void *base, const void *data, size_t len, void **payload)
{
	const char *const *strings = khob_wrap_strings;
	struct khob_fdt_out out;

	khob_out_begin(&out, base);
	khob_out_node(&out, "");
	khob_out_prop(&out, strings, 0, KHOB_BLOB_COMPATIBLE, sizeof(KHOB_BLOB_COMPATIBLE));
	if (payload)
		*payload = out.base + out.at + KHOB_FDT_PROP_SIZE;
	khob_out_prop(&out, strings, 1, data, len);
	khob_out32(&out, KHOB_FDT_END_NODE);
	return khob_out_finish(&out, strings, 2);
}

size_t khob_fdt_wrap_size(size_t len)
{
	size_t around = khob_fdt_wrap_make(NULL, NULL, 0, NULL);

	if (len > KHOB_FDT_TOTAL_MAX - around - 3)
		return 0;
	return around + khob_align4(len);
}

long khob_fdt_wrap(void *buf, size_t size, const void *data, size_t len, void **payload)
{
	size_t need = khob_fdt_wrap_size(len);

	if (!need || need > size)
		return -ENOSPC;
	return khob_fdt_wrap_make(buf, data, len, payload);
}
