// SPDX-License-Identifier: GPL-2.0-only
// Makes a table of what the module's bench says.
#include "module/bench.hpp"

#include "module/text.hpp"

namespace khob {

namespace {

double per_key(std::uint64_t ns, std::uint64_t keys) {
    return static_cast<double>(ns) / static_cast<double>(keys);
}

}  // namespace

Value bench_value(std::uint64_t keys, std::span<const device::bench_row> rows) {
    Table times{{"work", "keys", "ours_ns_per_key", "upstream_ns_per_key", "ratio"}, {}};
    Table nodes{{"work", "ours", "upstream"}, {}};
    for (const device::bench_row& row : rows) {
        const bool compared = (row.flags & device::bench_row_flags::has_upstream) != 0;
        Value upstream;
        Value ratio;
        if (compared) {
            upstream = per_key(row.upstream_ns, row.keys);
            ratio = static_cast<double>(row.upstream_ns) / static_cast<double>(row.ns);
        }
        times.rows.push_back({text_of(row.work), row.keys, per_key(row.ns, row.keys),
                              std::move(upstream), std::move(ratio)});
        if ((row.flags & device::bench_row_flags::has_nodes) != 0) {
            nodes.rows.push_back(
                {text_of(row.work), row.nodes, compared ? Value(row.upstream_nodes) : Value()});
        }
    }
    Value value;
    value.set("keys", keys)
        .set("repetitions", rows.empty() ? 0 : std::uint64_t{rows.front().repetitions})
        .set("rows", std::move(times))
        .set("nodes_left", std::move(nodes));
    return value;
}

}  // namespace khob
