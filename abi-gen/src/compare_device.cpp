// SPDX-License-Identifier: GPL-2.0-only
// Two states of a device: what a program that knows the old one can no longer do.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "compare.hpp"

namespace khob::gen {
namespace {

/// How errors call a constant that may be a value of a group.
std::string title(const Constant& constant) {
    return constant.group.empty() ? "constant " + constant.info.name
                                  : fmt::format("{} of {}", constant.within, constant.group);
}

std::string number(const Ioctl& ioctl) {
    return fmt::format("{:#04x}", ioctl.number.value.value_or(0));
}

std::string title(const Ioctl& ioctl) {
    return fmt::format("ioctl {} ({})", ioctl.info.name, number(ioctl));
}

std::string or_nothing(const std::string& text) {
    return text.empty() ? "nothing" : text;
}

class DeviceComparer {
  public:
    DeviceComparer(const Side& from, const Side& to)
        : from_(from),
          to_(to),
          old_constants_(elements(from, &Section::constants)),
          new_constants_(elements(to, &Section::constants)) {
        for (const auto& [name, ioctl] : elements(from_, &Section::ioctls)) {
            arguments_.insert(ioctl->argument.value);
        }
    }

    Findings run() {
        device();
        groups();
        constants();
        ioctls();
        structs();
        return std::move(findings_);
    }

  private:
    void add(Grade grade, const std::string& element, std::string text) {
        findings_.push_back({grade, element, std::move(text)});
    }

    /// A sentence if the two are not the same.
    void change(Grade grade, const std::string& element, const std::string& what,
                const std::string& was, const std::string& is) {
        if (was != is) {
            add(grade, element, fmt::format("{} changes from {} to {}", what, was, is));
        }
    }

    void device() {
        const Device& before = *from_.schema.device;
        const Device& after = *to_.schema.device;
        change(Grade::breaks_layout, "device", "the path", before.path, after.path);
        change(Grade::breaks_source, "device", "the prefix of all names", from_.schema.prefix,
               to_.schema.prefix);
        if (to_.resolved.version < from_.resolved.version) {
            add(Grade::breaks_source, "device", "the version goes back");
        }
        errors("device", "any ioctl", before.errors, after.errors);
    }

    void errors(const std::string& element, const std::string& what,
                const std::vector<Errno>& before, const std::vector<Errno>& after) {
        const auto only_in = [&](const std::vector<Errno>& these, const std::vector<Errno>& those,
                                 const char* says) {
            for (const Errno& error : these) {
                if (std::none_of(those.begin(), those.end(), [&](const Errno& other) {
                        return other.name.value == error.name.value;
                    })) {
                    add(Grade::compatible, element,
                        fmt::format("{} {} {}", what, says, error.name.value));
                }
            }
        };
        only_in(before, after, "no longer returns");
        only_in(after, before, "may now return");
    }

    void groups() {
        match(
            from_, to_, "", &Section::groups,
            [&](const std::string& name, const Group&) {
                add(Grade::breaks_source, name,
                    fmt::format("{} is gone, which C++ and Python have by that name", name));
            },
            [&](const std::string& name, const Group&) {
                add(Grade::compatible, name, fmt::format("{} is new", name));
            },
            [&](const std::string& name, const Group& before, const Group& after) {
                const auto kind = [](const Group& g) {
                    return std::string(g.flags ? "flags" : "an enumeration");
                };
                change(Grade::breaks_source, name, name, kind(before), kind(after));
            });
    }

    static std::uint64_t value(const Side& side, const Constant& c) {
        return side.resolved.constants.at(c.info.name);
    }

    /// The one with the same value in the same group that the other side alone has.
    /// @param is_old whether the constant is of the old side
    [[nodiscard]] const Constant* twin(const Constant& constant, bool is_old) const {
        const auto& mine = is_old ? old_constants_ : new_constants_;
        const auto& others = is_old ? new_constants_ : old_constants_;
        const std::uint64_t wanted = value(is_old ? from_ : to_, constant);
        const auto at = std::find_if(others.begin(), others.end(), [&](const auto& entry) {
            return !mine.contains(entry.first) && entry.second->group == constant.group &&
                   value(is_old ? to_ : from_, *entry.second) == wanted;
        });
        return at == others.end() ? nullptr : at->second;
    }

    void constants() {
        match(
            from_, to_, "", &Section::constants,
            [&](const std::string&, const Constant& c) {
                const Constant* renamed = twin(c, true);
                add(Grade::breaks_source, title(c),
                    renamed == nullptr
                        ? fmt::format("{} was {} and is gone", title(c), value(from_, c))
                        : fmt::format(
                              "{} ({}) is renamed to {}", title(c), value(from_, c),
                              renamed->within.empty() ? renamed->info.name : renamed->within));
            },
            [&](const std::string&, const Constant& c) {
                if (twin(c, false) == nullptr) {
                    add(Grade::compatible, title(c),
                        fmt::format("{} is new and has the value {}", title(c), value(to_, c)));
                }
            },
            [&](const std::string&, const Constant& before, const Constant& after) {
                constant(before, after);
            });
    }

    void constant(const Constant& before, const Constant& after) {
        const std::string element = title(before);
        const std::uint64_t was = value(from_, before);
        const std::uint64_t is = value(to_, after);
        change(before.limit && is > was ? Grade::compatible : Grade::breaks_layout, element,
               before.limit ? "the limit " + before.info.name : element, std::to_string(was),
               std::to_string(is));
        change(Grade::breaks_source, element, "the type of " + element, type_name(before.type),
               type_name(after.type));
        if (element != title(after) &&
            elements(to_, &Section::groups)
                .contains(before.group.empty() ? after.group : before.group)) {
            add(Grade::breaks_source, element,
                fmt::format("{} becomes {}, which is another name in C++ and Python", element,
                            title(after)));
        }
    }

    void ioctls() {
        const auto old_ones = elements(from_, &Section::ioctls);
        const auto new_ones = elements(to_, &Section::ioctls);
        const auto numbered = [](const auto& all, const Ioctl& like, const auto& known) {
            const auto at = std::find_if(all.begin(), all.end(), [&](const auto& entry) {
                return entry.second->number.value == like.number.value &&
                       !known.contains(entry.first);
            });
            return at == all.end() ? nullptr : at->second;
        };
        match(
            from_, to_, "ioctl ", &Section::ioctls,
            [&](const std::string& element, const Ioctl& ioctl) {
                const Ioctl* renamed = numbered(new_ones, ioctl, old_ones);
                if (renamed == nullptr) {
                    add(Grade::breaks_layout, element, fmt::format("{} is gone", title(ioctl)));
                } else {
                    add(Grade::breaks_source, element,
                        fmt::format("{} is renamed to {}", title(ioctl), renamed->info.name));
                    this->ioctl(element, ioctl, *renamed);
                }
            },
            [&](const std::string& element, const Ioctl& ioctl) {
                if (numbered(old_ones, ioctl, new_ones) == nullptr) {
                    add(Grade::compatible, element, fmt::format("{} is new", title(ioctl)));
                }
            },
            [&](const std::string& element, const Ioctl& before, const Ioctl& after) {
                this->ioctl(element, before, after);
            });
    }

    void ioctl(const std::string& element, const Ioctl& before, const Ioctl& after) {
        change(Grade::breaks_layout, element, "the number of " + element, number(before),
               number(after));
        change(Grade::breaks_layout, element, "the argument of " + element,
               or_nothing(before.argument.value), or_nothing(after.argument.value));
        change(after.needs.empty() ? Grade::compatible : Grade::breaks_layout, element,
               "what " + element + " needs", or_nothing(before.needs), or_nothing(after.needs));
        const auto returns = [](const Ioctl& i) {
            return std::string(i.returns_fd ? "a file descriptor" : "0");
        };
        change(Grade::breaks_layout, element, "what " + element + " returns", returns(before),
               returns(after));
        errors(element, element, before.errors, after.errors);
    }

    void structs() {
        match_structs(
            from_, to_, findings_,
            [&](const std::string& element, const Struct& before, const Struct& after) {
                compare_structs(from_, to_, before, after, arguments_.contains(before.info.name),
                                findings_);
                if (before.stream != after.stream) {
                    add(Grade::breaks_layout, element,
                        fmt::format("{} {}", element,
                                    after.stream ? "becomes a stream" : "is no stream any more"));
                }
                values(element, before, after);
            });
    }

    /// What the fields of both mean.
    void values(const std::string& element, const Struct& before, const Struct& after) {
        for (const Field& field : before.fields) {
            const auto now = std::find_if(
                after.fields.begin(), after.fields.end(),
                [&](const Field& other) { return other.info.name == field.info.name; });
            if (now != after.fields.end() && !field.values.value.empty()) {
                change(Grade::breaks_layout, element,
                       fmt::format("what field {} of {} has", field.info.name, element),
                       field.values.value, or_nothing(now->values.value));
            }
        }
    }

    const Side& from_;
    const Side& to_;
    std::map<std::string, const Constant*> old_constants_;
    std::map<std::string, const Constant*> new_constants_;
    std::set<std::string> arguments_;
    Findings findings_;
};

}  // namespace

Findings compare_devices(const Side& from, const Side& to) {
    return DeviceComparer(from, to).run();
}

}  // namespace khob::gen
