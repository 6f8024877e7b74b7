/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Generated, do not edit, from abi-gen/schema/late_room.yaml
 * (make it again with: cmake --build build --target abi)
 *
 * The ABI of the late room at 4K pages: late-room-v1.
 */
#ifndef KHOB_LATE_ROOM_H
#define KHOB_LATE_ROOM_H

#include <linux/types.h>
#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/stddef.h>
#else
#include <assert.h>
#include <stddef.h>
#ifndef __packed
#define __packed __attribute__((__packed__))
#endif
#endif
#include "khob/abi.h"

/**
 * enum khob_late_room_abi - versions of the ABI, oldest first
 * @KHOB_LATE_ROOM_ABI_LATE_ROOM_V1: The first version.
 * @KHOB_LATE_ROOM_ABI_NR: number of versions
 */
enum khob_late_room_abi {
	KHOB_LATE_ROOM_ABI_LATE_ROOM_V1,
	KHOB_LATE_ROOM_ABI_NR
};

/* What is written unless something else is asked for. */
#define KHOB_LATE_ROOM_ABI_DEFAULT KHOB_LATE_ROOM_ABI_LATE_ROOM_V1

#define KHOB_LATE_ROOM_COMPATIBLE_LATE_ROOM_V1 "khob-late-room-v1"

/* The blob of the subtree, one page. Source: kho-bridge. */

/* The compatible string fits this with its NUL. [bytes] */
#define KHOB_LATE_ROOM_COMPATIBLE_LENGTH 24
/* What a struct khob_late_room_piece has, one after the other. [pages] */
#define KHOB_LATE_ROOM_PIECE_PAGES 1024
#define KHOB_LATE_ROOM_PIECES_MAX 28 /* There are no more pieces. */

/* Name of the subtree, whose blob is one struct khob_late_room_ser. */
#define KHOB_LATE_ROOM_NAME "kho-luo-late-room"

/**
 * struct khob_late_room_piece - Memory in one piece.
 * @pa: Physical address, a multiple of its length. [bytes]
 * @used: A bit for each page, the first page's is the first word's lowest. What is set belongs
 *	to a session; what is not is nobody's.
 */
struct khob_late_room_piece {
	__u64 pa;
	__u64 used[16];
};

static_assert(sizeof(struct khob_late_room_piece) == 136, "size of khob_late_room_piece");
static_assert(offsetof(struct khob_late_room_piece, pa) == 0, "pa");
static_assert(offsetof(struct khob_late_room_piece, used) == 8, "used");

/**
 * struct khob_late_room_ser - The late room.
 * @compatible: The version's compatible string, NULs behind it.
 * @nr: Pieces that there are. [entries]
 * @pieces: The pieces, in any order, disjoint.
 * @digest: xxh64 (seed 0) of all that is in front of it. It is written at the last moment.
 */
struct khob_late_room_ser {
	char compatible[24];
	__u64 nr;
	struct khob_late_room_piece pieces[28];
	__u64 digest;
};

static_assert(sizeof(struct khob_late_room_ser) == 3848, "size of khob_late_room_ser");
static_assert(offsetof(struct khob_late_room_ser, compatible) == 0, "compatible");
static_assert(offsetof(struct khob_late_room_ser, nr) == 24, "nr");
static_assert(offsetof(struct khob_late_room_ser, pieces) == 32, "pieces");
static_assert(offsetof(struct khob_late_room_ser, digest) == 3840, "digest");

#endif /* KHOB_LATE_ROOM_H */
