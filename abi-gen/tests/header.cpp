// SPDX-License-Identifier: GPL-2.0-only
// Both generated headers in one C++ file: they compile, agree and do not clash.
#include "khob/abi.h"
#include "khob/abi.hpp"

namespace abi = khob::abi;

static_assert(abi::page_size == KHOB_PAGE_SIZE && abi::key_width == KHOB_KEY_WIDTH);
static_assert(abi::setup_indirect_type == KHOB_SETUP_INDIRECT);
static_assert(abi::fill_gamma == KHOB_FILL_GAMMA && abi::meta_magic == KHOB_META_MAGIC);
static_assert(abi::prop_memory_map == KHOB_PROP_MEMORY_MAP);
static_assert(abi::compatible(abi::Version::kho_v3) == KHOB_COMPATIBLE_KHO_V3);
static_assert(abi::version_from("kho-v2") == abi::Version::kho_v2);
static_assert(!abi::version_from("kho-v1") && !abi::version_from(""));
static_assert(abi::has_blob_size(abi::Version::kho_v2) == bool{KHOB_HAS_BLOB_SIZE_KHO_V2});
static_assert(abi::has_blob_size(abi::Version::kho_v4) == bool{KHOB_HAS_BLOB_SIZE_KHO_V4});
static_assert(sizeof(abi::meta) == sizeof(khob_meta));
static_assert(sizeof(abi::kexec_metadata) == sizeof(khob_kexec_metadata));
static_assert(abi::default_version == abi::versions[KHOB_ABI_DEFAULT]);

__u64 first_chunk(const khob_meta& meta);

__u64 first_chunk(const khob_meta& meta) {
    return meta.nr_chunks != 0 ? meta.chunks[0].addr : 0;
}
