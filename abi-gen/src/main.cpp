// SPDX-License-Identifier: GPL-2.0-only
// abi-gen: the command line.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>

#include "conform.hpp"
#include "emit.hpp"
#include "error.hpp"
#include "kernel.hpp"
#include "model.hpp"
#include "schema.hpp"

namespace {

using khob::gen::Errors;
using khob::gen::Result;
using khob::gen::Schema;

constexpr int exit_bad_schema = 1;
constexpr int exit_usage = 2;

struct Options {
    std::string schema;
    std::string schema_name;
    std::string abi = "all";
    std::string language;
    std::string output;
    std::string python = KHOB_PYTHON;
    std::uint64_t page_shift = 0;
    bool every = false;
    std::string old_side;  ///< of conform: a version or a schema
    std::string new_side;
    std::string kernel;      ///< of conform: a kernel's tree in place of both
    std::string kernel_abi;  ///< empty: the version that it says it has
    std::string clang = "clang";
    bool json = false;
};

/// Where schema, templates and render.py are: installed next to the program, or
/// where it was built from.
std::filesystem::path data_directory() {
    std::error_code error;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
    const auto installed = self.parent_path().parent_path() / "share/kho-bridge/abi-gen";
    return !error && std::filesystem::exists(installed) ? installed
                                                        : std::filesystem::path(KHOB_ABI_GEN_DATA);
}

std::string default_schema() {
    return data_directory() / "schema/kho.yaml";
}

Result<void> print(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() ||
        std::fflush(stdout) != 0) {
        return khob::gen::fail({"standard output", 0, 0}, "cannot be written");
    }
    return {};
}

Result<Schema> load(const std::string& path) {
    const auto text = khob::gen::read_file(path);
    if (!text) {
        return khob::gen::fail({path, 0, 0}, "cannot be read; name the schema with --schema");
    }
    return khob::gen::parse_schema(*text, path);
}

std::optional<std::size_t> version_named(const Schema& schema, const std::string& name) {
    for (std::size_t version = 0; version < schema.versions.size(); ++version) {
        if (schema.versions[version].info.name == name) {
            return version;
        }
    }
    return std::nullopt;
}

/// @param also what else the option may say
Result<std::size_t> known_version(const Schema& schema, const std::string& name,
                                  const std::string& also = "") {
    if (const auto version = version_named(schema, name)) {
        return *version;
    }
    std::string known = also;
    for (const auto& version : schema.versions) {
        known += (known.empty() ? "" : ", ") + version.info.name;
    }
    return khob::gen::fail({schema.file, 0, 0},
                           fmt::format("there is no version '{}'; known are: {}", name, known));
}

Result<std::optional<std::size_t>> chosen_version(const Schema& schema, const std::string& abi) {
    if (abi == "all") {
        return std::nullopt;
    }
    if (schema.device) {
        return khob::gen::fail({schema.file, 0, 0},
                               "a device has one version, which --abi does not choose");
    }
    return known_version(schema, abi, "all");
}

Result<std::uint64_t> chosen_page_shift(const Schema& schema, std::uint64_t wanted) {
    if (wanted == 0) {
        return schema.page_shift.preset;
    }
    if (schema.device) {
        return khob::gen::fail({schema.file, 0, 0},
                               "a device is the same at every page size: leave --page-shift out");
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

Result<void> emit_every(const Schema& schema, const Options& options,
                        const khob::gen::EmitOptions& how) {
    const auto start = std::chrono::steady_clock::now();
    if (auto proved = khob::gen::prove(schema); !proved) {
        return tl::unexpected<Errors>(std::move(proved.error()));
    }
    const auto targets = khob::gen::every_target(schema, options.output);
    if (auto done = khob::gen::emit(schema, targets, how); !done) {
        return tl::unexpected<Errors>(std::move(done.error()));
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    return print(fmt::format("{} files in {:.2f} s\n", targets.size(), took.count()));
}

Result<void> emit_one(const Schema& schema, const Options& options,
                      const khob::gen::EmitOptions& how) {
    const auto page_shift = chosen_page_shift(schema, options.page_shift);
    const auto version = chosen_version(schema, options.abi);
    if (!page_shift || !version) {
        return tl::unexpected<Errors>(page_shift ? version.error() : page_shift.error());
    }
    const khob::gen::Target target{*version, *page_shift, options.language, options.output};
    const auto text = khob::gen::emit(schema, {target}, how);
    if (!text) {
        return tl::unexpected<Errors>(text.error());
    }
    return options.output.empty() ? print(*text) : Result<void>();
}

Result<void> emit(const Options& options) {
    const auto schema = load(options.schema);
    if (!schema) {
        return tl::unexpected<Errors>(schema.error());
    }
    const khob::gen::EmitOptions how{
        options.schema_name.empty() ? options.schema : options.schema_name,
        data_directory() / "render.py", options.python};
    return options.every ? emit_every(*schema, options, how) : emit_one(*schema, options, how);
}

Result<khob::gen::Conformance> conformance(const Options& options) {
    const auto schema = load(options.schema);
    std::vector<std::size_t> versions;
    for (const std::string& side : {options.old_side, options.new_side}) {
        const auto version = schema ? version_named(*schema, side) : std::nullopt;
        if (version) {
            versions.push_back(*version);
        } else if (!khob::gen::read_file(side)) {
            return khob::gen::fail({side, 0, 0},
                                   fmt::format("is neither a version of {} nor a schema that can "
                                               "be read",
                                               options.schema));
        }
    }
    if (versions.size() == 2) {
        return khob::gen::conform_versions(*schema, versions.front(), versions.back());
    }
    if (versions.size() == 1) {
        return khob::gen::fail({options.old_side, 0, 0},
                               "compare two versions of one schema, or two schemas");
    }
    const auto from = load(options.old_side);
    const auto to = load(options.new_side);
    if (!from || !to) {
        return tl::unexpected<Errors>(from ? to.error() : from.error());
    }
    return khob::gen::conform_schemas(*from, *to);
}

/// @return true if every break of the layout has a compatible string of its own
Result<bool> conform(const Options& options) {
    const auto result = conformance(options);
    if (!result) {
        return tl::unexpected<Errors>(result.error());
    }
    if (auto done = print(options.json ? to_json(*result) : to_text(*result)); !done) {
        return tl::unexpected<Errors>(std::move(done.error()));
    }
    return result->errors.empty();
}

/// The schema that is named, or all there are that kernels have headers for, that of KHO first.
Result<std::vector<Schema>> schemas_of_kernels(const Options& options) {
    std::vector<std::string> paths = {options.schema};
    if (options.schema == default_schema()) {
        std::error_code error;
        for (const auto& entry :
             std::filesystem::directory_iterator(data_directory() / "schema", error)) {
            if (entry.path() != options.schema && entry.path().extension() == ".yaml") {
                paths.push_back(entry.path());
            }
        }
        std::sort(paths.begin() + 1, paths.end());
    }
    std::vector<Schema> schemas;
    for (const std::string& path : paths) {
        auto schema = load(path);
        if (!schema) {
            return tl::unexpected<Errors>(std::move(schema.error()));
        }
        if (!schema->device || !schema->device->info.header.empty()) {
            schemas.push_back(std::move(*schema));
        }
    }
    if (schemas.empty() || schemas.front().device) {
        return khob::gen::fail({options.schema, 0, 0},
                               "a device alone is not compared with a kernel; leave --schema out");
    }
    return schemas;
}

/// @return true if the kernel's headers agree with the schemas
Result<bool> conform_kernel(const Options& options) {
    const auto schemas = schemas_of_kernels(options);
    if (!schemas) {
        return tl::unexpected<Errors>(schemas.error());
    }
    const auto page_shift = chosen_page_shift(schemas->front(), options.page_shift);
    if (!page_shift) {
        return tl::unexpected<Errors>(page_shift.error());
    }
    const khob::gen::KernelOptions how{options.kernel, options.kernel_abi, *page_shift,
                                       options.clang};
    if (!options.kernel_abi.empty() &&
        std::none_of(schemas->begin(), schemas->end(), [&](const Schema& schema) {
            return version_named(schema, options.kernel_abi).has_value();
        })) {
        return tl::unexpected<Errors>(known_version(schemas->front(), options.kernel_abi).error());
    }
    const auto report = khob::gen::conform_kernel(*schemas, how);
    if (!report) {
        return tl::unexpected<Errors>(report.error());
    }
    if (auto done = print(options.json ? to_json(*report) : to_text(*report)); !done) {
        return tl::unexpected<Errors>(std::move(done.error()));
    }
    return report->mismatches.empty();
}

/// Every version at every page size is sound, or refused for a reason that is shown.
Result<void> check(const Options& options) {
    const auto schema = load(options.schema);
    if (!schema) {
        return tl::unexpected<Errors>(schema.error());
    }
    const auto refused = khob::gen::prove(*schema);
    if (!refused) {
        return tl::unexpected<Errors>(refused.error());
    }
    std::string text;
    for (const auto& one : khob::gen::combinations(*schema)) {
        text += fmt::format("{}: {}\n", schema->context(one.version, one.page_shift),
                            one.refusal == nullptr ? "sound" : "refused: " + one.refusal->doc);
    }
    for (const auto& reason : *refused) {
        text += fmt::format("refused for: {}\n", reason.text);
    }
    return print(text);
}

CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& what,
                      Options& options) {
    CLI::App* command = app.add_subcommand(name, what);
    command->add_option("--schema", options.schema, "the schema")->capture_default_str();
    return command;
}

void add_emit(CLI::App& command, Options& options) {
    command.add_option("--abi", options.abi, "a version, or all that the page size has in one")
        ->capture_default_str();
    command.add_option("--page-shift", options.page_shift,
                       "log2 of the page size in bytes (default: the schema's)");
    command.add_option("--lang", options.language,
                       fmt::format("one of {}", fmt::join(khob::gen::languages(), ", ")));
    command.add_flag("--every", options.every,
                     "all languages, versions and page sizes, into the directory -o");
    command.add_option("-o,--output", options.output,
                       "file, not touched if it holds the same already (default: standard output)");
    command.add_option("--schema-name", options.schema_name,
                       "what the output calls the schema (default: as given)");
    command.add_option("--python", options.python, "an interpreter that has Jinja2")
        ->capture_default_str();
    command.footer(
        "Examples:\n"
        "  abi-gen emit --abi kho-v4 --page-shift 12 --lang python -o kho.py\n"
        "  abi-gen emit --every -o out");
}

void add_conform(CLI::App& command, Options& options) {
    command.add_option("old", options.old_side, "a version of the schema, or a schema");
    command.add_option("new", options.new_side, "another");
    auto* kernel = command.add_option("--kernel", options.kernel,
                                      "compare the schema with the headers of the kernel whose "
                                      "source tree or header package this is");
    command
        .add_option("--abi", options.kernel_abi,
                    "the version to compare a kernel with (default: the one that it has)")
        ->needs(kernel);
    command
        .add_option("--page-shift", options.page_shift,
                    "log2 of a kernel's page size in bytes (default: the schema's)")
        ->needs(kernel);
    command.add_option("--clang", options.clang, "the compiler that reads a kernel's headers")
        ->capture_default_str()
        ->needs(kernel);
    command.add_flag("--json", options.json, "typed output");
    command.footer(
        "Examples:\n"
        "  abi-gen conform kho-v3 kho-v4\n"
        "  abi-gen conform old.yaml new.yaml\n"
        "  abi-gen conform --kernel /lib/modules/$(uname -r)/source\n"
        "Exit status: 0, 1 if a break of the layout has no compatible string of its own, a change "
        "of a device breaks a program or a kernel disagrees.");
}

/// @return a complaint about options of conform that do not go together, or nothing
std::string misuse_of_conform(const Options& options) {
    if (!options.kernel.empty()) {
        return options.old_side.empty() ? "" : "--kernel takes the place of OLD and NEW";
    }
    return options.new_side.empty() ? "conform needs OLD and NEW, or --kernel DIR" : "";
}

/// @return a complaint about options of emit that do not go together, or nothing
std::string misuse_of_emit(const Options& options) {
    if (options.every && options.output.empty()) {
        return "--every needs a directory: -o DIR";
    }
    if (options.every != options.language.empty()) {
        return options.every ? "--every and --lang exclude each other"
                             : "emit needs --lang LANGUAGE or --every";
    }
    return {};
}

int run(int argc, char** argv) {
    CLI::App app{"abi-gen derives headers, documents and test vectors from the schema of an ABI."};
    app.footer(
        "Example:\n"
        "  abi-gen emit --abi kho-v4 --page-shift 12 --lang cpp -o abi.hpp\n"
        "Exit status: 0, 1 if the schema is wrong or a file cannot be used, 2 for a wrong option.");
    app.require_subcommand(1);
    Options options;
    options.schema = default_schema();
    add_emit(*add_command(app, "emit", "write a header, a document or vectors", options), options);
    CLI::App* check_command =
        add_command(app, "check", "prove every version at every page size", options);
    check_command->footer("Example:\n  abi-gen check --schema kho.yaml");
    CLI::App* conform_command =
        add_command(app, "conform", "say what a change of the ABI breaks", options);
    add_conform(*conform_command, options);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? 0 : exit_usage;
    }
    const bool emits = !check_command->parsed() && !conform_command->parsed();
    const std::string complaint = emits                       ? misuse_of_emit(options)
                                  : conform_command->parsed() ? misuse_of_conform(options)
                                                              : "";
    if (!complaint.empty()) {
        fmt::print(stderr, "abi-gen: {}\n", complaint);
        return exit_usage;
    }
    Result<bool> done = true;
    if (conform_command->parsed()) {
        done = options.kernel.empty() ? conform(options) : conform_kernel(options);
    } else if (auto other = emits ? emit(options) : check(options); !other) {
        done = tl::unexpected<Errors>(std::move(other.error()));
    }
    if (done) {
        return *done ? 0 : exit_bad_schema;
    }
    for (const khob::gen::Error& error : done.error()) {
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
