// SPDX-License-Identifier: GPL-2.0-only
#include "content.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>

#include "trees.hpp"

namespace khob::bench {

namespace {

constexpr unsigned int top = KHOB_TREE_DEPTH - 1;
constexpr unsigned int mixed_max = 10;

/// The same numbers in every run.
std::mt19937_64 seeded() {
    return std::mt19937_64(5489);  // NOLINT(cert-msc32-c,cert-msc51-cpp)
}

bool same(const khob_node* a, const khob_node* b, unsigned int level) {
    if (level == 0) {
        return std::memcmp(a, b, sizeof(*a)) == 0;
    }
    for (std::size_t i = 0; i < KHOB_TABLE_ENTRIES; i++) {
        if ((a->table[i] == 0) != (b->table[i] == 0)) {
            return false;
        }
        if (a->table[i] != 0 &&
            !same(khob_node_at(a->table[i]), khob_node_at(b->table[i]), level - 1)) {
            return false;
        }
    }
    return true;
}

void collect(const khob_node* node, unsigned int level, std::vector<const khob_node*>& leaves) {
    if (level == 0) {
        leaves.push_back(node);
        return;
    }
    for (const auto child : node->table) {
        if (child != 0) {
            collect(khob_node_at(child), level - 1, leaves);
        }
    }
}

std::size_t count(const khob_node* node, unsigned int level) {
    std::size_t nodes = 1;
    for (const auto child : node->table) {
        if (child != 0) {
            nodes += level == 1 ? 1 : count(khob_node_at(child), level - 1);
        }
    }
    return nodes;
}

}  // namespace

bool same_nodes(const khob_node* a, const khob_node* b) {
    return same(a, b, top);
}

std::vector<const khob_node*> leaves_of(const khob_node* root) {
    std::vector<const khob_node*> leaves;
    collect(root, top, leaves);
    return leaves;
}

std::size_t count_nodes(const khob_node* root) {
    return count(root, top);
}

Content::Content(std::vector<std::uint64_t> keys) : keys_(std::move(keys)) {}

Content::Content(std::vector<Extent> extents, Split split)
    : extents_(std::move(extents)), split_(split) {}

Content::~Content() = default;

Upstream& Content::reference() {
    if (reference_) {
        return *reference_;
    }
    reference_ = std::make_unique<Upstream>();
    reference_->add_many(keys_);
    for (const auto& extent : extents_) {
        if (split_ == Split::largest_orders) {
            reference_->add_extent(extent);
        } else {
            reference_->add_pages(extent);
        }
    }
    runs_ = reference_->runs();
    return *reference_;
}

const khob_node* Content::root() {
    return reference().root();
}

const std::vector<Run>& Content::runs() {
    reference();
    return runs_;
}

std::uint64_t Content::nr_keys() {
    std::uint64_t nr = 0;
    for (const auto& run : runs()) {
        nr += run.last - run.first + 1;
    }
    return nr;
}

std::uint64_t Content::sum() {
    std::uint64_t sum = 0;
    for (const auto& run : runs()) {
        for (std::uint64_t key = run.first; key <= run.last; key++) {
            sum += key;
        }
    }
    return sum;
}

double Content::gib() {
    std::uint64_t pages = 0;
    for (const auto& run : runs()) {
        pages += pages_of(run.first).nr * (run.last - run.first + 1);
    }
    return static_cast<double>(pages) * KHOB_PAGE_SIZE / (1U << 30U);
}

std::vector<Extent> Content::ranges() {
    std::vector<Extent> all;
    for (const auto& run : runs()) {
        all.push_back({pages_of(run.first).pfn, run.last - run.first + 1});
    }
    return all;
}

ContentPtr sequential(std::uint64_t nr, std::uint64_t pfn) {
    std::vector<std::uint64_t> keys(nr);
    std::iota(keys.begin(), keys.end(), key_of(pfn));
    return std::make_unique<Content>(std::move(keys));
}

ContentPtr random_pages(std::uint64_t nr) {
    auto random = seeded();
    std::vector<std::uint64_t> keys(nr);
    for (std::uint64_t i = 0; i < nr; i++) {
        keys[i] = key_of(first_pfn + i * random_spread + random() % random_spread);
    }
    std::shuffle(keys.begin(), keys.end(), random);
    return std::make_unique<Content>(std::move(keys));
}

ContentPtr mixed_orders(std::uint64_t nr) {
    auto random = seeded();
    std::vector<std::uint64_t> keys(nr);
    std::uint64_t pfn = first_pfn;
    for (auto& key : keys) {
        const auto order =
            std::min<unsigned int>(khob_first_bit(random() | 1U << mixed_max), mixed_max);
        const std::uint64_t pages = std::uint64_t{1} << order;
        pfn = (pfn + pages - 1) & ~(pages - 1);
        key = key_of(pfn, order);
        pfn += pages;
    }
    return std::make_unique<Content>(std::move(keys));
}

ContentPtr one_a_leaf(std::uint64_t leaves) {
    auto random = seeded();
    std::vector<std::uint64_t> keys(leaves);
    for (std::uint64_t i = 0; i < leaves; i++) {
        keys[i] = key_of(first_pfn + i * KHOB_LEAF_BITS + random() % KHOB_LEAF_BITS);
    }
    return std::make_unique<Content>(std::move(keys));
}

ContentPtr every_other(std::uint64_t nr) {
    std::vector<std::uint64_t> keys(nr);
    for (std::uint64_t i = 0; i < nr; i++) {
        keys[i] = key_of(first_pfn + 2 * i);
    }
    return std::make_unique<Content>(std::move(keys));
}

ContentPtr fragments(std::uint64_t nr, bool shuffled) {
    auto random = seeded();
    std::vector<Extent> extents(nr);
    std::uint64_t pfn = first_pfn;
    for (auto& extent : extents) {
        extent = {pfn, 1 + random() % longest_extent};
        pfn += extent.nr + 1 + random() % longest_extent;
    }
    if (shuffled) {
        std::shuffle(extents.begin(), extents.end(), random);
    }
    return std::make_unique<Content>(std::move(extents), Split::largest_orders);
}

ContentPtr dense(std::uint64_t nr) {
    return std::make_unique<Content>(std::vector<Extent>{{first_pfn, nr}}, Split::pages);
}

}  // namespace khob::bench
