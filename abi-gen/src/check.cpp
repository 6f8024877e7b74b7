// SPDX-License-Identifier: GPL-2.0-only
// Stage 3: the invariants, and the proof that keys can be decoded.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "model.hpp"
#include "reader.hpp"

namespace khob::gen {
namespace {

constexpr std::uint64_t address_bits = 64;

/// Names of the schema's constants, and free variables in front of them.
class Evaluator {
  public:
    Evaluator(const Schema& schema, const Resolved& resolved)
        : schema_(schema), resolved_(resolved) {}

    void set(const std::string& name, std::uint64_t value) { free_[name] = value; }

    [[nodiscard]] tl::expected<std::uint64_t, ExprError> operator()(const Expr& expr) const {
        return evaluate(expr, Scope{[this](const std::string& n) { return name(n); },
                                    [this](const std::string& t) { return size_of(t); }});
    }

    [[nodiscard]] std::string context() const {
        return schema_.context(resolved_.version, resolved_.page_shift);
    }

  private:
    [[nodiscard]] tl::expected<std::uint64_t, std::string> name(const std::string& name) const {
        if (const auto at = free_.find(name); at != free_.end()) {
            return at->second;
        }
        if (name == schema_.page_shift.info.name) {
            return resolved_.page_shift;
        }
        for (const auto* all : {&resolved_.constants, &resolved_.used_constants}) {
            if (const auto at = all->find(name); at != all->end()) {
                return at->second;
            }
        }
        return tl::unexpected<std::string>(fmt::format("there is no constant '{}'", name));
    }

    [[nodiscard]] tl::expected<std::uint64_t, std::string> size_of(const std::string& type) const {
        for (const auto* all : {&resolved_.structs, &resolved_.used_structs}) {
            if (const auto at = all->find(type); at != all->end()) {
                return at->second.size;
            }
        }
        if (const auto size = primitive_size(type)) {
            return *size;
        }
        return tl::unexpected<std::string>(fmt::format("there is no type '{}'", type));
    }

    const Schema& schema_;
    const Resolved& resolved_;
    std::map<std::string, std::uint64_t> free_;
};

std::string replace_all(std::string text, const std::string& what, const std::string& with) {
    for (std::size_t at = text.find(what); at != std::string::npos;
         at = text.find(what, at + with.size())) {
        text.replace(at, what.size(), with);
    }
    return text;
}

/// Addresses worth a test for pages of 2^shift bytes: both ends of the space,
/// the ends of what x86-64 can address physically (46 and 52 bits), and bit
/// patterns that give every index bit both values.
std::vector<std::uint64_t> addresses(std::uint64_t shift) {
    if (shift >= address_bits) {
        return {0};
    }
    constexpr std::uint64_t one = 1;
    const std::uint64_t size = one << shift;
    const std::uint64_t mask = ~(size - 1);
    constexpr std::uint64_t bits46 = (one << 46U) - 1;
    constexpr std::uint64_t bits52 = (one << 52U) - 1;
    constexpr std::uint64_t odd_bits = 0xaaaaaaaaaaaaaaaaULL;
    constexpr std::uint64_t digits = 0x0123456789abcdefULL;
    std::set<std::uint64_t> all;
    for (const std::uint64_t wanted :
         {std::uint64_t{0}, size, bits46, bits52, bits52 + 1, digits, ~digits, odd_bits,
          odd_bits >> 1U, UINT64_MAX >> 1U, one << 63U, UINT64_MAX - size, UINT64_MAX}) {
        all.insert(wanted & mask);
    }
    return {all.begin(), all.end()};
}

class VectorMaker {
  public:
    VectorMaker(const Schema& schema, const Resolved& resolved)
        : key_(*schema.key), evaluator_(schema, resolved) {
        page_shift_ = resolved.page_shift;
    }

    Result<std::vector<Vector>> run() {
        const auto order_max = needed("order_max");
        const auto depth = needed("tree_depth");
        const auto key_width = needed("key_width");
        const auto leaf_log2 = needed("leaf_log2");
        const auto table_log2 = needed("table_log2");
        if (!order_max || !depth || !key_width || !leaf_log2 || !table_log2 || *depth == 0) {
            return fail(key_.info.at,
                        "the key needs the constants order_max, tree_depth, key_width, leaf_log2 "
                        "and table_log2");
        }
        leaf_log2_ = *leaf_log2;
        table_log2_ = *table_log2;
        if (*order_max > address_bits - page_shift_) {
            return fail(key_.info.at,
                        fmt::format("order_max is {}: pages of 2^{} bytes have an address of {} "
                                    "bits up to order {} ({})",
                                    *order_max, page_shift_, address_bits,
                                    address_bits - page_shift_, evaluator_.context()));
        }
        if (*depth > address_bits) {
            return fail(key_.info.at,
                        fmt::format("tree_depth is {}: a key has {} bits, and each level indexes "
                                    "one at least ({})",
                                    *depth, address_bits, evaluator_.context()));
        }
        for (std::uint64_t order = 0; order <= *order_max; ++order) {
            for (const std::uint64_t pa : addresses(page_shift_ + order)) {
                if (auto made = add(pa, order, *depth, *key_width); !made) {
                    return tl::unexpected<Errors>(std::move(made.error()));
                }
            }
        }
        return std::move(vectors_);
    }

  private:
    std::optional<std::uint64_t> needed(const std::string& name) {
        const auto value = evaluator_(Expr{Expr::Kind::name, 0, name, 0, {}});
        return value ? std::optional<std::uint64_t>(*value) : std::nullopt;
    }

    Result<std::uint64_t> value(const SchemaExpr& expr, const std::string& what) {
        const auto result = evaluator_(expr.expr);
        if (!result) {
            return fail(
                inside(expr.at, result.error().offset),
                fmt::format("{}: {} ({})", what, result.error().text, evaluator_.context()));
        }
        return *result;
    }

    Result<void> add(std::uint64_t pa, std::uint64_t order, std::uint64_t depth,
                     std::uint64_t key_width) {
        const std::string page = fmt::format("page {:#x} of order {}", pa, order);
        evaluator_.set("pa", pa);
        evaluator_.set("order", order);
        auto key = value(key_.encode, page);
        if (!key) {
            return tl::unexpected<Errors>(std::move(key.error()));
        }
        if (key_width < address_bits && *key >> key_width != 0) {
            return fail(key_.encode.at, fmt::format("{} has the key {:#x}, more than {} bits ({})",
                                                    page, *key, key_width, evaluator_.context()));
        }
        const auto [owner, is_new] = owners_.emplace(*key, page);
        if (!is_new) {
            return fail(key_.encode.at, fmt::format("{} and {} have the same key {:#x} ({})", page,
                                                    owner->second, *key, evaluator_.context()));
        }
        evaluator_.set("key", *key);
        if (auto undone = decodes_to(pa, order, page); !undone) {
            return undone;
        }
        Vector vector{pa, order, *key, {}};
        for (std::uint64_t level = 0; level < depth; ++level) {
            evaluator_.set("level", level);
            auto index = value(level == 0 ? key_.leaf_index : key_.node_index, page);
            if (!index) {
                return tl::unexpected<Errors>(std::move(index.error()));
            }
            if (auto fits = fits_table(*index, level, page); !fits) {
                return fits;
            }
            vector.index.push_back(*index);
        }
        if (const auto [other, first] = paths_.emplace(vector.index, page); !first) {
            return fail(key_.node_index.at,
                        fmt::format("{} and {} have the same place in a tree of {} levels ({})",
                                    page, other->second, depth, evaluator_.context()));
        }
        vectors_.push_back(std::move(vector));
        return {};
    }

    Result<void> decodes_to(std::uint64_t pa, std::uint64_t order, const std::string& page) {
        const auto decoded_order = value(key_.decode_order, page);
        const auto decoded_pa = value(key_.decode_pa, page);
        if (!decoded_order || !decoded_pa) {
            return tl::unexpected<Errors>(!decoded_order ? decoded_order.error()
                                                         : decoded_pa.error());
        }
        if (*decoded_order != order || *decoded_pa != pa) {
            return fail(key_.decode_pa.at,
                        fmt::format("{} is decoded to page {:#x} of order {} ({})", page,
                                    *decoded_pa, *decoded_order, evaluator_.context()));
        }
        return {};
    }

    /// An index is one of its table's entries, or of the leaf's bits.
    [[nodiscard]] Result<void> fits_table(std::uint64_t index, std::uint64_t level,
                                          const std::string& page) const {
        const std::uint64_t bits = level == 0 ? leaf_log2_ : table_log2_;
        if (bits < address_bits && index >> bits != 0) {
            return fail(
                (level == 0 ? key_.leaf_index : key_.node_index).at,
                fmt::format("{} has the index {} at level {}, which has {} entries ({})", page,
                            index, level, std::uint64_t{1} << bits, evaluator_.context()));
        }
        return {};
    }

    const Key& key_;
    Evaluator evaluator_;
    std::uint64_t page_shift_ = 0;
    std::uint64_t leaf_log2_ = 0;
    std::uint64_t table_log2_ = 0;
    std::map<std::uint64_t, std::string> owners_;
    std::map<std::vector<std::uint64_t>, std::string> paths_;
    std::vector<Vector> vectors_;
};

}  // namespace

Result<std::vector<Vector>> make_vectors(const Schema& schema, const Resolved& resolved) {
    return VectorMaker(schema, resolved).run();
}

Result<std::vector<std::optional<Sides>>> check(const Schema& schema, const Resolved& resolved) {
    const Evaluator evaluator(schema, resolved);
    std::vector<std::optional<Sides>> all;
    Errors errors = schema.device ? check_device(schema, resolved) : Errors();
    for (const Invariant& invariant : schema.invariants) {
        all.emplace_back();
        if (invariant.text.empty() || !invariant.info.in_version(resolved.version)) {
            continue;
        }
        const auto left = evaluator(invariant.holds.left);
        const auto right = evaluator(invariant.holds.right);
        if (!left || !right) {
            const ExprError& error = left ? right.error() : left.error();
            errors.push_back({inside(invariant.holds_at, error.offset),
                              fmt::format("invariant {}: {} ({})", invariant.info.name, error.text,
                                          evaluator.context())});
            continue;
        }
        if (!compare(*left, invariant.holds.op, *right)) {
            std::string sentence = replace_all(invariant.fails, "{left}", std::to_string(*left));
            sentence = replace_all(std::move(sentence), "{right}", std::to_string(*right));
            errors.push_back({invariant.holds_at,
                              fmt::format("invariant {} fails for {}: {}", invariant.info.name,
                                          evaluator.context(), sentence)});
            continue;
        }
        all.back() = Sides{resolved.version, *left, *right};
    }
    // A key that loses bits makes vectors meaningless: the invariant says more.
    if (errors.empty() && schema.key) {
        if (const auto vectors = make_vectors(schema, resolved); !vectors) {
            errors = vectors.error();
        }
    }
    if (!errors.empty()) {
        return tl::unexpected<Errors>(std::move(errors));
    }
    return all;
}

}  // namespace khob::gen
