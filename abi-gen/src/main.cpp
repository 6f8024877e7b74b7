// SPDX-License-Identifier: GPL-2.0-only
// abi-gen: the schema in, JSON out.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <numeric>
#include <string>

#include "error.hpp"
#include "json.hpp"
#include "model.hpp"
#include "schema.hpp"

namespace {

using khob::gen::Errors;
using khob::gen::Result;
using khob::gen::Schema;

constexpr int exit_bad_schema = 1;
constexpr int exit_usage = 2;

struct Options {
    std::string schema = "abi-gen/schema/kho.yaml";
    std::string schema_name;
    std::string abi;
    std::string output;
    std::uint64_t page_shift = 0;
};

Result<std::string> read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (!in) {
        return khob::gen::fail({path, 0, 0}, "cannot be read; name the schema with --schema");
    }
    return text;
}

/// Writes only what differs, so that nothing is rebuilt for the same bytes.
Result<void> write_output(const std::string& path, const std::string& text) {
    if (path.empty()) {
        if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
            return khob::gen::fail({"standard output", 0, 0}, "cannot be written");
        }
        return {};
    }
    if (const auto old = read_file(path); old && *old == text) {
        return {};
    }
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    if (!out) {
        return khob::gen::fail({path, 0, 0}, "cannot be written");
    }
    return {};
}

Result<std::vector<std::size_t>> chosen_versions(const Schema& schema, const std::string& abi) {
    std::vector<std::size_t> all(schema.versions.size());
    std::iota(all.begin(), all.end(), 0);
    if (abi == "all") {
        return all;
    }
    std::string known = "all";
    for (const std::size_t version : all) {
        if (schema.versions[version].info.name == abi) {
            return std::vector<std::size_t>{version};
        }
        known += ", " + schema.versions[version].info.name;
    }
    return khob::gen::fail({schema.file, 0, 0},
                           fmt::format("there is no version '{}'; known are: {}", abi, known));
}

Result<std::uint64_t> chosen_page_shift(const Schema& schema, std::uint64_t wanted) {
    if (wanted == 0) {
        return schema.page_shift.preset;
    }
    for (const std::uint64_t value : schema.page_shift.values) {
        if (value == wanted) {
            return wanted;
        }
    }
    return khob::gen::fail(schema.page_shift.info.at,
                           fmt::format("page_shift {} is none of the schema's values: {}", wanted,
                                       fmt::join(schema.page_shift.values, ", ")));
}

/// What both subcommands print, given the schema's text.
Result<std::string> generate(const Options& options, bool vectors) {
    auto text = read_file(options.schema);
    if (!text) {
        return text;
    }
    const auto schema = khob::gen::parse_schema(*text, options.schema);
    if (!schema) {
        return tl::unexpected<Errors>(schema.error());
    }
    const auto page_shift = chosen_page_shift(*schema, options.page_shift);
    if (!page_shift) {
        return tl::unexpected<Errors>(page_shift.error());
    }
    const std::string preset =
        vectors ? schema->versions[schema->default_version].info.name : "all";
    const auto versions = chosen_versions(*schema, options.abi.empty() ? preset : options.abi);
    if (!versions) {
        return tl::unexpected<Errors>(versions.error());
    }
    const std::string name = options.schema_name.empty() ? options.schema : options.schema_name;
    const auto model = khob::gen::build_model(*schema, *versions, *page_shift);
    if (!model) {
        return tl::unexpected<Errors>(model.error());
    }
    if (!vectors) {
        return khob::gen::model_json(*model, name);
    }
    const auto resolved = khob::gen::resolve(*schema, versions->back(), *page_shift);
    if (!resolved) {
        return tl::unexpected<Errors>(resolved.error());
    }
    const auto made = khob::gen::make_vectors(*schema, *resolved);
    if (!made) {
        return tl::unexpected<Errors>(made.error());
    }
    return khob::gen::vectors_json(*schema, *resolved, *made, name);
}

void add_options(CLI::App& command, Options& options, const std::string& abi_help) {
    command.add_option("--schema", options.schema, "the schema")->capture_default_str();
    command.add_option("--schema-name", options.schema_name,
                       "what the output calls the schema (default: as given)");
    command.add_option("--abi", options.abi, abi_help);
    command.add_option("--page-shift", options.page_shift,
                       "log2 of the page size in bytes (default: the schema's)");
    command.add_option("-o,--output", options.output,
                       "file, not touched if it holds the same already (default: standard output)");
}

int run(int argc, char** argv) {
    CLI::App app{"abi-gen turns the schema of the Kexec HandOver ABI into JSON."};
    app.footer(
        "Example:\n"
        "  abi-gen model --schema abi-gen/schema/kho.yaml --abi all --page-shift 12 -o model.json\n"
        "Exit status: 0, 1 if the schema is wrong or a file cannot be used, 2 for a wrong option.");
    app.require_subcommand(1);
    Options options;
    CLI::App* model = app.add_subcommand("model", "every value, offset and size");
    add_options(*model, options, "version, or all (default: all)");
    CLI::App* vectors = app.add_subcommand("vectors", "test vectors of the key's encoding");
    add_options(*vectors, options, "version (default: the schema's default)");
    model->footer("Example:\n  abi-gen model --abi kho-v4 --page-shift 12 -o model.json");
    vectors->footer("Example:\n  abi-gen vectors --abi kho-v4 -o vectors.json");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? 0 : exit_usage;
    }
    const auto text = generate(options, vectors->parsed());
    auto written = text ? write_output(options.output, *text)
                        : Result<void>(tl::unexpected<Errors>(text.error()));
    if (written) {
        return 0;
    }
    for (const khob::gen::Error& error : written.error()) {
        fmt::print(stderr, "{}\n", khob::gen::to_string(error));
    }
    return exit_bad_schema;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& e) {
        static_cast<void>(std::fprintf(stderr, "abi-gen: %s\n", e.what()));
        return exit_bad_schema;
    }
}
