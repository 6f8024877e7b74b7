// SPDX-License-Identifier: GPL-2.0-only
// The device that is played.
#include "fake_device.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/files.hpp"
#include "base/numbers.hpp"
#include "base/types.hpp"
#include "khob/device.hpp"
#include "module/text.hpp"

namespace khob::test {

namespace {

using device::Ioctl;
using device::OpenWhat;

std::map<std::string, std::string> status_lines(const std::filesystem::path& dir) {
    std::map<std::string, std::string> out;
    const std::string text = read_text(dir / "status").value_or("");
    for (const std::string_view line : lines(text)) {
        const std::size_t colon = line.find(':');
        out.emplace(line.substr(0, colon), trimmed(line.substr(colon + 1)));
    }
    return out;
}

/// The line of a field: out_keys is out.keys.
std::string line_of(std::string_view field) {
    std::string name(field);
    for (const std::string_view group : {"out_", "in_", "scratch_", "native_"}) {
        if (field.starts_with(group)) {
            name[group.size() - 1] = '.';
        }
    }
    return name;
}

void set_orders(char* at, const device::Field& field, std::string_view text) {
    for (const std::string_view word : words(text)) {
        const std::size_t colon = word.find(':');
        const std::uint64_t order = parse_u64(word.substr(0, colon)).value_or(0);
        const std::uint64_t count = parse_u64(word.substr(colon + 1)).value_or(0);
        std::memcpy(at + order * field.size, &count, sizeof(count));
    }
}

void set_field(device::status& s, const device::Field& field, const std::string& text) {
    char* const at = reinterpret_cast<char*>(&s) + field.offset;
    if (field.text) {
        std::copy_n(text.begin(), std::min(text.size(), field.length - 1), at);
    } else if (field.length > 1) {
        set_orders(at, field, text);
    } else {
        const std::uint64_t number = parse_u64(text).value_or(0);
        std::memcpy(at, &number, field.size);
    }
}

int say_status(const std::filesystem::path& dir, device::status& s) {
    namespace flags = device::status_flags;
    auto said = status_lines(dir);
    for (const device::Field& field : device::status_fields) {
        if (const auto it = said.find(line_of(field.name)); it != said.end()) {
            set_field(s, field, it->second);
        }
    }
    const auto flag = [&said](const char* name, const char* value, std::uint32_t bit) {
        return said[name] == value ? bit : 0;
    };
    s.flags = flag("test_build", "1", flags::test_build) | flag("source", "native", flags::native) |
              flag("out.state", "frozen", flags::frozen) |
              flag("in.method", "kho", flags::in_native) |
              flag("in.chain_damaged", "1", flags::chain_damaged);
    s.in_state =
        static_cast<std::uint32_t>(said["in.state"] == "attached"  ? device::InState::attached
                                   : said["in.state"] == "refused" ? device::InState::refused
                                                                   : device::InState::none);
    return 0;
}

int say_image(const std::filesystem::path& dir, device::image& image) {
    const auto said = status_lines(dir);
    const auto is = [&said](const char* name) {
        const auto it = said.find(name);
        return it == said.end() ? std::string() : it->second;
    };
    image.state = static_cast<std::uint32_t>(
        is("out.state") != "frozen" ? device::ImageState::none : device::ImageState::loaded);
    if (const auto state = parse_u64(is("image.state"))) {
        image.state = static_cast<std::uint32_t>(*state);
    }
    if (image.state != 0) {
        image.pid = 7;
        image.comm = text_in<sizeof(image.comm)>("khoctl");
    }
    image.others_changed = read_text(dir / "out/others_changed").value_or("") == "1\n" ? 1 : 0;
    return 0;
}

/// Notes a line in a file that has to be there, as debugfs' are.
int note(const std::filesystem::path& dir, const char* file, const std::string& line) {
    if (!std::filesystem::exists(dir / file)) {
        return -ENOENT;
    }
    std::ofstream out(dir / file, std::ios::binary | std::ios::trunc);
    out << line << '\n';
    return out ? 0 : -EISDIR;
}

/// A file of these bytes, open at its start. Return: a descriptor.
int file_of(const std::string& bytes) {
    const int fd = ::memfd_create("kho_bridge", MFD_CLOEXEC);
    if (fd < 0 || ::write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
        return -errno;
    }
    ::lseek(fd, 0, SEEK_SET);
    return fd;
}

template <typename T>
void append(std::string& to, const T& value) {
    to.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

/// A file of numbers, a line of two each, as `item` makes them bytes; junk as one odd byte.
template <typename Item>
int list(const std::filesystem::path& file, Item item) {
    const auto text = read_text(file);
    if (!text) {
        return -ENOENT;
    }
    std::string bytes;
    for (const std::string_view line : lines(*text)) {
        const auto parts = words(line);
        const auto first = parts.size() == 2 ? parse_u64(parts[0]) : std::nullopt;
        const auto second = parts.size() == 2 ? parse_u64(parts[1]) : std::nullopt;
        if (first && second) {
            item(bytes, *first, *second);
        } else {
            bytes += '?';
        }
    }
    return file_of(bytes);
}

int keys(const std::filesystem::path& file) {
    return list(file, [](std::string& to, std::uint64_t pa, std::uint64_t order) {
        append(to, Layout::encode(PhysAddr(pa), Order(static_cast<unsigned>(order))).value());
    });
}

int ranges(const std::filesystem::path& file) {
    return list(file, [](std::string& to, std::uint64_t start, std::uint64_t end) {
        append(to, device::range{start, end});
    });
}

/// A line of three numbers each; without that file, the ranges.
int extents(const std::filesystem::path& dir) {
    const auto text = read_text(dir / "extents");
    if (!text) {
        return list(dir / "ranges", [](std::string& to, std::uint64_t start, std::uint64_t end) {
            append(to, device::extent{start, end, end - start});
        });
    }
    std::string bytes;
    for (const std::string_view line : lines(*text)) {
        const auto parts = words(line);
        append(bytes, device::extent{parse_u64(parts.at(0)).value_or(0),
                                     parse_u64(parts.at(1)).value_or(0),
                                     parse_u64(parts.at(2)).value_or(0)});
    }
    return file_of(bytes);
}

int scratch(const std::filesystem::path& dir) {
    const auto starts = parse_numbers(read_text(dir / "scratch_phys").value_or(""));
    const auto sizes = parse_numbers(read_text(dir / "scratch_len").value_or(""));
    std::string bytes;
    for (std::size_t i = 0; starts && sizes && i < starts->size(); ++i) {
        const std::uint64_t size = i < sizes->size() ? sizes->at(i) : 0;
        append(bytes, device::range{starts->at(i), starts->at(i) + size});
    }
    return file_of(bytes);
}

int subtrees(const std::filesystem::path& dir) {
    std::map<std::string, std::string> digests;
    const std::string told = read_text(dir / "digests").value_or("");
    for (const std::string_view line : lines(told)) {
        const auto parts = words(line);
        digests.emplace(parts.at(0), parts.at(1));
    }
    std::string bytes;
    const auto names = list_dir(dir / "sub_fdts").value_or(std::vector<std::string>{});
    for (const std::string& name : names) {
        device::subtree s;
        s.name = text_in<sizeof(s.name)>(name);
        s.len = std::filesystem::file_size(dir / "sub_fdts" / name);
        if (const auto it = digests.find(name); it != digests.end()) {
            s.flags = device::subtree_flags::has_digest;
            s.digest = parse_u64(it->second).value_or(0);
        }
        append(bytes, s);
    }
    return file_of(bytes);
}

/// A file that nobody may read stands for what belongs to another module; root opens it all the
/// same.
int open_path(const std::filesystem::path& file, int flags) {
    std::error_code ignored;
    if (std::filesystem::status(file, ignored).permissions() == std::filesystem::perms::none) {
        return -EPERM;
    }
    const int fd = ::open(file.c_str(), flags | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int open_stream(const std::filesystem::path& dir, const device::open& open) {
    const std::string name = text_of(open.name);
    switch (static_cast<OpenWhat>(open.what)) {
        case OpenWhat::out_keys:
            return keys(dir / "out/keys");
        case OpenWhat::in_keys:
            return keys(dir / "in/keys");
        case OpenWhat::out_ranges:
            return ranges(dir / "out/ranges");
        case OpenWhat::in_ranges:
            return ranges(dir / "in/ranges");
        case OpenWhat::out_extents:
            return extents(dir / "out");
        case OpenWhat::out_scratch:
            return scratch(dir / "out");
        case OpenWhat::out_subtrees:
            return subtrees(dir / "out");
        case OpenWhat::in_subtrees:
            return subtrees(dir / "in");
        case OpenWhat::out_subtree:
            return open_path(dir / "out/sub_fdts" / name, O_RDWR);
        case OpenWhat::in_subtree:
            return open_path(dir / "in/sub_fdts" / name, O_RDONLY);
        case OpenWhat::out_data:
            return open_path(dir / "out/data", O_RDONLY);
        case OpenWhat::in_data:
            return open_path(dir / "in/data", O_RDONLY);
        case OpenWhat::bench:
            return open_path(dir / "sandbox/bench", O_RDONLY);
        default:
            return -EINVAL;
    }
}

std::string target_line(const device::target& t) {
    switch (static_cast<device::TargetKind>(t.what)) {
        case device::TargetKind::page:
            return fmt::format("{:#x} {}", t.pa, t.order);
        case device::TargetKind::subtree:
            return fmt::format("subtree {}", text_of(t.name));
        default:
            return "all";
    }
}

std::string preserve_line(const device::preserve& p) {
    std::string line =
        fmt::format("pages={} order={} seed={}", p.pages,
                    p.order == device::order_mixed ? "mixed" : fmt::format("{}", p.order), p.seed);
    return p.scatter == 0 ? line : fmt::format("{} scatter={}", line, p.scatter);
}

std::string scratch_line(const device::scratch& s) {
    std::string line = fmt::format("take {} {}", s.bytes, s.align);
    if ((s.flags & device::scratch_flags::low) != 0) {
        line += " low";
    }
    if (s.node != device::node_any) {
        line += fmt::format(" node={}", s.node);
    }
    if (const std::string abi = text_of(s.abi); !abi.empty()) {
        line += fmt::format(" abi={}", abi);
    }
    return line;
}

int take(const std::filesystem::path& dir, device::scratch& s) {
    const int ret = note(dir, "out/scratch", scratch_line(s));
    const auto said = status_lines(dir);
    if (const auto it = said.find("scratch.largest"); ret < 0 && it != said.end()) {
        s.largest = parse_u64(it->second).value_or(0);
    }
    return ret;
}

int compact(const std::filesystem::path& dir, device::compact& c) {
    const bool all = (c.flags & device::compact_flags::all) != 0;
    const int ret = note(dir, "out/compact", all ? "all" : fmt::format("{}", c.most));
    auto said = status_lines(dir);
    if (ret < 0 && said["compact.began"] != "1") {
        return ret;
    }
    c.folios = parse_u64(said["out.compact_folios"]).value_or(0);
    c.bytes = parse_u64(said["out.compact_bytes"]).value_or(0);
    c.left = parse_u64(said["out.compact_left"]).value_or(0);
    c.us = parse_u64(said["out.compact_us"]).value_or(0);
    return ret;
}

int put(const std::filesystem::path& dir, const device::put& p) {
    const std::string name = text_of(p.name);
    const int ret = note(dir, "out/put", fmt::format("{} {}", name, p.len));
    return ret < 0 ? ret : open_path(dir / "out/sub_fdts" / name, O_WRONLY);
}

int say_refusal(const std::filesystem::path& dir, device::refusal& refusal) {
    auto said = status_lines(dir);
    refusal.sentence = text_in<sizeof(refusal.sentence)>(said["last_error"]);
    refusal.error = parse_u64(said["last_errno"]).value_or(ENOENT);
    return 0;
}

}  // namespace

int fake_ioctl(const std::filesystem::path& dir, unsigned long request, void* arg) {
    switch (static_cast<Ioctl>(request)) {
        case Ioctl::status:
            return say_status(dir, *static_cast<device::status*>(arg));
        case Ioctl::refusal:
            return say_refusal(dir, *static_cast<device::refusal*>(arg));
        case Ioctl::open:
            return open_stream(dir, *static_cast<const device::open*>(arg));
        case Ioctl::set_abi:
            return note(dir, "abi", text_of(static_cast<const device::abi*>(arg)->abi));
        case Ioctl::preserve:
            return note(dir, "out/preserve",
                        preserve_line(*static_cast<const device::preserve*>(arg)));
        case Ioctl::unpreserve:
            return note(dir, "out/unpreserve",
                        target_line(*static_cast<const device::target*>(arg)));
        case Ioctl::compact:
            return compact(dir, *static_cast<device::compact*>(arg));
        case Ioctl::put:
            return put(dir, *static_cast<const device::put*>(arg));
        case Ioctl::scratch_take:
            return take(dir, *static_cast<device::scratch*>(arg));
        case Ioctl::scratch_kernel:
            return note(dir, "out/scratch", "kernel");
        case Ioctl::scratch_give:
            return note(dir, "out/scratch", "give");
        case Ioctl::image:
            return say_image(dir, *static_cast<device::image*>(arg));
        case Ioctl::attach:
            if (std::filesystem::exists(dir / "in/slow")) {
                std::this_thread::sleep_for(std::chrono::milliseconds(500));
            }
            return note(dir, "in/setup_data",
                        fmt::format("{:#x}", static_cast<const device::attach*>(arg)->setup_data));
        case Ioctl::restore:
            return note(dir, "in/restore", target_line(*static_cast<const device::target*>(arg)));
        case Ioctl::release:
            return note(dir, "in/release", target_line(*static_cast<const device::target*>(arg)));
        case Ioctl::progress: {
            auto& progress = *static_cast<device::progress*>(arg);
            progress.done = 3U << 20U;
            progress.all = 4U << 20U;
            return 0;
        }
        case Ioctl::loaded:
            return std::filesystem::exists(dir / "out/scratch") ? 0 : -ENOENT;
    }
    return -ENOTTY;
}

}  // namespace khob::test
