// SPDX-License-Identifier: GPL-2.0-only
// Expressions of the schema: unsigned 64-bit arithmetic in which every overflow
// is an error, so that a generated constant is never a wrapped one.
//
// Operators as in C, binding from weak to strong: | & (<< >>) (+ -) (* / %).
// Functions: ceil_div(a, b), log2(a) (a must be a power of two), log2_floor(a),
// sizeof(type). A shift by 64 or more is defined: right gives 0, left is an
// error unless the value is 0.
#ifndef KHOB_ABI_GEN_EXPR_HPP
#define KHOB_ABI_GEN_EXPR_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace khob::gen {

/// An error inside an expression; offset counts characters from its start.
struct ExprError {
    std::size_t offset = 0;
    std::string text;
};

struct Expr {
    enum class Kind { number, name, size_of, call, binary };

    Kind kind = Kind::number;
    std::uint64_t number = 0;
    std::string text;        ///< name, type, function or operator
    std::size_t offset = 0;  ///< where it stands
    std::vector<Expr> args;
};

/// Two expressions and how they have to compare: == != < <= > >=.
struct Comparison {
    Expr left;
    std::string op;
    Expr right;
};

tl::expected<Expr, ExprError> parse_expr(std::string_view text);
tl::expected<Comparison, ExprError> parse_comparison(std::string_view text);

/// The expression in reverse Polish notation, words parted by spaces: numbers,
/// names, "sizeof:type", functions and operators behind what they take.
std::string to_rpn(const Expr& expr);

/// Gives names and types their values; an error is one sentence.
struct Scope {
    using Lookup = std::function<tl::expected<std::uint64_t, std::string>(const std::string&)>;
    Lookup name;
    Lookup size_of;
};

tl::expected<std::uint64_t, ExprError> evaluate(const Expr& expr, const Scope& scope);

/// Whether left op right holds; op is one that parse_comparison() accepts.
bool compare(std::uint64_t left, std::string_view op, std::uint64_t right);

}  // namespace khob::gen

#endif  // KHOB_ABI_GEN_EXPR_HPP
