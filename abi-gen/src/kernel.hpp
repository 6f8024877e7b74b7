// SPDX-License-Identifier: GPL-2.0-only
// The schema against a kernel's own headers: what a compiler makes of
// include/linux/kho/abi is compared with what the schema says.
#ifndef KHOB_ABI_GEN_KERNEL_HPP
#define KHOB_ABI_GEN_KERNEL_HPP

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "error.hpp"
#include "schema.hpp"

namespace khob::gen {

/// Which kernel, and as what it is to be read.
struct KernelOptions {
    std::string tree;                         ///< its source tree or header package
    std::string version;                      ///< of one schema; empty: those that it has
    std::optional<std::uint64_t> page_shift;  ///< none: the schema's default
    std::string clang = "clang";
};

/// Something that has a name on at least one side.
struct KernelElement {
    std::string kind;      ///< version, constant, string, property, struct, field, ...
    std::string name;      ///< the schema's, a field's with that of its struct
    std::string upstream;  ///< the kernel's
    std::string header;    ///< below the tree: where it is, or where it was expected
};

using KernelValue = std::variant<std::uint64_t, std::string>;

/// One figure on which the two disagree.
struct KernelDifference {
    std::string what;  ///< value, size, alignment or offset (in bytes)
    KernelValue schema;
    KernelValue kernel;
};

struct KernelMismatch {
    KernelElement element;
    bool hex = false;  ///< how the schema writes its value
    std::vector<KernelDifference> differences;
};

/// A schema's version that a kernel was compared with.
struct KernelVersion {
    std::string schema;      ///< its file
    std::string version;     ///< of a device its prefix with that
    std::string compatible;  ///< the kernel's, empty if it has none
};

/// What the comparison found.
struct KernelReport {
    std::string tree;     ///< as given
    std::string release;  ///< of the kernel, empty if its Makefile does not say
    std::vector<KernelVersion> versions;
    std::uint64_t page_shift = 0;
    std::size_t compared = 0;  ///< elements that both have
    std::vector<KernelMismatch> mismatches;
    std::vector<KernelElement> only_in_schema;
    std::vector<KernelElement> not_in_tree;     ///< their header is missing
    std::vector<KernelElement> only_in_kernel;  ///< their name in the schema is empty
};

/// Compares; every cause that keeps it from being done is an error.
/// @param schemas whose page sizes are the same; of those that use another one, one whose headers
///        the tree does not have is left out
Result<KernelReport> conform_kernel(std::span<const Schema> schemas, const KernelOptions& options);

/// For people: a line that says how much agrees, then one for each that does
/// not, then what only one side has.
std::string to_text(const KernelReport& report);

/// The same as JSON.
std::string to_json(const KernelReport& report);

}  // namespace khob::gen

#endif  // KHOB_ABI_GEN_KERNEL_HPP
