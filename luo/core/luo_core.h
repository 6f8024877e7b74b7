/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What another kernel's Live Update Orchestrator has written: the whole decision whether it may
 * be believed. Every byte is copied once and the copy is checked; nothing is changed and nothing
 * is given away here. No kernel calls: unit tests and fuzzers compile the same files.
 */
#ifndef LUO_CORE_H
#define LUO_CORE_H

#include "core/port.h"
#include "khob/keep.h"
#include "khob/late_room.h"
#include "khob/luo.h"
#include "khob/memfd.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct luo_reader_ops - what the caller knows of memory, and what it is told
 * @read: copies @len bytes from physical address @pa; other than 0 if that is not memory that
 *	another kernel may have left. It never faults.
 * @claim: a page that is a block or a header, before it is read, each once in all; -EEXIST for one
 *	that was claimed before
 * @session: a session; its files follow
 * @file: a file of the session before
 *
 * A value other than 0 of any of them ends it all.
 */
struct luo_reader_ops {
	int (*read)(void *ctx, u64 pa, void *to, u64 len);
	int (*claim)(void *ctx, u64 pa);
	int (*session)(void *ctx, const struct khob_luo_session_ser *ser);
	int (*file)(void *ctx, const struct khob_luo_file_ser *ser);
};

/**
 * struct luo_reader - one reading
 * @ops: see there
 * @ctx: for them
 * @end_pa: the first physical address behind memory, in bytes
 * @why: if it was refused: one sentence without a full stop; or NULL
 * @where: the physical address that the sentence is about; or 0
 * @ser: a copy of the root
 * @sessions: how many have been told
 * @files: how many have been told, in all sessions
 * @digest: of these, as kept files have one
 * @session_block: a copy of the block of sessions that is being read
 * @file_block: a copy of the block of files that is being read
 */
struct luo_reader {
	const struct luo_reader_ops *ops;
	void *ctx;
	u64 end_pa;
	const char *why;
	u64 where;
	struct khob_luo_ser ser;
	u64 sessions;
	u64 files;
	u64 digest;
	__u64 session_block[KHOB_BLOCK_SIZE / sizeof(__u64)];
	__u64 file_block[KHOB_BLOCK_SIZE / sizeof(__u64)];
};

int luo_read(struct luo_reader *r, u64 pa, u64 len);
int luo_read_files(struct luo_reader *r, u64 block, const struct khob_luo_file_set_ser *set);
int luo_claim(struct luo_reader *r, u64 pa);
int luo_refuse(struct luo_reader *r, int ret, u64 where, const char *why);

u64 luo_keep_digest_file(u64 digest, const struct khob_luo_file_ser *file);
u64 luo_keep_digest(const struct khob_keep_ser *ser);
int luo_keep_read(struct luo_reader *r, u64 pa, u64 len);

int luo_memfd_check(const struct khob_memfd_ser *ser, u64 end_pfn, const char **why);
int luo_memfd_folios_check(const struct khob_memfd_folio_ser *folios, u64 nr, u64 size,
			   u64 end_pfn, const char **why);

u64 luo_room_digest(const struct khob_late_room_ser *ser);
int luo_room_check(const struct khob_late_room_ser *ser, u64 end_pa, const char **why);

/* Pages that a file of @size bytes has. */
static inline u64 luo_memfd_pages(u64 size)
{
	return size / KHOB_PAGE_SIZE + (size % KHOB_PAGE_SIZE != 0);
}

#ifdef __cplusplus
}
#endif

#endif /* LUO_CORE_H */
