// SPDX-License-Identifier: GPL-2.0-only
// Talks to the module through its device.
#include "module/module.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/bytes.hpp"
#include "base/numbers.hpp"
#include "module/text.hpp"

namespace khob {

namespace {

constexpr std::string_view module_sysfs = "/sys/module/kho_bridge";

/// What an errno of the module's means for the user.
ExitCode code_of(int err) {
    switch (err) {
        case EBUSY:
        case EINVAL:
        case ENOENT:
        case EEXIST:
        case ENOMEM:
        case ENOSPC:
        case ERANGE:
        case E2BIG:
        case EPERM:
            return ExitCode::refused;
        case EINTR:
            return ExitCode::interrupted;
        default:
            return ExitCode::failure;
    }
}

std::string hint_of(int err) {
    switch (err) {
        case EBUSY:
            return "while a kernel is loaded nothing may change: `khoctl unload` first";
        case ENOMEM:
        case ENOSPC:
            return "free memory, or preserve less";
        case EPERM:
            return "another module's it gives back itself; a locked down kernel refuses all: see "
                   "/sys/kernel/security/lockdown";
        case ENOTTY:
        case E2BIG:
            return "the module is older than khoctl: load the one of the same version";
        default:
            return "`khoctl status` and the kernel log (dmesg) tell more";
    }
}

/// The areas that scratch_phys and scratch_len in `dir` list.
Result<std::vector<Range>> read_areas(const std::filesystem::path& dir) {
    const auto phys = read_text(dir / "scratch_phys");
    const auto len = read_text(dir / "scratch_len");
    if (!phys || !len) {
        return tl::unexpected(phys ? len.error() : phys.error());
    }
    const auto starts = parse_numbers(*phys);
    const auto sizes = parse_numbers(*len);
    if (!starts || !sizes) {
        return tl::unexpected(starts ? sizes.error() : starts.error());
    }
    if (starts->size() != sizes->size()) {
        return fail(ExitCode::failure, "scratch_phys and scratch_len differ in length");
    }
    std::vector<Range> out;
    for (std::size_t i = 0; i < starts->size(); ++i) {
        const std::uint64_t start = starts->at(i);
        const std::uint64_t end = start + sizes->at(i);
        if (end < start || !is_aligned(start | end, page_size)) {
            return fail(ExitCode::failure,
                        fmt::format("scratch area {} makes no sense: {:#x}, {} bytes", i, start,
                                    sizes->at(i)));
        }
        out.push_back(make_range(start, end));
    }
    return out;
}

/// The name that docs/device.rst has for an ioctl.
std::string_view name_of(device::Ioctl what) {
    const auto* const it =
        std::find_if(device::ioctls.begin(), device::ioctls.end(),
                     [what](const device::IoctlInfo& info) { return info.number == what; });
    return it == device::ioctls.end() ? "ioctl" : it->name;
}

device::target wire(const Target& target) {
    device::target out;
    out.what = static_cast<std::uint32_t>(target.kind);
    out.pa = target.page.addr.value();
    out.order = target.page.order.value();
    out.name = text_in<sizeof(out.name)>(target.name);
    return out;
}

}  // namespace

std::string_view to_string(Side side) {
    return side == Side::out ? "out" : "in";
}

std::string to_string(const Target& target) {
    switch (target.kind) {
        case device::TargetKind::page:
            return fmt::format("{:#x} {}", target.page.addr.value(), target.page.order.value());
        case device::TargetKind::subtree:
            return fmt::format("subtree {}", target.name);
        case device::TargetKind::all:
            break;
    }
    return "all";
}

bool module_loaded(const System& sys) {
    std::error_code ignored;
    return std::filesystem::exists(sys.path(module_sysfs), ignored);
}

Result<Module> Module::open(const System& sys) {
    if (auto ok = require_root(sys); !ok) {
        return tl::unexpected(ok.error());
    }
    if (auto ok = require_no_lockdown(sys); !ok) {
        return tl::unexpected(ok.error());
    }
    if (!module_loaded(sys)) {
        return fail(ExitCode::absent, "the module kho_bridge is not loaded",
                    "load it: modprobe kho_bridge");
    }
    int err = 0;
    auto fd = open_file(sys.path(device::path), O_RDWR | O_CLOEXEC, &err);
    if (fd) {
        return Module(sys, std::move(*fd));
    }
    if (err == EPERM) {
        return tl::unexpected(lockdown_error("or CAP_SYS_ADMIN missing"));
    }
    return fail(ExitCode::absent, fd.error().what,
                err == ENOENT
                    ? "the module kho_bridge is older than khoctl, or /dev is no devtmpfs: "
                      "see /sys/class/misc/kho_bridge/dev"
                    : "`ls -l /dev/kho_bridge` tells who may open it");
}

tl::unexpected<Error> Module::refused(const Fd& fd, device::Ioctl what, int err) const {
    device::refusal said;
    std::string sentence;
    if (sys_->ioctl(fd.get(), static_cast<std::uint32_t>(device::Ioctl::refusal), &said) >= 0 &&
        said.error == static_cast<std::uint32_t>(err)) {
        sentence = text_of(said.sentence);
    }
    if (sentence.empty()) {
        sentence = fmt::format("{}: {}", name_of(what), std::strerror(err));
    }
    return fail(code_of(err), sentence, hint_of(err));
}

Result<int> Module::call(device::Ioctl what, void* arg, int* err) const {
    const int ret = sys_->ioctl(fd_.get(), static_cast<std::uint32_t>(what), arg);
    if (err != nullptr) {
        *err = ret < 0 ? -ret : 0;
    }
    if (ret < 0) {
        return refused(fd_, what, -ret);
    }
    return ret;
}

Result<void> Module::act(device::Ioctl what, void* arg) const {
    const auto done = call(what, arg);
    return done ? Result<void>{} : tl::unexpected(done.error());
}

Result<void> Module::act_on(device::Ioctl what, const Target& target) const {
    device::target arg = wire(target);
    return act(what, &arg);
}

Result<Fd> Module::open_stream(device::OpenWhat what, std::string_view name, std::uint64_t keys,
                               int* err) const {
    device::open arg;
    arg.what = static_cast<std::uint32_t>(what);
    arg.keys = keys;
    arg.name = text_in<sizeof(arg.name)>(name);
    const auto fd = call(device::Ioctl::open, &arg, err);
    if (!fd) {
        return tl::unexpected(fd.error());
    }
    return Fd(*fd);
}

Result<ByteVector> Module::read_stream(device::OpenWhat what, std::string_view name,
                                       std::uint64_t keys) const {
    const auto fd = open_stream(what, name, keys);
    if (!fd) {
        return tl::unexpected(fd.error());
    }
    return read_stream(*fd);
}

Result<ByteVector> Module::read_stream(const Fd& fd) const {
    int err = 0;
    auto bytes = read_all(fd.get(), "what the module lists", &err);
    if (!bytes && err != 0) {
        return refused(fd, device::Ioctl::open, err);
    }
    return bytes;
}

Result<Status> Module::status() const {
    device::status arg;
    if (auto ok = act(device::Ioctl::status, &arg); !ok) {
        return tl::unexpected(ok.error());
    }
    return Status(arg);
}

Result<void> Module::set_abi(abi::Version version) const {
    device::abi arg;
    arg.abi = text_in<sizeof(arg.abi)>(abi::compatible(version));
    return act(device::Ioctl::set_abi, &arg);
}

Result<void> Module::preserve(const PreserveRequest& request) const {
    device::preserve arg;
    arg.pages = request.pages;
    arg.order = request.order ? request.order->value() : device::order_mixed;
    arg.seed = request.seed;
    arg.scatter = request.scatter;
    return act(device::Ioctl::preserve, &arg);
}

Result<void> Module::unpreserve(const Target& target) const {
    return act_on(device::Ioctl::unpreserve, target);
}

Result<Compacted> Module::compact(std::optional<std::uint64_t> most_bytes) const {
    device::compact arg;
    if (most_bytes) {
        arg.most = *most_bytes;
    } else {
        arg.flags = device::compact_flags::all;
    }
    const auto done = act(device::Ioctl::compact, &arg);
    Compacted out{.folios = arg.folios, .bytes = arg.bytes, .left_bytes = arg.left, .us = arg.us};
    if (!done) {
        if (arg.folios == 0 && arg.left == 0) {
            return tl::unexpected(done.error());
        }
        out.error = done.error();
    }
    return out;
}

Result<void> Module::put(std::string_view name, ByteView data) const {
    if (auto ok = check_subtree_name(name); !ok) {
        return ok;
    }
    device::put arg;
    arg.len = data.size();
    arg.name = text_in<sizeof(arg.name)>(name);
    const auto made = call(device::Ioctl::put, &arg);
    if (!made) {
        return tl::unexpected(made.error());
    }
    const Fd fd(*made);
    auto written = write_all(fd.get(), data, fmt::format("subtree {}", name));
    if (!written) {
        // The subtree exists with only part of its bytes; its own failure matters more than this.
        (void)unpreserve({.kind = device::TargetKind::subtree, .name = std::string(name)});
    }
    return written;
}

Result<void> Module::take_scratch(const AreaRequest& area, std::optional<abi::Version> abi,
                                  std::uint64_t* largest) const {
    device::scratch arg;
    arg.bytes = area.size;
    arg.align = area.align;
    arg.flags = area.low ? device::scratch_flags::low : 0;
    arg.node = area.node.value_or(device::node_any);
    if (abi) {
        arg.abi = text_in<sizeof(arg.abi)>(abi::compatible(*abi));
    }
    auto done = act(device::Ioctl::scratch_take, &arg);
    *largest = arg.largest;
    return done;
}

Result<void> Module::leave_to_kernel() const {
    return act(device::Ioctl::scratch_kernel, nullptr);
}

Result<void> Module::give_scratch() const {
    return act(device::Ioctl::scratch_give, nullptr);
}

Result<void> Module::loaded() const {
    return act(device::Ioctl::loaded, nullptr);
}

Result<LoadedImage> Module::image() const {
    device::image arg;
    if (auto ok = act(device::Ioctl::image, &arg); !ok) {
        return tl::unexpected(ok.error());
    }
    return LoadedImage{.state = static_cast<device::ImageState>(arg.state),
                       .others_changed = arg.others_changed != 0,
                       .pid = arg.pid,
                       .comm = text_of(arg.comm)};
}

Result<void> Module::attach(PhysAddr setup_data) const {
    device::attach arg;
    arg.setup_data = setup_data.value();
    return act(device::Ioctl::attach, &arg);
}

Result<device::progress> Module::attach_progress() const {
    device::progress out;
    return act(device::Ioctl::progress, &out).map([&out] { return out; });
}

Result<void> Module::restore(const Target& target) const {
    return act_on(device::Ioctl::restore, target);
}

Result<void> Module::release(const Target& target) const {
    return act_on(device::Ioctl::release, target);
}

Result<std::vector<Key>> Module::keys(Side side) const {
    return read_stream(side == Side::out ? device::OpenWhat::out_keys : device::OpenWhat::in_keys)
        .and_then([](const ByteVector& bytes) { return decode_keys(bytes); });
}

Result<std::vector<Range>> Module::ranges(Side side) const {
    return read_stream(side == Side::out ? device::OpenWhat::out_ranges
                                         : device::OpenWhat::in_ranges)
        .and_then([](const ByteVector& bytes) { return decode_ranges(bytes); });
}

Result<std::vector<Extent>> Module::extents() const {
    return read_stream(device::OpenWhat::out_extents).and_then([](const ByteVector& bytes) {
        return decode_extents(bytes);
    });
}

Result<std::vector<Subtree>> Module::subtrees(Side side) const {
    return read_stream(side == Side::out ? device::OpenWhat::out_subtrees
                                         : device::OpenWhat::in_subtrees)
        .and_then([](const ByteVector& bytes) { return decode_subtrees(bytes); });
}

Result<ByteVector> Module::subtree(Side side, std::string_view name) const {
    if (auto ok = check_subtree_name(name); !ok) {
        return tl::unexpected(ok.error());
    }
    int err = 0;
    const auto fd = open_stream(
        side == Side::out ? device::OpenWhat::out_subtree : device::OpenWhat::in_subtree, name, 0,
        &err);
    if (fd) {
        return read_stream(*fd);
    }
    if (err != ENOENT) {
        return tl::unexpected(fd.error());
    }
    return fail(ExitCode::refused,
                fmt::format("there is no subtree '{}' in {}/", name, to_string(side)),
                "`khoctl ls` lists them");
}

Result<Fd> Module::open_data(Side side) const {
    return open_stream(side == Side::out ? device::OpenWhat::out_data : device::OpenWhat::in_data);
}

Result<std::vector<Range>> Module::scratch() const {
    return read_stream(device::OpenWhat::out_scratch).and_then([](const ByteVector& bytes) {
        return decode_areas(bytes);
    });
}

Result<std::vector<device::bench_row>> Module::bench(std::uint64_t keys) const {
    return read_stream(device::OpenWhat::bench, {}, keys).and_then([](const ByteVector& bytes) {
        return decode_bench(bytes);
    });
}

Result<std::vector<Range>> kernel_scratch(const System& sys) {
    return read_areas(sys.path(kernel_kho_dir) / "out");
}

Result<void> read_at(const Fd& fd, PhysAddr at, ByteSpan to) {
    while (!to.empty()) {
        const ssize_t n = ::pread(fd.get(), to.data(), to.size(), static_cast<off_t>(at.value()));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return fail_errno(n < 0 ? errno : EFAULT,
                              fmt::format("cannot read preserved memory at {:#x}", at.value()));
        }
        to = to.subspan(static_cast<std::size_t>(n));
        at = at + static_cast<std::uint64_t>(n);
    }
    return {};
}

}  // namespace khob
