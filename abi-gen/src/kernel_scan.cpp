// SPDX-License-Identifier: GPL-2.0-only
// Debug information is the compiler's own account of the types, in a documented
// text (LLVM's language reference, "Specialized Metadata Nodes"), small even for
// headers that include hundreds of others: the JSON of their syntax tree has
// more than 100 MB.
#include "kernel_scan.hpp"

#include <charconv>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace khob::gen {
namespace {

/// Calls with each line, without its end.
template <typename Function>
void each_line(std::string_view text, const Function& function) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        function(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// The number at the start of text; negative ones as C converts them.
std::optional<std::uint64_t> number(std::string_view text) {
    const bool negative = text.starts_with('-');
    text.remove_prefix(negative ? 1 : 0);
    std::uint64_t value = 0;
    const auto done = std::from_chars(text.data(), text.data() + text.size(), value);
    if (done.ec != std::errc()) {
        return std::nullopt;
    }
    return negative ? 0 - value : value;
}

/// A C string as a line mark has it, behind its opening quote.
std::string c_string(std::string_view text) {
    std::string value;
    for (std::size_t i = 0; i < text.size() && text[i] != '"'; ++i) {
        i += text[i] == '\\' ? 1 : 0;
        value += i < text.size() ? std::string(1, text[i]) : "";
    }
    return value;
}

/// A string as LLVM writes it: a backslash is followed by two hexadecimal digits.
std::string ir_string(std::string_view text) {
    constexpr int base = 16;
    std::string value;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned code = 0;
        if (text[i] == '\\' && i + 2 < text.size() &&
            std::from_chars(&text[i + 1], &text[i + 1] + 2, code, base).ec == std::errc()) {
            value += static_cast<char>(code);
            i += 2;
        } else {
            value += text[i];
        }
    }
    return value;
}

/// A node of metadata: "!7 = !DIFile(filename: ...)" or "!8 = !{!7, !9}".
class Node {
  public:
    explicit Node(std::string_view text) {
        if (text.starts_with("distinct ")) {
            text.remove_prefix(std::string_view("distinct ").size());
        }
        const std::size_t open = text.find_first_of("({");
        if (open != std::string_view::npos) {
            kind_ = text.substr(0, open);
            split(text.substr(open + 1, text.size() - open - 2));
        }
    }

    [[nodiscard]] std::string_view kind() const { return kind_; }
    [[nodiscard]] const std::vector<std::string_view>& items() const { return items_; }

    /// What stands behind "key: ", empty if it is not there.
    [[nodiscard]] std::string_view raw(std::string_view key) const {
        for (const std::string_view item : items_) {
            if (item.starts_with(key) && item.substr(key.size()).starts_with(": ")) {
                return item.substr(key.size() + 2);
            }
        }
        return {};
    }
    [[nodiscard]] std::string text(std::string_view key) const {
        const std::string_view value = raw(key);
        return value.size() < 2 ? "" : ir_string(value.substr(1, value.size() - 2));
    }
    [[nodiscard]] std::uint64_t figure(std::string_view key) const {
        return number(raw(key)).value_or(0);
    }

  private:
    /// At commas outside strings and parentheses; quotes inside strings are escaped as \22.
    void split(std::string_view text) {
        std::size_t start = 0;
        int depth = 0;
        bool quoted = false;
        for (std::size_t i = 0; i < text.size(); ++i) {
            const char c = text[i];
            quoted = c == '"' ? !quoted : quoted;
            if (quoted) {
                continue;
            }
            depth += c == '(' ? 1 : 0;
            depth -= c == ')' ? 1 : 0;
            if (c == ',' && depth == 0) {
                items_.push_back(text.substr(start, i - start));
                start = i + 2;
            }
        }
        if (start < text.size()) {
            items_.push_back(text.substr(start));
        }
    }

    std::string_view kind_;
    std::vector<std::string_view> items_;
};

class TypeScanner {
  public:
    explicit TypeScanner(std::string_view ir) {
        each_line(ir, [&](std::string_view line) {
            const std::size_t equals = line.find(" = ");
            if (line.starts_with('!') && equals != std::string_view::npos) {
                nodes_.emplace(line.substr(0, equals), Node(line.substr(equals + 3)));
            }
        });
    }

    KernelTypes scan() {
        for (const auto& [reference, node] : nodes_) {
            if (node.kind() != "!DICompositeType" ||
                node.raw("flags").find("DIFlagFwdDecl") != std::string_view::npos) {
                continue;
            }
            const std::string keyword = keyword_of(node);
            if (node.raw("tag") == "DW_TAG_enumeration_type") {
                add_enumerators(node);
            } else if (!keyword.empty() && !node.raw("name").empty()) {
                KernelStruct found;
                found.file = file_of(node);
                found.size = node.figure("size");
                add_fields(node, "", 0, found);
                types_.structs.emplace(keyword + node.text("name"), std::move(found));
            }
        }
        return std::move(types_);
    }

  private:
    static std::string keyword_of(const Node& node) {
        const std::string_view tag = node.raw("tag");
        return tag == "DW_TAG_structure_type" ? "struct "
               : tag == "DW_TAG_union_type"   ? "union "
                                              : "";
    }

    [[nodiscard]] const Node* find(std::string_view reference) const {
        const auto at = nodes_.find(reference);
        return at == nodes_.end() ? nullptr : &at->second;
    }

    [[nodiscard]] std::vector<const Node*> elements(const Node& node) const {
        std::vector<const Node*> all;
        if (const Node* list = find(node.raw("elements")); list != nullptr) {
            for (const std::string_view reference : list->items()) {
                if (const Node* one = find(reference); one != nullptr) {
                    all.push_back(one);
                }
            }
        }
        return all;
    }

    [[nodiscard]] std::string file_of(const Node& node) const {
        const Node* file = find(node.raw("file"));
        if (file == nullptr) {
            return {};
        }
        const std::string name = file->text("filename");
        return name.starts_with('/') ? name : file->text("directory") + "/" + name;
    }

    void add_enumerators(const Node& node) {
        const std::string file = file_of(node);
        for (const Node* one : elements(node)) {
            types_.enumerators.emplace(one->text("name"),
                                       KernelEnumerator{file, one->figure("value")});
        }
    }

    /// The struct or union that a type is, behind typedefs and qualifiers.
    [[nodiscard]] const Node* inner(const Node& field) const {
        const Node* type = find(field.raw("baseType"));
        while (type != nullptr && type->kind() == "!DIDerivedType" &&
               type->raw("tag") != "DW_TAG_pointer_type") {
            type = find(type->raw("baseType"));
        }
        return type != nullptr && type->kind() == "!DICompositeType" && !keyword_of(*type).empty()
                   ? type
                   : nullptr;
    }

    void add_fields(const Node& node, const std::string& path, std::uint64_t start,
                    KernelStruct& to) const {
        for (const Node* one : elements(node)) {
            if (one->raw("tag") != "DW_TAG_member") {
                continue;
            }
            const std::string name = one->text("name");
            const std::uint64_t offset = start + one->figure("offset");
            if (!name.empty()) {
                to.fields[path + name] = {path + name, offset, one->figure("size")};
                if (path.empty()) {
                    to.members.push_back(name);
                }
            }
            if (const Node* type = inner(*one); type != nullptr) {
                to.types.emplace(path + name, keyword_of(*type) + type->text("name"));
                add_fields(*type, name.empty() ? path : path + name + ".", offset, to);
            }
        }
    }

    std::unordered_map<std::string_view, Node> nodes_;
    KernelTypes types_;
};

}  // namespace

std::map<std::string, KernelMacro> scan_macros(const std::string& text) {
    constexpr std::string_view define = "#define ";
    constexpr std::string_view undefine = "#undef ";
    std::map<std::string, KernelMacro> macros;
    std::string file;
    each_line(text, [&](std::string_view line) {
        const std::size_t quote = line.find('"');
        if (line.starts_with("# ") && quote != std::string_view::npos) {
            file = c_string(line.substr(quote + 1));
        } else if (line.starts_with(undefine)) {
            macros.erase(std::string(line.substr(undefine.size())));
        } else if (line.starts_with(define)) {
            line.remove_prefix(define.size());
            std::size_t end = 0;
            while (end < line.size() && is_word(line[end])) {
                ++end;
            }
            const bool function_like = end < line.size() && line[end] == '(';
            macros[std::string(line.substr(0, end))] = {
                file, std::string(line.substr(std::min(end + 1, line.size()))), function_like};
        }
    });
    return macros;
}

KernelTypes scan_types(const std::string& ir) {
    return TypeScanner(ir).scan();
}

std::map<std::string, std::variant<std::uint64_t, std::string>> scan_globals(
    const std::string& ir) {
    constexpr std::string_view word = " constant ";
    std::map<std::string, std::variant<std::uint64_t, std::string>> globals;
    each_line(ir, [&](std::string_view line) {
        const std::size_t constant = line.find(word);
        if (!line.starts_with('@') || constant == std::string_view::npos) {
            return;
        }
        const std::string name(line.substr(1, line.find(' ') - 1));
        const std::string_view value = line.substr(constant + word.size());
        const std::size_t space = value.find(' ');
        if (value.starts_with('i') && space != std::string_view::npos) {
            globals[name] = number(value.substr(space + 1)).value_or(0);
        } else if (const std::size_t open = value.find(" c\""); open != std::string_view::npos) {
            const std::size_t start = open + 3;
            std::string text = ir_string(value.substr(start, value.find('"', start) - start));
            text.resize(text.empty() ? 0 : text.size() - 1);  // its NUL
            globals[name] = std::move(text);
        } else if (value.find("zeroinitializer") != std::string_view::npos) {
            globals[name] = std::string();
        }
    });
    return globals;
}

}  // namespace khob::gen
