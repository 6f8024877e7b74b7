// SPDX-License-Identifier: GPL-2.0-only
// What a device's structs and ioctls have to be so that programs which were compiled
// against an older or a newer header, or for 32 bits, are understood.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "model.hpp"

namespace khob::gen {
namespace {

constexpr std::uint64_t last_number = 255;
constexpr std::uint64_t size_unit = 8;

class DeviceChecker {
  public:
    DeviceChecker(const Schema& schema, const Resolved& resolved)
        : schema_(schema), resolved_(resolved) {
        each(&Section::structs, [this](const Struct& s) {
            for (const Field& field : s.fields) {
                inner_.insert(field.type.value);
            }
        });
        each(&Section::ioctls,
             [this](const Ioctl& ioctl) { arguments_.insert(ioctl.argument.value); });
    }

    Errors run() {
        type();
        each(&Section::ioctls, [this](const Ioctl& ioctl) { check(ioctl); });
        each(&Section::groups, [this](const Group& group) { check(group); });
        each(&Section::structs, [this](const Struct& s) { check(s); });
        return std::move(errors_);
    }

  private:
    /// Visits the elements of a kind that the version has.
    template <typename Element, typename F>
    void each(std::vector<Element> Section::*kind, F visit) const {
        for (const Section& section : schema_.sections) {
            for (const Element& element : section.*kind) {
                if (element.info.in_version(resolved_.version)) {
                    visit(element);
                }
            }
        }
    }

    template <typename... Args>
    void report(const Position& at, fmt::format_string<Args...> text, Args&&... args) {
        errors_.push_back({at, fmt::format(text, std::forward<Args>(args)...)});
    }

    /// Of all ioctls together.
    void type() {
        const std::string& name = schema_.device->ioctl_type;
        const auto type = resolved_.constants.find(name);
        if (type == resolved_.constants.end()) {
            report(schema_.device->info.at,
                   "a device needs the constant {}: the one that its ioctls have", name);
        } else if (type->second > last_number) {
            report(schema_.device->info.at, "the type of ioctls is {}, more than {}", type->second,
                   last_number);
        }
    }

    void check(const Ioctl& ioctl) {
        const std::string& name = ioctl.info.name;
        if (ioctl.number.value) {
            number(ioctl, *ioctl.number.value);
        }
        const std::string& argument = ioctl.argument.value;
        if (argument.empty()) {
            return;
        }
        if (!resolved_.structs.contains(argument)) {
            report(ioctl.argument.at, "ioctl {}: there is no struct '{}'", name, argument);
        } else if (inner_.contains(argument)) {
            report(ioctl.argument.at,
                   "ioctl {}: struct {} is a field of another and could not grow", name, argument);
        }
    }

    void number(const Ioctl& ioctl, std::uint64_t number) {
        if (number > last_number) {
            report(ioctl.number.at, "ioctl {} has the number {}, more than {}", ioctl.info.name,
                   number, last_number);
        }
        const auto [other, is_new] = numbers_.emplace(number, ioctl.info.name);
        if (!is_new) {
            report(ioctl.number.at, "ioctl {} has the number of {}", ioctl.info.name,
                   other->second);
        }
    }

    /// No value is there twice, and a flag is one bit.
    void check(const Group& group) {
        std::map<std::uint64_t, std::string> seen;
        each(&Section::constants, [&](const Constant& c) {
            if (c.group != group.info.name) {
                return;
            }
            const std::uint64_t value = resolved_.constants.at(c.info.name);
            if (group.flags && (value == 0 || (value & (value - 1)) != 0)) {
                report(c.value.at, "flag {} of {} is {:#x}, which is not one bit", c.within,
                       group.info.name, value);
            }
            const auto [other, is_new] = seen.emplace(value, c.within);
            if (!is_new) {
                report(c.value.at, "{} of {} has the value of {}", c.within, group.info.name,
                       other->second);
            }
        });
        if (seen.empty()) {
            report(group.info.at, "{} has no values", group.info.name);
        }
    }

    void check(const Struct& s) {
        const std::string& name = s.info.name;
        const bool argument = arguments_.contains(name);
        if (argument && s.stream) {
            report(s.info.at, "struct {} is an ioctl's argument, which may grow, and no stream",
                   name);
        } else if (!argument && !s.stream && !inner_.contains(name)) {
            report(s.info.at,
                   "struct {} is neither an ioctl's argument nor a field of another: say "
                   "'stream: true' if it is read one after the other",
                   name);
        }
        if (argument) {
            starts_with_size(s);
        }
        const Layout& layout = resolved_.structs.at(name);
        std::uint64_t end = 0;
        for (std::size_t i = 0; i < s.fields.size(); ++i) {
            if (s.fields[i].info.in_version(resolved_.version)) {
                check(s.fields[i], layout.fields[i], name, end);
                end = layout.fields[i].offset + layout.fields[i].size;
            }
        }
        if (end != layout.size) {
            report(s.info.at, "struct {} ends in {} bytes that no field has; name them", name,
                   layout.size - end);
        }
        if (layout.size % size_unit != 0) {
            report(s.info.at,
                   "struct {} has {} bytes, which is no multiple of {}: it would have another size "
                   "once a u64 is added",
                   name, layout.size, size_unit);
        }
    }

    void starts_with_size(const Struct& s) {
        const auto first = std::find_if(s.fields.begin(), s.fields.end(), [this](const Field& f) {
            return f.info.in_version(resolved_.version);
        });
        if (first == s.fields.end() || first->info.name != "size" || first->type.value != "u32" ||
            first->length) {
            report(first == s.fields.end() ? s.info.at : first->info.at,
                   "the first field of struct {} has to be size, a u32: it is an ioctl's argument",
                   s.info.name);
        }
    }

    void check(const Field& field, const FieldLayout& layout, const std::string& parent,
               std::uint64_t end) {
        const std::string what = fmt::format("field {} of struct {}", field.info.name, parent);
        if (layout.offset != end) {
            report(field.info.at, "there are {} bytes before {} that no field has; name them",
                   layout.offset - end, what);
        }
        if (field.flexible) {
            report(field.info.at, "{} may have any length, which no caller could say", what);
        }
        if (field.type.value == "be32") {
            report(field.type.at, "{} is a be32; a device's numbers are the machine's", what);
        }
        if (!field.values.value.empty()) {
            values(field, what);
        }
    }

    void values(const Field& field, const std::string& what) {
        bool found = false;
        each(&Section::groups,
             [&](const Group& g) { found = found || g.info.name == field.values.value; });
        if (!found) {
            report(field.values.at, "{}: there are no flags and no enumeration '{}'", what,
                   field.values.value);
        } else if (field.type.value != "u32" || field.length) {
            report(field.type.at, "{} has values and is no u32", what);
        }
    }

    const Schema& schema_;
    const Resolved& resolved_;
    std::set<std::string> arguments_;
    std::set<std::string> inner_;
    std::map<std::uint64_t, std::string> numbers_;
    Errors errors_;
};

}  // namespace

Errors check_device(const Schema& schema, const Resolved& resolved) {
    return DeviceChecker(schema, resolved).run();
}

}  // namespace khob::gen
