// SPDX-License-Identifier: GPL-2.0-only
// Talks to the module.
#include "module/module.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/bytes.hpp"

namespace khob {

namespace {

constexpr std::string_view debugfs = "/sys/kernel/debug";
constexpr std::string_view module_dir = "/sys/kernel/debug/kho_bridge";
constexpr std::string_view kernel_out_dir = "/sys/kernel/debug/kho/out";
constexpr std::string_view module_sysfs = "/sys/module/kho_bridge";
constexpr std::size_t subtree_name_max = 63;

std::string side_file(Side side, std::string_view name) {
    return fmt::format("{}/{}", to_string(side), name);
}

/// What an errno of a control write means for the user.
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
            return "a locked down kernel keeps debugfs shut: see /sys/kernel/security/lockdown";
        default:
            return "`khoctl status` and the kernel log (dmesg) tell more";
    }
}

/// The areas that scratch_phys and scratch_len in `dir` list, each of at least `least` bytes.
Result<std::vector<Range>> read_areas(const std::filesystem::path& dir, std::uint64_t least) {
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
        if (end < start || end - start < least || !is_aligned(start | end, page_size)) {
            return fail(ExitCode::failure,
                        fmt::format("scratch area {} makes no sense: {:#x}, {} bytes", i, start,
                                    sizes->at(i)));
        }
        out.push_back(make_range(start, end));
    }
    return out;
}

}  // namespace

std::string_view to_string(Side side) {
    return side == Side::out ? "out" : "in";
}

bool module_loaded(const System& sys) {
    std::error_code ignored;
    return std::filesystem::exists(sys.path(module_sysfs), ignored) ||
           std::filesystem::exists(sys.path(module_dir), ignored);
}

Result<void> check_subtree_name(std::string_view name) {
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view(",._+-").find(c) != std::string_view::npos;
    };
    if (name.empty() || name.size() > subtree_name_max || name == "." || name == ".." ||
        !std::all_of(name.begin(), name.end(), good)) {
        return fail(ExitCode::usage, fmt::format("'{}' cannot name a subtree", name),
                    "use 1 to 63 of the characters A-Z a-z 0-9 , . _ + -");
    }
    return {};
}

Result<Module> Module::open(const System& sys) {
    if (auto ok = require_root(sys); !ok) {
        return tl::unexpected(ok.error());
    }
    if (auto ok = require_no_lockdown(sys); !ok) {
        return tl::unexpected(ok.error());
    }
    std::error_code ignored;
    const auto dir = sys.path(module_dir);
    if (!std::filesystem::is_directory(dir, ignored)) {
        if (!std::filesystem::exists(sys.path(module_sysfs), ignored)) {
            return fail(ExitCode::absent, "the module kho_bridge is not loaded",
                        "load it: modprobe kho_bridge");
        }
        return fail(ExitCode::absent, fmt::format("{} is missing", dir.string()),
                    fmt::format("mount debugfs: mount -t debugfs debugfs {}", debugfs));
    }
    Module module(dir);
    if (const auto status = module.status(); !status) {
        return tl::unexpected(status.error());
    }
    return module;
}

Result<std::string> Module::text(std::string_view name) const {
    const auto raw = bytes(name);
    if (!raw) {
        return tl::unexpected(raw.error());
    }
    return std::string(reinterpret_cast<const char*>(raw->data()), raw->size());
}

Result<ByteVector> Module::bytes(std::string_view name) const {
    int err = 0;
    const auto fd = open_file(file(name), O_RDONLY, &err);
    if (!fd) {
        Error error = fd.error();
        if (err == EPERM) {
            error = lockdown_error("debugfs");
        }
        return tl::unexpected(error);
    }
    return read_all(fd->get(), file(name));
}

Result<Status> Module::status() const {
    const auto raw = text("status");
    if (!raw) {
        return tl::unexpected(raw.error());
    }
    return Status::parse(*raw);
}

Result<void> Module::control(std::string_view name, std::string_view line) const {
    int err = 0;
    const auto fd = open_file(file(name), O_WRONLY | O_TRUNC, &err);
    if (fd) {
        // One write: the module takes each for a whole line.
        const std::string whole = fmt::format("{}\n", line);
        const ssize_t n = ::write(fd->get(), whole.data(), whole.size());
        if (n == static_cast<ssize_t>(whole.size())) {
            return {};
        }
        err = n < 0 ? errno : EIO;
        return refused(err, fmt::format("'{}' to {}", line, name));
    }
    return fail(code_of(err), fmt::format("'{}' to {}: {}", line, name, std::strerror(err)),
                hint_of(err));
}

Result<std::string> Module::run(std::string_view name) const {
    int err = 0;
    const auto fd = open_file(file(name), O_RDONLY, &err);
    if (!fd) {
        return fail(code_of(err), fd.error().what, hint_of(err));
    }
    const auto raw = read_all(fd->get(), file(name), &err);
    if (!raw) {
        return refused(err, fmt::format("reading {}", name));
    }
    return std::string(reinterpret_cast<const char*>(raw->data()), raw->size());
}

tl::unexpected<Error> Module::refused(int err, const std::string& else_what) const {
    const auto now = status();
    const std::string said = now ? now->text("last_error") : "";
    const std::string what =
        said.empty() ? fmt::format("{}: {}", else_what, std::strerror(err)) : said;
    return fail(code_of(err), what, hint_of(err));
}

Result<std::vector<Key>> Module::keys(Side side) const {
    const auto raw = text(side_file(side, "keys"));
    if (!raw) {
        return tl::unexpected(raw.error());
    }
    return parse_keys(*raw);
}

Result<std::vector<Range>> Module::ranges(Side side) const {
    const auto raw = text(side_file(side, "ranges"));
    if (!raw) {
        return tl::unexpected(raw.error());
    }
    return parse_ranges(*raw);
}

Result<std::vector<Subtree>> Module::subtrees(Side side) const {
    const auto dir = file(side_file(side, "sub_fdts"));
    std::vector<Subtree> out;
    std::error_code ignored;
    if (!std::filesystem::exists(dir, ignored)) {
        return out;
    }
    const auto names = list_dir(dir);
    if (!names) {
        return tl::unexpected(names.error());
    }
    for (const std::string& name : *names) {
        const auto size = size_of_file(dir / name);
        if (!size) {
            return tl::unexpected(size.error());
        }
        out.push_back(Subtree{name, *size});
    }
    return out;
}

Result<ByteVector> Module::subtree(Side side, std::string_view name) const {
    if (auto ok = check_subtree_name(name); !ok) {
        return tl::unexpected(ok.error());
    }
    std::error_code ignored;
    const std::string path = side_file(side, fmt::format("sub_fdts/{}", name));
    if (!std::filesystem::exists(file(path), ignored)) {
        return fail(ExitCode::refused,
                    fmt::format("there is no subtree '{}' in {}/", name, to_string(side)),
                    "`khoctl ls` lists them");
    }
    return bytes(path);
}

std::optional<std::uint64_t> Module::digest(std::string_view name) const {
    const std::string all = text(side_file(Side::in, "digests")).value_or("");
    for (const std::string_view line : lines(all)) {
        const auto parts = words(line);
        if (parts.size() == 2 && parts[0] == name) {
            return parse_u64(parts[1]);
        }
    }
    return std::nullopt;
}

Result<void> Module::put(std::string_view name, ByteView data) const {
    if (auto ok = check_subtree_name(name); !ok) {
        return ok;
    }
    if (auto made = control("out/put", fmt::format("{} {}", name, data.size())); !made) {
        return made;
    }
    const auto path = file(fmt::format("out/sub_fdts/{}", name));
    auto fd = open_file(path, O_WRONLY);
    Result<void> written;
    if (fd) {
        written = write_all(fd->get(), data, path);
    } else {
        written = tl::unexpected(fd.error());
    }
    if (!written) {
        // The subtree exists with only part of its bytes; its own failure matters more than this.
        (void)control("out/unpreserve", fmt::format("subtree {}", name));
    }
    return written;
}

Result<std::vector<Range>> Module::scratch() const {
    return read_areas(file("out"), page_size);
}

Result<std::vector<Range>> kernel_scratch(const System& sys) {
    return read_areas(sys.path(kernel_out_dir), 0);
}

Result<Fd> Module::open_data(Side side) const {
    return open_file(file(side_file(side, "data")), O_RDONLY);
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
