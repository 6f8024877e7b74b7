// SPDX-License-Identifier: GPL-2.0-only
// Stage 1 of a schema of a device: its versions are numbers, and its sections have
// flags, enumerations and ioctls.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "model.hpp"
#include "parts.hpp"

namespace khob::gen {
namespace {

bool is_errno(const std::string& name) {
    return name.size() > 1 && name.front() == 'E' &&
           std::all_of(name.begin(), name.end(),
                       [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
}

bool is_capability(const std::string& name) {
    return name.starts_with("CAP_") && std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'A' && c <= 'Z') || c == '_';
           });
}

class DeviceParser : public PartParser {
  public:
    DeviceParser(const Tree& tree, const std::string& file, const FileReader& read, Errors& errors)
        : PartParser(tree, file, read, errors) {
        schema_.device.emplace();
        // There is one, and no expression can name it.
        schema_.page_shift.values.push_back(0);
        schema_.page_shift.info.at = top_.at();
    }

    Schema parse() {
        essential([this] {
            format();
            versions();
            top_.need("sections");
        });
        prefix();
        name_space(schema_.prefix + "::device");
        Device& device = *schema_.device;
        device.info = facts(top_, {schema_.prefix, top_.at()}, top());
        device.info.header = top_.text_or("header");
        device.path = top_.text("path");
        device.ioctl_type = name_or(top_, "ioctl_type", "type");
        device.guard = top_.text_or("guard");
        device.errors = errors(top_);
        if (const Tree* sections = top_.take("sections")) {
            for_each(*sections, "sections", [this](const TreeEntry& e) { section(e); });
        }
        numbers();
        if (!device.info.header.empty()) {
            for (Section& section : schema_.sections) {
                name_upstream(section);
            }
        }
        return finish();
    }

  private:
    std::string name_or(MapReader& in, const std::string& key, const std::string& preset) {
        const Tree* tree = in.take(key);
        return tree == nullptr ? preset
                               : identifier(*tree, fmt::format("'{}' of {}", key, in.what()));
    }

    /// Of ioctls whose number is a constant.
    void numbers() {
        const auto resolved = computable_ ? resolve(schema_, schema_.default_version, 0)
                                          : Result<Resolved>(tl::unexpected<Errors>(Errors()));
        for (Section& section : schema_.sections) {
            for (Ioctl& ioctl : section.ioctls) {
                if (ioctl.number_name.empty() || !resolved) {
                    continue;  // why there are no constants is said elsewhere
                }
                if (const auto at = resolved->constants.find(ioctl.number_name);
                    at != resolved->constants.end()) {
                    ioctl.number.value = at->second;
                } else {
                    errors_.push_back(
                        {ioctl.number.at, fmt::format("'nr' of ioctl {}: there is no constant '{}'",
                                                      ioctl.info.name, ioctl.number_name)});
                }
            }
        }
    }

    /// What stands in upstream's header is called there as it is here.
    void name_upstream(Section& section) const {
        const auto name = [this](Info& info, std::string upstream) {
            info.upstream = std::move(upstream);
            info.header = schema_.device->info.header;
        };
        const auto macro = [this](const Info& info) {
            std::string text = schema_.prefix + "_" + info.name;
            std::transform(text.begin(), text.end(), text.begin(), [](char c) {
                return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
            });
            return text;
        };
        for (Constant& constant : section.constants) {
            name(constant.info, macro(constant.info));
        }
        for (Ioctl& ioctl : section.ioctls) {
            name(ioctl.info, macro(ioctl.info));
        }
        for (Struct& structure : section.structs) {
            name(structure.info, fmt::format("struct {}_{}", schema_.prefix, structure.info.name));
        }
    }

    /// What has been added since the first one says since which.
    void versions() {
        const Tree* tree = top_.need("version");
        const auto newest =
            tree == nullptr ? std::nullopt : read_number(*tree, "the version", errors_);
        if (!newest) {
            return;
        }
        if (*newest < 1 || *newest > max_versions) {
            errors_.push_back(
                {tree->at, fmt::format("the version has to be 1 to {}", max_versions)});
            return;
        }
        for (std::uint64_t number = 1; number <= *newest; ++number) {
            Version version;
            version.info.name = fmt::format("version {}", number);
            version.info.at = tree->at;
            schema_.versions.push_back(std::move(version));
        }
        schema_.default_version = schema_.versions.size() - 1;
    }

    std::vector<Errno> errors(MapReader& in) {
        std::vector<Errno> all;
        for_each_of(in, "errors", [&](const TreeEntry& e) {
            if (!is_errno(e.key.value)) {
                errors_.push_back({e.key.at, fmt::format("'{}' is no errno's name", e.key.value)});
            }
            const std::string what = fmt::format("{} of {}", e.key.value, in.what());
            all.push_back({e.key, read_scalar(e.value, what, errors_)});
        });
        return all;
    }

    void section(const TreeEntry& entry) {
        MapReader in(entry.value, fmt::format("section {}", entry.key.value), errors_);
        Section section;
        essential([&] { section.info = named(in, entry.key, top()); });
        const Info& parent = section.info;
        for_each_of(in, "constants", [&](const TreeEntry& e) {
            section.constants.push_back(constant(e.key, e.value, parent));
        });
        for_each_of(in, "flags", [&](const TreeEntry& e) { group(e, true, section); });
        for_each_of(in, "enums", [&](const TreeEntry& e) { group(e, false, section); });
        for_each_of(in, "ioctls",
                    [&](const TreeEntry& e) { section.ioctls.push_back(ioctl(e, parent)); });
        for_each_of(in, "structs",
                    [&](const TreeEntry& e) { section.structs.push_back(structure(e, parent)); });
        essential([&] { in.finish(); });
        schema_.sections.push_back(std::move(section));
    }

    /// Its values are constants, which C calls by the group's prefix and their name.
    void group(const TreeEntry& entry, bool flags, Section& to) {
        const std::string kind = flags ? "flags" : "enumeration";
        MapReader in(entry.value, fmt::format("{} {}", kind, entry.key.value), errors_);
        Group group{named(in, entry.key, to.info), flags};
        std::string prefix;
        if (const Tree* tree = in.take("prefix")) {
            prefix = identifier(*tree, fmt::format("prefix of {}", in.what())) + "_";
        }
        const Tree* values = in.need("values");
        if (values != nullptr) {
            for_each(*values, fmt::format("'values' of {}", in.what()),
                     [&](const TreeEntry& e) { to.constants.push_back(value(e, prefix, group)); });
        }
        in.finish();
        to.groups.push_back(std::move(group));
    }

    Constant value(const TreeEntry& entry, const std::string& prefix, const Group& group) {
        MapReader in(entry.value, fmt::format("{} of {}", entry.key.value, group.info.name),
                     errors_);
        Constant constant;
        constant.info = named(in, entry.key, group.info);
        constant.info.name = prefix + entry.key.value;
        constant.info.alias = fmt::format("{}_{}", group.info.name, entry.key.value);
        constant.group = group.info.name;
        constant.within = entry.key.value;
        constant.value = in.expr("value");
        constant.type = ConstantType::u32;
        constant.hex = group.flags;
        if (!in.finish()) {
            constant.value.text.clear();
        }
        return constant;
    }

    Ioctl ioctl(const TreeEntry& entry, const Info& parent) {
        MapReader in(entry.value, fmt::format("ioctl {}", entry.key.value), errors_);
        Ioctl ioctl;
        ioctl.info = named(in, entry.key, parent);
        ioctl.info.alias = "ioctl_" + entry.key.value;
        if (const Tree* number = in.need("nr")) {
            const std::string what = fmt::format("'nr' of {}", in.what());
            if (is_identifier(number->scalar)) {
                ioctl.number.at = number->at;
                ioctl.number_name = number->scalar;
            } else {
                ioctl.number = {read_number(*number, what, errors_), number->at};
            }
        }
        if (const Tree* argument = in.take("argument")) {
            const std::string what = fmt::format("'argument' of {}", in.what());
            ioctl.argument = {read_scalar(*argument, what, errors_), argument->at};
        }
        if (const Tree* needs = in.take("needs")) {
            ioctl.needs = needs->scalar;
            if (!is_capability(ioctl.needs)) {
                errors_.push_back(
                    {needs->at, fmt::format("'{}' is no capability's name", ioctl.needs)});
            }
        }
        ioctl.returns_fd = in.one_of("returns", {"0", "fd"}, "0") == "fd";
        ioctl.errors = errors(in);
        in.finish();
        return ioctl;
    }
};

}  // namespace

Schema parse_device(const Tree& tree, const std::string& file, const FileReader& read,
                    Errors& errors) {
    return DeviceParser(tree, file, read, errors).parse();
}

}  // namespace khob::gen
