// SPDX-License-Identifier: GPL-2.0-only
// Drives the module's compaction and measures what it brought.
#include "load/compact.hpp"

#include "base/interrupt.hpp"

namespace khob {

namespace {

// What the module moves in one go: well under a second, so that Ctrl-C is heeded.
constexpr std::uint64_t piece_bytes = 128ULL << 20;

/// One call of the module's. What it has moved is added to the report, and if it did not get
/// through, why. Errors: it has not begun.
Result<void> run(const Module& module, std::optional<std::uint64_t> most, CompactReport& report) {
    const auto done = module.compact(most);
    if (!done) {
        return tl::unexpected(done.error());
    }
    report.folios += done->folios;
    report.bytes += done->bytes;
    report.left_bytes = done->left_bytes;
    report.module_us += done->us;
    report.error = done->error;
    return {};
}

/// What was scattered, piece by piece.
Result<void> gather(const Module& module, CompactReport& report, Progress& progress) {
    do {
        const std::uint64_t moved = report.bytes;
        if (auto ok = run(module, piece_bytes, report); !ok) {
            return ok;
        }
        if (!report.error && !InterruptGuard::check()) {
            report.error =
                Error{ExitCode::interrupted, "interrupted",
                      "what has moved stays where it is now; `khoctl compact` again for the rest"};
        }
        if (report.error || report.bytes == moved) {
            return {};
        }
        progress.update(report.bytes, report.bytes + report.left_bytes);
    } while (report.left_bytes > 0);
    return {};
}

}  // namespace

Result<Spread> Spread::read(const Module& module, const MemoryMap& map, std::size_t max) {
    const auto ranges = module.ranges(Side::out);
    if (!ranges) {
        return tl::unexpected(ranges.error());
    }
    Spread out;
    out.ranges = ranges->size();
    if (auto covering = cover(*ranges, map.barriers({}), max)) {
        out.covering = std::move(*covering);
    }
    return out;
}

Value Spread::to_value() const {
    Value v;
    v.set("ranges", ranges)
        .set("intervals", covering ? Value(std::uint64_t{covering->intervals.size()}) : Value())
        .set("gap_bytes", covering ? Value(Bytes{covering->gap_bytes}) : Value());
    return v;
}

Value CompactReport::to_value() const {
    Value v;
    v.set("moved_folios", folios)
        .set("moved_bytes", Bytes{bytes})
        .set("left_bytes", Bytes{left_bytes})
        .set("module_us", module_us)
        .set("ms", Millis{total_ms})
        .set("before", before.to_value())
        .set("after", after.to_value());
    return v;
}

Result<CompactReport> compact(const Module& module, const MemoryMap& map, std::size_t max,
                              Progress& progress) {
    const Stopwatch total;
    CompactReport report;
    auto spread = Spread::read(module, map, max);
    if (!spread) {
        return tl::unexpected(spread.error());
    }
    report.before = std::move(*spread);
    progress.step("moving preserved memory together");
    if (auto ok = gather(module, report, progress); !ok) {
        return tl::unexpected(ok.error());
    }
    // Then what lies in chunks that are nearly empty: less than the chunks themselves.
    if (!report.error) {
        if (auto ok = run(module, std::nullopt, report); !ok) {
            return tl::unexpected(ok.error());
        }
    }
    spread = Spread::read(module, map, max);
    if (!spread) {
        return tl::unexpected(spread.error());
    }
    report.after = std::move(*spread);
    report.total_ms = total.millis();
    return report;
}

}  // namespace khob
