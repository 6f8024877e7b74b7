// SPDX-License-Identifier: GPL-2.0-only
// The names that only a device has: macros of C, which constants and ioctls share,
// and types of C++ and Python, which are made of the names of groups.
#include <fmt/format.h>

#include <map>
#include <set>

#include "schema.hpp"

namespace khob::gen {
namespace {

class DeviceNames {
  public:
    explicit DeviceNames(Errors& errors) : errors_(errors) {}

    void check(const Section& section) {
        for (const Constant& c : section.constants) {
            const bool grouped = !c.group.empty();
            const std::string what =
                grouped ? fmt::format("{} of {}", c.within, c.group) : "constant " + c.info.name;
            macro(c.info, what);
            if (grouped) {
                refuse_word(c.info, what, c.within);
            }
        }
        for (const Ioctl& ioctl : section.ioctls) {
            macro(ioctl.info, "ioctl " + ioctl.info.name);
            refuse_word(ioctl.info, "ioctl " + ioctl.info.name, ioctl.info.name);
        }
        for (const Group& group : section.groups) {
            type(group);
        }
    }

  private:
    /// Within a type of its own, where only words are taken.
    void refuse_word(const Info& info, const std::string& what, const std::string& name) {
        if (is_keyword(name)) {
            errors_.push_back({info.at, fmt::format("{} has the name of a word of C or C++; it "
                                                    "needs another one",
                                                    what)});
        }
    }

    void macro(const Info& info, const std::string& what) {
        const auto [other, is_new] = macros_.emplace(info.name, what);
        if (!is_new && other->second != what) {
            errors_.push_back(
                {info.at, fmt::format("{} has the macro of {}", what, other->second)});
        }
    }

    /// ImageState of image_state.
    void type(const Group& group) {
        static const std::set<std::string, std::less<>> taken = {
            "enum", "false", "field", "ioctl", "ioctlinfo", "none", "struct", "true"};
        std::string name;
        for (const char c : group.info.name) {
            name += c == '_' ? "" : std::string(1, c);
        }
        const auto [other, is_new] = types_.emplace(name, group.info.name);
        if (!is_new || taken.contains(name)) {
            errors_.push_back(
                {group.info.at,
                 fmt::format("{} is called in C++ and Python as {} is", group.info.name,
                             is_new ? "what is emitted with it" : other->second)});
        }
    }

    Errors& errors_;
    std::map<std::string, std::string> macros_;
    std::map<std::string, std::string> types_;
};

}  // namespace

void check_device_names(const Schema& schema, Errors& errors) {
    DeviceNames names(errors);
    for (const Section& section : schema.sections) {
        names.check(section);
    }
}

}  // namespace khob::gen
