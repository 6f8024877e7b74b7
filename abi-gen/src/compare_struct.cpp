// SPDX-License-Identifier: GPL-2.0-only
// Two structs of the same name: fields are matched by name, then by place.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "compare.hpp"

namespace khob::gen {
namespace {

constexpr std::uint64_t bits_per_byte = 8;

/// A field and where it lies.
struct Placed {
    const Field* field = nullptr;
    FieldLayout layout;

    [[nodiscard]] const std::string& name() const { return field->info.name; }
    [[nodiscard]] bool reserved() const { return name().starts_with("reserved"); }

    /// As declared: "u64[6] at 80".
    [[nodiscard]] std::string text() const {
        std::string length;
        if (field->flexible) {
            length = "[]";
        } else if (layout.length) {
            length = fmt::format("[{}]", *layout.length);
        }
        if (layout.bits) {
            return fmt::format("{}:{} at {} from bit {}", field->type.value, layout.bits->count,
                               layout.offset, layout.bits->first);
        }
        return fmt::format("{}{} at {}", field->type.value, length, layout.offset);
    }

    /// Bits from the start of the struct.
    [[nodiscard]] std::uint64_t begin() const {
        return layout.offset * bits_per_byte + (layout.bits ? layout.bits->first : 0);
    }
    [[nodiscard]] std::uint64_t end() const {
        return begin() + (layout.bits ? layout.bits->count : layout.size * bits_per_byte);
    }
};

using Fields = std::vector<Placed>;

Fields fields_of(const Side& side, const Struct& structure) {
    const Layout& layout = side.resolved.structs.at(structure.info.name);
    Fields all;
    for (std::size_t i = 0; i < structure.fields.size(); ++i) {
        if (structure.fields[i].info.in_version(side.resolved.version)) {
            all.push_back({&structure.fields[i], layout.fields[i]});
        }
    }
    return all;
}

const Placed* find(const Fields& fields, const std::string& name) {
    const auto at = std::find_if(fields.begin(), fields.end(),
                                 [&](const Placed& field) { return field.name() == name; });
    return at == fields.end() ? nullptr : &*at;
}

/// Of others, the field in the same place with the same type that has no
/// namesake in mine: the same field under another name.
const Placed* twin(const Placed& field, const Fields& mine, const Fields& others) {
    const auto at = std::find_if(others.begin(), others.end(), [&](const Placed& other) {
        return find(mine, other.name()) == nullptr && other.text() == field.text();
    });
    return at == others.end() ? nullptr : &*at;
}

/// The sizes of a struct, and whether it may become larger.
struct Sizes {
    std::uint64_t before = 0;
    std::uint64_t after = 0;
    bool grows = false;

    /// What was inside is inside still.
    [[nodiscard]] bool keep() const { return grows ? after >= before : after == before; }
};

class StructComparer {
  public:
    StructComparer(Fields before, Fields after, std::string element, Sizes sizes,
                   Findings& findings)
        : before_(std::move(before)),
          after_(std::move(after)),
          element_(std::move(element)),
          sizes_(sizes),
          findings_(findings) {}

    void run() {
        for (const Placed& field : before_) {
            if (const Placed* now = find(after_, field.name())) {
                changed(field, *now);
            } else if (!field.reserved() || !sizes_.keep()) {
                gone(field);
            }
        }
        for (const Placed& field : after_) {
            if (find(before_, field.name()) == nullptr) {
                appeared(field);
            }
        }
    }

  private:
    void add(Grade grade, std::string text) {
        findings_.push_back({grade, element_, std::move(text)});
    }

    void changed(const Placed& before, const Placed& after) {
        if (before.text() == after.text() || (before.reserved() && sizes_.keep())) {
            return;
        }
        add(Grade::breaks_layout, fmt::format("field {} of {} changes from {} to {}", before.name(),
                                              element_, before.text(), after.text()));
    }

    void gone(const Placed& field) {
        if (const Placed* renamed = twin(field, before_, after_)) {
            add(Grade::breaks_source,
                fmt::format("field {} of {} ({}) is renamed to {}", field.name(), element_,
                            field.text(), renamed->name()));
            return;
        }
        add(Grade::breaks_layout,
            fmt::format("field {} of {} was {} and is gone", field.name(), element_, field.text()));
    }

    void appeared(const Placed& field) {
        if (const Placed* old = twin(field, after_, before_); old != nullptr && !old->reserved()) {
            return;  // said as a renaming
        }
        // Writers of the old version leave 0 there, and its readers look at nothing else.
        const bool was_reserved =
            sizes_.keep() && std::any_of(before_.begin(), before_.end(), [&](const Placed& old) {
                return old.reserved() && field.begin() >= old.begin() && field.end() <= old.end();
            });
        // Whoever knows the old version says so by the size.
        const bool is_behind = sizes_.grows && field.layout.offset >= sizes_.before;
        const char* where = was_reserved ? ", where bytes were reserved"
                            : is_behind  ? ", behind all others"
                                         : "";
        add(was_reserved || is_behind ? Grade::compatible : Grade::breaks_layout,
            fmt::format("field {} of {} is new, {}{}", field.name(), element_, field.text(),
                        where));
    }

    Fields before_;
    Fields after_;
    std::string element_;
    Sizes sizes_;
    Findings& findings_;
};

}  // namespace

void compare_structs(const Side& from, const Side& to, const Struct& before, const Struct& after,
                     bool grows, Findings& findings) {
    const std::string element = "struct " + before.info.name;
    const Layout& old_layout = from.resolved.structs.at(before.info.name);
    const Layout& new_layout = to.resolved.structs.at(after.info.name);
    const auto number = [&](const char* what, Grade grade, std::uint64_t was, std::uint64_t is) {
        if (was != is) {
            findings.push_back(
                {grade, element,
                 fmt::format("the {} of {} changes from {} to {} bytes", what, element, was, is)});
        }
    };
    number("size",
           grows && new_layout.size > old_layout.size ? Grade::compatible : Grade::breaks_layout,
           old_layout.size, new_layout.size);
    if (!grows) {
        number("alignment", Grade::breaks_layout, old_layout.alignment, new_layout.alignment);
    }
    StructComparer(fields_of(from, before), fields_of(to, after), element,
                   {old_layout.size, new_layout.size, grows}, findings)
        .run();
}

}  // namespace khob::gen
