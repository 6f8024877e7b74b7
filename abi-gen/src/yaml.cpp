// SPDX-License-Identifier: GPL-2.0-only
// yaml-cpp's nodes turned into a tree of our own.
#include "yaml.hpp"

#include <yaml-cpp/yaml.h>

#include <exception>

namespace khob::gen {
namespace {

// Aliases share nodes in yaml-cpp and are copied here: without a bound a few
// lines of them would fill memory.
constexpr int max_nodes = 100000;
constexpr int max_depth = 32;

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

    static Tree scalar(const YAML::Node& node, Tree tree) {
        tree.kind = Tree::Kind::scalar;
        tree.scalar = node.Scalar();
        // "!" is what yaml-cpp tags a quoted scalar with; its mark is the quote.
        if (node.Tag() == "!") {
            ++tree.at.column;
        }
        return tree;
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
    try {
        return Converter(file).convert(YAML::Load(text), 0);
    } catch (const YAML::Exception& e) {
        return fail(Position{file, e.mark.line + 1, e.mark.column + 1},
                    "this is not YAML: " + e.msg);
    } catch (const std::exception& e) {
        return fail(Position{file, 0, 0}, std::string("cannot read YAML: ") + e.what());
    }
}

}  // namespace khob::gen
