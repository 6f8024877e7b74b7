// SPDX-License-Identifier: GPL-2.0-only
// Makes a table of what sandbox/bench says.
#include "module/bench.hpp"

#include <fmt/format.h>

#include "module/status.hpp"

namespace khob {

namespace {

double per_key(std::uint64_t ns, std::uint64_t keys) {
    return static_cast<double>(ns) / static_cast<double>(keys);
}

Value or_null(const std::optional<std::uint64_t>& number) {
    return number ? Value(*number) : Value();
}

}  // namespace

Result<Bench> Bench::parse(std::string_view text) {
    const auto lines = Status::parse(text);
    if (!lines) {
        return tl::unexpected(lines.error());
    }
    constexpr std::string_view suffix = ".keys";
    Bench out;
    out.keys_ = lines->number_or("keys", 0);
    out.repetitions_ = lines->number_or("repetitions", 0);
    for (const std::string& name : lines->names()) {
        if (!name.ends_with(suffix)) {
            continue;
        }
        Row row;
        row.work = name.substr(0, name.size() - suffix.size());
        row.keys = lines->number_or(name, 0);
        row.ours.ns = lines->number_or(row.work + ".ours_ns", 0);
        row.ours.nodes = lines->number(row.work + ".ours_nodes");
        if (row.keys == 0 || row.ours.ns == 0) {
            return fail(ExitCode::failure,
                        fmt::format("the module's bench makes no sense: {} has no keys or no time",
                                    row.work));
        }
        if (const auto ns = lines->number(row.work + ".upstream_ns")) {
            row.upstream = Side{*ns, lines->number(row.work + ".upstream_nodes")};
        }
        out.rows_.push_back(std::move(row));
    }
    if (out.rows_.empty()) {
        return fail(ExitCode::failure, "the module's bench has no rows");
    }
    return out;
}

Value Bench::to_value() const {
    Table times{{"work", "keys", "ours_ns_per_key", "upstream_ns_per_key", "ratio"}, {}};
    Table nodes{{"work", "ours", "upstream"}, {}};
    for (const Row& row : rows_) {
        Value upstream;
        Value ratio;
        Value upstream_nodes;
        if (row.upstream) {
            upstream = per_key(row.upstream->ns, row.keys);
            ratio = static_cast<double>(row.upstream->ns) / static_cast<double>(row.ours.ns);
            upstream_nodes = or_null(row.upstream->nodes);
        }
        times.rows.push_back({row.work, row.keys, per_key(row.ours.ns, row.keys),
                              std::move(upstream), std::move(ratio)});
        if (row.ours.nodes) {
            nodes.rows.push_back({row.work, *row.ours.nodes, std::move(upstream_nodes)});
        }
    }
    Value value;
    value.set("keys", keys_)
        .set("repetitions", repetitions_)
        .set("rows", std::move(times))
        .set("nodes_left", std::move(nodes));
    return value;
}

}  // namespace khob
