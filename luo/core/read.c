// SPDX-License-Identifier: GPL-2.0-only
/*
 * The root, its list of sessions, and each session's list of files: lists of blocks, each a
 * page, that another kernel has linked by physical address.
 */
#include "core/luo_core.h"

/**
 * luo_refuse() - note why something is refused
 * @r: the reading
 * @ret: what is returned
 * @where: the physical address that it is about
 * @why: one sentence without a full stop
 *
 * Return: @ret.
 */
int luo_refuse(struct luo_reader *r, int ret, u64 where, const char *why)
{
	r->why = why;
	r->where = where;
	return ret;
}

/* Whether a text ends before the field that it is in does, and is not empty. */
static bool luo_is_text(const char *text, size_t size)
{
	return text[0] && memchr(text, 0, size);
}

/**
 * luo_claim() - claim a page that is metadata, so that no list comes back to it
 * @r: the reading
 * @pa: the page's physical address
 *
 * Return: 0; -EINVAL if it is none, or was claimed before; an errno of @r's ops.
 */
int luo_claim(struct luo_reader *r, u64 pa)
{
	int ret;

	if (pa % KHOB_PAGE_SIZE || pa >= r->end_pa || r->end_pa - pa < KHOB_PAGE_SIZE)
		return luo_refuse(r, -EINVAL, pa, "a block is at no page of memory");
	ret = r->ops->claim(r->ctx, pa);
	if (ret == -EEXIST)
		return luo_refuse(r, -EINVAL, pa, "a block is in two places of the lists");
	return ret;
}

/* Copies the block at @pa; @to: room for a page. */
static int luo_read_block(struct luo_reader *r, u64 pa, void *to, unsigned int most)
{
	const struct khob_block_header *header = to;
	int ret = luo_claim(r, pa);

	if (ret)
		return ret;
	if (r->ops->read(r->ctx, pa, to, KHOB_BLOCK_SIZE))
		return luo_refuse(r, -EFAULT, pa, "a block was not handed over");
	if (!header->count || header->count > most)
		return luo_refuse(r, -EINVAL, pa, "a block's count is 0 or more than it holds");
	return 0;
}

static int luo_read_file(struct luo_reader *r, u64 block, const struct khob_luo_file_ser *file)
{
	if (!luo_is_text(file->compatible, sizeof(file->compatible)))
		return luo_refuse(r, -EINVAL, block, "a file's kind is empty or has no end");
	r->files++;
	r->digest = luo_keep_digest_file(r->digest, file);
	return r->ops->file(r->ctx, file);
}

/**
 * luo_read_files() - read and check a list of files, which are to be as many as it says
 * @r: the reading
 * @block: physical address of what says so
 * @set: a copy of that
 *
 * Return: 0; or an errno, with a sentence in @r if it is this function's own.
 */
int luo_read_files(struct luo_reader *r, u64 block, const struct khob_luo_file_set_ser *set)
{
	const struct khob_block_header *header = (void *)r->file_block;
	const struct khob_luo_file_ser *files = (const void *)(header + 1);
	u64 pa = set->files, found = 0;
	unsigned int blocks;
	int ret;

	if (!pa != !set->count)
		return luo_refuse(r, -EINVAL, block, "a count and a list of files disagree");
	for (blocks = 0; pa; blocks++) {
		unsigned int i;

		if (blocks == KHOB_BLOCKS_MAX)
			return luo_refuse(r, -EINVAL, pa, "a list of files has no end");
		ret = luo_read_block(r, pa, r->file_block, KHOB_LUO_FILES_PER_BLOCK);
		for (i = 0; !ret && i < header->count; i++, found++)
			ret = luo_read_file(r, pa, files + i);
		if (ret)
			return ret;
		pa = header->next;
	}
	if (found != set->count)
		return luo_refuse(r, -EINVAL, block, "a list has not as many files as is said");
	return 0;
}

static int luo_read_session(struct luo_reader *r, u64 block,
			    const struct khob_luo_session_ser *session)
{
	int ret;

	if (!luo_is_text(session->name, sizeof(session->name)))
		return luo_refuse(r, -EINVAL, block, "a session's name is empty or has no end");
	r->sessions++;
	ret = r->ops->session(r->ctx, session);
	return ret ? ret : luo_read_files(r, block, &session->file_set_ser);
}

static int luo_read_sessions(struct luo_reader *r)
{
	const struct khob_block_header *header = (void *)r->session_block;
	const struct khob_luo_session_ser *sessions = (const void *)(header + 1);
	u64 pa = r->ser.sessions_pa;
	unsigned int blocks;
	int ret;

	for (blocks = 0; pa; blocks++) {
		unsigned int i;

		if (blocks == KHOB_BLOCKS_MAX)
			return luo_refuse(r, -EINVAL, pa, "the list of sessions has no end");
		ret = luo_read_block(r, pa, r->session_block, KHOB_LUO_SESSIONS_PER_BLOCK);
		for (i = 0; !ret && i < header->count; i++)
			ret = luo_read_session(r, pa, sessions + i);
		if (ret)
			return ret;
		pa = header->next;
	}
	return 0;
}

/* What files share that no file here shares: their header is to be there, and empty. */
static int luo_read_flbs(struct luo_reader *r)
{
	struct khob_luo_flb_header_ser header;
	u64 pa = r->ser.flbs_pa;
	int ret;

	if (!pa)
		return 0;
	ret = luo_claim(r, pa);
	if (ret)
		return ret;
	if (r->ops->read(r->ctx, pa, &header, sizeof(header)))
		return luo_refuse(r, -EFAULT, pa, "the FLBs were not handed over");
	if (!header.pgcnt)
		return luo_refuse(r, -EINVAL, pa, "the FLBs have no page");
	if (header.count)
		return luo_refuse(r, -EOPNOTSUPP, pa, "there are FLBs, which no file here has");
	return 0;
}

/**
 * luo_read() - read and check what another kernel's LUO has handed over
 * @r: its ops, ctx and end_pa are set, all else is zero
 * @pa: physical address of the subtree
 * @len: bytes that it has
 *
 * Sessions and files are told as they come: none of them counts unless this succeeds.
 *
 * Return: 0; or an errno, with a sentence in @r if it is this function's own.
 */
int luo_read(struct luo_reader *r, u64 pa, u64 len)
{
	int ret;

	if (pa % KHOB_PAGE_SIZE || len < sizeof(r->ser))
		return luo_refuse(r, -EINVAL, pa, "the subtree is too short, or begins in no page");
	ret = luo_claim(r, pa);
	if (ret)
		return ret;
	if (r->ops->read(r->ctx, pa, &r->ser, sizeof(r->ser)))
		return luo_refuse(r, -EFAULT, pa, "the subtree was not handed over");
	if (strncmp(r->ser.compatible, KHOB_LUO_COMPATIBLE_LUO_V5, sizeof(r->ser.compatible)))
		return luo_refuse(r, -EOPNOTSUPP, pa, "it is not " KHOB_LUO_COMPATIBLE_LUO_V5);
	ret = luo_read_flbs(r);
	return ret ? ret : luo_read_sessions(r);
}
