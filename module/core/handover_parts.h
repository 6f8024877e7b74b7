/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files that read a handover share: handover.c has the order of things, the others
 * its steps. Nobody else includes it.
 */
#ifndef KHOB_CORE_HANDOVER_PARTS_H
#define KHOB_CORE_HANDOVER_PARTS_H

#include "handover.h"

/* For %llx: u64 is another type in a program. */
#define KHOB_LL(x) ((unsigned long long)(x))

/* handover.c */

/* Keeps the first sentence. Return: -EBADMSG. */
__attribute__((format(printf, 2, 3)))
int khob_damaged(struct khob_handover *h, const char *fmt, ...);

/* Sorts @nr elements of @size bytes at @base; no order that they may have makes it slow. */
void khob_sort(void *base, u64 nr, size_t size, int (*cmp)(const void *a, const void *b));

/* handover_spans.c */
int khob_handover_chain(struct khob_handover *h, u64 setup_data);
int khob_handover_add_span(struct khob_handover *h, u64 *room, u64 start, u64 end);
int khob_handover_settle_spans(struct khob_handover *h);
int khob_handover_prove_edges(struct khob_handover *h);
void khob_handover_forget_spans(struct khob_handover *h);

/* handover_fdt.c */

/**
 * struct khob_blob - a copy of a blob
 * @copy: of all that stands there; for ops->free()
 * @size: bytes of it
 * @data: in it: what the blob is
 * @len: bytes
 */
struct khob_blob {
	u8 *copy;
	u64 size;
	const void *data;
	size_t len;
};

/*
 * A copy of a subtree's blob, which with all that is around it has at most @room bytes.
 * Whatever comes back, @blob->copy is to be freed.
 */
int khob_copy_blob(struct khob_handover *h, const struct khob_handed *sub, u64 room,
		   struct khob_blob *blob);
int khob_handover_fdt(struct khob_handover *h);
int khob_handover_place(struct khob_handover *h);

/* handover_meta.c */
int khob_read_meta(struct khob_handover *h, const struct khob_handed *sub);
int khob_check_chunks(struct khob_handover *h);
int khob_handover_records(struct khob_handover *h);
int khob_handover_metadata(struct khob_handover *h);

/* handover_tree.c */
int khob_handover_held(struct khob_handover *h);
int khob_handover_others(struct khob_handover *h);
int khob_handover_tree(struct khob_handover *h);

/* handover_keep.c */
int khob_handover_keep(struct khob_handover *h);

#endif /* KHOB_CORE_HANDOVER_PARTS_H */
