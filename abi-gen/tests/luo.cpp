// SPDX-License-Identifier: GPL-2.0-only
// The headers of LUO in C and C++ in one file: they agree and do not clash.
#include <linux/liveupdate.h>

#include "khob/liveupdate.hpp"
#include "khob/luo.h"
#include "khob/luo.hpp"
#include "khob/memfd.h"
#include "khob/memfd.hpp"

namespace luo = khob::luo;
namespace memfd = khob::memfd;
namespace liveupdate = khob::liveupdate;

static_assert(luo::DefaultLayout::files_per_block == KHOB_LUO_FILES_PER_BLOCK);
static_assert(luo::DefaultLayout::sessions_max == KHOB_LUO_SESSIONS_MAX);
static_assert(luo::subtree_name == KHOB_LUO_NAME);
static_assert(luo::compatible(luo::default_version) == KHOB_LUO_COMPATIBLE_LUO_V5);
static_assert(memfd::version_from("memfd-v2") == memfd::Version::memfd_v2);
static_assert(!memfd::version_from("luo-v5"));
static_assert(sizeof(luo::session_ser) == sizeof(khob_luo_session_ser));
static_assert(sizeof(memfd::ser) == sizeof(khob_memfd_ser));
static_assert(offsetof(memfd::ser, folios) == offsetof(khob_memfd_ser, folios));
static_assert(static_cast<unsigned>(liveupdate::Ioctl::session_get_name) ==
              LIVEUPDATE_SESSION_GET_NAME);
static_assert(liveupdate::session_finish{}.size == sizeof(liveupdate_session_finish));

// Worked out by hand, not by the schema's formulas.
static_assert(luo::Layout<16>::files_per_block == (65536 - 16) / 64);
static_assert(luo::Layout<14>::sessions_per_block == (16384 - 16) / 80);

__u64 address_of(const khob_memfd_folio_ser& folio);

__u64 address_of(const khob_memfd_folio_ser& folio) {
    return (folio.flags & KHOB_MEMFD_FOLIO_DIRTY) != 0 ? __u64{folio.pfn} << KHOB_PAGE_SHIFT : 0;
}
