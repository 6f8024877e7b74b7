// SPDX-License-Identifier: GPL-2.0-only
// How a load is reported, and the command line that a load may reuse.
#include <fmt/format.h>

#include <array>

#include "base/numbers.hpp"
#include "load/load.hpp"

namespace khob {

Value LoadReport::to_value() const {
    Value v;
    v.set("kernel_version", kernel_version)
        .set("method", to_string(choice.method))
        .set("abi", abi::compatible(abi))
        .set("kernel_kho", choice.kernel_abi.empty() ? Value() : Value(choice.kernel_abi))
        .set("cmdline", choice.cmdline)
        .set("added_kho_on", choice.added_kho_on)
        .set("kernel_luo",
             choice.kernel_luo.value_or("").empty() ? Value() : Value(*choice.kernel_luo))
        .set("added_liveupdate_on", choice.added_liveupdate_on)
        .set("intervals", std::uint64_t{covering.intervals.size()})
        .set("preserved_bytes", Bytes{covering.preserved_bytes})
        .set("gap_bytes", Bytes{covering.gap_bytes})
        .set("covered_bytes", Bytes{covering.covered_bytes()})
        .set("late_room", Bytes{late_room})
        .set("keep", kept.to_value())
        .set("ram_bytes", Bytes{memory.ram_bytes})
        .set("left_bytes", Bytes{memory.left_bytes})
        .set("safe_bytes", Bytes{memory.safe_bytes})
        .set("efi_runtime", efi_left_out.empty())
        .set("efi_left_out", efi_left_out.empty() ? Value() : Value(efi_left_out))
        .set("entry", entry)
        .set("setup_data", setup_data)
        .set("check_ms", Millis{check_ms})
        .set("scratch_ms", Millis{scratch_ms})
        .set("cover_ms", Millis{cover_ms})
        .set("kexec_load_ms", Millis{kexec_ms})
        .set("ms", Millis{total_ms});
    if (compacted) {
        v.set("compact", compacted->to_value());
    }
    if (early) {
        v.set("early", early->to_value());
    }
    Table carved{{"name", "kind", "addr", "size"}, {}};
    for (const Carve& carve : carves) {
        carved.rows.push_back(
            {carve.name, to_string(carve.kind), carve.range.start, Bytes{carve.range.size()}});
    }
    v.set("carves", std::move(carved));
    Table areas{{"addr", "size"}, {}};
    for (const Range& r : scratch) {
        areas.rows.push_back({r.start, Bytes{r.size()}});
    }
    v.set("scratch", std::move(areas));
    Table parts{{"name", "addr", "size", "data"}, {}};
    for (const Segment& s : segments) {
        parts.rows.push_back({s.name, s.address, Bytes{s.mem_bytes}, Bytes{s.data.size()}});
    }
    v.set("segments", std::move(parts));
    return v;
}

Value UnloadReport::to_value() const {
    Value v;
    v.set("was_loaded", was_loaded).set("was_frozen", was_frozen);
    return v;
}

std::string reusable_cmdline(std::string_view proc_cmdline) {
    constexpr std::array<std::string_view, 2> loader_words{"BOOT_IMAGE=", "initrd="};
    std::string out;
    for (const std::string_view word : words(proc_cmdline)) {
        bool keep = true;
        for (const std::string_view prefix : loader_words) {
            keep = keep && !word.starts_with(prefix);
        }
        if (keep) {
            out += fmt::format("{}{}", out.empty() ? "" : " ", word);
        }
    }
    return out;
}

}  // namespace khob
