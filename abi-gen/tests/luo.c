// SPDX-License-Identifier: GPL-2.0-only
// The headers of LUO and of all that it hands over, in one C file, without a warning.
#include <linux/liveupdate.h>

#include "khob/luo.h"
#include "khob/memblock.h"
#include "khob/memfd.h"
#include "khob/reserve_mem.h"

_Static_assert(KHOB_LUO_SESSION_NAME_LENGTH == LIVEUPDATE_SESSION_NAME_LENGTH,
	       "a session has the same name for programs and for kernels");
_Static_assert(sizeof(KHOB_MEMFD_COMPATIBLE_MEMFD_V2) <= KHOB_LUO_HANDLER_LENGTH,
	       "a file's handler has a name that fits");
_Static_assert(sizeof(KHOB_LUO_COMPATIBLE_LUO_V5) <= KHOB_LUO_COMPATIBLE_LENGTH,
	       "the version fits");
_Static_assert(LIVEUPDATE_SESSION_FINISH == _IO(0xba, 0x42), "what strace shows of upstream's");
_Static_assert(sizeof(struct liveupdate_session_retrieve_fd) == 16, "no padding");

__u64 address_of(const struct khob_memfd_folio_ser *folio);

__u64 address_of(const struct khob_memfd_folio_ser *folio)
{
	return folio->flags & KHOB_MEMFD_FOLIO_DIRTY ? folio->pfn << KHOB_PAGE_SHIFT : 0;
}
