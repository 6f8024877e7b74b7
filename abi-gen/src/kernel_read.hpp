// SPDX-License-Identifier: GPL-2.0-only
// What a kernel's headers come to, of that which the schema names.
#ifndef KHOB_ABI_GEN_KERNEL_READ_HPP
#define KHOB_ABI_GEN_KERNEL_READ_HPP

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "error.hpp"
#include "kernel.hpp"
#include "kernel_scan.hpp"
#include "kernel_tree.hpp"
#include "schema.hpp"

namespace khob::gen {

/// The headers that an element may be in: "header:" names them, parted by
/// commas; upstream moves things.
std::vector<std::string> headers_of(const Info& info);

/// The first of an element's headers that the tree has, or empty.
std::string header_in(const KernelTree& tree, const Info& info);

/// The ABI's headers and those that the schema names, of those that the tree has.
std::vector<std::string> headers_to_read(std::span<const Schema> schemas, const KernelTree& tree);

/// Everything that was learnt of the kernel.
struct KernelFacts {
    std::map<std::string, KernelMacro> macros;
    KernelTypes types;
    std::map<std::string, KernelValue> values;        ///< of macros and enumerators
    std::map<std::string, std::uint64_t> alignments;  ///< of structs, bytes
};

/// Macros of C files are read as text: nothing else of such a file is looked at.
Result<KernelFacts> read_kernel(std::span<const Schema> schemas, const KernelTree& tree,
                                const KernelCompiler& compiler);

}  // namespace khob::gen

#endif  // KHOB_ABI_GEN_KERNEL_READ_HPP
