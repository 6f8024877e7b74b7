// SPDX-License-Identifier: GPL-2.0-only
// Both generated headers in one C++ file: they compile, agree and do not clash;
// the C++ header's formulas at each page size.
#include <type_traits>

#include "khob/abi.h"
#include "khob/abi.hpp"

namespace abi = khob::abi;
using abi::Version;
using Page = abi::DefaultLayout;

static_assert(Page::page_size == KHOB_PAGE_SIZE && Page::key_width == KHOB_KEY_WIDTH);
static_assert(Page::tree_depth == KHOB_TREE_DEPTH && Page::leaf_bits == KHOB_LEAF_BITS);
static_assert(abi::setup_indirect_type == KHOB_SETUP_INDIRECT);
static_assert(abi::fill_gamma == KHOB_FILL_GAMMA && abi::meta_magic == KHOB_META_MAGIC);
static_assert(abi::prop_memory_map == KHOB_PROP_MEMORY_MAP);
static_assert(abi::compatible(Version::kho_v3) == KHOB_COMPATIBLE_KHO_V3);
static_assert(abi::version_from("kho-v2") == Version::kho_v2);
static_assert(!abi::version_from("kho-v1") && !abi::version_from(""));
static_assert(abi::has_blob_size(Version::kho_v2) == bool{KHOB_HAS_BLOB_SIZE_KHO_V2});
static_assert(abi::has_blob_size(Version::kho_v4) == bool{KHOB_HAS_BLOB_SIZE_KHO_V4});
static_assert(sizeof(abi::meta) == sizeof(khob_meta));
static_assert(sizeof(abi::kexec_metadata) == sizeof(khob_kexec_metadata));
static_assert(sizeof(Page::vmalloc_chunk) == sizeof(khob_vmalloc_chunk));
static_assert(abi::default_version == abi::versions[KHOB_ABI_DEFAULT]);

template <unsigned shift, Version version>
concept usable = requires {
    typename abi::Layout<shift, version>;
};

static_assert(usable<12, Version::kho_v2> && usable<16, Version::kho_v2>);
static_assert(!usable<14, Version::kho_v2>, "one level short");
static_assert(usable<14, Version::kho_v3> && usable<14, Version::kho_v4>);
static_assert(!usable<13, Version::kho_v4> && !usable<0, Version::kho_v4>);

// Worked out by hand, not by the schema's formulas.
template <typename Layout>
constexpr bool has(unsigned shift, unsigned depth, unsigned table_log2, unsigned leaf_log2) {
    return Layout::page_shift == shift && Layout::page_size == 1ULL << shift &&
           Layout::tree_depth == depth && Layout::table_log2 == table_log2 &&
           Layout::leaf_log2 == leaf_log2 && Layout::key_width == 65 - shift &&
           sizeof(typename Layout::node) == Layout::page_size &&
           sizeof(typename Layout::leaf) == Layout::page_size &&
           sizeof(typename Layout::vmalloc_chunk) == Layout::page_size;
}
static_assert(has<abi::Layout<12, Version::kho_v2>>(12, 6, 9, 15));
static_assert(has<abi::Layout<12, Version::kho_v3>>(12, 6, 9, 15));
static_assert(has<abi::Layout<12, Version::kho_v4>>(12, 6, 9, 15));
static_assert(has<abi::Layout<14, Version::kho_v3>>(14, 5, 11, 17));
static_assert(has<abi::Layout<14, Version::kho_v4>>(14, 5, 11, 17));
static_assert(has<abi::Layout<16, Version::kho_v2>>(16, 4, 13, 19));
static_assert(has<abi::Layout<16, Version::kho_v3>>(16, 4, 13, 19));
static_assert(has<abi::Layout<16, Version::kho_v4>>(16, 4, 13, 19));

// Orders and keys of one page size are not those of another.
using Large = abi::Layout<16>;
static_assert(!std::is_same_v<Page::Order, Large::Order> && !std::is_same_v<Page::Key, Large::Key>);
static_assert(!std::is_convertible_v<std::uint64_t, Page::Key>);
static_assert(!std::is_convertible_v<std::uint64_t, abi::PhysAddr>);
static_assert(std::is_same_v<Page::Key, abi::Layout<12, Version::kho_v2>::Key>);

constexpr Page::Key key = Page::encode(abi::PhysAddr(0x3000), Page::Order(0));
static_assert(key.value() == ((1ULL << 52U) | 3) && Page::index(key, 0) == 3);
static_assert(Page::index(key, 5) == 2 && Page::index(key, 1) == 0);
static_assert(Page::decode(key) == Page::Folio{abi::PhysAddr(0x3000), Page::Order(0)});
static_assert(Page::Order(51).bytes() == 1ULL << 63U && Page::Order(52).bytes() == 0);
static_assert(Page::is_folio(abi::PhysAddr(0), Page::Order(52)));
static_assert(!Page::is_folio(abi::PhysAddr(0), Page::Order(53)));
static_assert(!Page::is_folio(abi::PhysAddr(0x1000), Page::Order(1)));
static_assert(!Page::is_key(Page::Key(0)) && !Page::is_key(Page::Key(1ULL << 53U)));

__u64 first_chunk(const khob_meta& meta);

__u64 first_chunk(const khob_meta& meta) {
    return meta.nr_chunks != 0 ? meta.chunks[0].addr : 0;
}
