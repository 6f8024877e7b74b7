// SPDX-License-Identifier: GPL-2.0-only
// Checks the lists that the module gives out.
#include "module/lists.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/numbers.hpp"
#include "module/decode.hpp"
#include "module/text.hpp"

namespace khob {

namespace {

Result<std::vector<Range>> decode_pages(ByteView bytes, std::string_view what, bool ascending) {
    const auto raw = decode<device::range>(bytes, what);
    if (!raw) {
        return tl::unexpected(raw.error());
    }
    std::vector<Range> out;
    out.reserve(raw->size());
    for (const device::range& r : *raw) {
        if (r.start >= r.end || !is_aligned(r.start | r.end, page_size) ||
            (ascending && !out.empty() && PhysAddr(r.start) < out.back().end)) {
            return makes_no_sense(what, out.size());
        }
        out.push_back(make_range(r.start, r.end));
    }
    return out;
}

}  // namespace

Result<std::vector<Key>> decode_keys(ByteView bytes) {
    const auto raw = decode<std::uint64_t>(bytes, "key");
    if (!raw) {
        return tl::unexpected(raw.error());
    }
    std::vector<Key> out;
    out.reserve(raw->size());
    for (const std::uint64_t number : *raw) {
        const Layout::Key key(number);
        if (!Layout::is_key(key)) {
            return makes_no_sense("key", out.size());
        }
        const auto folio = Layout::decode(key);
        const Key page{folio.pa, folio.order};
        if (page.range().empty() || page.range().end < page.addr) {
            return makes_no_sense("key", out.size());
        }
        out.push_back(page);
    }
    return out;
}

Result<std::vector<Range>> decode_ranges(ByteView bytes) {
    return decode_pages(bytes, "range", true);
}

Result<std::vector<Extent>> decode_extents(ByteView bytes) {
    const auto raw = decode<device::extent>(bytes, "extent");
    if (!raw) {
        return tl::unexpected(raw.error());
    }
    std::vector<Extent> out;
    out.reserve(raw->size());
    for (const device::extent& e : *raw) {
        if (e.start >= e.end || !is_aligned(e.start | e.end | e.bytes, page_size) || e.bytes == 0 ||
            e.bytes > e.end - e.start ||
            (!out.empty() && PhysAddr(e.start) < out.back().range.end)) {
            return makes_no_sense("extent", out.size());
        }
        out.push_back({make_range(e.start, e.end), e.bytes});
    }
    return out;
}

Result<std::vector<Range>> decode_areas(ByteView bytes) {
    return decode_pages(bytes, "area of scratch", false);
}

Result<std::vector<Subtree>> decode_subtrees(ByteView bytes) {
    const auto raw = decode<device::subtree>(bytes, "subtree");
    if (!raw) {
        return tl::unexpected(raw.error());
    }
    std::vector<Subtree> out;
    for (const device::subtree& s : *raw) {
        Subtree subtree{text_of(s.name), s.len};
        if (!check_subtree_name(subtree.name)) {
            return makes_no_sense("subtree", out.size());
        }
        if ((s.flags & device::subtree_flags::has_digest) != 0) {
            subtree.digest = s.digest;
        }
        out.push_back(std::move(subtree));
    }
    std::sort(out.begin(), out.end(),
              [](const Subtree& a, const Subtree& b) { return a.name < b.name; });
    return out;
}

Result<std::vector<device::bench_row>> decode_bench(ByteView bytes) {
    auto rows = decode<device::bench_row>(bytes, "row of a bench");
    if (!rows) {
        return rows;
    }
    for (std::size_t i = 0; i < rows->size(); ++i) {
        const device::bench_row& row = rows->at(i);
        if (row.keys == 0 || row.ns == 0 || text_of(row.work).empty()) {
            return makes_no_sense("row of a bench", i);
        }
    }
    return rows;
}

Result<void> check_subtree_name(std::string_view name) {
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view(",._+-").find(c) != std::string_view::npos;
    };
    if (name.empty() || name.size() > device::name_max || name == "." || name == ".." ||
        !std::all_of(name.begin(), name.end(), good)) {
        return fail(
            ExitCode::usage, fmt::format("'{}' cannot name a subtree", name),
            fmt::format("use 1 to {} of the characters A-Z a-z 0-9 , . _ + -", device::name_max));
    }
    return {};
}

}  // namespace khob
