// SPDX-License-Identifier: GPL-2.0-only
// A kernel's headers and a compiler that reads them as the kernel's build does,
// although nothing was configured or built.
#ifndef KHOB_ABI_GEN_KERNEL_TREE_HPP
#define KHOB_ABI_GEN_KERNEL_TREE_HPP

#include <cstdint>
#include <string>
#include <vector>

#include "error.hpp"

namespace khob::gen {

/// Where the ABI's headers are, below a tree; ends with a slash.
inline constexpr const char* kernel_abi_directory = "include/linux/kho/abi/";

/// A source tree or a package of headers.
struct KernelTree {
    std::string given;    ///< its directory as the user wrote it
    std::string root;     ///< the same, absolute, with a slash at its end
    std::string release;  ///< as its Makefile has it, or empty
    std::vector<std::string> abi_headers;

    [[nodiscard]] bool has(const std::string& header) const;
    /// A path below the tree, or the path itself if it is elsewhere.
    [[nodiscard]] std::string relative(const std::string& path) const;
    /// A path below the tree as the user would write it.
    [[nodiscard]] std::string shown(const std::string& path) const;
};

Result<KernelTree> open_kernel_tree(const std::string& directory);

/// clang, set up for one tree, page size and list of headers.
class KernelCompiler {
  public:
    /// @param headers below the tree, in the order that they are included in
    KernelCompiler(const KernelTree& tree, const std::vector<std::string>& headers,
                   std::uint64_t page_shift, const std::string& clang);

    /// The headers preprocessed, with their macros' definitions and with marks
    /// that say which file a line is from.
    Result<std::string> preprocess() const;
    /// LLVM IR, with debug information on all types, of the headers and source.
    Result<std::string> compile(const std::string& source) const;

  private:
    Result<std::string> run(const std::vector<std::string>& flags, const std::string& source) const;
    Errors explain(const std::string& said) const;

    const KernelTree& tree_;
    std::vector<std::string> command_;
    std::string overlay_;
};

}  // namespace khob::gen

#endif  // KHOB_ABI_GEN_KERNEL_TREE_HPP
