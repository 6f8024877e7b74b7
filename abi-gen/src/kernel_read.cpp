// SPDX-License-Identifier: GPL-2.0-only
// Three runs of the compiler: which macros there are, which types there are,
// and what those that the schema names come to. Nothing of the kernel is run.
#include "kernel_read.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "emit.hpp"

namespace khob::gen {
namespace {

/// Calls with the info of everything that upstream may have a macro or an
/// enumerator for.
template <typename Function>
void each_value(const Schema& schema, const Function& function) {
    for (const Version& version : schema.versions) {
        function(version.info);
    }
    for (const Section& section : schema.sections) {
        for (const Ioctl& ioctl : section.ioctls) {
            function(ioctl.info);
        }
        for (const Constant& constant : section.constants) {
            function(constant.info);
        }
        for (const StringConstant& string : section.strings) {
            function(string.info);
        }
        for (const Property& property : section.properties) {
            function(property.info);
        }
    }
}

template <typename Function>
void each_value(std::span<const Schema> schemas, const Function& function) {
    for (const Schema& schema : schemas) {
        each_value(schema, function);
    }
}

template <typename Function>
void each_struct(std::span<const Schema> schemas, const Function& function) {
    for (const Schema& schema : schemas) {
        for (const Section& section : schema.sections) {
            for (const Struct& structure : section.structs) {
                function(structure.info);
            }
        }
    }
}

bool is_code(const std::string& header) {
    return header.ends_with(".c");
}

/// The macros of a file as they stand there, whatever is defined elsewhere.
Result<std::map<std::string, KernelMacro>> macros_in(const std::string& file) {
    const auto text = read_file(file);
    if (!text) {
        return tl::unexpected<Errors>(text.error());
    }
    std::string joined;  // lines that go on in the next one
    for (std::size_t i = 0; i < text->size(); ++i) {
        const char c = (*text)[i];
        const bool goes_on = c == '\\' && text->substr(i + 1, 1) == "\n";
        joined += goes_on || c == '\t' ? ' ' : c;
        i += goes_on ? 1 : 0;
    }
    auto macros = scan_macros(joined);
    for (auto& [name, macro] : macros) {
        macro.file = file;
    }
    return macros;
}

/// A module whose constants are what the macros and alignments come to; each has
/// its name as file, so that an error in it names it.
/// @param defines in front of it
std::string probe(const std::vector<std::string>& macros, const std::vector<std::string>& structs,
                  const std::string& defines) {
    std::string text =
        defines + "#define KHOB_IS_TEXT(x) _Generic((x), char *: 1, const char *: 1, default: 0)\n";
    for (std::size_t i = 0; i < macros.size(); ++i) {
        text += fmt::format(
            "#line 1 \"{1}\"\n"
            "const unsigned char khob_is_text_{0} = KHOB_IS_TEXT({1});\n"
            "const char khob_text_{0}[] = __builtin_choose_expr(KHOB_IS_TEXT({1}), {1}, \"\");\n"
            "const unsigned long long khob_number_{0} = (unsigned long long)\n"
            "    __builtin_choose_expr(KHOB_IS_TEXT({1}), 0, {1});\n",
            i, macros[i]);
    }
    for (std::size_t i = 0; i < structs.size(); ++i) {
        text += fmt::format("const unsigned long long khob_alignment_{} = _Alignof({});\n", i,
                            structs[i]);
    }
    return text;
}

}  // namespace

std::vector<std::string> headers_of(const Info& info) {
    std::vector<std::string> all;
    std::string one;
    for (const char c : info.header + ",") {
        if (c == ',') {
            all.push_back(std::exchange(one, {}));
        } else if (c != ' ') {
            one += c;
        }
    }
    return all;
}

std::string header_in(const KernelTree& tree, const Info& info) {
    for (const std::string& header : headers_of(info)) {
        if (tree.has(header)) {
            return header;
        }
    }
    return {};
}

std::vector<std::string> headers_to_read(std::span<const Schema> schemas, const KernelTree& tree) {
    std::vector<std::string> all = tree.abi_headers;
    const auto add = [&](const Info& info) {
        const std::string header = info.upstream.empty() ? "" : header_in(tree, info);
        if (!header.empty() && !is_code(header) &&
            std::find(all.begin(), all.end(), header) == all.end()) {
            all.push_back(header);
        }
    };
    each_value(schemas, add);
    each_struct(schemas, add);
    return all;
}

Result<KernelFacts> read_kernel(std::span<const Schema> schemas, const KernelTree& tree,
                                const KernelCompiler& compiler) {
    const auto preprocessed = compiler.preprocess();
    if (!preprocessed) {
        return tl::unexpected<Errors>(preprocessed.error());
    }
    const auto module = compiler.compile("");
    if (!module) {
        return tl::unexpected<Errors>(module.error());
    }
    KernelFacts kernel{scan_macros(*preprocessed), scan_types(*module), {}, {}};
    for (const auto& [name, enumerator] : kernel.types.enumerators) {
        kernel.values[name] = enumerator.value;
    }
    std::set<std::string> named;
    std::set<std::string> code;
    each_value(schemas, [&](const Info& info) {
        const std::string header = info.upstream.empty() ? "" : header_in(tree, info);
        if (is_code(header)) {
            code.insert(header);
        }
    });
    std::string defines;
    for (const std::string& file : code) {
        auto macros = macros_in(tree.root + file);
        if (!macros) {
            return tl::unexpected<Errors>(std::move(macros.error()));
        }
        for (auto& [name, macro] : *macros) {
            if (!macro.function_like && !macro.body.empty() &&
                kernel.macros.emplace(name, macro).second) {
                defines += fmt::format("#define {} {}\n", name, macro.body);
            }
        }
    }
    each_value(schemas, [&](const Info& info) {
        const auto at = kernel.macros.find(info.upstream);
        if (at != kernel.macros.end() && !at->second.function_like && !at->second.body.empty()) {
            named.insert(info.upstream);
        }
    });
    const std::vector<std::string> macros(named.begin(), named.end());
    std::vector<std::string> structs;
    each_struct(schemas, [&](const Info& info) {
        if (kernel.types.structs.contains(info.upstream)) {
            structs.push_back(info.upstream);
        }
    });
    const auto probed = compiler.compile(probe(macros, structs, defines));
    if (!probed) {
        return tl::unexpected<Errors>(probed.error());
    }
    auto globals = scan_globals(*probed);
    for (std::size_t i = 0; i < macros.size(); ++i) {
        const bool is_text = globals[fmt::format("khob_is_text_{}", i)] == KernelValue(1U);
        kernel.values[macros[i]] =
            globals[fmt::format("khob_{}_{}", is_text ? "text" : "number", i)];
    }
    for (std::size_t i = 0; i < structs.size(); ++i) {
        const KernelValue value = globals[fmt::format("khob_alignment_{}", i)];
        kernel.alignments[structs[i]] = std::get<std::uint64_t>(value);
    }
    return kernel;
}

}  // namespace khob::gen
