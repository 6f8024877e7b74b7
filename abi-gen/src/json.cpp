// SPDX-License-Identifier: GPL-2.0-only
// Stage 4: the model as JSON. Keys keep the order that they are written in, so
// that the same input gives the same bytes and goldens read well.
#include "json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

namespace khob::gen {
namespace {

using Json = nlohmann::ordered_json;

constexpr int format_version = 1;

Json text_or_null(const std::string& text) {
    return text.empty() ? Json() : Json(text);
}

class Writer {
  public:
    explicit Writer(const Model& model)
        : model_(model), schema_(*model.schema), dependents_(dependents(*model.schema)) {}

    Json write(const std::string& schema_name) const {
        Json out;
        out["format"] = format_version;
        out["schema"] = schema_name;
        out["prefix"] = schema_.prefix;
        out["namespace"] = schema_.name_space;
        if (schema_.device) {
            out["device"] = device();
            out["parameters"] = Json::array();
        } else {
            out["title"] = schema_.title;
            out["doc"] = schema_.doc;
            out["uses"] = schema_.uses ? uses(*schema_.uses) : Json();
            out["page_shift"] = model_.page_shift;
            out["parameters"] = Json::array({page_shift()});
        }
        out["default_version"] = version_name(default_version());
        out["versions"] = Json::array();
        for (const std::size_t version : model_.versions) {
            out["versions"].push_back(this->version(version));
        }
        out["sections"] = Json::array();
        for (const ModelSection& section : model_.sections) {
            out["sections"].push_back(this->section(section));
        }
        out["dependents"] = Json::array();
        for (const Dependent& dependent : dependents_) {
            out["dependents"].push_back(
                {{"kind", dependent.kind == Dependent::Kind::constant ? "constant" : "struct"},
                 {"name", dependent.name}});
        }
        if (schema_.device) {
            return out;
        }
        out["combinations"] = combinations();
        out["key"] = schema_.key ? key(*schema_.key) : Json();
        out["invariants"] = Json::array();
        for (const ModelInvariant& invariant : model_.invariants) {
            out["invariants"].push_back(this->invariant(invariant));
        }
        return out;
    }

  private:
    [[nodiscard]] const std::string& version_name(std::size_t version) const {
        return schema_.versions[version].info.name;
    }

    /// The schema's default, or the newest if that is not among those chosen.
    [[nodiscard]] std::size_t default_version() const {
        const bool chosen = std::count(model_.versions.begin(), model_.versions.end(),
                                       schema_.default_version) != 0;
        return chosen ? schema_.default_version : model_.versions.back();
    }

    [[nodiscard]] Json info(const Info& info) const {
        return this->info(info, info.first_version, info.last_version);
    }

    [[nodiscard]] Json info(const Info& info, std::size_t first, std::size_t last) const {
        Json out;
        out["name"] = info.name;
        out["alias"] = info.alias.empty() ? info.name : info.alias;
        out["doc"] = info.doc;
        out["unit"] = text_or_null(info.unit);
        out["source"] = info.source;
        out["upstream"] = text_or_null(info.upstream);
        out["header"] = text_or_null(info.header);
        out["since"] = first == 0 ? Json() : Json(version_name(first));
        out["until"] = last + 1 == schema_.versions.size() ? Json() : Json(version_name(last));
        return out;
    }

    [[nodiscard]] Json variant(const std::optional<std::size_t>& version) const {
        return version ? Json(version_name(*version)) : Json();
    }

    [[nodiscard]] Json page_shift() const {
        Json out = info(schema_.page_shift.info);
        out["value"] = model_.page_shift;
        out["values"] = schema_.page_shift.values;
        return out;
    }

    [[nodiscard]] Json device() const {
        const Device& from = *schema_.device;
        return {{"path", from.path},
                {"header", text_or_null(from.info.header)},
                {"guard", text_or_null(from.guard)},
                {"ioctl_type", from.ioctl_type},
                {"version", schema_.versions.size()},
                {"doc", from.info.doc},
                {"errors", errors(from.errors)}};
    }

    static void add_names(const Expr& expr, std::set<std::string>& names) {
        if (expr.kind == Expr::Kind::name || expr.kind == Expr::Kind::size_of) {
            names.insert(expr.text);
        }
        for (const Expr& arg : expr.args) {
            add_names(arg, names);
        }
    }

    static void add_types(const Struct& structure, std::set<std::string>& names) {
        for (const Field& field : structure.fields) {
            names.insert(field.type.value);
        }
    }

    /// What this schema's elements are made of: that of the used one alone matters.
    [[nodiscard]] std::set<std::string> names_needed() const {
        std::set<std::string> names;
        for (const Section& section : schema_.sections) {
            for (const Constant& c : section.constants) {
                add_names(c.value.expr, names);
            }
            for (const Struct& s : section.structs) {
                add_types(s, names);
                for (const Field& field : s.fields) {
                    add_names(field.length ? field.length->expr : Expr(), names);
                }
            }
        }
        return names;
    }

    /// The schema that is used, with what is used of it, and the structs that are in that.
    [[nodiscard]] Json uses(const Uses& uses) const {
        const Schema& used = *uses.schema;
        std::size_t version = uses.since;
        while (version + 1 < used.versions.size() &&
               used.versions[version].refusal(model_.page_shift) != nullptr) {
            ++version;
        }
        const auto model = build_model(used, {version}, model_.page_shift);
        std::set<std::string> names = names_needed();
        Json constants = Json::array();
        Json structs = Json::array();
        // What is in a struct stands before it. Views of ranges are not for the oldest compiler
        // here. NOLINTNEXTLINE(modernize-loop-convert)
        for (auto section = used.sections.rbegin(); section != used.sections.rend(); ++section) {
            // NOLINTNEXTLINE(modernize-loop-convert)
            for (auto s = section->structs.rbegin(); s != section->structs.rend(); ++s) {
                if (names.contains(s->info.name)) {
                    add_types(*s, names);
                }
            }
        }
        // Without it nothing is used, or this schema would have no model.
        const Writer writer(model ? *model : model_);
        for (const ModelSection& section : model ? model->sections : std::vector<ModelSection>()) {
            for (const ModelConstant& c : section.constants) {
                if (names.contains(c.schema->info.name)) {
                    constants.push_back(writer.constant(c));
                }
            }
            for (const ModelStruct& s : section.structs) {
                if (names.contains(s.schema->info.name)) {
                    structs.push_back(writer.structure(s));
                }
            }
        }
        return {{"prefix", used.prefix},
                {"namespace", used.name_space},
                {"since", used.versions[uses.since].info.name},
                {"constants", std::move(constants)},
                {"structs", std::move(structs)}};
    }

    [[nodiscard]] static Json errors(const std::vector<Errno>& from) {
        Json all = Json::object();
        for (const Errno& error : from) {
            all[error.name.value] = error.doc;
        }
        return all;
    }

    /// Flags or an enumeration, whose values are constants of the model.
    [[nodiscard]] Json group(const Group& group) const {
        Json out = info(group.info);
        out["flags"] = group.flags;
        return out;
    }

    [[nodiscard]] Json ioctl(const Ioctl& ioctl) const {
        Json out = info(ioctl.info);
        out["number"] = ioctl.number.value.value_or(0);
        out["number_name"] = text_or_null(ioctl.number_name);
        out["argument"] = text_or_null(ioctl.argument.value);
        out["needs"] = text_or_null(ioctl.needs);
        out["returns_fd"] = ioctl.returns_fd;
        out["errors"] = errors(ioctl.errors);
        return out;
    }

    /// A version and which of the properties that not all versions have it has.
    [[nodiscard]] Json version(std::size_t version) const {
        const Version& from = schema_.versions[version];
        Json out;
        out["name"] = from.info.name;
        out["compatible"] = from.compatible;
        out["doc"] = from.info.doc;
        out["source"] = from.info.source;
        out["upstream"] = text_or_null(from.info.upstream);
        out["header"] = text_or_null(from.info.header);
        out["has"] = Json::object();
        for (const Section& section : schema_.sections) {
            for (const Property& property : section.properties) {
                if (property.info.first_version > 0 ||
                    property.info.last_version + 1 < schema_.versions.size()) {
                    out["has"][property.info.name] = property.info.in_version(version);
                }
            }
        }
        return out;
    }

    [[nodiscard]] Json constant(const ModelConstant& constant) const {
        static constexpr const char* types[] = {"int", "u32", "u64"};  // NOLINT: by enum value
        Json out = info(constant.schema->info, constant.first_version, constant.last_version);
        out["variant"] = variant(constant.variant);
        out["type"] = types[static_cast<std::size_t>(constant.schema->type)];
        out["hex"] = constant.schema->hex;
        out["value"] = constant.value;
        out["expression"] = constant.schema->value.text;
        out["dependent"] = is_dependent(Dependent::Kind::constant, constant.schema->info.name);
        out["definitions"] = definitions(constant.schema->info.name);
        if (schema_.device) {
            out["limit"] = constant.schema->limit;
            out["group"] = text_or_null(constant.schema->group);
            out["within"] = text_or_null(constant.schema->within);
        }
        return out;
    }

    [[nodiscard]] bool is_dependent(Dependent::Kind kind, const std::string& name) const {
        return std::count(dependents_.begin(), dependents_.end(), Dependent{kind, name}) != 0;
    }

    /// How each of the chosen versions computes a constant, the oldest first.
    [[nodiscard]] Json definitions(const std::string& name) const {
        std::vector<const Constant*> found;
        for (const Section& section : schema_.sections) {
            for (const Constant& c : section.constants) {
                if (c.info.name == name) {
                    found.push_back(&c);
                }
            }
        }
        std::sort(found.begin(), found.end(), [](const Constant* a, const Constant* b) {
            return a->info.first_version < b->info.first_version;
        });
        Json all = Json::array();
        for (const Constant* c : found) {
            Json versions = Json::array();
            for (const std::size_t version : model_.versions) {
                if (c->info.in_version(version)) {
                    versions.push_back(version_name(version));
                }
            }
            if (!versions.empty()) {
                all.push_back({{"versions", std::move(versions)},
                               {"rpn", to_rpn(c->value.expr)},
                               {"doc", c->info.doc}});
            }
        }
        return all;
    }

    [[nodiscard]] Json combinations() const {
        Json all = Json::array();
        for (const Combination& one : gen::combinations(schema_)) {
            all.push_back({{"version", version_name(one.version)},
                           {"page_shift", one.page_shift},
                           {"refused", one.refusal == nullptr ? Json() : Json(one.refusal->doc)}});
        }
        return all;
    }

    [[nodiscard]] Json structure(const ModelStruct& structure) const {
        Json out = info(structure.schema->info);
        out["variant"] = variant(structure.variant);
        out["packed"] = structure.schema->packed;
        if (schema_.device) {
            out["stream"] = structure.schema->stream;
        }
        out["dependent"] = is_dependent(Dependent::Kind::structure, structure.schema->info.name);
        out["fields_differ"] = structure.schema->fields_differ();
        out["size"] = structure.layout.size;
        out["alignment"] = structure.layout.alignment;
        out["fields"] = Json::array();
        for (std::size_t i = 0; i < structure.schema->fields.size(); ++i) {
            const Field& field = structure.schema->fields[i];
            const FieldLayout& layout = structure.layout.fields[i];
            if (structure.variant ? !field.info.in_version(*structure.variant) : !used(field)) {
                continue;
            }
            Json member = info(field.info);
            member["type"] = field.type.value;
            const bool used = schema_.uses && schema_.find_struct(field.type.value) == nullptr &&
                              !primitive_size(field.type.value);
            member["struct"] = used || schema_.find_struct(field.type.value) != nullptr;
            if (!schema_.device) {
                member["used"] = used;
            }
            member["type_variant"] =
                is_variant(field.type.value) ? variant(structure.variant) : Json();
            member["offset"] = layout.offset;
            member["size"] = layout.size;
            member["length"] = layout.length ? Json(*layout.length) : Json();
            member["length_expression"] = field.length ? Json(field.length->text) : Json();
            member["length_rpn"] = field.length ? Json(to_rpn(field.length->expr)) : Json();
            member["flexible"] = field.flexible;
            member["bits"] =
                layout.bits ? Json{{"first", layout.bits->first}, {"count", layout.bits->count}}
                            : Json();
            if (schema_.device) {
                member["values"] = text_or_null(field.values.value);
            }
            out["fields"].push_back(std::move(member));
        }
        return out;
    }

    [[nodiscard]] bool used(const Field& field) const {
        return std::any_of(model_.versions.begin(), model_.versions.end(),
                           [&](std::size_t v) { return field.info.in_version(v); });
    }

    [[nodiscard]] bool is_variant(const std::string& type) const {
        return std::any_of(
            model_.sections.begin(), model_.sections.end(), [&](const ModelSection& s) {
                return std::any_of(s.structs.begin(), s.structs.end(), [&](const ModelStruct& t) {
                    return t.schema->info.name == type && t.variant;
                });
            });
    }

    [[nodiscard]] Json section(const ModelSection& section) const {
        Json out = info(section.schema->info);
        out["constants"] = Json::array();
        for (const ModelConstant& constant : section.constants) {
            out["constants"].push_back(this->constant(constant));
        }
        out["strings"] = Json::array();
        for (const StringConstant* string : section.strings) {
            Json item = info(string->info);
            item["value"] = string->value;
            out["strings"].push_back(std::move(item));
        }
        out["properties"] = Json::array();
        for (const Property* property : section.properties) {
            Json item = info(property->info);
            item["node"] = property->node;
            item["property"] = property->property;
            item["type"] = property->type;
            item["optional"] = property->optional;
            out["properties"].push_back(std::move(item));
        }
        if (schema_.device) {
            elements_of_device(*section.schema, out);
        }
        out["structs"] = Json::array();
        for (const ModelStruct& structure : section.structs) {
            out["structs"].push_back(this->structure(structure));
        }
        return out;
    }

    void elements_of_device(const Section& section, Json& out) const {
        out["groups"] = Json::array();
        for (const Group& group : section.groups) {
            out["groups"].push_back(this->group(group));
        }
        out["ioctls"] = Json::array();
        for (const Ioctl& ioctl : section.ioctls) {
            out["ioctls"].push_back(this->ioctl(ioctl));
        }
    }

    [[nodiscard]] static Json key(const Key& key) {
        Json out;
        out["doc"] = key.info.doc;
        out["source"] = key.info.source;
        for (const auto& [name, expr] :
             {std::pair{"encode", &key.encode}, std::pair{"decode_order", &key.decode_order},
              std::pair{"decode_pa", &key.decode_pa}, std::pair{"leaf_index", &key.leaf_index},
              std::pair{"node_index", &key.node_index}}) {
            out[name] = {{"text", expr->text}, {"rpn", to_rpn(expr->expr)}};
        }
        return out;
    }

    [[nodiscard]] Json invariant(const ModelInvariant& invariant) const {
        Json out;
        out["name"] = invariant.schema->info.name;
        out["doc"] = invariant.schema->info.doc;
        out["holds"] = invariant.schema->text;
        out["sides"] = Json::array();
        for (const Sides& sides : invariant.sides) {
            out["sides"].push_back({{"version", version_name(sides.version)},
                                    {"left", sides.left},
                                    {"right", sides.right}});
        }
        return out;
    }

    const Model& model_;
    const Schema& schema_;
    std::vector<Dependent> dependents_;
};

}  // namespace

std::string model_json(const Model& model, const std::string& schema_name) {
    return Writer(model).write(schema_name).dump(2) + "\n";
}

std::string vectors_json(const Schema& schema, const Resolved& resolved,
                         const std::vector<Vector>& vectors, const std::string& schema_name) {
    Json head;
    head["format"] = format_version;
    head["schema"] = schema_name;
    head["version"] = schema.versions[resolved.version].info.name;
    head["page_shift"] = resolved.page_shift;
    std::string out = head.dump(2);
    out.resize(out.size() - 2);  // without "\n}": one vector a line reads better than dump()
    out += ",\n  \"vectors\": [\n";
    for (const Vector& vector : vectors) {
        const Json line = {{"pa", vector.pa},
                           {"order", vector.order},
                           {"key", vector.key},
                           {"index", vector.index}};
        out += "    " + line.dump() + (&vector == &vectors.back() ? "\n" : ",\n");
    }
    return out + "  ]\n}\n";
}

}  // namespace khob::gen
