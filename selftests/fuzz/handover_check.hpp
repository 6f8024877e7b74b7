// SPDX-License-Identifier: GPL-2.0-only
// Reads a handover with khob_handover_read() and holds what comes back against the memory.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/handover.h"
#include "handover_edit.hpp"

namespace khob::fuzz {

// NOLINTBEGIN(modernize-use-nullptr): clang-tidy 14 and defaulted comparisons
struct SubtreeSummary {
    std::string name;
    std::uint64_t pa;
    std::uint64_t len;
    std::uint64_t start;
    std::uint64_t end;
    bool gone;
    bool has_digest;
    std::uint64_t digest;
    friend bool operator==(const SubtreeSummary&, const SubtreeSummary&) = default;
};

/// All that a description says.
struct Summary {
    int error = 0;
    std::vector<Folio> spans;  ///< as pages: where, and how many
    std::vector<SubtreeSummary> subtrees;
    std::vector<Folio> data;
    std::uint64_t restored_pages = 0;
    std::uint64_t nr_records = 0;
    std::uint64_t records_digest = 0;
    std::uint32_t kexec_count = 0;
    std::string release;
    friend bool operator==(const Summary&, const Summary&) = default;
};
// NOLINTEND(modernize-use-nullptr)

/// One reading, with the fault that a plan wants.
class Reader {
  public:
    Reader(Memory& memory, const Handover& made, const Editor& editor, const Plan& plan)
        : memory_(memory), made_(made), editor_(editor), plan_(plan) {}

    Summary read() {
        khob_handover h{};
        const khob_handover_ops ops = {.read = read_op,
                                       .interval = interval_op,
                                       .held = made_.way() == Way::held ? held_op : nullptr,
                                       .alloc = alloc_op,
                                       .free = free_op,
                                       .pause = pause_op,
                                       .nodes = node_ops(),
                                       .end_pa = Memory::far.end};
        Summary summary;
        summary.error = khob_handover_read(Handover::chain_pa, &ops, this, &h);
        why_ = static_cast<const char*>(h.why);
        expect_error(h, summary.error);
        expect_spans(h, summary.error);
        expect_bounds();
        if (summary.error == 0) {
            expect_true(h);
            summarise(h, summary);
        }
        khob_handover_free(&h);
        require(live_.empty() && memory_.live() == 0, "whatever was taken is given back");
        return summary;
    }
    /// From now on whoever looks at a byte again sees another one there.
    void change_once_read() { change_ = true; }
    /// Why it was refused, if it was.
    [[nodiscard]] const std::string& why() const { return why_; }
    /// How much was asked for.
    [[nodiscard]] std::uint64_t bytes_read() const { return read_; }

  private:
    Memory& memory_;
    const Handover& made_;
    const Editor& editor_;
    Plan plan_;
    std::map<void*, std::uint64_t> live_;
    std::uint64_t bytes_ = 0;  // that live
    std::uint64_t most_ = 0;
    std::uint64_t read_ = 0;
    unsigned int allocs_ = 0;
    unsigned int pauses_ = 0;
    unsigned int reads_ = 0;
    bool failed_ = false;
    bool change_ = false;
    std::set<std::uint64_t> seen_;
    std::string why_;
    std::vector<Zone> approved_;

    static Reader& self(void* ctx) { return *static_cast<Reader*>(ctx); }

    // 1. What the code may ask for.

    /// Whether the one that is to fail is this one.
    bool fails(unsigned int kind, unsigned int nth) {
        const bool fail = plan_.fault % 4U == kind && nth == plan_.fault_at;
        failed_ = failed_ || fail;
        return fail;
    }
    static int read_op(void* ctx, u64 pa, void* to, u64 len) {
        Reader& r = self(ctx);
        require(len > 0, "what is read is some bytes");
        r.read_ += len;
        if (r.fails(3, r.reads_++)) {
            return -EFAULT;
        }
        if (r.made_.way() == Way::held && pa >= Memory::low.end && !r.all_held(pa, len)) {
            return -EFAULT;
        }
        if (!Memory::read(pa, to, len)) {
            return -EFAULT;
        }
        for (std::uint64_t i = 0; r.change_ && i < len; i++) {
            if (!r.seen_.insert(pa + i).second) {
                static_cast<std::uint8_t*>(to)[i] ^= 0xffU;
            }
        }
        return 0;
    }
    static int interval_op(void* ctx, u64 start, u64 end, const char** why) {
        Reader& r = self(ctx);
        require(start < end && (start | end) % page_bytes == 0, "an interval is whole pages");
        require(r.made_.way() != Way::held, "who asks for intervals has some");
        const bool ram = (Memory::near.holds(start, end) && !Memory::kernel.touches(start, end) &&
                          !Memory::hole.touches(start, end)) ||
                         Memory::far.holds(start, end);
        if (!ram) {
            *why = "it is the kernel's own";
            return -EBADMSG;
        }
        r.approved_.push_back({start, end});
        return 0;
    }
    /// The page that the kernel holds around an address.
    [[nodiscard]] const std::pair<const std::uint64_t, unsigned int>* find_held(
        std::uint64_t pa) const {
        const auto& all = made_.preserved();
        auto at = all.upper_bound(pa);
        if (at == all.begin()) {
            return nullptr;
        }
        --at;
        const bool inside = pa < Folio{at->first, at->second}.end();
        return inside && !editor_.dropped().contains(at->first) ? &*at : nullptr;
    }
    [[nodiscard]] bool all_held(std::uint64_t pa, std::uint64_t len) const {
        if (pa > Memory::far.end || len > Memory::far.end - pa) {
            return false;
        }
        for (std::uint64_t at = pa; at < pa + len;) {
            const auto* page = find_held(at);
            if (page == nullptr) {
                return false;
            }
            at = Folio{page->first, page->second}.end();
        }
        return true;
    }
    static bool held_op(void* ctx, u64 pa, u64* start, unsigned int* order) {
        const auto* page = self(ctx).find_held(pa);
        if (page == nullptr) {
            return false;
        }
        *start = page->first;
        *order = page->second;
        return true;
    }
    static void* alloc_op(void* ctx, u64 bytes) {
        Reader& r = self(ctx);
        require(bytes > 0, "what is allocated is some bytes");
        if (r.fails(1, r.allocs_++)) {
            return nullptr;
        }
        void* p = std::calloc(1, bytes);
        require(p != nullptr, "no allocation is that large");
        r.live_.emplace(p, bytes);
        r.bytes_ += bytes;
        r.most_ = std::max(r.most_, r.bytes_);
        return p;
    }
    static void free_op(void* ctx, void* p) {
        Reader& r = self(ctx);
        if (p == nullptr) {
            return;
        }
        const auto at = r.live_.find(p);
        require(at != r.live_.end(), "what is freed was allocated, once");
        r.bytes_ -= at->second;
        r.live_.erase(at);
        std::free(p);
    }
    static int pause_op(void* ctx) {
        Reader& r = self(ctx);
        return r.fails(2, r.pauses_++) ? -EINTR : 0;
    }
    static void* alloc_node(void* ctx, u64* pa) { return self(ctx).memory_.take_node(pa); }
    static void free_node(void* ctx, void* node, u64 pa) {
        require(node == khob_node_at(pa), "a node is where it was");
        self(ctx).memory_.give_node(pa);
    }
    static const khob_radix_ops* node_ops() {
        static const khob_radix_ops ops = {.alloc_node = alloc_node, .free_node = free_node};
        return &ops;
    }

    // 2. What it may answer.

    void expect_error(const khob_handover& h, int error) const {
        const bool said =
            std::memchr(static_cast<const char*>(h.why), 0, sizeof(h.why)) != nullptr &&
            *static_cast<const char*>(h.why) != '\0';
        switch (error) {
            case 0:
                break;
            case -EBADMSG:
                require(said, "a refusal says why");
                break;
            case -ENOENT:
                require(said && made_.way() == Way::held, "only another KHO's is none of ours");
                break;
            case -ENOMEM:
                require(failed_ && plan_.fault % 4U == 1, "there was memory");
                break;
            case -EINTR:
                require(failed_ && plan_.fault % 4U == 2, "nobody interrupted");
                break;
            default:
                require(false, "errors are those that are documented");
        }
    }
    void expect_spans(const khob_handover& h, int error) const {
        require(error == 0 || h.nr_spans == 0 || made_.way() == Way::bridge,
                "what nobody has proven is no interval");
        for (std::uint64_t i = 0; i < h.nr_spans; i++) {
            const khob_span& s = h.spans[i];
            require(s.start < s.end && (s.start | s.end) % page_bytes == 0,
                    "a span is whole pages");
            require(i == 0 || h.spans[i - 1].end <= s.start, "spans ascend and are apart");
            if (made_.way() == Way::held) {
                require(all_held(s.start, s.end - s.start), "a span is held");
            } else {
                require(std::any_of(approved_.begin(), approved_.end(),
                                    [&s](const Zone& zone) {
                                        return zone.start == s.start && zone.end == s.end;
                                    }),
                        "every interval was asked for");
            }
        }
    }
    /// Time and memory are those of what was handed over.
    void expect_bounds() const {
        std::uint64_t handed = std::uint64_t{2} << 20U;
        for (const Zone& zone : approved_) {
            handed += zone.end - zone.start;
        }
        require(most_ <= 2 * handed, "memory is bounded by what was handed over");
        require(read_ <= 8 * handed, "no more is read than was handed over, some times");
        require(pauses_ <= 64 * handed / page_bytes, "work is bounded by what was handed over");
    }

    // 3. What an accepted description has to be.

    /// Keys of a tree that was found sound, read as simply as can be.
    static void list_tree(std::uint64_t node, unsigned int level, std::uint64_t prefix,
                          std::set<Folio>& keys) {
        std::array<std::uint64_t, KHOB_TABLE_ENTRIES> table{};
        require(Memory::read(node, table.data(), sizeof(table)), "a sound tree is in memory");
        for (std::uint64_t i = 0; i < KHOB_TABLE_ENTRIES; i++) {
            const std::uint64_t word = table.at(i);
            if (level > 0 && word != 0) {
                list_tree(word, level - 1,
                          prefix | i << ((level - 1) * KHOB_TABLE_LOG2 + KHOB_LEAF_LOG2), keys);
                continue;
            }
            for (std::uint64_t bits = level == 0 ? word : 0; bits != 0; bits &= bits - 1) {
                const auto bit = static_cast<std::uint64_t>(std::countr_zero(bits));
                std::uint64_t pa = 0;
                unsigned int order = 0;
                require(khob_key_decode(prefix | i * 64 | bit, &pa, &order) == 0,
                        "a sound tree holds keys");
                keys.insert({pa, order});
            }
        }
    }
    /// Whether folios that are preserved, and held where that can be told, cover all of it.
    [[nodiscard]] bool covered(const std::set<Folio>& keys, std::uint64_t start,
                               std::uint64_t end) const {
        for (const Folio& folio : keys) {
            if (folio.pa <= start && start < folio.end() && is_held(folio)) {
                start = folio.end();
            }
        }
        return start >= end;
    }
    [[nodiscard]] bool is_held(const Folio& folio) const {
        const auto* page = find_held(folio.pa);
        return made_.way() != Way::held ||
               (page != nullptr && Folio{page->first, page->second} == folio);
    }
    static bool apart(const std::set<Folio>& keys) {
        return std::adjacent_find(keys.begin(), keys.end(), [](const Folio& a, const Folio& b) {
                   return a.end() > b.pa;
               }) == keys.end();
    }
    static int note_folio(void* ctx, u64 key) {
        Folio folio{};
        require(khob_key_decode(key, &folio.pa, &folio.order) == 0, "a tree holds keys");
        static_cast<std::vector<Folio>*>(ctx)->push_back(folio);
        return 0;
    }
    static std::vector<Folio> folios(khob_radix& tree) {
        std::vector<Folio> all;
        require(khob_radix_walk(&tree, 0, U64_MAX, note_folio, &all) == 0, "a tree can be walked");
        std::sort(all.begin(), all.end());
        return all;
    }
    static const khob_handed* subtree_around(const khob_handover& h, const Folio& folio) {
        for (std::uint64_t i = 0; i < h.nr_subtrees; i++) {
            if (!h.subtrees[i].gone &&
                Zone{h.subtrees[i].start, h.subtrees[i].end}.holds(folio.pa, folio.end())) {
                return &h.subtrees[i];
            }
        }
        return nullptr;
    }
    void expect_true(khob_handover& h) const {
        std::set<Folio> keys;
        list_tree(h.info.map_pa, KHOB_TREE_DEPTH - 1, 0, keys);
        require(made_.way() == Way::held || apart(keys), "a sound tree holds a page once");
        std::vector<Zone> kept;
        std::uint64_t pages = 0;
        for (const Folio& folio : folios(h.tree)) {
            const khob_handed* sub = subtree_around(h, folio);
            require(sub == nullptr || sub->own_pages != 0,
                    "a folio in a subtree's pages is one of them");
            require(keys.contains(folio), "a folio is in the tree");
            require(is_held(folio), "a folio is held");
            if (sub == nullptr) {
                kept.push_back({folio.pa, folio.end()});
                pages += std::uint64_t{1} << folio.order;
            }
        }
        require(pages == h.pages, "pages are counted");
        for (std::uint64_t i = 0; i < h.nr_subtrees; i++) {
            const khob_handed& sub = h.subtrees[i];
            if (sub.gone) {
                continue;
            }
            require(sub.len > 0 && sub.start <= sub.pa && sub.pa < sub.end &&
                        sub.len <= sub.end - sub.pa,
                    "a blob is in its pages");
            require(sub.wrap_pa == 0 || (sub.start <= sub.wrap_pa && sub.wrap_pa < sub.pa),
                    "what is around a blob is in its pages");
            require(covered(keys, sub.start, sub.end), "every page of a blob is preserved");
            kept.push_back({sub.start, sub.end});
        }
        expect_kept(h, kept);
        expect_metadata(h);
    }
    static void expect_kept(const khob_handover& h, std::vector<Zone>& kept) {
        std::sort(kept.begin(), kept.end(),
                  [](const Zone& a, const Zone& b) { return a.start < b.start; });
        std::uint64_t bits = 0;
        for (std::size_t i = 0; i < kept.size(); i++) {
            require(i == 0 || kept[i - 1].end <= kept[i].start, "no page is kept twice");
            require(khob_handover_span(&h, kept[i].start, kept[i].end) != nullptr,
                    "what is kept was handed over in one piece");
            require(khob_handover_kept(&h, kept[i].start, kept[i].end), "what is kept is noted");
            bits += (kept[i].end - kept[i].start) / page_bytes;
        }
        for (std::uint64_t i = 0; i < h.nr_spans; i++) {
            const khob_span& s = h.spans[i];
            for (std::uint64_t pa = s.start; pa < s.end; pa += page_bytes) {
                bits -= khob_handover_kept(&h, pa, pa + page_bytes) ? 1 : 0;
            }
        }
        require(bits == 0, "nothing else is noted as kept");
    }
    void expect_metadata(const khob_handover& h) const {
        require(h.fdt != nullptr && h.fdt_len >= sizeof(khob_fdt_header), "there is a root FDT");
        for (std::uint64_t i = 0; i < h.nr_chunks; i++) {
            const std::uint64_t end = h.chunks[i].addr + h.chunks[i].size;
            require(i == 0 || h.chunks[i - 1].addr + h.chunks[i - 1].size <= h.chunks[i].addr,
                    "chunks ascend and are apart");
            require(made_.way() == Way::held ||
                        khob_handover_span(&h, h.chunks[i].addr, end) != nullptr,
                    "a chunk was handed over");
        }
        for (const char c : std::string(static_cast<const char*>(h.previous_release))) {
            require(c >= ' ' && c <= '~', "a release can be shown");
        }
    }

    static void summarise(khob_handover& h, Summary& to) {
        for (std::uint64_t i = 0; i < h.nr_spans; i++) {
            to.spans.push_back(
                {h.spans[i].start, static_cast<unsigned int>((h.spans[i].end - h.spans[i].start) >>
                                                             KHOB_PAGE_SHIFT)});
        }
        for (std::uint64_t i = 0; i < h.nr_subtrees; i++) {
            const khob_handed& sub = h.subtrees[i];
            if (std::string(static_cast<const char*>(sub.name)) == KHOB_META_NAME) {
                continue;  // it was used, and is nobody's
            }
            to.subtrees.push_back({static_cast<const char*>(sub.name), sub.pa, sub.len, sub.start,
                                   sub.end, sub.gone, sub.has_digest, sub.digest});
        }
        for (const Folio& folio : folios(h.tree)) {
            if (subtree_around(h, folio) == nullptr) {
                to.data.push_back(folio);
            }
        }
        to.restored_pages = h.restored_pages;
        to.nr_records = h.nr_records;
        to.records_digest =
            h.nr_records == 0 ? 0 : khob_xxh64(h.records, h.nr_records * sizeof(khob_record));
        to.kexec_count = h.kexec_count;
        to.release = static_cast<const char*>(h.previous_release);
    }
};

}  // namespace khob::fuzz
