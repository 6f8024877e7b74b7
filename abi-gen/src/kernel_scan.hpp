// SPDX-License-Identifier: GPL-2.0-only
// What the compiler's output says of a kernel's headers: macros from
// preprocessed text, everything else from LLVM IR with debug information.
#ifndef KHOB_ABI_GEN_KERNEL_SCAN_HPP
#define KHOB_ABI_GEN_KERNEL_SCAN_HPP

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace khob::gen {

struct KernelMacro {
    std::string file;
    std::string body;
    bool function_like = false;
};

/// Those that are defined at the end of the text ("clang -E -dD").
std::map<std::string, KernelMacro> scan_macros(const std::string& text);

struct KernelEnumerator {
    std::string file;
    std::uint64_t value = 0;  ///< as C converts it to 64 bits without a sign
};

/// A field; offset and size in bits.
struct KernelField {
    std::string name;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;  ///< 0 of a flexible array
};

struct KernelStruct {
    std::string file;
    std::uint64_t size = 0;  ///< bits
    std::vector<std::string> members;
    /// Its fields and those of what is in it, by path ("hdr.next"); what has no
    /// name adds nothing to the path.
    std::map<std::string, KernelField> fields;
    std::map<std::string, std::string> types;  ///< of those fields that are structs with a name
};

/// By name, that of a type with its keyword ("struct kho_data").
struct KernelTypes {
    std::map<std::string, KernelStruct> structs;
    std::map<std::string, KernelEnumerator> enumerators;
};

/// The types in a module's debug information.
KernelTypes scan_types(const std::string& ir);

/// The constant integers and arrays of char that a module defines.
std::map<std::string, std::variant<std::uint64_t, std::string>> scan_globals(const std::string& ir);

}  // namespace khob::gen

#endif  // KHOB_ABI_GEN_KERNEL_SCAN_HPP
