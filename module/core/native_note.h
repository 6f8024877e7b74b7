/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a kernel's own KHO notes in a page's private that it holds the folio which begins there.
 */
#ifndef KHOB_CORE_NATIVE_NOTE_H
#define KHOB_CORE_NATIVE_NOTE_H

#include "core/port.h"
#include "khob/abi.h"

/* The upper half of it; the lower one is the folio's order. Source: KHO_PAGE_MAGIC upstream. */
#define KHOB_NATIVE_MAGIC 0x4b484f50U

/**
 * khob_native_note() - whether that is such a note
 * @private: of any page
 * @order: the folio's order, if it is
 *
 * Return: true if so; what else the page may be is the caller's to ask.
 */
static inline bool khob_native_note(u64 private, unsigned int *order)
{
	*order = (u32)private;
	return private >> 32 == KHOB_NATIVE_MAGIC && *order <= KHOB_ORDER_MAX;
}

#endif /* KHOB_CORE_NATIVE_NOTE_H */
