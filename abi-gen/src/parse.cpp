// SPDX-License-Identifier: GPL-2.0-only
// Stage 1: YAML to Schema. Every element is checked for form here: known keys,
// a doc, well-formed names, versions that exist, names used once.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "emit.hpp"
#include "model.hpp"
#include "parts.hpp"

namespace khob::gen {
namespace {

bool is_version_name(std::string name) {
    std::replace(name.begin(), name.end(), '-', '_');
    return is_identifier(name);
}

class AbiParser : public PartParser {
  public:
    using PartParser::PartParser;

    Schema parse() {
        essential([this] {
            format();
            uses();
            versions();
            parameters();
            top_.need("sections");
        });
        prefix();
        name_space(schema_.prefix + "::abi");
        schema_.title = top_.text_or("title");
        schema_.doc = top_.text_or("doc");
        if (schema_.title.empty()) {
            schema_.title = "The ABI";
        }
        if (const Tree* sections = top_.take("sections")) {
            for_each(*sections, "sections", [this](const TreeEntry& e) { section(e); });
        }
        key();
        if (const Tree* invariants = top_.take("invariants")) {
            for_each(*invariants, "invariants", [this](const TreeEntry& e) { invariant(e); });
        }
        return finish();
    }

  private:
    void uses() {
        const Tree* tree = top_.take("uses");
        if (tree == nullptr) {
            return;
        }
        MapReader in(*tree, "uses", errors_);
        const Tree* name = in.need("schema");
        const auto used = name == nullptr ? nullptr : read_used(*name);
        const Tree* since = in.need("since");
        if (used != nullptr && since != nullptr) {
            const auto& all = used->versions;
            const auto at = std::find_if(all.begin(), all.end(), [&](const Version& version) {
                return version.info.name == since->scalar;
            });
            if (at == all.end()) {
                errors_.push_back({since->at, fmt::format("'since' of uses: {} has no version '{}'",
                                                          name->scalar, since->scalar)});
            } else {
                schema_.uses = Uses{used, static_cast<std::size_t>(at - all.begin())};
            }
        }
        in.finish();
    }

    /// @return nullptr: it was said why
    std::shared_ptr<const Schema> read_used(const Tree& name) {
        const auto wrong = [&](const std::string& why) {
            errors_.push_back({name.at, fmt::format("'schema' of uses: {}", why)});
            return nullptr;
        };
        if (!read_) {
            return wrong("a schema that is used by another one cannot use one itself");
        }
        if (name.scalar.empty() || name.scalar.find('/') != std::string::npos) {
            return wrong("name a file in the directory of this one");
        }
        const std::size_t slash = schema_.file.rfind('/');
        const std::string path =
            (slash == std::string::npos ? "" : schema_.file.substr(0, slash + 1)) + name.scalar;
        const auto text = read_(path);
        if (!text) {
            return wrong(fmt::format("{} cannot be read; put it next to this one", path));
        }
        auto used = parse_schema(*text, path, nullptr);
        if (!used) {
            errors_.insert(errors_.end(), used.error().begin(), used.error().end());
            return nullptr;
        }
        if (used->device) {
            return wrong("nothing is made of a device");
        }
        return std::make_shared<const Schema>(std::move(*used));
    }

    /// Which page sizes there are is said once, by the schema that is used.
    void parameters() {
        if (schema_.uses) {
            schema_.page_shift = schema_.uses->schema->page_shift;
            schema_.page_shift.info.last_version = top().last_version;
            return;
        }
        const Tree* tree = top_.need("parameters");
        if (tree == nullptr) {
            return;
        }
        MapReader all(*tree, "parameters", errors_);
        if (const Tree* shift = all.need("page_shift")) {
            MapReader in(*shift, "parameter page_shift", errors_);
            schema_.page_shift.info = facts(in, {"page_shift", shift->at}, top());
            const Tree* values = in.need("values");
            if (values != nullptr && values->list.empty()) {
                errors_.push_back({values->at, "'values' of page_shift has to be a list"});
            }
            for (const Tree& value : values == nullptr ? empty_.list : values->list) {
                page_shift(value);
            }
            if (const Tree* preset = in.need("default")) {
                schema_.page_shift.preset =
                    read_number(*preset, "'default' of page_shift", errors_).value_or(0);
                if (std::count(schema_.page_shift.values.begin(), schema_.page_shift.values.end(),
                               schema_.page_shift.preset) == 0) {
                    errors_.push_back(
                        {preset->at, "'default' of page_shift is not one of its values"});
                }
            }
            in.finish();
        }
        all.finish();
    }

    void page_shift(const Tree& value) {
        constexpr std::uint64_t least = 3;  // a node holds at least one address
        constexpr std::uint64_t most = 30;
        const auto number = read_number(value, "a value of page_shift", errors_);
        if (!number) {
            return;
        }
        if (*number < least || *number > most) {
            errors_.push_back(
                {value.at, fmt::format("page_shift {} is not in {}..{}", *number, least, most)});
            return;
        }
        const auto& values = schema_.page_shift.values;
        if (std::count(values.begin(), values.end(), *number) != 0) {
            errors_.push_back({value.at, fmt::format("page_shift {} stands here twice", *number)});
            return;
        }
        schema_.page_shift.values.push_back(*number);
    }

    std::vector<Refusal> refused(MapReader& in) {
        std::vector<Refusal> all;
        const Tree* tree = in.take("refused");
        if (tree != nullptr && tree->list.empty()) {
            errors_.push_back(
                {tree->at, fmt::format("'refused' of {} has to be a list", in.what())});
        }
        for (const Tree& one : tree == nullptr ? empty_.list : tree->list) {
            MapReader item(one, fmt::format("a refusal of {}", in.what()), errors_);
            Refusal refusal;
            refusal.at = one.at;
            if (const Tree* shift = item.need("page_shift")) {
                refusal.page_shift =
                    read_number(*shift, "'page_shift' of a refusal", errors_).value_or(0);
            }
            refusal.doc = item.text("doc");
            item.finish();
            all.push_back(std::move(refusal));
        }
        return all;
    }

    void versions() {
        const Tree* tree = top_.need("versions");
        if (tree == nullptr) {
            return;
        }
        std::vector<Version> versions;
        for_each(*tree, "versions", [&](const TreeEntry& entry) {
            MapReader in(entry.value, fmt::format("version {}", entry.key.value), errors_);
            if (!is_version_name(entry.key.value)) {
                errors_.push_back(
                    {entry.key.at, fmt::format("'{}' is no version's name: lower-case letters, "
                                               "digits, - and _, beginning with a letter",
                                               entry.key.value)});
            }
            versions.push_back({facts(in, entry.key, top()), in.text("compatible"), refused(in)});
            in.finish();
        });
        if (versions.empty() || versions.size() > max_versions) {
            errors_.push_back(
                {tree->at, fmt::format("there have to be 1 to {} versions", max_versions)});
        }
        schema_.versions = std::move(versions);
        schema_.default_version = version(top_, "default_version", schema_.versions.size());
        if (schema_.default_version == schema_.versions.size()) {
            top_.text("default_version");
            schema_.default_version = 0;
        }
    }

    void section(const TreeEntry& entry) {
        MapReader in(entry.value, fmt::format("section {}", entry.key.value), errors_);
        Section section;
        essential([&] { section.info = named(in, entry.key, top()); });
        const Info& parent = section.info;
        for_each_of(in, "constants", [&](const TreeEntry& e) { constants(e, parent, section); });
        for_each_of(in, "strings", [&](const TreeEntry& e) {
            MapReader s(e.value, fmt::format("string {}", e.key.value), errors_);
            StringConstant string{named(s, e.key, parent), s.text("value")};
            string.info.alias = alias(s);
            s.finish();
            section.strings.push_back(std::move(string));
        });
        for_each_of(in, "properties",
                    [&](const TreeEntry& e) { section.properties.push_back(property(e, parent)); });
        for_each_of(in, "structs",
                    [&](const TreeEntry& e) { section.structs.push_back(structure(e, parent)); });
        essential([&] { in.finish(); });
        schema_.sections.push_back(std::move(section));
    }

    void constants(const TreeEntry& entry, const Info& parent, Section& section) {
        if (entry.value.kind != Tree::Kind::list) {
            section.constants.push_back(constant(entry.key, entry.value, parent));
        } else {
            essential([&] { variants(entry, parent, section); });
        }
    }

    void variants(const TreeEntry& entry, const Info& parent, Section& section) {
        if (entry.value.list.empty()) {
            errors_.push_back(
                {entry.value.at, fmt::format("constant {} has no value", entry.key.value)});
        }
        std::vector<Constant> variants;
        for (const Tree& variant : entry.value.list) {
            Constant next = constant(entry.key, variant, parent);
            const auto other =
                std::find_if(variants.begin(), variants.end(), [&](const Constant& c) {
                    return next.info.first_version <= c.info.last_version &&
                           c.info.first_version <= next.info.last_version;
                });
            if (other != variants.end()) {
                errors_.push_back(
                    {variant.at, fmt::format("constant {} has two values in {}", entry.key.value,
                                             version_name(std::max(next.info.first_version,
                                                                   other->info.first_version)))});
            }
            variants.push_back(std::move(next));
        }
        // Languages choose between them by version, oldest first.
        std::stable_sort(variants.begin(), variants.end(),
                         [](const Constant& a, const Constant& b) {
                             return a.info.first_version < b.info.first_version;
                         });
        for (std::size_t i = 1; i < variants.size(); ++i) {
            if (variants[i].info.first_version > variants[i - 1].info.last_version + 1) {
                errors_.push_back(
                    {variants[i].info.at,
                     fmt::format("constant {} has a value before and after {} and none in it",
                                 entry.key.value,
                                 version_name(variants[i - 1].info.last_version + 1))});
            }
        }
        std::move(variants.begin(), variants.end(), std::back_inserter(section.constants));
    }

    Property property(const TreeEntry& entry, const Info& parent) {
        MapReader in(entry.value, fmt::format("property {}", entry.key.value), errors_);
        Property property;
        property.info = named(in, entry.key, parent);
        property.node = in.one_of("node", {"root", "subnode"}, "");
        property.property = in.text("property");
        property.type = in.one_of("type", {"string", "u64"}, "");
        property.optional = in.flag("optional");
        in.finish();
        return property;
    }

    void key() {
        const Tree* tree = top_.take("key");
        if (tree == nullptr) {
            return;
        }
        MapReader in(*tree, "key", errors_);
        Key key;
        key.info = facts(in, {"key", tree->at}, top());
        key.encode = in.expr("encode");
        key.decode_order = in.expr("decode_order");
        key.decode_pa = in.expr("decode_pa");
        key.leaf_index = in.expr("leaf_index");
        key.node_index = in.expr("node_index");
        if (in.finish()) {
            schema_.key = std::move(key);
        }
    }

    void invariant(const TreeEntry& entry) {
        MapReader in(entry.value, fmt::format("invariant {}", entry.key.value), errors_);
        Invariant invariant;
        invariant.info = named(in, entry.key, top("the invariant itself"));
        invariant.text = in.text("holds");
        invariant.fails = in.text("fails");
        if (const Tree* holds = in.take("holds"); holds != nullptr && !invariant.text.empty()) {
            invariant.holds_at = holds->at;
            auto parsed = parse_comparison(invariant.text);
            if (parsed) {
                invariant.holds = std::move(*parsed);
            } else {
                errors_.push_back(
                    {inside(holds->at, parsed.error().offset),
                     fmt::format("'holds' of {}: {}", in.what(), parsed.error().text)});
            }
        }
        if (!in.finish()) {
            invariant.text.clear();
        }
        schema_.invariants.push_back(std::move(invariant));
    }
};

}  // namespace

Schema parse_abi(const Tree& tree, const std::string& file, const FileReader& read,
                 Errors& errors) {
    return AbiParser(tree, file, read, errors).parse();
}

Result<Schema> parse_schema(const std::string& text, const std::string& file) {
    return parse_schema(text, file, read_file);
}

Result<Schema> parse_schema(const std::string& text, const std::string& file,
                            const FileReader& read) {
    auto tree = read_yaml(text, file);
    if (!tree) {
        return tl::unexpected<Errors>(std::move(tree.error()));
    }
    Errors errors;
    const auto kind = std::find_if(tree->map.begin(), tree->map.end(),
                                   [](const TreeEntry& e) { return e.key.value == "kind"; });
    if (kind != tree->map.end() && kind->value.scalar != "abi" && kind->value.scalar != "device") {
        return fail(kind->value.at, "the schema's kind has to be abi or device");
    }
    const bool device = kind != tree->map.end() && kind->value.scalar == "device";
    Schema schema =
        device ? parse_device(*tree, file, read, errors) : parse_abi(*tree, file, read, errors);
    if (!errors.empty()) {
        return tl::unexpected<Errors>(std::move(errors));
    }
    return schema;
}

}  // namespace khob::gen
