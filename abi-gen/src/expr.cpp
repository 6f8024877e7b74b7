// SPDX-License-Identifier: GPL-2.0-only
// Parser and evaluator of the schema's expressions.
#include "expr.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <charconv>
#include <optional>
#include <span>
#include <utility>

namespace khob::gen {
namespace {

using ExprResult = tl::expected<Expr, ExprError>;
using Value = tl::expected<std::uint64_t, ExprError>;

// They bound how deep parsing, evaluation and destruction recurse.
constexpr int max_nesting = 64;
constexpr int max_operators = 100;
constexpr std::size_t max_length = 1000;
constexpr unsigned value_bits = 64;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_name_char(char c) {
    return is_name_start(c) || is_digit(c);
}

tl::unexpected<ExprError> error_at(std::size_t offset, std::string text) {
    return tl::unexpected<ExprError>(ExprError{offset, std::move(text)});
}

class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    ExprResult whole() {
        auto expr = binary(0, 0);
        if (!expr) {
            return expr;
        }
        if (auto end = at_end(); !end) {
            return tl::unexpected<ExprError>(end.error());
        }
        return expr;
    }

    tl::expected<Comparison, ExprError> comparison() {
        static constexpr std::array<std::string_view, 6> ops = {"==", "!=", "<=", ">=", "<", ">"};
        auto left = binary(0, 0);
        if (!left) {
            return tl::unexpected<ExprError>(left.error());
        }
        const auto op = take_one_of(ops);
        if (!op) {
            return error_at(pos_, "expected one of == != <= >= < >");
        }
        auto right = binary(0, 0);
        if (!right) {
            return tl::unexpected<ExprError>(right.error());
        }
        if (auto end = at_end(); !end) {
            return tl::unexpected<ExprError>(end.error());
        }
        return Comparison{std::move(*left), std::string(*op), std::move(*right)};
    }

  private:
    static constexpr std::array<std::string_view, 1> or_ops = {"|"};
    static constexpr std::array<std::string_view, 1> and_ops = {"&"};
    static constexpr std::array<std::string_view, 2> shift_ops = {"<<", ">>"};
    static constexpr std::array<std::string_view, 2> sum_ops = {"+", "-"};
    static constexpr std::array<std::string_view, 3> product_ops = {"*", "/", "%"};
    static constexpr std::size_t levels = 5;

    static std::span<const std::string_view> ops_of(std::size_t level) {
        switch (level) {
            case 0:
                return or_ops;
            case 1:
                return and_ops;
            case 2:
                return shift_ops;
            case 3:
                return sum_ops;
            default:
                return product_ops;
        }
    }

    void skip_space() {
        while (pos_ < text_.size() && (text_[pos_] == ' ' || text_[pos_] == '\n')) {
            ++pos_;
        }
    }

    bool take(std::string_view token) {
        skip_space();
        if (!text_.substr(pos_).starts_with(token)) {
            return false;
        }
        pos_ += token.size();
        return true;
    }

    std::optional<std::string_view> take_one_of(std::span<const std::string_view> tokens) {
        for (const auto token : tokens) {
            if (take(token)) {
                return token;
            }
        }
        return std::nullopt;
    }

    tl::expected<void, ExprError> at_end() {
        skip_space();
        if (pos_ == text_.size()) {
            return {};
        }
        return error_at(pos_, fmt::format("unexpected '{}'", text_[pos_]));
    }

    ExprResult binary(std::size_t level, int nesting) {
        if (level == levels) {
            return primary(nesting);
        }
        auto left = binary(level + 1, nesting);
        while (left) {
            skip_space();
            const std::size_t offset = pos_;
            const auto op = take_one_of(ops_of(level));
            if (!op) {
                break;
            }
            if (++operators_ > max_operators) {
                return error_at(offset, fmt::format("more than {} operators", max_operators));
            }
            auto right = binary(level + 1, nesting);
            if (!right) {
                return right;
            }
            Expr both{Expr::Kind::binary, 0, std::string(*op), offset, {}};
            both.args.push_back(std::move(*left));
            both.args.push_back(std::move(*right));
            left = std::move(both);
        }
        return left;
    }

    ExprResult primary(int nesting) {
        if (nesting > max_nesting) {
            return error_at(pos_, fmt::format("more than {} nested parentheses", max_nesting));
        }
        if (take("(")) {
            auto inner = binary(0, nesting + 1);
            if (inner && !take(")")) {
                return error_at(pos_, "expected ')'");
            }
            return inner;
        }
        skip_space();
        if (pos_ == text_.size()) {
            return error_at(pos_, "the expression ends where a value is expected");
        }
        if (is_digit(text_[pos_])) {
            return number();
        }
        if (is_name_start(text_[pos_])) {
            return name(nesting);
        }
        return error_at(pos_, fmt::format("expected a value, found '{}'", text_[pos_]));
    }

    std::string_view word() {
        const std::size_t start = pos_;
        while (pos_ < text_.size() && is_name_char(text_[pos_])) {
            ++pos_;
        }
        return text_.substr(start, pos_ - start);
    }

    ExprResult number() {
        const std::size_t offset = pos_;
        const std::string_view all = word();
        const bool hex = all.starts_with("0x") || all.starts_with("0X");
        const std::string_view digits = hex ? all.substr(2) : all;
        if (!hex && digits.size() > 1 && digits.front() == '0') {
            return error_at(offset, fmt::format("'{}' has a leading zero", all));
        }
        std::uint64_t value = 0;
        const auto [end, code] =
            std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
        if (code == std::errc::result_out_of_range) {
            return error_at(offset, fmt::format("'{}' does not fit in 64 bits", all));
        }
        if (code != std::errc() || end != digits.data() + digits.size()) {
            return error_at(offset, fmt::format("'{}' is not a number", all));
        }
        return Expr{Expr::Kind::number, value, {}, offset, {}};
    }

    ExprResult name(int nesting) {
        const std::size_t offset = pos_;
        const std::string text(word());
        if (!take("(")) {
            return Expr{Expr::Kind::name, 0, text, offset, {}};
        }
        return text == "sizeof" ? size_of(offset) : call(text, offset, nesting);
    }

    ExprResult size_of(std::size_t offset) {
        skip_space();
        const std::string type(word());
        if (type.empty() || !is_name_start(type.front()) || !take(")")) {
            return error_at(offset, "sizeof takes the name of a type");
        }
        return Expr{Expr::Kind::size_of, 0, type, offset, {}};
    }

    ExprResult call(const std::string& function, std::size_t offset, int nesting) {
        std::size_t wanted = 0;
        if (function == "ceil_div") {
            wanted = 2;
        } else if (function == "log2" || function == "log2_floor") {
            wanted = 1;
        } else {
            return error_at(offset, fmt::format("there is no function '{}'", function));
        }
        Expr expr{Expr::Kind::call, 0, function, offset, {}};
        do {
            auto arg = binary(0, nesting + 1);
            if (!arg) {
                return arg;
            }
            expr.args.push_back(std::move(*arg));
        } while (take(","));
        if (!take(")")) {
            return error_at(pos_, "expected ')'");
        }
        if (expr.args.size() != wanted) {
            return error_at(offset, fmt::format("{} takes {} arguments, not {}", function, wanted,
                                                expr.args.size()));
        }
        return expr;
    }

    std::string_view text_;
    std::size_t pos_ = 0;
    int operators_ = 0;
};

Value shift_left(std::uint64_t a, std::uint64_t b, std::size_t offset) {
    if (a == 0) {
        return 0;
    }
    if (b >= value_bits || (a << b) >> b != a) {
        return error_at(offset, fmt::format("{} << {} does not fit in 64 bits", a, b));
    }
    return a << b;
}

Value divide(std::uint64_t a, const std::string& op, std::uint64_t b, std::size_t offset) {
    if (b == 0) {
        return error_at(offset, fmt::format("{} {} 0 divides by zero", a, op));
    }
    return op == "/" ? a / b : a % b;
}

Value apply(std::uint64_t a, const std::string& op, std::uint64_t b, std::size_t offset) {
    std::uint64_t result = 0;
    switch (op.front()) {
        case '|':
            return a | b;
        case '&':
            return a & b;
        case '<':
            return shift_left(a, b, offset);
        case '>':
            return b >= value_bits ? 0 : a >> b;
        case '+':
            if (__builtin_add_overflow(a, b, &result)) {
                return error_at(offset, fmt::format("{} + {} does not fit in 64 bits", a, b));
            }
            return result;
        case '-':
            if (b > a) {
                return error_at(offset, fmt::format("{} - {} is less than zero", a, b));
            }
            return a - b;
        case '*':
            if (__builtin_mul_overflow(a, b, &result)) {
                return error_at(offset, fmt::format("{} * {} does not fit in 64 bits", a, b));
            }
            return result;
        default:
            return divide(a, op, b, offset);
    }
}

Value call_function(const std::string& function, std::span<const std::uint64_t> args,
                    std::size_t offset) {
    const std::uint64_t a = args.front();
    if (function == "ceil_div") {
        const std::uint64_t b = args.back();
        if (b == 0) {
            return error_at(offset, fmt::format("ceil_div({}, 0) divides by zero", a));
        }
        return a / b + (a % b != 0 ? 1 : 0);
    }
    if (a == 0) {
        return error_at(offset, fmt::format("{}(0) has no value", function));
    }
    if (function == "log2" && !std::has_single_bit(a)) {
        return error_at(offset, fmt::format("log2({}): not a power of two", a));
    }
    return static_cast<std::uint64_t>(std::bit_width(a)) - 1;
}

Value look_up(const Scope::Lookup& lookup, const Expr& expr) {
    auto value = lookup(expr.text);
    if (!value) {
        return error_at(expr.offset, std::move(value.error()));
    }
    return *value;
}

}  // namespace

tl::expected<Expr, ExprError> parse_expr(std::string_view text) {
    if (text.size() > max_length) {
        return error_at(max_length, fmt::format("more than {} characters", max_length));
    }
    return Parser(text).whole();
}

tl::expected<Comparison, ExprError> parse_comparison(std::string_view text) {
    if (text.size() > max_length) {
        return error_at(max_length, fmt::format("more than {} characters", max_length));
    }
    return Parser(text).comparison();
}

std::string to_rpn(const Expr& expr) {
    if (expr.kind == Expr::Kind::number) {
        return fmt::format("{}", expr.number);
    }
    std::string words;
    for (const Expr& arg : expr.args) {
        words += to_rpn(arg) + " ";
    }
    return words + (expr.kind == Expr::Kind::size_of ? "sizeof:" : "") + expr.text;
}

tl::expected<std::uint64_t, ExprError> evaluate(const Expr& expr, const Scope& scope) {
    switch (expr.kind) {
        case Expr::Kind::number:
            return expr.number;
        case Expr::Kind::name:
            return look_up(scope.name, expr);
        case Expr::Kind::size_of:
            return look_up(scope.size_of, expr);
        case Expr::Kind::call:
        case Expr::Kind::binary:
            break;
    }
    std::vector<std::uint64_t> args;
    for (const Expr& arg : expr.args) {
        auto value = evaluate(arg, scope);
        if (!value) {
            return value;
        }
        args.push_back(*value);
    }
    return expr.kind == Expr::Kind::call ? call_function(expr.text, args, expr.offset)
                                         : apply(args.front(), expr.text, args.back(), expr.offset);
}

bool compare(std::uint64_t left, std::string_view op, std::uint64_t right) {
    if (op == "==") {
        return left == right;
    }
    if (op == "!=") {
        return left != right;
    }
    if (op == "<=") {
        return left <= right;
    }
    if (op == ">=") {
        return left >= right;
    }
    return op == "<" ? left < right : left > right;
}

}  // namespace khob::gen
