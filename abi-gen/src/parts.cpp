// SPDX-License-Identifier: GPL-2.0-only
// Reading constants, structs and what every element says about itself.
#include "parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "model.hpp"

namespace khob::gen {
namespace {

ConstantType constant_type(const std::string& name) {
    if (name == "u64") {
        return ConstantType::u64;
    }
    return name == "u32" ? ConstantType::u32 : ConstantType::int32;
}

}  // namespace

bool is_identifier(const std::string& name) {
    return !name.empty() && name.front() >= 'a' && name.front() <= 'z' &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
           });
}

PartParser::PartParser(const Tree& tree, const std::string& file, const FileReader& read,
                       Errors& errors)
    : top_(tree, "the schema", errors), read_(read), errors_(errors) {
    schema_.file = file;
}

void PartParser::format() {
    const Tree* format = top_.need("format");
    if (format != nullptr && format->scalar != "1") {
        errors_.push_back({format->at, "the schema's format has to be 1"});
    }
    top_.take("kind");
}

void PartParser::prefix() {
    if (const Tree* prefix = top_.need("prefix")) {
        schema_.prefix = identifier(*prefix, "the prefix");
    }
}

void PartParser::name_space(const std::string& preset) {
    const Tree* tree = top_.take("namespace");
    schema_.name_space = tree == nullptr ? preset : tree->scalar;
    std::string_view rest = schema_.name_space;
    bool good = tree != nullptr;
    while (good && !rest.empty()) {
        const std::size_t end = std::min(rest.find("::"), rest.size());
        good = is_identifier(std::string(rest.substr(0, end))) && end + 2 != rest.size();
        rest.remove_prefix(std::min(end + 2, rest.size()));
    }
    if (tree != nullptr && (!good || schema_.name_space.empty())) {
        errors_.push_back(
            {tree->at, fmt::format("'{}' is no namespace: names parted by ::", tree->scalar)});
    }
}

Schema PartParser::finish() {
    top_.finish();
    check_names(schema_, errors_);
    if (computable_ && !errors_.empty()) {
        find_value_errors(schema_, errors_);
    }
    return std::move(schema_);
}

Info PartParser::facts(MapReader& in, const Located<std::string>& name, const Info& parent) {
    Info info = parent;
    info.name = name.value;
    info.at = name.at;
    info.doc = in.text("doc");
    info.unit = in.text_or("unit");
    if (is_device()) {
        return info;  // it is its own source, and nobody else has it
    }
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

Info PartParser::info(MapReader& in, const Located<std::string>& name, const Info& parent) {
    Info info = facts(in, name, parent);
    info.first_version = version(in, "since", parent.first_version);
    // A device takes nothing away.
    info.last_version =
        is_device() ? parent.last_version : version(in, "until", parent.last_version);
    if (info.first_version < parent.first_version || info.last_version > parent.last_version) {
        errors_.push_back(
            {in.at(), fmt::format("{} is in versions that {} is not in", in.what(), parent.name)});
    }
    if (info.first_version > info.last_version) {
        errors_.push_back({in.at(), fmt::format("{} ends before it begins: since {}, until {}",
                                                in.what(), version_name(info.first_version),
                                                version_name(info.last_version))});
    }
    return info;
}

std::string PartParser::version_name(std::size_t version) const {
    return version < schema_.versions.size() ? schema_.versions[version].info.name
                                             : "every version";
}

Info PartParser::top(const std::string& source) const {
    Info info;
    info.name = "the schema";
    info.source = source;
    info.last_version = schema_.versions.empty() ? 0 : schema_.versions.size() - 1;
    return info;
}

void PartParser::require_name(const Located<std::string>& name, const std::string& what) {
    if (!is_identifier(name.value)) {
        errors_.push_back(
            {name.at, fmt::format("{}'{}' is no name: lower-case letters, digits and _, "
                                  "beginning with a letter",
                                  what, name.value)});
    }
}

std::string PartParser::identifier(const Tree& tree, const std::string& what) {
    require_name({tree.scalar, tree.at}, what + " ");
    return tree.scalar;
}

std::string PartParser::alias(MapReader& in) {
    const Tree* tree = in.take("alias");
    return tree == nullptr ? "" : identifier(*tree, fmt::format("alias of {}", in.what()));
}

Info PartParser::named(MapReader& in, const Located<std::string>& name, const Info& parent) {
    require_name(name, "");
    return info(in, name, parent);
}

std::size_t PartParser::version(MapReader& in, const std::string& key, std::size_t preset) {
    const Tree* tree = in.take(key);
    if (tree == nullptr) {
        return preset;
    }
    const std::string name = is_device() ? "version " + tree->scalar : tree->scalar;
    for (std::size_t i = 0; i < schema_.versions.size(); ++i) {
        if (schema_.versions[i].info.name == name) {
            return i;
        }
    }
    errors_.push_back({tree->at, fmt::format("'{}' of {}: there is no version '{}'", key, in.what(),
                                             tree->scalar)});
    return preset;
}

Constant PartParser::constant(const Located<std::string>& name, const Tree& tree,
                              const Info& parent) {
    MapReader in(tree, fmt::format("constant {}", name.value), errors_);
    Constant constant;
    constant.info = named(in, name, parent);
    if (is_device()) {
        constant.limit = in.flag("limit");
    } else {
        constant.info.alias = alias(in);
    }
    constant.value = in.expr("value");
    constant.type = constant_type(in.one_of("type", {"int", "u32", "u64"}, "int"));
    constant.hex = in.one_of("format", {"dec", "hex"}, "dec") == "hex";
    if (!in.finish()) {
        constant.value.text.clear();
    }
    return constant;
}

Struct PartParser::structure(const TreeEntry& entry, const Info& parent) {
    MapReader in(entry.value, fmt::format("struct {}", entry.key.value), errors_);
    Struct result;
    result.info = named(in, entry.key, parent);
    if (is_device()) {
        result.stream = in.flag("stream");
    } else {
        result.packed = in.flag("packed");
    }
    const Tree* fields = in.need("fields");
    if (fields != nullptr && fields->list.empty()) {
        errors_.push_back({fields->at, fmt::format("'fields' of {} has to be a list", in.what())});
    }
    for (const Tree& tree : fields == nullptr ? empty_.list : fields->list) {
        field(tree, in.what(), result);
    }
    if (!in.finish()) {
        result.fields.emplace_back();
    }
    return result;
}

void PartParser::field(const Tree& tree, const std::string& parent, Struct& to) {
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
        errors_.push_back(
            {to.fields.back().info.at, fmt::format("'{}' of {} is flexible and not the last field",
                                                   to.fields.back().info.name, parent)});
    }
    field_type(in, parent, field);
    in.finish();
    to.fields.push_back(std::move(field));
}

void PartParser::field_type(MapReader& in, const std::string& parent, Field& field) {
    if (const Tree* type = in.need("type")) {
        field.type = {read_scalar(*type, "the type of a field", errors_), type->at};
        if (is_device() && field.type.value.find('*') != std::string::npos) {
            errors_.push_back(
                {type->at, fmt::format("{} of {} is a pointer, which a program of 32 bits has in "
                                       "another size; make it a u64",
                                       field.info.name, parent)});
            field.type.value.clear();
        }
    }
    if (const Tree* length = in.take("length")) {
        field.flexible = length->scalar == "flexible";
        if (!field.flexible) {
            field.length = read_expr(
                *length, fmt::format("'length' of {} of {}", field.info.name, parent), errors_);
        }
    }
    // Of a device every number is whole, which programs of any language can read.
    if (const Tree* bits = is_device() ? nullptr : in.take("bits")) {
        const std::string what = fmt::format("'bits' of {} of {}", field.info.name, parent);
        field.bits = {read_number(*bits, what, errors_), bits->at};
        if (field.length || field.flexible) {
            errors_.push_back({bits->at, fmt::format("{} of {} has both 'bits' and 'length'",
                                                     field.info.name, parent)});
        }
        if (!field.bits.value) {
            field.type.value.clear();
        }
    }
    const Tree* values = is_device() ? in.take("values") : nullptr;
    if (values != nullptr) {
        field.values = {read_scalar(*values, "'values' of a field", errors_), values->at};
    }
}

}  // namespace khob::gen
