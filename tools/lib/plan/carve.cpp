// SPDX-License-Identifier: GPL-2.0-only
// Names, places and types of what is carved out of memory.
#include "plan/carve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/numbers.hpp"
#include "base/size.hpp"

namespace khob {

namespace {

// Kernels leave a parameter with a dot alone that is of no module they know.
constexpr std::string_view parameter = "khob.carve=";
constexpr PhysAddr four_gib{4ULL << 30};

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= carve_name_most &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_';
           });
}

std::optional<CarveKind> kind_from(std::string_view text) {
    for (const CarveKind kind : {CarveKind::dax, CarveKind::pmem}) {
        if (text == to_string(kind)) {
            return kind;
        }
    }
    return std::nullopt;
}

/// "a:b:c": the part before the colon, which is taken off.
std::string_view next_part(std::string_view& text) {
    const std::size_t at = text.find(':');
    const std::string_view part = text.substr(0, at);
    text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
    return part;
}

std::optional<Carve> carve_from(std::string_view word) {
    const std::string_view name = next_part(word);
    const auto kind = kind_from(next_part(word));
    const auto start = parse_u64(next_part(word));
    const auto size = parse_u64(next_part(word));
    if (!word.empty() || !is_name(name) || !kind || !start || !size || *size == 0 ||
        *start + *size < *start || !is_aligned(*start | *size, carve_unit)) {
        return std::nullopt;
    }
    return Carve{std::string(name), *kind, make_range(*start, *start + *size)};
}

/// As long for one as for another of that name and kind.
std::string word_of(const Carve& carve) {
    return fmt::format("{}{}:{}:{:#018x}:{:#018x}", parameter, carve.name, to_string(carve.kind),
                       carve.range.start.value(), carve.range.size());
}

/// All but the words that name carves, and the blanks before these, stays as it is.
std::string without_carves(std::string_view cmdline) {
    std::string out;
    std::size_t done = 0;
    for (const std::string_view word : words(cmdline)) {
        if (!word.starts_with(parameter)) {
            continue;
        }
        const auto at = static_cast<std::size_t>(word.data() - cmdline.data());
        out += cmdline.substr(done, at - done);
        out.resize(out.find_last_not_of(" \t") + 1);
        done = at + word.size();
    }
    return out.append(cmdline.substr(done));
}

bool is_there(const Carve& carve, const MemoryMap& map) {
    return std::any_of(map.entries().begin(), map.entries().end(), [&carve](const MapEntry& e) {
        return e.type == e820_type(carve.kind) && e.range.contains(carve.range);
    });
}

/// Where `bytes` go highest in these ranges, which ascend.
std::optional<Range> highest(std::span<const Range> free, std::uint64_t bytes, std::uint64_t align,
                             PhysAddr least) {
    std::optional<Range> out;
    for (const Range& r : free) {
        if (r.size() < bytes) {
            continue;
        }
        const std::uint64_t start = align_down(r.end.value() - bytes, align);
        if (start >= std::max(r.start, least).value()) {
            out = make_range(start, start + bytes);
        }
    }
    return out;
}

/// RAM that nothing of `taken` is in.
std::vector<Range> free_ram(const MemoryMap& map, std::span<const Range> taken) {
    std::vector<Range> out;
    PhysAddr at{0};
    for (const Range& barrier : map.barriers(taken)) {
        if (at < barrier.start) {
            out.push_back(Range{at, barrier.start});
        }
        at = barrier.end;
    }
    return out;
}

/// With a unit on either side: kernels take ranges of one type that touch for one.
Range apart(const Range& range) {
    return make_range(range.start.value() - std::min(range.start.value(), carve_unit),
                      range.end.value() + carve_unit);
}

}  // namespace

std::string_view to_string(CarveKind kind) {
    return kind == CarveKind::dax ? "dax" : "pmem";
}

E820Type e820_type(CarveKind kind) {
    return kind == CarveKind::dax ? E820Type::soft_reserved : E820Type::pram;
}

Result<CarveWish> parse_carve(std::string_view text) {
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    std::string_view rest =
        equals == std::string_view::npos ? std::string_view() : text.substr(equals + 1);
    const std::size_t comma = rest.find(',');
    const auto kind = comma == std::string_view::npos ? std::optional(CarveKind::dax)
                                                      : kind_from(rest.substr(comma + 1));
    const auto bytes = parse_size(rest.substr(0, comma));
    if (!is_name(name) || !kind || !bytes || *bytes == 0 || !is_aligned(*bytes, carve_unit)) {
        return fail(ExitCode::usage,
                    fmt::format("'{}' is no NAME=SIZE[,dax|pmem]: a name of at most {} letters, "
                                "digits, '-' and '_', a size in whole {}",
                                text, carve_name_most, human_bytes(carve_unit)),
                    "--carve guests=16G, or --carve store=512M,pmem");
    }
    return CarveWish{std::string(name), *bytes, *kind};
}

std::vector<Carve> carves_in(std::string_view cmdline) {
    std::vector<Carve> out;
    for (const std::string_view word : words(cmdline)) {
        if (!word.starts_with(parameter)) {
            continue;
        }
        auto carve = carve_from(word.substr(parameter.size()));
        const auto clashes = [&carve](const Carve& other) {
            return other.name == carve->name || other.range.overlaps(carve->range);
        };
        if (carve && std::none_of(out.begin(), out.end(), clashes)) {
            out.push_back(std::move(*carve));
        }
    }
    return out;
}

Result<CarvePlan> plan_carves(std::span<const CarveWish> wanted, std::span<const std::string> back,
                              std::string_view running, const MemoryMap& map) {
    CarvePlan plan;
    for (Carve& carve : carves_in(running)) {
        if (!is_there(carve, map)) {
            continue;
        }
        const bool returned = std::find(back.begin(), back.end(), carve.name) != back.end();
        (returned ? plan.returned : plan.kept).push_back(std::move(carve));
    }
    for (const std::string& name : back) {
        if (std::none_of(plan.returned.begin(), plan.returned.end(),
                         [&name](const Carve& c) { return c.name == name; })) {
            return fail(ExitCode::usage, fmt::format("no memory is carved out as '{}'", name),
                        "/proc/cmdline names what is, as khob.carve=");
        }
    }
    for (const CarveWish& wish : wanted) {
        const auto same = [&wish](const auto& other) { return other.name == wish.name; };
        if (std::any_of(plan.fresh.begin(), plan.fresh.end(), same)) {
            return fail(ExitCode::usage, fmt::format("--carve says '{}' twice", wish.name));
        }
        const auto old = std::find_if(plan.kept.begin(), plan.kept.end(), same);
        if (old == plan.kept.end()) {
            plan.fresh.push_back(wish);
        } else if (old->range.size() != wish.bytes || old->kind != wish.kind) {
            return fail(ExitCode::usage,
                        fmt::format("'{}' is carved out already, as {} of {}", wish.name,
                                    human_bytes(old->range.size()), to_string(old->kind)),
                        "another name, or --uncarve it in one load and carve it in the next");
        }
    }
    return plan;
}

std::string with_carves(std::string_view cmdline, const CarvePlan& plan,
                        std::span<const Carve> placed) {
    std::string out = without_carves(cmdline);
    std::vector<Carve> all = plan.kept;
    all.insert(all.end(), placed.begin(), placed.end());
    for (std::size_t i = placed.size(); i < plan.fresh.size(); ++i) {
        all.push_back(Carve{plan.fresh[i].name, plan.fresh[i].kind, {}});
    }
    for (const Carve& carve : all) {
        out += fmt::format("{}{}", out.empty() ? "" : " ", word_of(carve));
    }
    return out;
}

Result<std::vector<Carve>> place_carves(const CarvePlan& plan, const MemoryMap& map,
                                        std::span<const Range> taken) {
    std::vector<Range> occupied(taken.begin(), taken.end());
    for (const Carve& carve : plan.kept) {
        occupied.push_back(apart(carve.range));
    }
    std::vector<Carve> out;
    for (const CarveWish& wish : plan.fresh) {
        const std::vector<Range> free = free_ram(map, occupied);
        const std::uint64_t align =
            wish.bytes < carve_alignment_most ? carve_unit : carve_alignment_most;
        auto where = highest(free, wish.bytes, align, four_gib);
        if (!where) {
            where = highest(free, wish.bytes, align, PhysAddr(0));
        }
        if (!where) {
            std::uint64_t largest = 0;
            for (const Range& r : free) {
                largest = std::max(largest, r.size());
            }
            return fail(ExitCode::refused,
                        fmt::format("no {} aligned to {} are free for '{}' in the incoming "
                                    "kernel's memory: the largest piece without anything that is "
                                    "handed over has {}",
                                    human_bytes(wish.bytes), human_bytes(align), wish.name,
                                    human_bytes(largest)),
                        "carve less, or `khoctl compact` if what is preserved lies scattered");
        }
        occupied.push_back(apart(*where));
        out.push_back(Carve{wish.name, wish.kind, *where});
    }
    return out;
}

Result<MemoryMap> carved_map(const MemoryMap& map, const CarvePlan& plan,
                             std::span<const Carve> placed) {
    std::vector<MapEntry> changes;
    for (const Carve& carve : placed) {
        changes.push_back(MapEntry{carve.range, e820_type(carve.kind)});
    }
    for (const Carve& carve : plan.returned) {
        changes.push_back(MapEntry{carve.range, E820Type::ram});
    }
    return changes.empty() ? Result<MemoryMap>(map) : map.changed(changes);
}

}  // namespace khob
