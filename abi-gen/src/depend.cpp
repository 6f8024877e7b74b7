// SPDX-License-Identifier: GPL-2.0-only
// What depends on the page size or on the version, and in which order it can be
// defined: a language that takes both as parameters needs to know.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "model.hpp"

namespace khob::gen {
namespace {

/// Constants and structs of the schema as a graph; names of the two kinds may be the same.
class Graph {
  public:
    explicit Graph(const Schema& schema) : page_shift_(schema.page_shift.info.name) {
        if (schema.uses) {
            const auto all = dependents(*schema.uses->schema);
            used_.insert(all.begin(), all.end());
        }
        for (const Section& section : schema.sections) {
            for (const Constant& c : section.constants) {
                const auto [node, is_new] =
                    add({Dependent::Kind::constant, c.info.name}, c.info.at);
                // Definitions for different versions are a choice by version.
                node->depends = node->depends || !is_new;
                uses(c.value.expr, *node);
            }
            for (const Struct& s : section.structs) {
                const auto [node, is_new] =
                    add({Dependent::Kind::structure, s.info.name}, s.info.at);
                node->depends = node->depends || s.fields_differ();
                for (const Field& field : s.fields) {
                    node->uses.insert({Dependent::Kind::structure, field.type.value});
                    if (field.length) {
                        uses(field.length->expr, *node);
                    }
                }
            }
        }
    }

    std::vector<Dependent> run() {
        for (const Dependent& element : order_) {
            visit(element);
        }
        return std::move(sorted_);
    }

    /// Those that need themselves, through what different versions make them of.
    Errors cycles() {
        static_cast<void>(run());
        return std::move(cycles_);
    }

  private:
    enum class State { fresh, active, done };

    struct Node {
        std::set<Dependent> uses;
        Position at;
        bool depends = false;
        State state = State::fresh;
    };

    std::pair<Node*, bool> add(const Dependent& element, const Position& position) {
        const auto [at, is_new] = nodes_.emplace(element, Node{{}, position, false, State::fresh});
        if (is_new) {
            order_.push_back(element);
        }
        return {&at->second, is_new};
    }

    void uses(const Expr& expr, Node& node) const {
        if (expr.kind == Expr::Kind::name) {
            node.depends = node.depends || expr.text == page_shift_;
            node.uses.insert({Dependent::Kind::constant, expr.text});
        } else if (expr.kind == Expr::Kind::size_of) {
            node.uses.insert({Dependent::Kind::structure, expr.text});
        }
        for (const Expr& arg : expr.args) {
            uses(arg, node);
        }
    }

    /// Depth first, so that what is used comes first.
    bool visit(const Dependent& element) {
        const auto at = nodes_.find(element);
        if (at == nodes_.end()) {
            return used_.contains(element);  // else a primitive type, or the page size itself
        }
        Node& node = at->second;
        if (node.state == State::active) {
            cycles_.push_back(
                {node.at, fmt::format("'{}' depends on itself, though in no version alone: there "
                                      "is no order in which a language could define it",
                                      element.name)});
        }
        if (node.state != State::fresh) {
            return node.depends;
        }
        node.state = State::active;
        for (const Dependent& used : node.uses) {
            const bool depends = visit(used);
            node.depends = node.depends || depends;
        }
        if (node.depends) {
            sorted_.push_back(element);
        }
        node.state = State::done;
        return node.depends;
    }

    std::string page_shift_;
    std::set<Dependent> used_;  ///< of the schema that is used
    std::map<Dependent, Node> nodes_;
    std::vector<Dependent> order_;
    std::vector<Dependent> sorted_;
    Errors cycles_;
};

}  // namespace

std::vector<Dependent> dependents(const Schema& schema) {
    return Graph(schema).run();
}

void check_order(const Schema& schema, Errors& errors) {
    for (Error& error : Graph(schema).cycles()) {
        errors.push_back(std::move(error));
    }
}

}  // namespace khob::gen
