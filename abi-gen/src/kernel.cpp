// SPDX-License-Identifier: GPL-2.0-only
// What the kernel has against what the schema says, element by element.
#include "kernel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "kernel_read.hpp"
#include "kernel_tree.hpp"
#include "model.hpp"

namespace khob::gen {
namespace {

/// A 32-bit macro with its top bit set is an int below 0 to C.
KernelValue as_type(KernelValue value, ConstantType type) {
    constexpr std::uint64_t low = 0xffffffff;
    constexpr std::uint64_t negative = 0xffffffff80000000;
    if (auto* number = std::get_if<std::uint64_t>(&value);
        number != nullptr && type == ConstantType::u32 && *number >= negative) {
        *number &= low;
    }
    return value;
}

class Comparer {
  public:
    Comparer(const Schema& schema, const Resolved& resolved, const KernelTree& tree,
             const KernelFacts& kernel, KernelReport& report, std::set<std::string>& known)
        : schema_(schema),
          resolved_(resolved),
          tree_(tree),
          kernel_(kernel),
          report_(report),
          known_(known) {}

    void run() {
        const Version& version = schema_.versions[resolved_.version];
        value("version", version.info, version.compatible);
        for (const Section& section : schema_.sections) {
            for (const Constant& constant : section.constants) {
                if (constant.info.in_version(resolved_.version)) {
                    value("constant", constant.info, resolved_.constants.at(constant.info.name),
                          &constant);
                }
            }
            for (const Ioctl& ioctl : section.ioctls) {
                constexpr unsigned number_bits = 8;
                const std::uint64_t type = resolved_.constants.at(schema_.device->ioctl_type);
                value("ioctl", ioctl.info, type << number_bits | ioctl.number.value.value_or(0));
            }
            for (const StringConstant& string : section.strings) {
                if (string.info.in_version(resolved_.version)) {
                    value("string", string.info, string.value);
                }
            }
            for (const Property& property : section.properties) {
                if (property.info.in_version(resolved_.version)) {
                    value("property", property.info, property.property);
                }
            }
            for (const Struct& structure : section.structs) {
                if (structure.info.in_version(resolved_.version)) {
                    compare(structure);
                }
            }
        }
    }

  private:
    [[nodiscard]] KernelElement element(const std::string& kind, const Info& info) const {
        const std::string header = header_in(tree_, info);
        return {kind, info.name, info.upstream, header.empty() ? headers_of(info).front() : header};
    }

    /// Takes note of an element that both have.
    void both(KernelElement element, const std::string& file, bool hex,
              std::vector<KernelDifference> differences) {
        ++report_.compared;
        if (!differences.empty()) {
            element.header = tree_.relative(file);
            report_.mismatches.push_back({std::move(element), hex, std::move(differences)});
        }
    }

    void lacking(const KernelElement& element, const Info& info) {
        const bool no_header = !info.header.empty() && header_in(tree_, info).empty();
        (no_header ? report_.not_in_tree : report_.only_in_schema).push_back(element);
    }

    void value(const char* kind, const Info& info, const KernelValue& expected,
               const Constant* constant = nullptr) {
        if (info.upstream.empty()) {
            return;
        }
        known_.insert(info.upstream);
        const auto at = kernel_.values.find(info.upstream);
        if (at == kernel_.values.end()) {
            lacking(element(kind, info), info);
            return;
        }
        const auto macro = kernel_.macros.find(info.upstream);
        const auto enumerator = kernel_.types.enumerators.find(info.upstream);
        const std::string file = enumerator != kernel_.types.enumerators.end()
                                     ? enumerator->second.file
                                     : macro->second.file;
        const KernelValue found =
            constant == nullptr ? at->second : as_type(at->second, constant->type);
        std::vector<KernelDifference> differences;
        if (found != expected) {
            differences.push_back({"value", expected, found});
        }
        both(element(kind, info), file, constant != nullptr && constant->hex,
             std::move(differences));
    }

    void compare(const Struct& structure) {
        const Info& info = structure.info;
        if (info.upstream.empty()) {
            return;
        }
        known_.insert(info.upstream);
        const auto at = kernel_.types.structs.find(info.upstream);
        if (at == kernel_.types.structs.end()) {
            lacking(element("struct", info), info);
            return;
        }
        const Layout& layout = resolved_.structs.at(info.name);
        std::vector<KernelDifference> differences;
        figure("size", layout.size, bytes(at->second.size), differences);
        figure("alignment", layout.alignment, kernel_.alignments.at(info.upstream), differences);
        both(element("struct", info), at->second.file, false, std::move(differences));
        compare_fields(structure, layout, at->second);
    }

    void compare_fields(const Struct& structure, const Layout& layout, const KernelStruct& found) {
        std::set<std::string> members;
        for (std::size_t i = 0; i < structure.fields.size(); ++i) {
            const Field& field = structure.fields[i];
            if (!field.info.in_version(resolved_.version)) {
                continue;
            }
            const FieldLayout& expected = layout.fields.at(i);
            const std::string path =
                field.info.upstream.empty() ? field.info.name : field.info.upstream;
            members.insert(path.substr(0, path.find('.')));
            // What a path leads through is compared by that.
            for (std::size_t dot = path.find('.'); dot != std::string::npos;
                 dot = path.find('.', dot + 1)) {
                const auto type = found.types.find(path.substr(0, dot));
                known_.insert(type == found.types.end() ? "" : type->second);
            }
            const KernelElement one{"field", structure.info.name + "." + field.info.name,
                                    structure.info.upstream + "." + path,
                                    tree_.relative(found.file)};
            const auto at = found.fields.find(path);
            if (at == found.fields.end()) {
                report_.only_in_schema.push_back(one);
                continue;
            }
            std::vector<KernelDifference> differences;
            if (expected.bits) {
                constexpr std::uint64_t bits_per_byte = 8;
                figure("first bit", expected.offset * bits_per_byte + expected.bits->first,
                       at->second.offset, differences);
                figure("bits", expected.bits->count, at->second.size, differences);
            } else {
                figure("offset", expected.offset, bytes(at->second.offset), differences);
                figure("size", expected.size, bytes(at->second.size), differences);
            }
            both(one, found.file, false, std::move(differences));
        }
        for (const std::string& member : found.members) {
            // An array without a length is what follows the struct.
            if (!members.contains(member) && found.fields.at(member).size != 0) {
                report_.only_in_kernel.push_back({"field", "",
                                                  structure.info.upstream + "." + member,
                                                  tree_.relative(found.file)});
            }
        }
    }

    static KernelValue bytes(std::uint64_t bits) {
        constexpr std::uint64_t bits_per_byte = 8;
        return bits % bits_per_byte == 0 ? KernelValue(bits / bits_per_byte)
                                         : KernelValue(fmt::format("{} bits", bits));
    }

    static void figure(const char* what, std::uint64_t expected, const KernelValue& found,
                       std::vector<KernelDifference>& differences) {
        if (found != KernelValue(expected)) {
            differences.push_back({what, expected, found});
        }
    }

    const Schema& schema_;
    const Resolved& resolved_;
    const KernelTree& tree_;
    const KernelFacts& kernel_;
    KernelReport& report_;
    std::set<std::string>& known_;
};

/// What the ABI's headers have and no schema does.
class Strangers {
  public:
    Strangers(std::span<const Schema> schemas, const KernelTree& tree, const KernelFacts& kernel,
              const std::set<std::string>& known, KernelReport& report)
        : tree_(tree), kernel_(kernel), known_(known), report_(report) {
        for (const Schema& schema : schemas) {
            if (schema.device) {
                headers_.insert(schema.device->info.header);
            }
        }
    }

    void find() {
        for (const auto& [name, macro] : kernel_.macros) {
            // Without a value it is an include guard or a switch.
            if (!macro.function_like && !macro.body.empty()) {
                stranger("macro", name, macro.file);
            }
        }
        for (const auto& [name, enumerator] : kernel_.types.enumerators) {
            stranger("enumerator", name, enumerator.file);
        }
        for (const auto& [name, structure] : kernel_.types.structs) {
            stranger(name.substr(0, name.find(' ')), name, structure.file);
        }
        std::stable_sort(report_.only_in_kernel.begin(), report_.only_in_kernel.end(),
                         [](const KernelElement& a, const KernelElement& b) {
                             return std::tie(a.header, a.upstream) < std::tie(b.header, b.upstream);
                         });
    }

  private:
    void stranger(const std::string& kind, const std::string& name, const std::string& file) {
        const std::string header = tree_.relative(file);
        if (!known_.contains(name) &&
            (header.starts_with(kernel_abi_directory) || headers_.contains(header))) {
            report_.only_in_kernel.push_back({kind, "", name, header});
        }
    }

    const KernelTree& tree_;
    const KernelFacts& kernel_;
    const std::set<std::string>& known_;
    KernelReport& report_;
    std::set<std::string> headers_;  ///< of devices; a section's header may have anything
};

/// The kernel's compatible string and where it is from.
struct Compatible {
    std::string name;
    std::string file;
    std::string value;
};

std::optional<Compatible> compatible_of(const Schema& schema, const KernelFacts& kernel) {
    for (const Version& version : schema.versions) {
        const auto at = kernel.values.find(version.info.upstream);
        if (at == kernel.values.end()) {
            continue;
        }
        if (const auto* text = std::get_if<std::string>(&at->second); text != nullptr) {
            return Compatible{at->first, kernel.macros.at(at->first).file, *text};
        }
    }
    return std::nullopt;
}

Result<std::size_t> choose_version(const Schema& schema, const KernelTree& tree,
                                   const std::optional<Compatible>& compatible) {
    std::vector<std::string> known;
    std::set<std::string> names;
    for (std::size_t version = 0; version < schema.versions.size(); ++version) {
        known.push_back(schema.versions[version].compatible);
        names.insert(schema.versions[version].info.upstream);
        if (compatible && compatible->value == known.back()) {
            return version;
        }
    }
    if (!compatible) {
        return fail({tree.given, 0, 0},
                    fmt::format("no header in {} defines {} as a string, so its version is not "
                                "known; name one with --abi",
                                kernel_abi_directory, fmt::join(names, " or ")));
    }
    return fail({tree.shown(compatible->file), 0, 0},
                fmt::format("{} is \"{}\", which the schema does not know; known are: {}; add it "
                            "to the schema, or name one to compare with with --abi",
                            compatible->name, compatible->value, fmt::join(known, ", ")));
}

}  // namespace

namespace {

/// Whether the tree has the header that says which version of a schema a kernel has.
bool is_there(const Schema& schema, const KernelTree& tree) {
    return std::any_of(schema.versions.begin(), schema.versions.end(), [&](const Version& version) {
        return !header_in(tree, version.info).empty();
    });
}

Result<KernelVersion> compare_schema(const Schema& schema, const KernelOptions& options,
                                     const KernelTree& tree, const KernelFacts& kernel,
                                     KernelReport& report, std::set<std::string>& known) {
    const auto compatible = compatible_of(schema, kernel);
    const auto named =
        std::find_if(schema.versions.begin(), schema.versions.end(),
                     [&](const Version& version) { return version.info.name == options.version; });
    const auto version =
        schema.device ? Result<std::size_t>(schema.default_version)
        : named != schema.versions.end()
            ? Result<std::size_t>(static_cast<std::size_t>(named - schema.versions.begin()))
            : choose_version(schema, tree, compatible);
    if (!version) {
        return tl::unexpected<Errors>(version.error());
    }
    const auto resolved = resolve(schema, *version, schema.device ? 0 : report.page_shift);
    if (!resolved) {
        return tl::unexpected<Errors>(resolved.error());
    }
    Comparer(schema, *resolved, tree, kernel, report, known).run();
    const std::string& name = schema.versions[*version].info.name;
    return KernelVersion{schema.file, schema.device ? schema.prefix + " " + name : name,
                         compatible ? compatible->value : ""};
}

}  // namespace

Result<KernelReport> conform_kernel(std::span<const Schema> schemas, const KernelOptions& options) {
    const auto tree = open_kernel_tree(options.tree);
    if (!tree) {
        return tl::unexpected<Errors>(tree.error());
    }
    KernelReport report;
    report.tree = tree->given;
    report.release = tree->release;
    report.page_shift = options.page_shift.value_or(schemas.front().page_shift.preset);
    const KernelCompiler compiler(*tree, headers_to_read(schemas, *tree), report.page_shift,
                                  options.clang);
    const auto kernel = read_kernel(schemas, *tree, compiler);
    if (!kernel) {
        return tl::unexpected<Errors>(kernel.error());
    }
    std::set<std::string> known;
    for (const Schema& schema : schemas) {
        if (schema.uses && !is_there(schema, *tree)) {
            continue;
        }
        auto version = compare_schema(schema, options, *tree, *kernel, report, known);
        if (!version) {
            return tl::unexpected<Errors>(std::move(version.error()));
        }
        report.versions.push_back(std::move(*version));
    }
    Strangers(schemas, *tree, *kernel, known, report).find();
    return report;
}

}  // namespace khob::gen
