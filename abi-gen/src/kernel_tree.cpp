// SPDX-License-Identifier: GPL-2.0-only
// The headers are the tree's own. What a build would have generated, and what
// drags in half the kernel, is stood in for: clang gets an overlay of its file
// system in which the missing names are other files of the tree, or empty. The
// overlay is in memory, and the source comes through standard input, so that
// there is no file to leave behind.
#include "kernel_tree.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>

#include "emit.hpp"
#include "process.hpp"

namespace khob::gen {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// Directories that only the overlay has, searched before and behind the tree's.
constexpr const char* first_directory = "/abi-gen-stand-ins/first";
constexpr const char* last_directory = "/abi-gen-stand-ins/last";
constexpr const char* no_text = "/dev/null";

/// A header that is read in place of the one that is asked for.
struct StandIn {
    const char* directory;
    const char* name;
    const char* file;  ///< below the tree
};

// What these have of the ABI is the real file's; an empty one has nothing.
constexpr std::array<StandIn, 2> stand_ins = {{
    // The configuration, which an unpacked tree does not have, and which of two
    // trees that are built must not make a difference.
    {"generated", "autoconf.h", nullptr},
    // kexec_metadata.h needs __NEW_UTS_LEN, which is uapi; the rest of this one
    // is namespaces, and through them the scheduler.
    {"linux", "utsname.h", "include/uapi/linux/utsname.h"},
}};

/// A build writes asm/NAME for each of these that the architecture does not have.
constexpr std::array<std::pair<const char*, const char*>, 2> generic = {{
    {"asm", "include/asm-generic"},
    {"uapi/asm", "include/uapi/asm-generic"},
}};

/// What is included in front of a header that does not include it itself.
constexpr std::array<std::pair<const char*, const char*>, 1> needed_before = {{
    {"scripts/dtc/libfdt/fdt.h", "include/linux/libfdt_env.h"},
}};

/// Included in front of everything, as a build does; where there is such a file.
constexpr std::array<const char*, 2> preludes = {"include/linux/kconfig.h",
                                                 "include/linux/compiler_types.h"};

constexpr std::array<const char*, 4> include_directories = {
    "arch/x86/include", "include", "arch/x86/include/uapi", "include/uapi"};

Json overlay_file(const std::string& name, const std::string& contents) {
    return {{"type", "file"}, {"name", name}, {"external-contents", contents}};
}

Json overlay_directory(const std::string& name, Json files) {
    return {{"type", "directory"}, {"name", name}, {"contents", std::move(files)}};
}

std::string overlay_text(const KernelTree& tree) {
    std::map<std::string, Json> directories;
    for (const StandIn& one : stand_ins) {
        if (one.file == nullptr || tree.has(one.file)) {
            directories[fmt::format("{}/{}", first_directory, one.directory)].push_back(
                overlay_file(one.name, one.file == nullptr ? no_text : tree.root + one.file));
        }
    }
    for (const auto& [name, source] : generic) {
        std::error_code error;
        for (const auto& entry : fs::directory_iterator(tree.root + source, error)) {
            directories[fmt::format("{}/{}", last_directory, name)].push_back(
                overlay_file(entry.path().filename(), entry.path()));
        }
    }
    Json roots = Json::array();
    for (auto& [name, files] : directories) {
        roots.push_back(overlay_directory(name, std::move(files)));
    }
    const Json overlay = {{"version", 0},
                          {"case-sensitive", "true"},
                          {"use-external-names", "true"},
                          {"roots", std::move(roots)}};
    return overlay.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// A text that a program started from here can open by name.
class SharedText {
  public:
    // Not close-on-exec: to be inherited is what it is for.
    explicit SharedText(const std::string& text) : fd_(memfd_create("abi-gen", 0)) {
        for (std::size_t done = 0; fd_ >= 0 && done < text.size();) {
            const ssize_t put = write(fd_, text.data() + done, text.size() - done);
            if (put < 0) {
                error_ = errno;
                return;
            }
            done += static_cast<std::size_t>(put);
        }
        error_ = fd_ < 0 ? errno : 0;
    }
    SharedText(const SharedText&) = delete;
    SharedText& operator=(const SharedText&) = delete;
    SharedText(SharedText&&) = delete;
    SharedText& operator=(SharedText&&) = delete;
    ~SharedText() {
        if (fd_ >= 0) {
            close(fd_);
        }
    }

    [[nodiscard]] int error() const { return error_; }
    [[nodiscard]] std::string name() const { return fmt::format("/proc/self/fd/{}", fd_); }

  private:
    int fd_;
    int error_ = 0;
};

/// VERSION.PATCHLEVEL.SUBLEVEL and EXTRAVERSION of a Makefile, as far as it has them.
std::string release_of(const std::string& makefile) {
    static constexpr std::array<const char*, 4> parts = {"VERSION", "PATCHLEVEL", "SUBLEVEL",
                                                         "EXTRAVERSION"};
    std::string release;
    for (const char* part : parts) {
        const std::regex line(fmt::format("(?:^|\\n){} *= *([^\\s#]+)", part));
        std::smatch found;
        if (std::regex_search(makefile, found, line)) {
            const bool dot = !release.empty() && std::string(part) != "EXTRAVERSION";
            release += (dot ? "." : "") + found.str(1);
        }
    }
    return release;
}

}  // namespace

bool KernelTree::has(const std::string& header) const {
    std::error_code error;
    return fs::is_regular_file(root + header, error);
}

std::string KernelTree::relative(const std::string& path) const {
    return path.starts_with(root) ? path.substr(root.size()) : path;
}

std::string KernelTree::shown(const std::string& path) const {
    return path.starts_with(root) ? (fs::path(given) / relative(path)).string() : path;
}

Result<KernelTree> open_kernel_tree(const std::string& directory) {
    std::error_code error;
    KernelTree tree;
    tree.given = directory;
    tree.root = (fs::absolute(directory, error) / "").lexically_normal();
    if (!fs::is_directory(tree.root, error)) {
        return fail({directory, 0, 0},
                    "is no directory; name a kernel's source tree or unpacked header package");
    }
    for (const auto& entry : fs::directory_iterator(tree.root + kernel_abi_directory, error)) {
        if (entry.path().extension() == ".h") {
            tree.abi_headers.push_back(kernel_abi_directory + entry.path().filename().string());
        }
    }
    if (tree.abi_headers.empty()) {
        return fail({directory, 0, 0},
                    fmt::format("there is no header in {}: this kernel is older than KHO's ABI or "
                                "this is not where its sources are; of an installed kernel with "
                                "headers they are in /lib/modules/RELEASE/source",
                                kernel_abi_directory));
    }
    std::sort(tree.abi_headers.begin(), tree.abi_headers.end());
    tree.release = release_of(read_file(tree.root + "Makefile").value_or(""));
    return tree;
}

KernelCompiler::KernelCompiler(const KernelTree& tree, const std::vector<std::string>& headers,
                               std::uint64_t page_shift, const std::string& clang)
    : tree_(tree), overlay_(overlay_text(tree)) {
    command_ = {clang, "--target=x86_64-linux-gnu", "-x", "c", "-std=gnu11", "-fshort-wchar",
                "-funsigned-char", "-nostdinc", "-w", "-ferror-limit=1", "-fno-color-diagnostics",
                "-fno-caret-diagnostics", "-D__KERNEL__",
                // What Kconfig derives from 64BIT and X86_64; no other option may matter.
                "-DCONFIG_64BIT=1", "-DCONFIG_X86=1", "-DCONFIG_X86_64=1",
                "-DCONFIG_PHYS_ADDR_T_64BIT=1", "-DCONFIG_ARCH_DMA_ADDR_T_64BIT=1",
                fmt::format("-DCONFIG_PAGE_SHIFT={}", page_shift),
                // The kernel's own word for "generated/asm-offsets.h is not there yet".
                "-DCOMPILE_OFFSETS", fmt::format("-I{}", first_directory)};
    for (const char* directory : include_directories) {
        command_.push_back("-I" + tree.root + directory);
    }
    command_.push_back(fmt::format("-I{}", last_directory));
    command_.push_back(fmt::format("-I{}/uapi", last_directory));
    std::vector<std::string> files;
    std::copy_if(preludes.begin(), preludes.end(), std::back_inserter(files),
                 [&](const char* header) { return tree.has(header); });
    for (const std::string& header : headers) {
        for (const auto& [name, before] : needed_before) {
            if (header == name && tree.has(before)) {
                files.emplace_back(before);
            }
        }
        files.push_back(header);
    }
    for (const std::string& header : files) {
        command_.insert(command_.end(), {"-include", tree.root + header});
    }
}

Result<std::string> KernelCompiler::preprocess() const {
    return run({"-E", "-dD"}, "");
}

Result<std::string> KernelCompiler::compile(const std::string& source) const {
    return run({"-S", "-emit-llvm", "-g", "-fno-eliminate-unused-debug-types"}, source);
}

Result<std::string> KernelCompiler::run(const std::vector<std::string>& flags,
                                        const std::string& source) const {
    const SharedText overlay(overlay_);
    if (overlay.error() != 0) {
        return fail({"memfd_create", 0, 0},
                    fmt::format("{}; free some memory", std::strerror(overlay.error())));
    }
    std::vector<std::string> command = command_;
    command.insert(command.end(), flags.begin(), flags.end());
    command.insert(command.end(), {"-ivfsoverlay", overlay.name(), "-o", "-", "-"});
    auto done = run_program(command, source);
    if (!done) {
        for (Error& error : done.error()) {
            error.text += "; install clang, or name one with --clang";
        }
        return tl::unexpected<Errors>(std::move(done.error()));
    }
    if (done->status != 0) {
        return tl::unexpected<Errors>(explain(
            done->err.empty() ? fmt::format("ended with status {}", done->status) : done->err));
    }
    return std::move(done->out);
}

/// clang's first error, with its place if that is in a file.
Errors KernelCompiler::explain(const std::string& said) const {
    const std::string remedy = fmt::format(
        "{} cannot read this kernel's headers; see that the tree is complete, or try a newer clang",
        command_.front());
    static const std::regex in_file(R"((?:^|\n)([^\n]+):(\d+):(\d+): (?:fatal )?error: ([^\n]*))");
    static const std::regex elsewhere(R"((?:^|\n)([^\n]*): (?:fatal )?error: ([^\n]*))");
    std::smatch found;
    if (std::regex_search(said, found, in_file)) {
        constexpr std::size_t digits = 9;
        const auto number = [&](std::size_t group) {
            return found.length(group) > static_cast<std::ptrdiff_t>(digits)
                       ? 0
                       : std::stoi(found.str(group));
        };
        return {{{tree_.shown(found.str(1)), number(2), number(3)},
                 fmt::format("{}: {}", found.str(4), remedy)}};
    }
    if (std::regex_search(said, found, elsewhere)) {
        return {{{found.str(1), 0, 0}, fmt::format("{}: {}", found.str(2), remedy)}};
    }
    return {
        {{command_.front(), 0, 0}, fmt::format("{}: {}", said.substr(0, said.find('\n')), remedy)}};
}

}  // namespace khob::gen
