// SPDX-License-Identifier: GPL-2.0-only
// What khoctl prints, before it is known how: one model of typed values, one
// renderer for people and one for programs. No caller asks which it will be.
#ifndef KHOB_VALUE_HPP
#define KHOB_VALUE_HPP

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/types.hpp"

namespace khob {

/// A physical address: 0x hex as text, a number in JSON.
struct Address {
    std::uint64_t value = 0;
};

/// A number of bytes: also in binary units as text, a number in JSON.
struct Bytes {
    std::uint64_t value = 0;
};

/// A time: milliseconds with three digits behind the point as text, a number in JSON.
struct Millis {
    double value = 0;
};

/// Counts under numbers (folios of each order): "0:12 3:4" as text, an object in JSON.
struct Counts {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> items;
};

class Value;

/// Named values in a fixed order.
using Fields = std::vector<std::pair<std::string, Value>>;

/// Rows of values under named columns; an array of objects in JSON.
struct Table {
    std::vector<std::string> columns;
    std::vector<std::vector<Value>> rows;
    /// Text: the last column's values go under their rows, behind its name; null ones nowhere.
    bool last_below = false;
};

class Value {
  public:
    Value() = default;  ///< null; "-" as text
    Value(bool v) : v_(v) {}
    Value(std::uint64_t v) : v_(v) {}
    Value(int v) : v_(static_cast<std::int64_t>(v)) {}
    Value(double v) : v_(v) {}
    Value(std::string v) : v_(std::move(v)) {}
    Value(std::string_view v) : v_(std::string(v)) {}
    Value(const char* v) : v_(std::string(v)) {}
    Value(Address v) : v_(v) {}
    Value(PhysAddr v) : v_(Address{v.value()}) {}
    Value(Bytes v) : v_(v) {}
    Value(Millis v) : v_(v) {}
    Value(Counts v) : v_(std::move(v)) {}
    Value(Fields v);
    Value(Table v);

    /// For an object: adds a field. Turns null into an object.
    Value& set(std::string name, Value value);

    /// Text: "name: value" lines (nested names joined by dots), tables with aligned columns.
    std::string text() const;
    /// JSON, indented by two, with a final newline.
    std::string json() const;

  private:
    using Any = std::variant<std::monostate, bool, std::uint64_t, std::int64_t, double, std::string,
                             Address, Bytes, Millis, Counts, std::shared_ptr<Fields>,
                             std::shared_ptr<Table>>;
    friend struct Renderer;
    Any v_;
};

/// How results are shown.
enum class Format { text, json };

/// The value as `format` wants it, with a final newline.
std::string render(const Value& value, Format format);

}  // namespace khob

#endif  // KHOB_VALUE_HPP
