// SPDX-License-Identifier: GPL-2.0-only
// Models and vectors are made once for each version and page size; what has a
// template goes to one run of render.py, the JSON itself is written here.
#include "emit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "json.hpp"
#include "model.hpp"
#include "process.hpp"

namespace khob::gen {
namespace {

using Json = nlohmann::ordered_json;

struct Language {
    const char* name;
    const char* template_name;  ///< nullptr: JSON that needs none
    const char* of_device;      ///< the same for a device
    const char* suffix;
    bool vectors;  ///< test vectors of one version
};

constexpr std::array<Language, 7> all_languages = {{
    {"kernel-c", "kernel.h.j2", "device.h.j2", ".h", false},
    {"cpp", "abi.hpp.j2", "device.hpp.j2", ".hpp", false},
    {"python", "abi.py.j2", "device.py.j2", ".py", false},
    {"rst", "abi.rst.j2", "device.rst.j2", ".rst", false},
    {"c-vectors", "vectors.inc.j2", nullptr, ".vectors.inc", true},
    {"json-vectors", nullptr, nullptr, ".vectors.json", true},
    {"json-model", nullptr, nullptr, ".model.json", false},
}};

const Language* find_language(const std::string& name) {
    const auto* at = std::find_if(all_languages.begin(), all_languages.end(),
                                  [&](const Language& l) { return name == l.name; });
    return at == all_languages.end() ? nullptr : at;
}

/// What one version (or all) at one page size gives, as JSON text.
struct Made {
    std::string model;
    std::string vectors;
};

class Emitter {
  public:
    Emitter(const Schema& schema, const EmitOptions& options)
        : schema_(schema), options_(options) {}

    Result<std::string> run(const std::vector<Target>& targets) {
        for (const Target& target : targets) {
            if (auto added = add(target); !added) {
                return tl::unexpected<Errors>(std::move(added.error()));
            }
        }
        if (!jobs_.empty()) {
            if (auto rendered = render(); !rendered) {
                return tl::unexpected<Errors>(std::move(rendered.error()));
            }
        }
        return std::move(text_);
    }

  private:
    using Key = std::pair<std::optional<std::size_t>, std::uint64_t>;

    Result<void> add(const Target& target) {
        const Language* language = find_language(target.language);
        if (language == nullptr) {
            return fail({schema_.file, 0, 0},
                        fmt::format("there is no language '{}'; known are: {}", target.language,
                                    fmt::join(languages(), ", ")));
        }
        if (!schema_.key && language->vectors) {
            return fail({schema_.file, 0, 0},
                        "the schema has no key, of which alone there are vectors");
        }
        const Key key{target.version, target.page_shift};
        if (!made_.contains(key)) {
            auto made = make(key);
            if (!made) {
                return tl::unexpected<Errors>(std::move(made.error()));
            }
            made_.emplace(key, std::move(*made));
        }
        const Made& made = made_.at(key);
        const char* name = schema_.device ? language->of_device : language->template_name;
        if (name == nullptr) {
            const std::string& text = language->vectors ? made.vectors : made.model;
            if (target.output.empty()) {
                text_ = text;
                return {};
            }
            return write_if_changed(target.output, text);
        }
        const auto [place, is_new] = places_.emplace(key, places_.size());
        if (is_new) {
            inputs_.push_back(
                fmt::format(R"({{"model":{},"vectors":{}}})", made.model, made.vectors));
        }
        jobs_.push_back({{"input", place->second},
                         {"template", name},
                         {"output", target.output.empty() ? Json() : Json(target.output)}});
        return {};
    }

    Result<Made> make(const Key& key) const {
        std::vector<std::size_t> versions;
        if (key.first) {
            versions.push_back(*key.first);
        }
        if (!key.first && schema_.device) {
            versions.push_back(schema_.default_version);
        }
        for (const Combination& one : combinations(schema_)) {
            if (!key.first && !schema_.device && one.page_shift == key.second &&
                one.refusal == nullptr) {
                versions.push_back(one.version);
            }
        }
        if (versions.empty()) {
            return fail(schema_.page_shift.info.at,
                        fmt::format("no version can be used with page_shift {}", key.second));
        }
        const auto model = build_model(schema_, versions, key.second);
        if (!model) {
            return tl::unexpected<Errors>(model.error());
        }
        if (!schema_.key) {
            return Made{model_json(*model, options_.schema_name), "null"};
        }
        const bool has_default =
            std::count(versions.begin(), versions.end(), schema_.default_version) != 0;
        const auto resolved =
            resolve(schema_, has_default ? schema_.default_version : versions.back(), key.second);
        if (!resolved) {
            return tl::unexpected<Errors>(resolved.error());
        }
        const auto vectors = make_vectors(schema_, *resolved);
        if (!vectors) {
            return tl::unexpected<Errors>(vectors.error());
        }
        return Made{model_json(*model, options_.schema_name),
                    vectors_json(schema_, *resolved, *vectors, options_.schema_name)};
    }

    Result<void> render() {
        std::string request =
            fmt::format(R"({{"inputs":[{}],"jobs":{}}})", fmt::join(inputs_, ","), jobs_.dump());
        auto done = run_program({options_.python, options_.renderer}, request);
        if (!done) {
            return tl::unexpected<Errors>(std::move(done.error()));
        }
        if (done->status != 0) {
            const std::size_t end = done->err.find_last_not_of('\n');
            return fail({options_.renderer, 0, 0},
                        done->err.empty() ? fmt::format("ended with status {}", done->status)
                                          : done->err.substr(0, end + 1));
        }
        text_ += done->out;
        return {};
    }

    const Schema& schema_;
    const EmitOptions& options_;
    std::map<Key, Made> made_;
    std::map<Key, std::size_t> places_;
    std::vector<std::string> inputs_;
    Json jobs_ = Json::array();
    std::string text_;
};

}  // namespace

std::vector<std::string> languages() {
    std::vector<std::string> names;
    names.reserve(all_languages.size());
    for (const Language& language : all_languages) {
        names.emplace_back(language.name);
    }
    return names;
}

Result<std::string> emit(const Schema& schema, const std::vector<Target>& targets,
                         const EmitOptions& options) {
    return Emitter(schema, options).run(targets);
}

std::vector<Target> every_target(const Schema& schema, const std::string& directory) {
    std::vector<Target> all;
    if (schema.device) {
        for (const Language& language : all_languages) {
            if (!language.vectors) {
                all.push_back({std::nullopt, 0, language.name,
                               fmt::format("{}/{}{}", directory, schema.prefix, language.suffix)});
            }
        }
        return all;
    }
    const auto add = [&](std::optional<std::size_t> version, std::uint64_t page_shift) {
        constexpr std::uint64_t bytes_per_k = 1024;
        const std::string name = fmt::format("{}/{}-{}k", directory,
                                             version ? schema.versions[*version].info.name : "all",
                                             (std::uint64_t{1} << page_shift) / bytes_per_k);
        for (const Language& language : all_languages) {
            if (!language.vectors || schema.key) {
                all.push_back({version, page_shift, language.name, name + language.suffix});
            }
        }
    };
    for (const Combination& one : combinations(schema)) {
        if (one.refusal == nullptr) {
            add(one.version, one.page_shift);
        }
    }
    for (const std::uint64_t page_shift : schema.page_shift.values) {
        add(std::nullopt, page_shift);
    }
    return all;
}

Result<std::string> read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (!in) {
        return fail({path, 0, 0}, "cannot be read");
    }
    return text;
}

Result<void> write_if_changed(const std::string& path, const std::string& text) {
    if (const auto old = read_file(path); old && *old == text) {
        return {};
    }
    std::error_code ignored;  // the write says what is wrong
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    if (!out) {
        return fail({path, 0, 0}, "cannot be written");
    }
    return {};
}

}  // namespace khob::gen
