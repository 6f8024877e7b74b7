// SPDX-License-Identifier: GPL-2.0-only
/*
 * The blobs that kho_bridge itself hands over: what it says of the tree, what pages and
 * blobs must hold, and which kernel it was.
 */
#include "handover_parts.h"

/* What a struct khob_meta takes at most, with the room that it was given for more pieces. */
#define KHOB_META_BYTES_MAX \
	(sizeof(struct khob_meta) + 2 * KHOB_META_CHUNKS_MAX * sizeof(struct khob_chunk))

/* 1. Of the tree. */

u64 khob_meta_digest(struct khob_meta *meta)
{
	u64 was = meta->digest, digest;

	meta->digest = 0;
	digest = khob_xxh64(meta, sizeof(*meta) + meta->nr_chunks * sizeof(meta->chunks[0]));
	meta->digest = was;
	return digest;
}

/* @meta: the copy, of @len bytes */
static int khob_use_meta(struct khob_handover *h, struct khob_meta *meta, u64 len)
{
	if (meta->magic != KHOB_META_MAGIC)
		return khob_damaged(h, "meta blob: it begins with 0x%llx, which is not ours",
				    KHOB_LL(meta->magic));
	if (meta->version != KHOB_META_VERSION)
		return khob_damaged(h, "its metadata has version %u, this module takes version %u",
				    meta->version, KHOB_META_VERSION);
	if (meta->nr_chunks > KHOB_META_CHUNKS_MAX ||
	    meta->nr_chunks > (len - sizeof(*meta)) / sizeof(meta->chunks[0]))
		return khob_damaged(h, "meta blob: %u chunks do not fit into %llu bytes",
				    meta->nr_chunks, KHOB_LL(len));
	if (meta->digest != khob_meta_digest(meta))
		return khob_damaged(h, "meta blob: it is not what was handed over");
	h->chunks = meta->chunks;
	h->nr_chunks = meta->nr_chunks;
	return 0;
}

/* What the blob of @sub says; it was not placed yet. */
int khob_read_meta(struct khob_handover *h, const struct khob_handed *sub)
{
	struct khob_span *s = khob_handover_span(h, sub->pa, sub->pa + 1);
	u64 room = khob_fdt_wrap_size(KHOB_META_BYTES_MAX);
	struct khob_blob blob = { .len = 0 };
	int ret;

	if (!s && !h->ops->held)
		return khob_damaged(h, "meta blob: 0x%llx is in no covered interval",
				    KHOB_LL(sub->pa));
	if (s && s->end - sub->pa < room)
		room = s->end - sub->pa;
	ret = khob_copy_blob(h, sub, room, &blob);
	if (!ret && blob.len < sizeof(*h->meta))
		ret = khob_damaged(h, "meta blob: %llu bytes cannot hold it", KHOB_LL(blob.len));
	if (!ret) {
		/* In a copy of its own it is aligned, whatever was around it. */
		h->meta = h->ops->alloc(h->ctx, blob.len);
		ret = h->meta ? 0 : -ENOMEM;
	}
	if (!ret) {
		memcpy(h->meta, blob.data, blob.len);
		ret = khob_use_meta(h, h->meta, blob.len);
	}
	h->ops->free(h->ctx, blob.copy);
	return ret;
}

static int khob_chunk_cmp(const void *a, const void *b)
{
	const struct khob_chunk *x = a, *y = b;

	if (x->addr == y->addr)
		return 0;
	return x->addr < y->addr ? -1 : 1;
}

/* The pieces of metadata, ascending and apart; each in memory that was handed over. */
int khob_check_chunks(struct khob_handover *h)
{
	u64 i, end = 0;

	khob_sort(h->chunks, h->nr_chunks, sizeof(*h->chunks), khob_chunk_cmp);
	for (i = 0; i < h->nr_chunks; i++) {
		u64 addr = h->chunks[i].addr, size = h->chunks[i].size;

		if ((addr | size) & (KHOB_PAGE_SIZE - 1) || !size || addr < end ||
		    addr > h->ops->end_pa || size > h->ops->end_pa - addr ||
		    (!h->ops->held && !khob_handover_span(h, addr, addr + size)))
			return khob_damaged(h, "meta blob: chunk 0x%llx+0x%llx is not covered",
					    KHOB_LL(addr), KHOB_LL(size));
		end = addr + size;
	}
	return 0;
}

/* 2. Of pages and blobs. */

/* The subtree whose bytes are these, or NULL. */
static struct khob_handed *khob_handed_bytes(struct khob_handover *h, u64 pa, u64 len)
{
	u64 from = 0, to = h->nr_subtrees;

	while (from < to) {
		u64 at = from + (to - from) / 2;
		struct khob_handed *sub = &h->subtrees[at];

		if (pa < sub->pa)
			to = at;
		else if (pa > sub->pa)
			from = at + 1;
		else
			return sub->len == len && !sub->gone ? sub : NULL;
	}
	return NULL;
}

/* A blob keeps the digest that its first kernel gave it, over any number of kexecs. */
static int khob_use_record(struct khob_handover *h, const struct khob_record *rec)
{
	struct khob_handed *sub;

	if (rec->kind != KHOB_RECORD_BLOB)
		return 0;
	sub = khob_handed_bytes(h, rec->addr, rec->size);
	if (sub) {
		sub->digest = rec->digest;
		sub->has_digest = true;
		return 0;
	}
	/* Others may have it by now; else its own FDT does not say any more how long it was. */
	if (!h->meta ||
	    (h->ops->held && !khob_handover_span(h, rec->addr, rec->addr + rec->size)))
		return 0;
	return khob_damaged(h, "records: no subtree has the %llu bytes at 0x%llx any more",
			    KHOB_LL(rec->size), KHOB_LL(rec->addr));
}

int khob_handover_records(struct khob_handover *h)
{
	const struct khob_handed *sub = khob_handover_subtree(h, KHOB_RECORDS_NAME);
	struct khob_blob blob = { .len = 0 };
	struct khob_span *s;
	u64 addr, i;
	int ret;

	if (!sub)
		return 0;
	addr = sub->wrap_pa ? sub->wrap_pa : sub->pa;
	s = khob_handover_span(h, addr, addr + 1);
	ret = khob_copy_blob(h, sub, s->end - addr, &blob);
	if (!ret && h->meta && khob_xxh64(blob.data, blob.len) != h->meta->records_digest)
		ret = khob_damaged(h, "records: they are not what was handed over");
	if (!ret) {
		h->records = h->ops->alloc(h->ctx, blob.len);
		ret = h->records ? 0 : -ENOMEM;
	}
	if (!ret) {
		h->nr_records = blob.len / sizeof(*h->records);
		memcpy(h->records, blob.data, h->nr_records * sizeof(*h->records));
		for (i = 0; !ret && i < h->nr_records; i++)
			ret = khob_use_record(h, &h->records[i]);
	}
	h->ops->free(h->ctx, blob.copy);
	return ret;
}

/* 3. Of the kernel. */

int khob_handover_metadata(struct khob_handover *h)
{
	const struct khob_handed *sub = khob_handover_subtree(h, KHOB_KEXEC_METADATA_NAME);
	struct khob_kexec_metadata km;
	char *c;

	/* It is nobody's but shown: what is not as it should be is not shown. */
	if (!sub || sub->len < sizeof(km) || h->ops->read(h->ctx, sub->pa, &km, sizeof(km)) ||
	    (sub->has_digest && khob_xxh64(&km, sizeof(km)) != sub->digest) ||
	    km.version != KHOB_KEXEC_METADATA_VERSION)
		return 0;
	h->kexec_count = km.kexec_count;
	/* The last byte of the copy is never written: it ends the string. */
	memcpy(h->previous_release, km.previous_release, sizeof(km.previous_release));
	/* It is shown in a line of `status`: another kernel does not get to write more lines. */
	for (c = h->previous_release; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return 0;
}
