// SPDX-License-Identifier: GPL-2.0-only
// The client of the module's device, /dev/kho_bridge; docs/device.rst is the contract.
#ifndef KHOB_MODULE_HPP
#define KHOB_MODULE_HPP

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/system.hpp"
#include "base/types.hpp"
#include "khob/device.hpp"
#include "module/lists.hpp"
#include "module/status.hpp"
#include "plan/scratch.hpp"

namespace khob {

/// The two directions: what this kernel hands over, and what it was handed.
enum class Side { out, in };

std::string_view to_string(Side side);

/// What a kernel with KHO of its own shows of it.
inline constexpr std::string_view kernel_kho_dir = "/sys/kernel/debug/kho";

/// Whether the module is loaded.
bool module_loaded(const System& sys);

/// What is to be unpreserved, restored or released: all, a page, or the subtree of that name.
struct Target {
    device::TargetKind kind = device::TargetKind::all;
    Key page{};
    std::string name{};
};

/// As a person would write it: "all", "0x1000 0", "subtree NAME".
std::string to_string(const Target& target);

/// What `khoctl preserve` asks for.
struct PreserveRequest {
    std::uint64_t pages = 0;
    std::optional<Order> order{};  ///< of each folio; nothing: mixed
    std::uint64_t seed = 0;
    unsigned scatter = 0;  ///< percent of memory that every second folio is spread over
};

/// What a compaction has moved, also if it did not get through.
struct Compacted {
    std::uint64_t folios = 0;
    std::uint64_t bytes = 0;
    std::uint64_t left_bytes = 0;  ///< that should have moved
    std::uint64_t us = 0;
    std::optional<Error> error{};
};

/// What has become of the kernel that was loaded.
struct LoadedImage {
    device::ImageState state = device::ImageState::none;
    bool others_changed = false;  ///< the kernel's own tree, since it was copied
    std::uint32_t pid = 0;        ///< of who froze
    std::string comm{};
};

class Module {
  public:
    /// Checks root, lockdown and the module. Errors: refused, absent.
    static Result<Module> open(const System& sys);

    Result<Status> status() const;
    Result<void> set_abi(abi::Version version) const;

    Result<void> preserve(const PreserveRequest& request) const;
    Result<void> unpreserve(const Target& target) const;
    /// Nothing: all, and what lies in chunks that are nearly empty. Errors: it has not begun.
    Result<Compacted> compact(std::optional<std::uint64_t> most_bytes) const;
    /// Makes an outgoing subtree of these bytes; nothing is left of it on failure.
    Result<void> put(std::string_view name, ByteView data) const;

    /// One more area of scratch. The first freezes, in `abi` or the version that is set, and that
    /// is this object's, which gives all of it back as it goes, until loaded(). On failure
    /// `*largest` is what there is in one piece, in bytes; 0 if that is not why.
    Result<void> take_scratch(const AreaRequest& area, std::optional<abi::Version> abi,
                              std::uint64_t* largest) const;
    /// Freezes for a handover by the running kernel's own KHO; areas may be taken besides.
    Result<void> leave_to_kernel() const;
    Result<void> give_scratch() const;
    /// The kernel for which it was taken is loaded: from here on that is nobody's.
    Result<void> loaded() const;
    Result<LoadedImage> image() const;
    /// The areas of scratch that the module holds.
    Result<std::vector<Range>> scratch() const;

    Result<void> attach(PhysAddr setup_data) const;
    /// How far somebody's attach() is; `all` is 0 unless there is one.
    Result<device::progress> attach_progress() const;
    Result<void> restore(const Target& target) const;
    Result<void> release(const Target& target) const;

    Result<std::vector<Key>> keys(Side side) const;
    Result<std::vector<Range>> ranges(Side side) const;
    /// The outgoing ranges with the gaps between them that are small: far fewer of them where
    /// single pages lie close together.
    Result<std::vector<Extent>> extents() const;
    Result<std::vector<Subtree>> subtrees(Side side) const;
    Result<ByteVector> subtree(Side side, std::string_view name) const;
    /// Preserved memory, to be read at offsets that are physical addresses.
    Result<Fd> open_data(Side side) const;
    /// Times the tree at its work; that is done while this waits.
    Result<std::vector<device::bench_row>> bench(std::uint64_t keys) const;

  private:
    Module(const System& sys, Fd fd) : sys_(&sys), fd_(std::move(fd)) {}

    /// One ioctl. Return: what it returns. The error's text is the module's own sentence.
    /// `*err`, if given, is the errno, 0 if there was none.
    Result<int> call(device::Ioctl what, void* arg, int* err = nullptr) const;
    Result<void> act(device::Ioctl what, void* arg) const;
    Result<void> act_on(device::Ioctl what, const Target& target) const;
    Result<Fd> open_stream(device::OpenWhat what, std::string_view name = {},
                           std::uint64_t keys = 0, int* err = nullptr) const;
    Result<ByteVector> read_stream(const Fd& fd) const;
    Result<ByteVector> read_stream(device::OpenWhat what, std::string_view name = {},
                                   std::uint64_t keys = 0) const;
    /// What the module says of an errno that it gave for `fd`.
    tl::unexpected<Error> refused(const Fd& fd, device::Ioctl what, int err) const;

    const System* sys_;
    Fd fd_;
};

/// pread(2) of exactly `to`.
Result<void> read_at(const Fd& fd, PhysAddr at, ByteSpan to);

/// The scratch areas of the running kernel's own KHO, in its order; some may be empty.
Result<std::vector<Range>> kernel_scratch(const System& sys);

}  // namespace khob

#endif  // KHOB_MODULE_HPP
