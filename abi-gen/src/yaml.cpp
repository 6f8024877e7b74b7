// SPDX-License-Identifier: GPL-2.0-only
// yaml-cpp's nodes turned into a tree of our own.
#include "yaml.hpp"

#include <fmt/format.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <exception>
#include <string_view>

namespace khob::gen {
namespace {

// Far more than a schema needs, and few enough that whatever takes time with the
// square of one of them still ends. Aliases share nodes in yaml-cpp and are copied
// here: without a bound a few lines of them would fill memory.
constexpr std::size_t max_bytes = 1U << 20U;
constexpr int max_nodes = 10000;
constexpr int max_depth = 32;
constexpr std::size_t max_scalar = 4096;
constexpr std::size_t max_key = 100;

/// Length of the character that text begins with if that is one of UTF-8 and no
/// control character, else 0.
std::size_t character(std::string_view text) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned first = byte(0);
    if (first < 0x80) {
        const bool space = first == '\n' || first == '\t' || first == '\r';
        return space || (first >= ' ' && first != 0x7f) ? 1 : 0;
    }
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    unsigned code = first & (0xffU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if (i >= text.size() || (byte(i) & 0xc0U) != 0x80) {
            return 0;
        }
        code = code << 6U | (byte(i) & 0x3fU);
    }
    constexpr unsigned least[] = {0xa0, 0x800, 0x10000};  // NOLINT(modernize-avoid-c-arrays)
    const bool surrogate = code >= 0xd800 && code < 0xe000;
    const bool in_range = first >= 0xc0 && first < 0xf8 && code <= 0x10ffff;
    return in_range && !surrogate && code >= least[length - 2] ? length : 0;
}

/// Where text stops being text, or its size.
std::size_t end_of_text(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t length = character(text.substr(at));
        if (length == 0) {
            break;
        }
        at += length;
    }
    return at;
}

class Converter {
  public:
    explicit Converter(const std::string& file) : file_(file) {}

    Result<Tree> convert(const YAML::Node& node, int depth) {
        Tree tree;
        tree.at = position(node.Mark());
        if (depth > max_depth) {
            return fail(tree.at, "the document nests too deep");
        }
        if (++nodes_ > max_nodes) {
            return fail(tree.at, "the document has too many nodes");
        }
        switch (node.Type()) {
            case YAML::NodeType::Scalar:
                return scalar(node, std::move(tree));
            case YAML::NodeType::Sequence:
                return sequence(node, std::move(tree), depth);
            case YAML::NodeType::Map:
                return mapping(node, std::move(tree), depth);
            default:
                return tree;
        }
    }

  private:
    [[nodiscard]] Position position(const YAML::Mark& mark) const {
        return Position{file_, mark.line + 1, mark.column + 1};
    }

    static Result<Tree> scalar(const YAML::Node& node, Tree tree) {
        if (auto good = is_good(node.Scalar(), max_scalar, tree.at); !good) {
            return tl::unexpected<Errors>(std::move(good.error()));
        }
        tree.kind = Tree::Kind::scalar;
        tree.scalar = node.Scalar();
        // "!" is what yaml-cpp tags a quoted scalar with; its mark is the quote.
        if (node.Tag() == "!") {
            ++tree.at.column;
        }
        return tree;
    }

    /// An escape in quotes makes any character there is.
    static Result<void> is_good(const std::string& text, std::size_t most, const Position& at) {
        if (text.size() > most) {
            return fail(at, fmt::format("a text of more than {} bytes", most));
        }
        if (end_of_text(text) != text.size()) {
            return fail(at, "a text with a control character");
        }
        return {};
    }

    Result<Tree> sequence(const YAML::Node& node, Tree tree, int depth) {
        tree.kind = Tree::Kind::list;
        for (const YAML::Node& item : node) {
            auto value = convert(item, depth + 1);
            if (!value) {
                return value;
            }
            tree.list.push_back(std::move(*value));
        }
        return tree;
    }

    Result<Tree> mapping(const YAML::Node& node, Tree tree, int depth) {
        tree.kind = Tree::Kind::map;
        for (const auto& item : node) {
            const Position at = position(item.first.Mark());
            if (!item.first.IsScalar()) {
                return fail(at, "a key has to be a plain word");
            }
            if (auto good = is_good(item.first.Scalar(), max_key, at); !good) {
                return tl::unexpected<Errors>(std::move(good.error()));
            }
            auto value = convert(item.second, depth + 1);
            if (!value) {
                return value;
            }
            tree.map.push_back(TreeEntry{{item.first.Scalar(), at}, std::move(*value)});
        }
        return tree;
    }

    const std::string& file_;
    int nodes_ = 0;
};

}  // namespace

Result<Tree> read_yaml(const std::string& text, const std::string& file) {
    if (text.size() > max_bytes) {
        return fail({file, 0, 0}, fmt::format("the document has more than {} bytes", max_bytes));
    }
    if (const std::size_t end = end_of_text(text); end != text.size()) {
        const auto line = std::count(text.begin(), text.begin() + static_cast<long>(end), '\n');
        return fail({file, static_cast<int>(line) + 1, 0},
                    "a control character, or bytes that are not UTF-8");
    }
    try {
        return Converter(file).convert(YAML::Load(text), 0);
    } catch (const YAML::DeepRecursion& e) {
        return fail(Position{file, e.mark.line + 1, e.mark.column + 1},
                    "the document nests too deep");
    } catch (const YAML::Exception& e) {
        return fail(Position{file, e.mark.line + 1, e.mark.column + 1},
                    "this is not YAML: " + e.msg);
    } catch (const std::exception& e) {
        return fail(Position{file, 0, 0}, std::string("cannot read YAML: ") + e.what());
    }
}

}  // namespace khob::gen
