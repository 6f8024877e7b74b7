// SPDX-License-Identifier: GPL-2.0-only
/*
 * The late room as another kernel has described it.
 */
#include "core/luo_core.h"

#define LUO_PIECE_SIZE (KHOB_LATE_ROOM_PIECE_PAGES * (u64)KHOB_PAGE_SIZE)

static int luo_room_refuse(const char *sentence, const char **why)
{
	*why = sentence;
	return -EINVAL;
}

/**
 * luo_room_digest() - what a description's digest has to be
 * @ser: it
 *
 * Return: the digest.
 */
u64 luo_room_digest(const struct khob_late_room_ser *ser)
{
	return khob_xxh64(ser, offsetof(struct khob_late_room_ser, digest));
}

/**
 * luo_room_check() - whether a description of a late room may be believed
 * @ser: a copy of it
 * @end_pa: the first physical address behind memory, in bytes
 * @why: a sentence if not
 *
 * Return: 0 or -EINVAL.
 */
int luo_room_check(const struct khob_late_room_ser *ser, u64 end_pa, const char **why)
{
	u64 i, j;

	if (strncmp(ser->compatible, KHOB_LATE_ROOM_COMPATIBLE_LATE_ROOM_V1,
		    sizeof(ser->compatible)))
		return luo_room_refuse("it is of a version that is not known here", why);
	/* What it calls unused is freed, whoever else has it. */
	if (ser->digest != luo_room_digest(ser))
		return luo_room_refuse("its digest is another one", why);
	if (ser->nr > KHOB_LATE_ROOM_PIECES_MAX)
		return luo_room_refuse("it has more pieces than there can be", why);
	for (i = 0; i < ser->nr; i++) {
		u64 pa = ser->pieces[i].pa;

		if (!pa || pa % LUO_PIECE_SIZE || end_pa < LUO_PIECE_SIZE ||
		    pa > end_pa - LUO_PIECE_SIZE)
			return luo_room_refuse("a piece is in no memory", why);
		for (j = 0; j < i; j++)
			if (ser->pieces[j].pa == pa)
				return luo_room_refuse("two pieces are one", why);
	}
	return 0;
}
