// SPDX-License-Identifier: GPL-2.0-only
// Constants, strings, properties and keys of two versions.
#include "compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace khob::gen {
namespace {

constexpr std::array<const char*, 3> type_names = {"int", "u32", "u64"};

const char* need(const Property& property) {
    return property.optional ? "optional" : "required";
}

class Comparer {
  public:
    Comparer(const Side& from, const Side& to) : from_(from), to_(to) {}

    Result<Findings> run() {
        constants();
        strings();
        properties();
        structs();
        if (auto done = keys(); !done) {
            return tl::unexpected<Errors>(std::move(done.error()));
        }
        return std::move(findings_);
    }

  private:
    void add(Grade grade, const std::string& element, std::string text) {
        findings_.push_back({grade, element, std::move(text)});
    }

    void constants() {
        const auto value = [](const Side& side, const Constant& c) {
            return side.resolved.constants.at(c.info.name);
        };
        match(
            from_, to_, "constant ", &Section::constants,
            [&](const std::string& element, const Constant& c) {
                add(Grade::breaks_source, element,
                    fmt::format("{} was {} and is gone", element, value(from_, c)));
            },
            [&](const std::string& element, const Constant& c) {
                add(Grade::compatible, element,
                    fmt::format("{} is new and has the value {}", element, value(to_, c)));
            },
            [&](const std::string& element, const Constant& before, const Constant& after) {
                if (value(from_, before) != value(to_, after)) {
                    add(Grade::breaks_layout, element,
                        fmt::format("{} changes from {} to {}", element, value(from_, before),
                                    value(to_, after)));
                }
                if (before.type != after.type) {
                    add(Grade::breaks_source, element,
                        fmt::format("the type of {} changes from {} to {}", element,
                                    type_name(before.type), type_name(after.type)));
                }
            });
    }

    void strings() {
        match(
            from_, to_, "string ", &Section::strings,
            [&](const std::string& element, const StringConstant& s) {
                add(Grade::breaks_source, element,
                    fmt::format("{} was \"{}\" and is gone", element, s.value));
            },
            [&](const std::string& element, const StringConstant& s) {
                add(Grade::compatible, element,
                    fmt::format("{} is new and has the value \"{}\"", element, s.value));
            },
            [&](const std::string& element, const StringConstant& before,
                const StringConstant& after) {
                if (before.value != after.value) {
                    add(Grade::breaks_layout, element,
                        fmt::format(R"({} changes from "{}" to "{}")", element, before.value,
                                    after.value));
                }
            });
    }

    void properties() {
        match(
            from_, to_, "property ", &Section::properties,
            [&](const std::string& element, const Property& p) {
                add(p.optional ? Grade::breaks_source : Grade::breaks_layout, element,
                    fmt::format(R"({} ("{}" of {}) was {} and is gone)", element, p.property,
                                p.node, need(p)));
            },
            [&](const std::string& element, const Property& p) {
                add(p.optional ? Grade::compatible : Grade::breaks_layout, element,
                    fmt::format(R"({} ("{}" of {}) is new and {})", element, p.property, p.node,
                                need(p)));
            },
            [&](const std::string& element, const Property& before, const Property& after) {
                const auto change = [&](const char* what, const std::string& a,
                                        const std::string& b) {
                    if (a != b) {
                        add(Grade::breaks_layout, element,
                            fmt::format("{}{} changes from {} to {}", what, element, a, b));
                    }
                };
                change("the name of ", '"' + before.property + '"', '"' + after.property + '"');
                change("the node of ", before.node, after.node);
                change("the type of ", before.type, after.type);
                change("", need(before), need(after));
            });
    }

    void structs() {
        match_structs(from_, to_, findings_,
                      [&](const std::string&, const Struct& before, const Struct& after) {
                          compare_structs(from_, to_, before, after, false, findings_);
                      });
        for (const auto& [name, layout] : from_.resolved.used_structs) {
            const auto now = to_.resolved.used_structs.find(name);
            if (now != to_.resolved.used_structs.end() && now->second != layout && is_field(name)) {
                const std::string& file = from_.schema.uses->schema->file;
                add(Grade::breaks_layout, "struct " + name,
                    fmt::format("struct {} of {} changes", name, file.substr(file.rfind('/') + 1)));
            }
        }
    }

    /// Whether a struct has a field of that type.
    [[nodiscard]] bool is_field(const std::string& type) const {
        const auto all = elements(from_, &Section::structs);
        return std::any_of(all.begin(), all.end(), [&](const auto& entry) {
            const auto& fields = entry.second->fields;
            return std::any_of(fields.begin(), fields.end(),
                               [&](const Field& field) { return field.type.value == type; });
        });
    }

    /// The first page of those tried whose key or way through the tree is another.
    Result<void> keys() {
        const std::uint64_t page_shift = from_.resolved.page_shift;
        if (!from_.schema.key || !to_.schema.key) {
            if (from_.schema.key.has_value() != to_.schema.key.has_value()) {
                add(Grade::breaks_layout, "key",
                    from_.schema.key ? "the key is gone" : "there is a key now");
            }
            return {};
        }
        if (from_.version().refusal(page_shift) != nullptr ||
            to_.version().refusal(page_shift) != nullptr) {
            return {};  // no keys to trust
        }
        const auto before = make_vectors(from_.schema, from_.resolved);
        const auto after = make_vectors(to_.schema, to_.resolved);
        if (!before || !after) {
            return tl::unexpected<Errors>(before ? after.error() : before.error());
        }
        const auto [a, b] = std::mismatch(before->begin(), before->end(), after->begin(),
                                          after->end(), [](const Vector& x, const Vector& y) {
                                              return x.pa == y.pa && x.order == y.order &&
                                                     x.key == y.key && x.index == y.index;
                                          });
        if (a == before->end() || b == after->end() || a->pa != b->pa || a->order != b->order) {
            return {};  // other orders: order_max says so
        }
        const std::string page = fmt::format("page {:#x} of order {}", a->pa, a->order);
        if (a->key != b->key) {
            add(Grade::breaks_layout, "key",
                fmt::format("the key of {} changes from {:#x} to {:#x}", page, a->key, b->key));
        } else {
            add(Grade::breaks_layout, "key",
                fmt::format("the way to {}, the leaf first, changes from {} to {}", page,
                            fmt::join(a->index, "."), fmt::join(b->index, ".")));
        }
        return {};
    }

    const Side& from_;
    const Side& to_;
    Findings findings_;
};

}  // namespace

const char* type_name(ConstantType type) {
    return type_names.at(static_cast<std::size_t>(type));
}

Result<Findings> compare(const Side& from, const Side& to) {
    return Comparer(from, to).run();
}

}  // namespace khob::gen
