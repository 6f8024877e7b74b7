// SPDX-License-Identifier: GPL-2.0-only
// The two renderers.
#include "base/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

namespace khob {

namespace {

using Json = nlohmann::ordered_json;

template <typename... F>
struct Overloaded : F... {
    using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

std::string counts(const Counts& v) {
    std::string out;
    for (const auto& [key, count] : v.items) {
        out += fmt::format("{}{}:{}", out.empty() ? "" : " ", key, count);
    }
    return out.empty() ? "-" : out;
}

double round_micro(double millis) {
    return std::round(millis * 1000.0) / 1000.0;
}

}  // namespace

Value::Value(Fields v) : v_(std::make_shared<Fields>(std::move(v))) {}
Value::Value(Table v) : v_(std::make_shared<Table>(std::move(v))) {}

Value& Value::set(std::string name, Value value) {
    if (std::holds_alternative<std::monostate>(v_)) {
        v_ = std::make_shared<Fields>();
    }
    if (auto* fields = std::get_if<std::shared_ptr<Fields>>(&v_)) {
        (*fields)->emplace_back(std::move(name), std::move(value));
    }
    return *this;
}

struct Renderer {
    /// What fits on one line; empty for objects and tables.
    static std::string scalar(const Value& value) {
        return std::visit(Overloaded{
                              [](std::monostate) -> std::string { return "-"; },
                              [](bool v) -> std::string { return v ? "yes" : "no"; },
                              [](std::uint64_t v) { return fmt::format("{}", v); },
                              [](std::int64_t v) { return fmt::format("{}", v); },
                              [](double v) { return fmt::format("{:.3f}", v); },
                              [](const std::string& v) { return v; },
                              [](Address v) { return fmt::format("{:#x}", v.value); },
                              [](Bytes v) {
                                  return v.value < 1024 ? fmt::format("{}", v.value)
                                                        : fmt::format("{} ({})", v.value,
                                                                      human_bytes(v.value));
                              },
                              [](Millis v) { return fmt::format("{:.3f}", v.value); },
                              [](const Counts& v) { return counts(v); },
                              [](const std::shared_ptr<Fields>&) -> std::string { return {}; },
                              [](const std::shared_ptr<Table>&) -> std::string { return {}; },
                          },
                          value.v_);
    }

    static bool right_aligned(const Value& value) {
        return !std::holds_alternative<std::string>(value.v_);
    }

    static bool is_null(const Value& value) {
        return std::holds_alternative<std::monostate>(value.v_);
    }

    static void table(const Table& t, std::string& out) {
        std::vector<std::vector<std::string>> cells;
        std::vector<std::size_t> width;
        for (const std::string& c : t.columns) {
            width.push_back(c.size());
        }
        if (t.last_below) {
            width.pop_back();
        }
        for (const auto& row : t.rows) {
            std::vector<std::string> line;
            for (std::size_t i = 0; i < width.size() && i < row.size(); ++i) {
                line.push_back(scalar(row[i]));
                width[i] = std::max(width[i], line.back().size());
            }
            cells.push_back(std::move(line));
        }
        const auto emit = [&](const std::vector<std::string>& line, const std::vector<Value>* row) {
            std::string text;
            for (std::size_t i = 0; i < line.size(); ++i) {
                const bool right = row != nullptr ? right_aligned((*row)[i])
                                                  : !t.rows.empty() && i < t.rows[0].size() &&
                                                        right_aligned(t.rows[0][i]);
                text += i == 0 ? "" : "  ";
                text += right ? fmt::format("{:>{}}", line[i], width[i])
                              : fmt::format("{:<{}}", line[i], width[i]);
            }
            out += text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
        };
        std::vector<std::string> head = t.columns;
        head.resize(width.size());
        emit(head, nullptr);
        // Under the last column that stays.
        const std::size_t indent = std::accumulate(width.begin(), width.end(), std::size_t{0}) -
                                   (width.empty() ? 0 : width.back()) +
                                   2 * (width.empty() ? 0 : width.size() - 1);
        for (std::size_t i = 0; i < cells.size(); ++i) {
            emit(cells[i], &t.rows[i]);
            const auto& row = t.rows[i];
            if (t.last_below && row.size() == t.columns.size() && !is_null(row.back())) {
                out +=
                    fmt::format("{:{}}{}: {}\n", "", indent, t.columns.back(), scalar(row.back()));
            }
        }
    }

    static void text(const Value& value, const std::string& name, std::string& out) {
        if (const auto* fields = std::get_if<std::shared_ptr<Fields>>(&value.v_)) {
            for (const auto& [key, inner] : **fields) {
                text(inner, name.empty() ? key : fmt::format("{}.{}", name, key), out);
            }
        } else if (const auto* t = std::get_if<std::shared_ptr<Table>>(&value.v_)) {
            if (!name.empty() && !(*t)->rows.empty()) {
                out += name + ":\n";
            }
            if (name.empty() || !(*t)->rows.empty()) {
                table(**t, out);
            }
        } else {
            out += name.empty() ? scalar(value) + "\n" : name + ": " + scalar(value) + "\n";
        }
    }

    static Json json(const Value& value) {
        return std::visit(Overloaded{
                              [](std::monostate) -> Json { return nullptr; },
                              [](bool v) -> Json { return v; },
                              [](std::uint64_t v) -> Json { return v; },
                              [](std::int64_t v) -> Json { return v; },
                              [](double v) -> Json { return v; },
                              [](const std::string& v) -> Json { return v; },
                              [](Address v) -> Json { return v.value; },
                              [](Bytes v) -> Json { return v.value; },
                              [](Millis v) -> Json { return round_micro(v.value); },
                              [](const Counts& v) -> Json {
                                  Json out = Json::object();
                                  for (const auto& [key, count] : v.items) {
                                      out[fmt::format("{}", key)] = count;
                                  }
                                  return out;
                              },
                              [](const std::shared_ptr<Fields>& fields) -> Json {
                                  Json out = Json::object();
                                  for (const auto& [key, inner] : *fields) {
                                      out[key] = json(inner);
                                  }
                                  return out;
                              },
                              [](const std::shared_ptr<Table>& t) -> Json {
                                  Json out = Json::array();
                                  for (const auto& row : t->rows) {
                                      Json object = Json::object();
                                      for (std::size_t i = 0;
                                           i < t->columns.size() && i < row.size(); ++i) {
                                          object[t->columns[i]] = json(row[i]);
                                      }
                                      out.push_back(std::move(object));
                                  }
                                  return out;
                              },
                          },
                          value.v_);
    }
};

std::string Value::text() const {
    std::string out;
    Renderer::text(*this, "", out);
    return out;
}

std::string Value::json() const {
    // Text from files and other kernels may be no UTF-8: replace, never throw.
    return Renderer::json(*this).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string render(const Value& value, Format format) {
    return format == Format::json ? value.json() : value.text();
}

}  // namespace khob
