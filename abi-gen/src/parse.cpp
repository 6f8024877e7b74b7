// SPDX-License-Identifier: GPL-2.0-only
// Stage 1: YAML to Schema. Every element is checked for form here: known keys,
// a doc, well-formed names, versions that exist, names used once.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "model.hpp"
#include "reader.hpp"
#include "schema.hpp"

namespace khob::gen {
namespace {

bool is_identifier(const std::string& name) {
    return !name.empty() && name.front() >= 'a' && name.front() <= 'z' &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
           });
}

bool is_version_name(std::string name) {
    std::replace(name.begin(), name.end(), '-', '_');
    return is_identifier(name);
}

ConstantType constant_type(const std::string& name) {
    if (name == "u64") {
        return ConstantType::u64;
    }
    return name == "u32" ? ConstantType::u32 : ConstantType::int32;
}

// Each is proved at each page size.
constexpr std::size_t max_versions = 32;

class SchemaParser {
  public:
    SchemaParser(const Tree& tree, const std::string& file, Errors& errors)
        : top_(tree, "the schema", errors), errors_(errors) {
        schema_.file = file;
    }

    Schema parse() {
        essential([this] {
            const Tree* format = top_.need("format");
            if (format != nullptr && format->scalar != "1") {
                errors_.push_back({format->at, "the schema's format has to be 1"});
            }
            versions();
            parameters();
            top_.need("sections");
        });
        if (const Tree* prefix = top_.need("prefix")) {
            schema_.prefix = identifier(*prefix, "the prefix");
        }
        if (const Tree* sections = top_.take("sections")) {
            for_each(*sections, "sections", [this](const TreeEntry& e) { section(e); });
        }
        key();
        if (const Tree* invariants = top_.need("invariants")) {
            for_each(*invariants, "invariants", [this](const TreeEntry& e) { invariant(e); });
        }
        top_.finish();
        check_names(schema_, errors_);
        if (computable_ && !errors_.empty()) {
            find_value_errors(schema_, errors_);
        }
        return std::move(schema_);
    }

  private:
    /// Runs what everything else is computed from: if that is wrong, nothing is.
    template <typename F>
    void essential(F run) {
        const std::size_t before = errors_.size();
        run();
        computable_ = computable_ && errors_.size() == before;
    }

    template <typename F>
    void for_each(const Tree& tree, const std::string& what, F visit) {
        const MapReader duplicates(tree, what, errors_);
        computable_ = computable_ && tree.kind == Tree::Kind::map;
        for (const TreeEntry& entry : tree.map) {
            visit(entry);
        }
    }

    template <typename F>
    void for_each_of(MapReader& in, const std::string& key, F visit) {
        if (const Tree* tree = in.take(key)) {
            for_each(*tree, fmt::format("'{}' of {}", key, in.what()), visit);
        }
    }

    /// The keys that every element may have. What is inside another element has
    /// its source, header and versions unless it says otherwise.
    Info facts(MapReader& in, const Located<std::string>& name, const Info& parent) {
        Info info = parent;
        info.name = name.value;
        info.at = name.at;
        info.doc = in.text("doc");
        info.unit = in.text_or("unit");
        if (std::string source = in.text_or("source"); !source.empty()) {
            info.source = std::move(source);
        }
        if (info.source.empty()) {
            errors_.push_back({in.at(), fmt::format("{} has no 'source'", in.what())});
        }
        info.upstream = in.text_or("upstream");
        if (std::string header = in.text_or("header"); !header.empty()) {
            info.header = std::move(header);
        }
        return info;
    }

    /// The same of what need not be in every version.
    Info info(MapReader& in, const Located<std::string>& name, const Info& parent) {
        Info info = facts(in, name, parent);
        info.first_version = version(in, "since", parent.first_version);
        info.last_version = version(in, "until", parent.last_version);
        if (info.first_version < parent.first_version || info.last_version > parent.last_version) {
            errors_.push_back({in.at(), fmt::format("{} is in versions that {} is not in",
                                                    in.what(), parent.name)});
        }
        if (info.first_version > info.last_version) {
            errors_.push_back({in.at(), fmt::format("{} ends before it begins: since {}, until {}",
                                                    in.what(), version_name(info.first_version),
                                                    version_name(info.last_version))});
        }
        return info;
    }

    /// A version's name for errors: there is none if the schema says so little.
    [[nodiscard]] std::string version_name(std::size_t version) const {
        return version < schema_.versions.size() ? schema_.versions[version].info.name
                                                 : "every version";
    }

    /// What has no parent: in every version.
    [[nodiscard]] Info top(const std::string& source = "") const {
        Info info;
        info.name = "the schema";
        info.source = source;
        info.last_version = schema_.versions.empty() ? 0 : schema_.versions.size() - 1;
        return info;
    }

    /// What stands in a header as it is here.
    /// @param what what has the name, and a space; or nothing
    void require_name(const Located<std::string>& name, const std::string& what) {
        if (!is_identifier(name.value)) {
            errors_.push_back(
                {name.at, fmt::format("{}'{}' is no name: lower-case letters, digits and _, "
                                      "beginning with a letter",
                                      what, name.value)});
        }
    }

    std::string identifier(const Tree& tree, const std::string& what) {
        require_name({tree.scalar, tree.at}, what + " ");
        return tree.scalar;
    }

    std::string alias(MapReader& in) {
        const Tree* tree = in.take("alias");
        return tree == nullptr ? "" : identifier(*tree, fmt::format("alias of {}", in.what()));
    }

    Info named(MapReader& in, const Located<std::string>& name, const Info& parent) {
        require_name(name, "");
        return info(in, name, parent);
    }

    std::size_t version(MapReader& in, const std::string& key, std::size_t preset) {
        const Tree* tree = in.take(key);
        if (tree == nullptr) {
            return preset;
        }
        for (std::size_t i = 0; i < schema_.versions.size(); ++i) {
            if (schema_.versions[i].info.name == tree->scalar) {
                return i;
            }
        }
        errors_.push_back({tree->at, fmt::format("'{}' of {}: there is no version '{}'", key,
                                                 in.what(), tree->scalar)});
        return preset;
    }

    void parameters() {
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

    Constant constant(const Located<std::string>& name, const Tree& tree, const Info& parent) {
        MapReader in(tree, fmt::format("constant {}", name.value), errors_);
        Constant constant;
        constant.info = named(in, name, parent);
        constant.info.alias = alias(in);
        constant.value = in.expr("value");
        constant.type = constant_type(in.one_of("type", {"int", "u32", "u64"}, "int"));
        constant.hex = in.one_of("format", {"dec", "hex"}, "dec") == "hex";
        if (!in.finish()) {
            constant.value.text.clear();
        }
        return constant;
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

    Struct structure(const TreeEntry& entry, const Info& parent) {
        MapReader in(entry.value, fmt::format("struct {}", entry.key.value), errors_);
        Struct result;
        result.info = named(in, entry.key, parent);
        result.packed = in.flag("packed");
        const Tree* fields = in.need("fields");
        if (fields != nullptr && fields->list.empty()) {
            errors_.push_back(
                {fields->at, fmt::format("'fields' of {} has to be a list", in.what())});
        }
        for (const Tree& tree : fields == nullptr ? empty_.list : fields->list) {
            field(tree, in.what(), result);
        }
        if (!in.finish()) {
            result.fields.emplace_back();
        }
        return result;
    }

    void field(const Tree& tree, const std::string& parent, Struct& to) {
        MapReader in(tree, fmt::format("a field of {}", parent), errors_);
        const Tree* name = in.need("name");
        if (name == nullptr) {
            return;
        }
        Field field;
        field.info = named(in, {name->scalar, name->at}, to.info);
        if (std::any_of(to.fields.begin(), to.fields.end(),
                        [&](const Field& f) { return f.info.name == name->scalar; })) {
            errors_.push_back(
                {name->at, fmt::format("{} has the field '{}' twice", parent, name->scalar)});
        }
        if (!to.fields.empty() && to.fields.back().flexible) {
            errors_.push_back({to.fields.back().info.at,
                               fmt::format("'{}' of {} is flexible and not the last field",
                                           to.fields.back().info.name, parent)});
        }
        if (const Tree* type = in.need("type")) {
            field.type = {read_scalar(*type, "the type of a field", errors_), type->at};
        }
        if (const Tree* length = in.take("length")) {
            field.flexible = length->scalar == "flexible";
            if (!field.flexible) {
                field.length = read_expr(
                    *length, fmt::format("'length' of {} of {}", name->scalar, parent), errors_);
            }
        }
        in.finish();
        to.fields.push_back(std::move(field));
    }

    void key() {
        const Tree* tree = top_.need("key");
        if (tree == nullptr) {
            return;
        }
        MapReader in(*tree, "key", errors_);
        schema_.key.info = facts(in, {"key", tree->at}, top());
        schema_.key.encode = in.expr("encode");
        schema_.key.decode_order = in.expr("decode_order");
        schema_.key.decode_pa = in.expr("decode_pa");
        schema_.key.leaf_index = in.expr("leaf_index");
        schema_.key.node_index = in.expr("node_index");
        if (!in.finish()) {
            schema_.key.encode.text.clear();
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

    MapReader top_;
    Errors& errors_;
    Schema schema_;
    bool computable_ = true;  ///< what is right can be computed though not all is
    const Tree empty_{Tree::Kind::map, {}, {}, {}, {}};
};

}  // namespace

Result<Schema> parse_schema(const std::string& text, const std::string& file) {
    auto tree = read_yaml(text, file);
    if (!tree) {
        return tl::unexpected<Errors>(std::move(tree.error()));
    }
    Errors errors;
    Schema schema = SchemaParser(*tree, file, errors).parse();
    if (!errors.empty()) {
        return tl::unexpected<Errors>(std::move(errors));
    }
    return schema;
}

}  // namespace khob::gen
