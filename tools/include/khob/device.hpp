// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// Generated, do not edit, from abi-gen/schema/device.yaml
// (make it again with: cmake --build build --target abi)
//
// /dev/kho_bridge, version 1. How programs drive the module. Each ioctl takes a struct whose first
// field is its size, as the caller knows it: what the caller does not know is taken for 0, what the
// module does not know has to be 0 (E2BIG). Texts end with a 0. A field that is called reserved is
// 0 in both directions.
#ifndef KHOB_DEVICE_HPP
#define KHOB_DEVICE_HPP

// clang-format off
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace khob::device {

/// The device's node.
inline constexpr std::string_view path = "/dev/kho_bridge";

/// The version of what is here.
inline constexpr unsigned version = 1;

/// A field of a struct: offset and size in bytes, the size that of one element.
struct Field {
    std::string_view name;
    std::size_t offset;
    std::size_t size;
    std::size_t length;  ///< elements, 1 if it is no array
    bool text;           ///< characters, ended by a 0 if there is room
};

/// A row of the tables below; there is none unless the compiler has the field where it is to be.
template <std::size_t Has, std::size_t Offset>
    requires(Has == Offset)
consteval Field field(std::string_view name, std::size_t size, std::size_t length, bool text) {
    return {name, Offset, size, length, text};
}

// Numbers that sizes and values are made of.

inline constexpr unsigned type = 0xbc;  ///< The type that the numbers of all ioctls have.
inline constexpr unsigned name_max = 63;  ///< Length of the longest name of a subtree. [bytes]
inline constexpr unsigned orders = 53;  ///< Orders that there are; the largest one is less by 1.
inline constexpr unsigned sentence_max = 256;  ///< A sentence fits this with its 0. [bytes]
/// The compatible string of a version of the ABI fits this with its 0. [bytes]
inline constexpr unsigned abi_max = 16;
/// The release of a kernel fits this with its 0. [bytes]
inline constexpr unsigned release_max = 72;
inline constexpr unsigned comm_max = 16;  ///< The name of a task fits this with its 0. [bytes]
/// The largest gap that an extent passes over. [bytes]
inline constexpr unsigned extent_gap = 0x100000;
/// In place of an order, that folios of several orders are wanted.
inline constexpr std::uint32_t order_mixed = 0xffffffff;
/// In place of a NUMA node, that any will do.
inline constexpr std::uint32_t node_any = 0xffffffff;

// Flags, and what fields may be.

/// What holds.
namespace status_flags {
inline constexpr std::uint32_t test_build = 0x1;  ///< The module was built for tests.
inline constexpr std::uint32_t native = 0x2;  ///< The kernel's own KHO is the source.
inline constexpr std::uint32_t frozen = 0x4;  ///< What is handed over does not change.
/// It is frozen, and the kernel's own KHO hands over.
inline constexpr std::uint32_t by_kernel = 0x8;
inline constexpr std::uint32_t in_native = 0x10;  ///< The kernel's own KHO took what came in.
inline constexpr std::uint32_t chain_damaged = 0x20;  ///< The chain of setup_data is damaged.
}  // namespace status_flags

/// How to compact.
namespace compact_flags {
/// All, and what lies in chunks at most half full as well.
inline constexpr std::uint32_t all = 0x1;
}  // namespace compact_flags

/// Where an area of scratch is to lie.
namespace scratch_flags {
inline constexpr std::uint32_t low = 0x1;  ///< Below 4 GiB.
}  // namespace scratch_flags

/// What is known of a subtree.
namespace subtree_flags {
inline constexpr std::uint32_t has_digest = 0x1;  ///< Its maker has told its digest.
}  // namespace subtree_flags

/// Which fields of a row count.
namespace bench_row_flags {
inline constexpr std::uint32_t has_upstream = 0x1;  ///< The kernel's own tree did the same work.
inline constexpr std::uint32_t has_nodes = 0x2;  ///< Everything was deleted; nodes are counted.
}  // namespace bench_row_flags

/// What was handed to this kernel.
enum class InState : std::uint32_t {
    none = 0,  ///< Nothing is attached.
    attached = 1,  ///< It is attached.
    refused = 2,  ///< It was refused; the reason is in the status.
};

/// What has become of the kernel that was loaded.
enum class ImageState : std::uint32_t {
    none = 0,  ///< Nothing is frozen.
    loading = 1,  ///< It is frozen, and whoever froze it goes on.
    loaded = 2,  ///< What is frozen goes to the kernel that is loaded.
    replaced = 3,  ///< Another kernel has been loaded since: it gets nothing.
    unloaded = 4,  ///< That kernel is no longer loaded, nor is another.
};

/// What to open, and what is read there.
enum class OpenWhat : std::uint32_t {
    out_keys = 0,  ///< Keys that are handed over, each a u64.
    out_ranges = 1,  ///< Physical ranges that are handed over, each a range.
    out_scratch = 2,  ///< Areas of scratch, each a range.
    out_subtrees = 3,  ///< Subtrees that are handed over, each a subtree.
    out_subtree = 4,  ///< The bytes of the one of that name, to read, write and map.
    out_data = 5,  ///< Preserved memory; an offset is a physical address.
    out_fdt = 6,  ///< The bytes of the root FDT.
    in_keys = 7,  ///< Keys of data pages that are still held, each a u64.
    in_ranges = 8,  ///< Physical ranges that are still held, each a range.
    in_subtrees = 9,  ///< Subtrees that were handed over, each a subtree.
    in_subtree = 10,  ///< The bytes of the one of that name, to read and map.
    in_data = 11,  ///< Memory that is still held; an offset is a physical address.
    in_fdt = 12,  ///< The bytes of the root FDT that came in.
    bench = 13,  ///< Times of the tree at its work, each a bench_row.
    out_extents = 14,  ///< Ranges and the small gaps between them, each piece a extent.
};

/// What an ioctl is about.
enum class TargetKind : std::uint32_t {
    all = 0,  ///< All that there is.
    page = 1,  ///< The pages of an address and an order.
    subtree = 2,  ///< The subtree of a name.
};

// What ioctls take; all of them may grow.

/// How everything stands.
struct status {
    std::uint32_t size = sizeof(device::status);  ///< Of the struct. [bytes]
    std::uint32_t flags{};  ///< What holds.
    std::uint32_t in_state{};  ///< What was handed to this kernel.
    std::uint32_t tsc_khz{};  ///< Rate of the time stamp counter. [kHz]
    std::uint64_t changes{};  ///< Counts what has changed; poll() tells of more.
    std::uint64_t out_keys{};  ///< Keys of the tree.
    std::uint64_t out_folios{};  ///< Folios that are preserved, of all orders.
    std::uint64_t out_pages{};  ///< What these are together. [pages]
    std::uint64_t out_bytes{};  ///< The same. [bytes]
    std::uint64_t out_client_pages{};  ///< Those of other modules. [pages]
    std::uint64_t out_subtrees{};  ///< Subtrees.
    std::uint64_t out_nodes{};  ///< Nodes of the tree.
    std::uint64_t out_metadata_bytes{};  ///< Memory for what describes the handover. [bytes]
    std::uint64_t out_arena_bytes{};  ///< Contiguous memory that folios lie in. [bytes]
    std::uint64_t out_carried_keys{};  ///< Keys that came in, are still held and go on.
    std::uint64_t out_others_keys{};  ///< Keys of others in the tree of the kernel's own KHO.
    std::uint64_t out_poisoned{};  ///< Those left out because the machine cannot read them. [pages]
    std::uint64_t out_root_phys{};  ///< The tree's root. [physical address]
    std::uint64_t out_fdt_phys{};  ///< The root FDT. [physical address]
    std::uint64_t out_fdt_len{};  ///< The root FDT. [bytes]
    std::uint64_t out_preserve_us{};  ///< What the last preserve took. [microseconds]
    std::uint64_t out_compactions{};  ///< Compactions that began.
    std::uint64_t out_compact_folios{};  ///< Folios that the last one moved.
    std::uint64_t out_compact_bytes{};  ///< What these are together. [bytes]
    std::uint64_t out_compact_left{};  ///< What should have moved and has not. [bytes]
    std::uint64_t out_compact_us{};  ///< What it took. [microseconds]
    std::uint64_t scratch_areas{};  ///< Areas of scratch.
    std::uint64_t scratch_bytes{};  ///< What these are together. [bytes]
    /// The largest piece that there was when one could not be taken. [bytes]
    std::uint64_t scratch_largest{};
    std::uint64_t in_keys{};  ///< Keys of data pages that are still held.
    std::uint64_t in_pages{};  ///< What these are together. [pages]
    std::uint64_t in_bytes{};  ///< The same. [bytes]
    std::uint64_t in_subtrees{};  ///< Subtrees that are still held.
    std::uint64_t in_ranges{};  ///< Physical ranges that are still held.
    /// Those that nobody preserved, between such as somebody did. [pages]
    std::uint64_t in_gap_pages{};
    std::uint64_t in_poisoned{};  ///< Those set aside because the machine cannot read them. [pages]
    std::uint64_t in_restored_pages{};  ///< Those that became live. [pages]
    std::uint64_t in_attach_us{};  ///< What the attach took. [microseconds]
    std::uint64_t in_kexec_tsc{};  ///< Time stamp counter at the jump.
    std::uint64_t in_tsc_khz{};  ///< Rate of that counter. [kHz]
    std::uint64_t in_kexec_count{};  ///< Handovers up to the one that came in.
    std::uint64_t in_setup_data{};  ///< The chain that was attached to last. [physical address]
    /// The root FDT in struct kho_data of that chain. [physical address]
    std::uint64_t in_fdt_addr{};
    std::uint64_t in_fdt_size{};  ///< Its size there. [bytes]
    std::uint64_t in_scratch_addr{};  ///< The list of scratch areas there. [physical address]
    std::uint64_t in_scratch_size{};  ///< Its size there. [bytes]
    std::array<std::uint64_t, 53> out_orders{};  ///< Folios of each order that go out.
    std::array<std::uint64_t, 53> in_orders{};  ///< Folios of each order that are still held.
    std::array<char, 16> version{};  ///< The module's version.
    std::array<char, 16> abi{};  ///< The version of the ABI that is handed over in.
    /// That of the kernel's own KHO, empty if it is not the source.
    std::array<char, 16> native_abi{};
    std::array<char, 16> in_abi{};  ///< That of what came in.
    std::array<char, 72> in_previous_release{};  ///< The kernel before.
    std::array<char, 256> in_reason{};  ///< Why what came in was refused, a sentence.
    std::array<char, 256> last_error{};  ///< What was refused last, a sentence.
};

inline constexpr std::array<Field, 55> status_fields = { {
    field<offsetof(status, size), 0>("size", 4, 1, false),
    field<offsetof(status, flags), 4>("flags", 4, 1, false),
    field<offsetof(status, in_state), 8>("in_state", 4, 1, false),
    field<offsetof(status, tsc_khz), 12>("tsc_khz", 4, 1, false),
    field<offsetof(status, changes), 16>("changes", 8, 1, false),
    field<offsetof(status, out_keys), 24>("out_keys", 8, 1, false),
    field<offsetof(status, out_folios), 32>("out_folios", 8, 1, false),
    field<offsetof(status, out_pages), 40>("out_pages", 8, 1, false),
    field<offsetof(status, out_bytes), 48>("out_bytes", 8, 1, false),
    field<offsetof(status, out_client_pages), 56>("out_client_pages", 8, 1, false),
    field<offsetof(status, out_subtrees), 64>("out_subtrees", 8, 1, false),
    field<offsetof(status, out_nodes), 72>("out_nodes", 8, 1, false),
    field<offsetof(status, out_metadata_bytes), 80>("out_metadata_bytes", 8, 1, false),
    field<offsetof(status, out_arena_bytes), 88>("out_arena_bytes", 8, 1, false),
    field<offsetof(status, out_carried_keys), 96>("out_carried_keys", 8, 1, false),
    field<offsetof(status, out_others_keys), 104>("out_others_keys", 8, 1, false),
    field<offsetof(status, out_poisoned), 112>("out_poisoned", 8, 1, false),
    field<offsetof(status, out_root_phys), 120>("out_root_phys", 8, 1, false),
    field<offsetof(status, out_fdt_phys), 128>("out_fdt_phys", 8, 1, false),
    field<offsetof(status, out_fdt_len), 136>("out_fdt_len", 8, 1, false),
    field<offsetof(status, out_preserve_us), 144>("out_preserve_us", 8, 1, false),
    field<offsetof(status, out_compactions), 152>("out_compactions", 8, 1, false),
    field<offsetof(status, out_compact_folios), 160>("out_compact_folios", 8, 1, false),
    field<offsetof(status, out_compact_bytes), 168>("out_compact_bytes", 8, 1, false),
    field<offsetof(status, out_compact_left), 176>("out_compact_left", 8, 1, false),
    field<offsetof(status, out_compact_us), 184>("out_compact_us", 8, 1, false),
    field<offsetof(status, scratch_areas), 192>("scratch_areas", 8, 1, false),
    field<offsetof(status, scratch_bytes), 200>("scratch_bytes", 8, 1, false),
    field<offsetof(status, scratch_largest), 208>("scratch_largest", 8, 1, false),
    field<offsetof(status, in_keys), 216>("in_keys", 8, 1, false),
    field<offsetof(status, in_pages), 224>("in_pages", 8, 1, false),
    field<offsetof(status, in_bytes), 232>("in_bytes", 8, 1, false),
    field<offsetof(status, in_subtrees), 240>("in_subtrees", 8, 1, false),
    field<offsetof(status, in_ranges), 248>("in_ranges", 8, 1, false),
    field<offsetof(status, in_gap_pages), 256>("in_gap_pages", 8, 1, false),
    field<offsetof(status, in_poisoned), 264>("in_poisoned", 8, 1, false),
    field<offsetof(status, in_restored_pages), 272>("in_restored_pages", 8, 1, false),
    field<offsetof(status, in_attach_us), 280>("in_attach_us", 8, 1, false),
    field<offsetof(status, in_kexec_tsc), 288>("in_kexec_tsc", 8, 1, false),
    field<offsetof(status, in_tsc_khz), 296>("in_tsc_khz", 8, 1, false),
    field<offsetof(status, in_kexec_count), 304>("in_kexec_count", 8, 1, false),
    field<offsetof(status, in_setup_data), 312>("in_setup_data", 8, 1, false),
    field<offsetof(status, in_fdt_addr), 320>("in_fdt_addr", 8, 1, false),
    field<offsetof(status, in_fdt_size), 328>("in_fdt_size", 8, 1, false),
    field<offsetof(status, in_scratch_addr), 336>("in_scratch_addr", 8, 1, false),
    field<offsetof(status, in_scratch_size), 344>("in_scratch_size", 8, 1, false),
    field<offsetof(status, out_orders), 352>("out_orders", 8, 53, false),
    field<offsetof(status, in_orders), 776>("in_orders", 8, 53, false),
    field<offsetof(status, version), 1200>("version", 1, 16, true),
    field<offsetof(status, abi), 1216>("abi", 1, 16, true),
    field<offsetof(status, native_abi), 1232>("native_abi", 1, 16, true),
    field<offsetof(status, in_abi), 1248>("in_abi", 1, 16, true),
    field<offsetof(status, in_previous_release), 1264>("in_previous_release", 1, 72, true),
    field<offsetof(status, in_reason), 1336>("in_reason", 1, 256, true),
    field<offsetof(status, last_error), 1592>("last_error", 1, 256, true),
} };

static_assert(std::is_standard_layout_v<status> && std::is_trivially_copyable_v<status>);
static_assert(sizeof(status) == 1848);

/// Of the last ioctl or write of this open file that was refused.
struct refusal {
    std::uint32_t size = sizeof(device::refusal);  ///< Of the struct. [bytes]
    std::uint32_t error{};  ///< The errno, 0 if none was refused.
    std::array<char, 256> sentence{};  ///< Why it was.
};

inline constexpr std::array<Field, 3> refusal_fields = { {
    field<offsetof(refusal, size), 0>("size", 4, 1, false),
    field<offsetof(refusal, error), 4>("error", 4, 1, false),
    field<offsetof(refusal, sentence), 8>("sentence", 1, 256, true),
} };

static_assert(std::is_standard_layout_v<refusal> && std::is_trivially_copyable_v<refusal>);
static_assert(sizeof(refusal) == 264);

/// What to open.
struct open {
    std::uint32_t size = sizeof(device::open);  ///< Of the struct. [bytes]
    std::uint32_t what{};  ///< What to open.
    std::uint64_t keys{};  ///< Of OpenWhat::bench, what all sizes follow from.
    /// Of OpenWhat::out_subtree and OpenWhat::in_subtree, the subtree's.
    std::array<char, 64> name{};
};

inline constexpr std::array<Field, 4> open_fields = { {
    field<offsetof(open, size), 0>("size", 4, 1, false),
    field<offsetof(open, what), 4>("what", 4, 1, false),
    field<offsetof(open, keys), 8>("keys", 8, 1, false),
    field<offsetof(open, name), 16>("name", 1, 64, true),
} };

static_assert(std::is_standard_layout_v<open> && std::is_trivially_copyable_v<open>);
static_assert(sizeof(open) == 80);

/// A version of the ABI.
struct abi {
    std::uint32_t size = sizeof(device::abi);  ///< Of the struct. [bytes]
    std::uint32_t reserved{};  ///< 0.
    std::array<char, 16> abi{};  ///< Its compatible string.
};

inline constexpr std::array<Field, 3> abi_fields = { {
    field<offsetof(abi, size), 0>("size", 4, 1, false),
    field<offsetof(abi, reserved), 4>("reserved", 4, 1, false),
    field<offsetof(abi, abi), 8>("abi", 1, 16, true),
} };

static_assert(std::is_standard_layout_v<abi> && std::is_trivially_copyable_v<abi>);
static_assert(sizeof(abi) == 24);

/// What to preserve.
struct preserve {
    std::uint32_t size = sizeof(device::preserve);  ///< Of the struct. [bytes]
    std::uint32_t order{};  ///< That of the folios, or order_mixed.
    std::uint64_t pages{};  ///< How many. [pages]
    std::uint64_t seed{};  ///< What the contents follow from.
    /// How much of the upper part of RAM every second one of them is taken from at random.
    /// [percent]
    std::uint32_t scatter{};
    std::uint32_t reserved{};  ///< 0.
};

inline constexpr std::array<Field, 6> preserve_fields = { {
    field<offsetof(preserve, size), 0>("size", 4, 1, false),
    field<offsetof(preserve, order), 4>("order", 4, 1, false),
    field<offsetof(preserve, pages), 8>("pages", 8, 1, false),
    field<offsetof(preserve, seed), 16>("seed", 8, 1, false),
    field<offsetof(preserve, scatter), 24>("scatter", 4, 1, false),
    field<offsetof(preserve, reserved), 28>("reserved", 4, 1, false),
} };

static_assert(std::is_standard_layout_v<preserve> && std::is_trivially_copyable_v<preserve>);
static_assert(sizeof(preserve) == 32);

/// What to give back, to restore or to let go of.
struct target {
    std::uint32_t size = sizeof(device::target);  ///< Of the struct. [bytes]
    std::uint32_t what{};  ///< What it is.
    std::uint64_t pa{};  ///< Of TargetKind::page. [physical address]
    std::uint32_t order{};  ///< Of TargetKind::page.
    std::uint32_t reserved{};  ///< 0.
    std::array<char, 64> name{};  ///< Of TargetKind::subtree.
};

inline constexpr std::array<Field, 6> target_fields = { {
    field<offsetof(target, size), 0>("size", 4, 1, false),
    field<offsetof(target, what), 4>("what", 4, 1, false),
    field<offsetof(target, pa), 8>("pa", 8, 1, false),
    field<offsetof(target, order), 16>("order", 4, 1, false),
    field<offsetof(target, reserved), 20>("reserved", 4, 1, false),
    field<offsetof(target, name), 24>("name", 1, 64, true),
} };

static_assert(std::is_standard_layout_v<target> && std::is_trivially_copyable_v<target>);
static_assert(sizeof(target) == 88);

/// How much to compact, and what came of it.
struct compact {
    std::uint32_t size = sizeof(device::compact);  ///< Of the struct. [bytes]
    std::uint32_t flags{};  ///< How.
    std::uint64_t most{};  ///< In: what to move at most, unless compact_flags::all. [bytes]
    std::uint64_t folios{};  ///< Out, also where it was refused: folios that moved.
    std::uint64_t bytes{};  ///< Out: what these are together. [bytes]
    std::uint64_t left{};  ///< Out: what should have moved and has not. [bytes]
    std::uint64_t us{};  ///< Out: what it took. [microseconds]
};

inline constexpr std::array<Field, 7> compact_fields = { {
    field<offsetof(compact, size), 0>("size", 4, 1, false),
    field<offsetof(compact, flags), 4>("flags", 4, 1, false),
    field<offsetof(compact, most), 8>("most", 8, 1, false),
    field<offsetof(compact, folios), 16>("folios", 8, 1, false),
    field<offsetof(compact, bytes), 24>("bytes", 8, 1, false),
    field<offsetof(compact, left), 32>("left", 8, 1, false),
    field<offsetof(compact, us), 40>("us", 8, 1, false),
} };

static_assert(std::is_standard_layout_v<compact> && std::is_trivially_copyable_v<compact>);
static_assert(sizeof(compact) == 48);

/// A subtree to make.
struct put {
    std::uint32_t size = sizeof(device::put);  ///< Of the struct. [bytes]
    std::uint32_t reserved{};  ///< 0.
    std::uint64_t len{};  ///< Of the subtree. [bytes]
    std::array<char, 64> name{};  ///< Its name.
};

inline constexpr std::array<Field, 4> put_fields = { {
    field<offsetof(put, size), 0>("size", 4, 1, false),
    field<offsetof(put, reserved), 4>("reserved", 4, 1, false),
    field<offsetof(put, len), 8>("len", 8, 1, false),
    field<offsetof(put, name), 16>("name", 1, 64, true),
} };

static_assert(std::is_standard_layout_v<put> && std::is_trivially_copyable_v<put>);
static_assert(sizeof(put) == 80);

/// An area of scratch to take.
struct scratch {
    std::uint32_t size = sizeof(device::scratch);  ///< Of the struct. [bytes]
    std::uint32_t flags{};  ///< Where.
    std::uint64_t bytes{};  ///< How large. [bytes]
    std::uint64_t align{};  ///< What its address is a multiple of. [bytes]
    std::uint32_t node{};  ///< NUMA node, or node_any.
    std::uint32_t reserved{};  ///< 0.
    std::array<char, 16> abi{};  ///< That of this freeze; empty, the one that is set.
    std::uint64_t pa{};  ///< Out: where it is. [physical address]
    std::uint64_t largest{};  ///< Out, if there is no such piece: the largest. [bytes]
};

inline constexpr std::array<Field, 9> scratch_fields = { {
    field<offsetof(scratch, size), 0>("size", 4, 1, false),
    field<offsetof(scratch, flags), 4>("flags", 4, 1, false),
    field<offsetof(scratch, bytes), 8>("bytes", 8, 1, false),
    field<offsetof(scratch, align), 16>("align", 8, 1, false),
    field<offsetof(scratch, node), 24>("node", 4, 1, false),
    field<offsetof(scratch, reserved), 28>("reserved", 4, 1, false),
    field<offsetof(scratch, abi), 32>("abi", 1, 16, true),
    field<offsetof(scratch, pa), 48>("pa", 8, 1, false),
    field<offsetof(scratch, largest), 56>("largest", 8, 1, false),
} };

static_assert(std::is_standard_layout_v<scratch> && std::is_trivially_copyable_v<scratch>);
static_assert(sizeof(scratch) == 64);

/// What has become of the kernel that was loaded.
struct image {
    std::uint32_t size = sizeof(device::image);  ///< Of the struct. [bytes]
    std::uint32_t state{};  ///< What has become of it.
    /// 1 if others have changed the kernel's own tree since it was copied, else 0.
    std::uint32_t others_changed{};
    std::uint32_t pid{};  ///< Of who froze, in the initial namespace; 0 if nobody has.
    std::array<char, 16> comm{};  ///< Its name.
};

inline constexpr std::array<Field, 5> image_fields = { {
    field<offsetof(image, size), 0>("size", 4, 1, false),
    field<offsetof(image, state), 4>("state", 4, 1, false),
    field<offsetof(image, others_changed), 8>("others_changed", 4, 1, false),
    field<offsetof(image, pid), 12>("pid", 4, 1, false),
    field<offsetof(image, comm), 16>("comm", 1, 16, true),
} };

static_assert(std::is_standard_layout_v<image> && std::is_trivially_copyable_v<image>);
static_assert(sizeof(image) == 32);

/// What to attach to.
struct attach {
    std::uint32_t size = sizeof(device::attach);  ///< Of the struct. [bytes]
    std::uint32_t reserved{};  ///< 0.
    std::uint64_t setup_data{};  ///< The first node of the chain. [physical address]
};

inline constexpr std::array<Field, 3> attach_fields = { {
    field<offsetof(attach, size), 0>("size", 4, 1, false),
    field<offsetof(attach, reserved), 4>("reserved", 4, 1, false),
    field<offsetof(attach, setup_data), 8>("setup_data", 8, 1, false),
} };

static_assert(std::is_standard_layout_v<attach> && std::is_trivially_copyable_v<attach>);
static_assert(sizeof(attach) == 16);

/// How far an attach is with the memory that was handed over.
struct progress {
    std::uint32_t size = sizeof(device::progress);  ///< Of the struct. [bytes]
    std::uint32_t reserved{};  ///< 0.
    std::uint64_t done{};  ///< What it has gone through. [bytes]
    std::uint64_t all{};  ///< What it goes through, 0 unless it does. [bytes]
};

inline constexpr std::array<Field, 4> progress_fields = { {
    field<offsetof(progress, size), 0>("size", 4, 1, false),
    field<offsetof(progress, reserved), 4>("reserved", 4, 1, false),
    field<offsetof(progress, done), 8>("done", 8, 1, false),
    field<offsetof(progress, all), 16>("all", 8, 1, false),
} };

static_assert(std::is_standard_layout_v<progress> && std::is_trivially_copyable_v<progress>);
static_assert(sizeof(progress) == 24);

// What is read, one after the other, in the files that Ioctl::open gives; these never grow.

/// Physical memory.
struct range {
    std::uint64_t start{};  ///< Its first byte. [physical address]
    std::uint64_t end{};  ///< The first byte behind it. [physical address]
};

inline constexpr std::array<Field, 2> range_fields = { {
    field<offsetof(range, start), 0>("start", 8, 1, false),
    field<offsetof(range, end), 8>("end", 8, 1, false),
} };

static_assert(std::is_standard_layout_v<range> && std::is_trivially_copyable_v<range>);
static_assert(sizeof(range) == 16);

/// Physical memory, and how much of it is meant. It may have gaps of up to extent_gap; where keys
/// are few and far between there are more extents than that would need.
struct extent {
    std::uint64_t start{};  ///< Its first byte. [physical address]
    std::uint64_t end{};  ///< The first byte behind it. [physical address]
    std::uint64_t bytes{};  ///< What is meant, its first and last page among it. [bytes]
};

inline constexpr std::array<Field, 3> extent_fields = { {
    field<offsetof(extent, start), 0>("start", 8, 1, false),
    field<offsetof(extent, end), 8>("end", 8, 1, false),
    field<offsetof(extent, bytes), 16>("bytes", 8, 1, false),
} };

static_assert(std::is_standard_layout_v<extent> && std::is_trivially_copyable_v<extent>);
static_assert(sizeof(extent) == 24);

/// A subtree.
struct subtree {
    std::array<char, 64> name{};  ///< Its name.
    std::uint64_t len{};  ///< Its length. [bytes]
    std::uint64_t digest{};  ///< The xxh64 of its bytes, if subtree_flags::has_digest.
    std::uint32_t flags{};  ///< What is known of it.
    std::uint32_t reserved{};  ///< 0.
};

inline constexpr std::array<Field, 5> subtree_fields = { {
    field<offsetof(subtree, name), 0>("name", 1, 64, true),
    field<offsetof(subtree, len), 64>("len", 8, 1, false),
    field<offsetof(subtree, digest), 72>("digest", 8, 1, false),
    field<offsetof(subtree, flags), 80>("flags", 4, 1, false),
    field<offsetof(subtree, reserved), 84>("reserved", 4, 1, false),
} };

static_assert(std::is_standard_layout_v<subtree> && std::is_trivially_copyable_v<subtree>);
static_assert(sizeof(subtree) == 88);

/// How long a piece of work took.
struct bench_row {
    std::array<char, 32> work{};  ///< Its name.
    std::uint64_t keys{};  ///< How many it was about.
    std::uint64_t ns{};  ///< What it took, for all of them. [nanoseconds]
    std::uint64_t nodes{};  ///< Nodes that are left, if bench_row_flags::has_nodes.
    /// Of the kernel's own tree, if bench_row_flags::has_upstream. [nanoseconds]
    std::uint64_t upstream_ns{};
    std::uint64_t upstream_nodes{};  ///< The same of nodes.
    std::uint32_t flags{};  ///< Which of these count.
    std::uint32_t repetitions{};  ///< The times are the middle ones of so many.
};

inline constexpr std::array<Field, 8> bench_row_fields = { {
    field<offsetof(bench_row, work), 0>("work", 1, 32, true),
    field<offsetof(bench_row, keys), 32>("keys", 8, 1, false),
    field<offsetof(bench_row, ns), 40>("ns", 8, 1, false),
    field<offsetof(bench_row, nodes), 48>("nodes", 8, 1, false),
    field<offsetof(bench_row, upstream_ns), 56>("upstream_ns", 8, 1, false),
    field<offsetof(bench_row, upstream_nodes), 64>("upstream_nodes", 8, 1, false),
    field<offsetof(bench_row, flags), 72>("flags", 4, 1, false),
    field<offsetof(bench_row, repetitions), 76>("repetitions", 4, 1, false),
} };

static_assert(std::is_standard_layout_v<bench_row> && std::is_trivially_copyable_v<bench_row>);
static_assert(sizeof(bench_row) == 80);

/// What ioctl() is called with for the ioctl of a number; there is no size in it.
constexpr std::uint32_t request(std::uint32_t number) {
    return std::uint32_t{type} << 8U | number;
}

/// The ioctls.
enum class Ioctl : std::uint32_t {
    status = request(0x00),  ///< Says how everything stands.
    refusal = request(0x01),  ///< Says why the last ioctl or write of this open file was refused.
    /// Opens what is handed over, or what was, as a file of its own (O_CLOEXEC).
    open = request(0x02),
    set_abi = request(0x03),  ///< Sets the version of the ABI that is handed over in.
    preserve = request(0x04),  ///< Allocates folios, fills them and preserves them.
    unpreserve = request(0x05),  ///< Gives back what Ioctl::preserve and Ioctl::put have made.
    /// Moves scattered folios of Ioctl::preserve into contiguous memory. What has moved stays where
    /// it is, also if it returns an error.
    compact = request(0x06),
    put = request(0x07),  ///< Makes a subtree of zeroes and opens it.
    /// Takes one more area of scratch. The first one freezes: what is handed over does not change
    /// from then on until Ioctl::scratch_give, or until this open file is closed without
    /// Ioctl::loaded.
    scratch_take = request(0x08),
    /// Freezes for a handover by the kernel's own KHO, without an area.
    scratch_kernel = request(0x09),
    scratch_give = request(0x0a),  ///< Gives all scratch back and thaws.
    image = request(0x0b),  ///< Says what has become of the kernel that was loaded.
    attach = request(0x0c),  ///< Attaches to what the kernel before has left.
    /// Makes pages live that were handed over, and gives them to the page allocator.
    restore = request(0x0d),
    release = request(0x0e),  ///< Lets go of what is left of what was handed over.
    loaded = request(0x0f),  ///< Tells that the kernel is loaded that what is frozen goes to.
    /// Says how far the Ioctl::attach is that somebody waits for. It does not wait itself.
    progress = request(0x10),
};

/// What there is to know of an ioctl where its number is no constant.
struct IoctlInfo {
    Ioctl number;
    std::string_view name;
    std::size_t size;        ///< of its argument in bytes, 0 if it takes none
    std::string_view needs;  ///< a capability; empty: whoever has the device open may
    bool returns_fd;
};

/// All of them.
inline constexpr std::array<IoctlInfo, 17> ioctls = { {
    {Ioctl::status, "status", sizeof(device::status), "CAP_SYS_ADMIN", false},
    {Ioctl::refusal, "refusal", sizeof(device::refusal), "", false},
    {Ioctl::open, "open", sizeof(device::open), "CAP_SYS_ADMIN", true},
    {Ioctl::set_abi, "set_abi", sizeof(device::abi), "CAP_SYS_ADMIN", false},
    {Ioctl::preserve, "preserve", sizeof(device::preserve), "CAP_SYS_ADMIN", false},
    {Ioctl::unpreserve, "unpreserve", sizeof(device::target), "CAP_SYS_ADMIN", false},
    {Ioctl::compact, "compact", sizeof(device::compact), "CAP_SYS_ADMIN", false},
    {Ioctl::put, "put", sizeof(device::put), "CAP_SYS_ADMIN", true},
    {Ioctl::scratch_take, "scratch_take", sizeof(device::scratch), "CAP_SYS_BOOT", false},
    {Ioctl::scratch_kernel, "scratch_kernel", 0, "CAP_SYS_BOOT", false},
    {Ioctl::scratch_give, "scratch_give", 0, "CAP_SYS_BOOT", false},
    {Ioctl::image, "image", sizeof(device::image), "CAP_SYS_BOOT", false},
    {Ioctl::attach, "attach", sizeof(device::attach), "CAP_SYS_ADMIN", false},
    {Ioctl::restore, "restore", sizeof(device::target), "CAP_SYS_ADMIN", false},
    {Ioctl::release, "release", sizeof(device::target), "CAP_SYS_ADMIN", false},
    {Ioctl::loaded, "loaded", 0, "CAP_SYS_BOOT", false},
    {Ioctl::progress, "progress", sizeof(device::progress), "CAP_SYS_ADMIN", false},
} };
// clang-format on

}  // namespace khob::device

#endif  // KHOB_DEVICE_HPP
