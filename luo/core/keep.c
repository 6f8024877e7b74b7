// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kept files as another kernel has described them: a root of its own, and lists of files as a
 * session of LUO's has them.
 */
#include "core/luo_core.h"

/**
 * luo_keep_digest_file() - what the digest of all files becomes with another one
 * @digest: what it was; 0 at first
 * @file: the next one
 *
 * Return: the digest.
 */
u64 luo_keep_digest_file(u64 digest, const struct khob_luo_file_ser *file)
{
	const struct {
		u64 digest;
		struct khob_luo_file_ser file;
	} both = { .digest = digest, .file = *file };

	static_assert(sizeof(both) == sizeof(u64) + sizeof(*file), "nothing between them");
	return khob_xxh64(&both, sizeof(both));
}

/**
 * luo_keep_digest() - what a root's digest has to be
 * @ser: it
 *
 * Return: the digest.
 */
u64 luo_keep_digest(const struct khob_keep_ser *ser)
{
	return khob_xxh64(ser, offsetof(struct khob_keep_ser, digest));
}

static int luo_keep_read_set(struct luo_reader *r, u64 pa, const struct khob_keep_set *set)
{
	const struct khob_luo_file_set_ser files = { .files = set->files, .count = set->count };

	return luo_read_files(r, pa, &files);
}

/**
 * luo_keep_read() - read and check what another kernel has kept
 * @r: its ops, ctx and end_pa are set, all else is zero
 * @pa: physical address of the subtree
 * @len: bytes that it has
 *
 * Files are told as they come, and there are no sessions: none of them counts unless this
 * succeeds. What describes each of them is not looked at: see luo_memfd_check().
 *
 * Return: 0; or an errno, with a sentence in @r if it is this function's own.
 */
int luo_keep_read(struct luo_reader *r, u64 pa, u64 len)
{
	struct khob_keep_ser ser;
	int ret;

	if (pa % KHOB_PAGE_SIZE || len < sizeof(ser))
		return luo_refuse(r, -EINVAL, pa, "the subtree is too short, or begins in no page");
	ret = luo_claim(r, pa);
	if (ret)
		return ret;
	if (r->ops->read(r->ctx, pa, &ser, sizeof(ser)))
		return luo_refuse(r, -EFAULT, pa, "the subtree was not handed over");
	if (strncmp(ser.compatible, KHOB_KEEP_COMPATIBLE_KEEP_V1, sizeof(ser.compatible)))
		return luo_refuse(r, -EOPNOTSUPP, pa, "it is not " KHOB_KEEP_COMPATIBLE_KEEP_V1);
	if (ser.digest != luo_keep_digest(&ser))
		return luo_refuse(r, -EINVAL, pa, "the subtree's digest is another one");
	ret = luo_keep_read_set(r, pa, &ser.kept);
	if (!ret)
		ret = luo_keep_read_set(r, pa, &ser.carried);
	if (ret)
		return ret;
	if (r->digest != ser.files_digest)
		return luo_refuse(r, -EINVAL, pa, "the files' digest is another one");
	return 0;
}
