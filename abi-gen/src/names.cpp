// SPDX-License-Identifier: GPL-2.0-only
// The names of a schema as a whole: that each is used once, and that what docs
// and fields refer to is there.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "schema.hpp"

namespace khob::gen {
namespace {

using Words = std::set<std::string, std::less<>>;

// clang-format off: one word to a column is no easier to read.
/// Words of C and C++ that name nothing else, and macros of their headers.
const Words& keywords() {
    static const Words words = {"alignas",    "alignof",       "and",
                                "and_eq",     "asm",           "assert",
                                "auto",       "bitand",        "bitor",
                                "bool",       "break",         "case",
                                "catch",      "char",          "char16_t",
                                "char32_t",   "char8_t",       "class",
                                "co_await",   "co_return",     "co_yield",
                                "compl",      "concept",       "const",
                                "const_cast", "consteval",     "constexpr",
                                "constinit",  "continue",      "decltype",
                                "default",    "delete",        "do",
                                "double",     "dynamic_cast",  "else",
                                "enum",       "explicit",      "export",
                                "extern",     "false",         "float",
                                "for",        "friend",        "goto",
                                "if",         "inline",        "int",
                                "linux",      "long",          "mutable",
                                "namespace",  "new",           "noexcept",
                                "not",        "not_eq",        "nullptr",
                                "offsetof",   "operator",      "or",
                                "or_eq",      "private",       "protected",
                                "public",     "register",      "reinterpret_cast",
                                "requires",   "restrict",      "return",
                                "short",      "signed",        "sizeof",
                                "static",     "static_assert", "static_cast",
                                "struct",     "switch",        "template",
                                "this",       "thread_local",  "throw",
                                "true",       "try",           "typedef",
                                "typeid",     "typename",      "typeof",
                                "union",      "unix",          "unsigned",
                                "using",      "virtual",       "void",
                                "volatile",   "wchar_t",       "while",
                                "xor",        "xor_eq"};
    return words;
}

/// What headers and modules define themselves, or name so in their functions.
const Words& own_names() {
    static const Words words = {"abi",
                                "abi_default",
                                "abi_h",
                                "abi_nr",
                                "at",
                                "compatible",
                                "decode",
                                "default_page_shift",
                                "default_version",
                                "detail",
                                "encode",
                                "folio",
                                "index",
                                "is_folio",
                                "is_key",
                                "key",
                                "level",
                                "of",
                                "order",
                                "pa",
                                "page_shift",
                                "std",
                                "structs",
                                "supported",
                                "version",
                                "version_from",
                                "versions"};
    return words;
}
// clang-format on

/// The same of a device.
const Words& own_device_names() {
    static const Words words = {"field", "ioctls", "path", "request", "std", "structs", "version"};
    return words;
}

/// A version's name in an identifier.
std::string ident(std::string version) {
    std::replace(version.begin(), version.end(), '-', '_');
    return version;
}

class NameChecker {
  public:
    explicit NameChecker(Errors& errors) : errors_(errors) {}

    void check(const Schema& schema) {
        is_device_ = schema.device.has_value();
        own_ = is_device_ ? &own_device_names() : &own_names();
        for (const Section& section :
             schema.uses ? schema.uses->schema->sections : std::vector<Section>()) {
            each_info(section, [this](const Info& info) { used_.insert(info.name); });
        }
        for (const Section& section : schema.sections) {
            claim(section);
        }
        for (const Section& section : schema.sections) {
            each_info(section, [this](const Info& info) { references(info); });
            for (const Struct& s : section.structs) {
                for (const Field& field : s.fields) {
                    refuse_word(field.info,
                                fmt::format("field {} of struct {}", field.info.name, s.info.name),
                                field.info.name, "it needs another one");
                }
            }
        }
        if (is_device_) {
            check_device_names(schema, errors_);
        } else {
            versions(schema);
            refusals(schema);
        }
    }

    void nesting(const Schema& schema) {
        std::map<std::string, std::size_t> places;
        for (const Section& section : schema.sections) {
            for (const Struct& s : section.structs) {
                places.emplace(s.info.name, places.size());
            }
        }
        for (const Section& section : schema.sections) {
            for (const Struct& s : section.structs) {
                for (const Field& field : s.fields) {
                    const auto inner = places.find(field.type.value);
                    if (inner != places.end() && inner->second > places.at(s.info.name)) {
                        errors_.push_back(
                            {field.type.at,
                             fmt::format("struct {} is a field of struct {} and has to stand "
                                         "before it",
                                         field.type.value, s.info.name)});
                    }
                }
            }
        }
    }

  private:
    template <typename F>
    static void each_info(const Section& section, F visit) {
        visit(section.info);
        for (const Constant& c : section.constants) {
            visit(c.info);
        }
        for (const StringConstant& s : section.strings) {
            visit(s.info);
        }
        for (const Property& p : section.properties) {
            visit(p.info);
        }
        for (const Group& g : section.groups) {
            visit(g.info);
        }
        for (const Ioctl& i : section.ioctls) {
            visit(i.info);
        }
        for (const Struct& s : section.structs) {
            visit(s.info);
            for (const Field& f : s.fields) {
                visit(f.info);
            }
        }
    }

    /// @param name in C++
    void refuse_word(const Info& info, const std::string& what, const std::string& name,
                     const std::string& instead) {
        if (keywords().contains(name)) {
            errors_.push_back(
                {info.at, fmt::format("{} has the name of a word of C or C++; {}", what, instead)});
        }
    }

    /// Identifiers are made of versions, and of elements' names and versions.
    void versions(const Schema& schema) {
        std::map<std::string, std::string> seen;
        for (const Version& version : schema.versions) {
            const std::string name = ident(version.info.name);
            const auto [other, is_new] = seen.emplace(name, version.info.name);
            static const Words taken = {"all", "ceil_div", "h",   "log2_floor",
                                        "nr",  "shl",      "shr", "strictest"};
            if (!is_new) {
                errors_.push_back(
                    {version.info.at, fmt::format("version {} is the same identifier as {}",
                                                  version.info.name, other->second)});
            }
            if (taken.contains(name) || keywords().contains(name)) {
                errors_.push_back({version.info.at,
                                   fmt::format("no version can be called {}", version.info.name)});
            }
            for (const auto& [owner, info] : c_names_) {
                const bool made = owner.ends_with("_" + name);
                const std::string rest =
                    made ? owner.substr(0, owner.size() - name.size() - 1) : "";
                if (made && (c_names_.contains(rest) || rest == "abi" || rest == "compatible" ||
                             rest.starts_with("has_"))) {
                    errors_.push_back({info->at, fmt::format("{} may be what {} is called in {}",
                                                             owner, rest, version.info.name)});
                }
            }
        }
    }

    void claim(const Section& section) {
        for (const Constant& c : section.constants) {
            claim("constant", c.info, c.info.name, &section);
        }
        for (const StringConstant& s : section.strings) {
            claim("string", s.info, s.info.name, nullptr);
        }
        for (const Property& p : section.properties) {
            claim("property", p.info, "prop_" + p.info.name, nullptr);
        }
        for (const Group& g : section.groups) {
            claim("group", g.info, g.info.name, nullptr);
        }
        for (const Ioctl& i : section.ioctls) {
            claim("ioctl", i.info, i.info.name, nullptr);
        }
        for (const Struct& s : section.structs) {
            claim("struct", s.info, s.info.name, nullptr);
            if (is_device_) {
                claim("fields of struct", s.info, s.info.name + "_fields", nullptr);
            }
        }
    }

    /// Variants of a constant are one thing; they stand in one section (home).
    void claim(const std::string& kind, const Info& info, std::string name, const Section* home) {
        const std::string owner = fmt::format("{} {}", kind, info.name);
        if (kind != "property") {
            const bool takes_alias = !is_device_ && (kind == "constant" || kind == "string");
            refuse_word(info, owner, info.alias.empty() ? name : info.alias,
                        takes_alias ? "give it an 'alias'" : "it needs another one");
            for (const std::string& word : {info.name, info.alias}) {
                // What has an alias there is in a type of its own.
                if (own_->contains(word) && (!is_device_ || info.alias.empty())) {
                    errors_.push_back(
                        {info.at, fmt::format("{}: '{}' is a name that what is emitted has of its "
                                              "own; it needs another one",
                                              owner, word)});
                }
            }
            c_names_.emplace(info.name, &info);
        }
        if ((kind == "constant" || kind == "struct") && used_.contains(info.name)) {
            errors_.push_back({info.at, fmt::format("{} has a name of the schema that this one "
                                                    "uses; it needs another one",
                                                    owner)});
        }
        if (!info.alias.empty()) {
            name = info.alias;
        }
        const auto [at, is_new] = names_.emplace(std::move(name), owner);
        const bool variant = home != nullptr && at->second == owner &&
                             homes_.emplace(info.name, home).first->second == home;
        if (!is_new && !variant) {
            errors_.push_back({info.at, fmt::format("{} has the name of {}; {}", owner, at->second,
                                                    is_device_ ? "it needs another one"
                                                               : "give one of them an 'alias'")});
        }
    }

    /// Docs name other elements as {alias}, which each language writes its way.
    void references(const Info& info) {
        for (std::size_t open = info.doc.find('{'); open != std::string::npos;
             open = info.doc.find('{', open + 1)) {
            const std::size_t close = info.doc.find('}', open);
            const std::string name = info.doc.substr(open + 1, close - open - 1);
            if (close == std::string::npos || !names_.contains(name)) {
                errors_.push_back(
                    {info.at,
                     fmt::format("the doc of {} refers to '{}', which is {}", info.name, name,
                                 is_device_ ? "no constant, group, value, ioctl or struct"
                                            : "no constant, string, property or struct")});
            }
            if (close == std::string::npos) {
                return;
            }
        }
    }

    void refusals(const Schema& schema) {
        const auto& values = schema.page_shift.values;
        for (const Version& version : schema.versions) {
            std::set<std::uint64_t> seen;
            for (const Refusal& refusal : version.refused) {
                if (std::count(values.begin(), values.end(), refusal.page_shift) == 0) {
                    errors_.push_back(
                        {refusal.at, fmt::format("page_shift {} is none of the "
                                                 "schema's values: {}",
                                                 refusal.page_shift, fmt::join(values, ", "))});
                }
                if (!seen.insert(refusal.page_shift).second) {
                    errors_.push_back(
                        {refusal.at, fmt::format("{} refuses page_shift {} twice",
                                                 version.info.name, refusal.page_shift)});
                }
            }
        }
    }

    Errors& errors_;
    const Words* own_ = nullptr;
    bool is_device_ = false;
    std::map<std::string, std::string> names_;     ///< as emitted, and what has them
    Words used_;                                   ///< by the schema that is used
    std::map<std::string, const Section*> homes_;  ///< of constants
    std::map<std::string, const Info*> c_names_;   ///< as in C, without the prefix
};

}  // namespace

const Refusal* Version::refusal(std::uint64_t page_shift) const {
    const auto at = std::find_if(refused.begin(), refused.end(), [&](const Refusal& refusal) {
        return refusal.page_shift == page_shift;
    });
    return at == refused.end() ? nullptr : &*at;
}

std::string Schema::context(std::size_t version, std::uint64_t page_shift) const {
    const std::string& name = versions[version].info.name;
    return device ? name : fmt::format("{} at page_shift {}", name, page_shift);
}

const Struct* Schema::find_struct(const std::string& name) const {
    for (const Section& section : sections) {
        for (const Struct& s : section.structs) {
            if (s.info.name == name) {
                return &s;
            }
        }
    }
    return nullptr;
}

bool Struct::fields_differ() const {
    return std::any_of(fields.begin(), fields.end(), [this](const Field& field) {
        return field.info.first_version > info.first_version ||
               field.info.last_version < info.last_version;
    });
}

void check_names(const Schema& schema, Errors& errors) {
    NameChecker(errors).check(schema);
}

bool is_keyword(const std::string& name) {
    return keywords().contains(name);
}

void check_nesting(const Schema& schema, Errors& errors) {
    NameChecker(errors).nesting(schema);
}

}  // namespace khob::gen
