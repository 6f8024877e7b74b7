// SPDX-License-Identifier: GPL-2.0-only
// Damages a handover as a plan says, and mends the digests that are to be mended.
#pragma once

#include <set>
#include <vector>

#include "core/check.h"
#include "handover_image.hpp"

namespace khob::fuzz {

class Editor {
  public:
    Editor(Memory& memory, const Handover& made) : memory_(memory), made_(made) {}

    /// The parts that were changed, and whether pages were taken from the kernel that holds them.
    [[nodiscard]] bool touched(Part part) const { return touched_.contains(part); }
    [[nodiscard]] const std::set<std::uint64_t>& dropped() const { return dropped_; }

    void apply(const Edit& edit) {
        if (static_cast<How>(edit.how % static_cast<unsigned>(How::count)) == How::drop) {
            drop(edit);
            return;
        }
        const Piece piece = pick(edit.where, edit.at);
        const std::uint64_t offset = edit.at % piece.len;
        touched_.insert(piece.part);
        switch (static_cast<How>(edit.how % static_cast<unsigned>(How::count))) {
            case How::flip:
                *memory_.write(piece.pa + offset, 1) ^=
                    static_cast<std::uint8_t>(1U << (edit.value % 8U));
                break;
            case How::set:
                set_word(word(piece, offset), meaning(edit.value));
                break;
            case How::add: {
                const std::uint64_t at = word(piece, offset);
                const auto by = static_cast<std::int32_t>(edit.value);
                set_word(at, Memory::load<std::uint64_t>(at) +
                                 static_cast<std::uint64_t>(std::int64_t{by}));
                break;
            }
            case How::copy_page:
                copy_page(piece, edit.value, false);
                break;
            case How::swap:
                copy_page(piece, edit.value, true);
                break;
            case How::cut:
                std::memset(memory_.write(piece.pa + offset, piece.len - offset), 0,
                            piece.len - offset);
                break;
            default:
                repeat(piece, offset, edit.value);
                break;
        }
    }

    void mend(std::uint8_t what) {
        if (made_.meta() != 0) {
            mend_sums(what);
        }
        if (made_.seal() != 0) {
            mend_seal(what);
        }
    }

  private:
    Memory& memory_;
    const Handover& made_;
    std::set<Part> touched_;
    std::set<std::uint64_t> dropped_;

    /// One of the pieces of that part; any one if there is none of it.
    [[nodiscard]] Piece pick(unsigned int where, unsigned int which) const {
        const auto part = static_cast<Part>(where % static_cast<unsigned>(Part::count));
        if (part == Part::anywhere) {
            constexpr std::uint64_t pages = Memory::near.end / page_bytes;
            return {part, page_bytes * ((which >> 3U) % pages), page_bytes};
        }
        std::vector<Piece> found;
        for (const Piece& piece : made_.pieces()) {
            if (piece.part == part) {
                found.push_back(piece);
            }
        }
        const auto& all = found.empty() ? made_.pieces() : found;
        // So that the offset and the choice do not hang together too much.
        return all[(which / 7U + where / static_cast<unsigned>(Part::count)) % all.size()];
    }
    /// An aligned word of a piece; structures and tables are made of these.
    static std::uint64_t word(const Piece& piece, std::uint64_t offset) {
        return std::min((piece.pa + offset) & ~std::uint64_t{3},
                        Memory::near.end - sizeof(std::uint64_t));
    }
    void set_word(std::uint64_t at, std::uint64_t value) { memory_.store(at, value); }
    [[nodiscard]] std::uint64_t meaning(std::uint32_t value) const {
        const std::uint32_t rest = value >> 3U;
        switch (value % 8U) {
            case 0:
                return 0;
            case 1:
                return ~std::uint64_t{0};
            case 2:
                return ~std::uint64_t{0} << (rest % 64U);
            case 3:
                return std::uint64_t{1} << (rest % 64U);
            case 4:
                return made_.pieces()[rest % made_.pieces().size()].pa;
            case 5:
                return page_bytes * (rest % (Memory::near.end / page_bytes));
            case 6:
                return Memory::far.start + page_bytes * (rest % 64U);
            default:
                return rest;
        }
    }
    void copy_page(const Piece& piece, std::uint32_t value, bool both) {
        const Piece& other = made_.pieces()[value % made_.pieces().size()];
        touched_.insert(both ? other.part : piece.part);
        const std::uint64_t from = other.pa & -page_bytes;
        const std::uint64_t to = piece.pa & -page_bytes;
        // Whatever shares a page is touched as well.
        note_page(to);
        if (both) {
            note_page(from);
        }
        std::vector<std::uint8_t> was(page_bytes);
        std::memcpy(was.data(), memory_.write(to, page_bytes), page_bytes);
        std::memmove(memory_.write(to, page_bytes), memory_.write(from, page_bytes), page_bytes);
        if (both) {
            std::memcpy(memory_.write(from, page_bytes), was.data(), page_bytes);
        }
    }
    void note_page(std::uint64_t page) {
        for (const Piece& piece : made_.pieces()) {
            if (piece.pa < page + page_bytes && piece.pa + piece.len > page) {
                touched_.insert(piece.part);
            }
        }
    }
    void repeat(const Piece& piece, std::uint64_t offset, std::uint32_t value) {
        const std::uint64_t wanted = std::uint64_t{8} * (1 + value % 8U);
        const std::uint64_t len = std::min(wanted, piece.len - offset);
        const std::uint64_t room = piece.len - offset;
        if (2 * len <= room) {
            std::memcpy(memory_.write(piece.pa + offset + len, len),
                        memory_.write(piece.pa + offset, len), len);
        }
    }
    void drop(const Edit& edit) {
        const auto& all = made_.preserved();
        auto at = all.begin();
        std::advance(at, edit.at % all.size());
        dropped_.insert(at->first);
    }

    // Digests, as whoever hands over makes them.

    struct Walk {
        std::set<std::uint64_t> seen;
        khob_node node;
    };
    static const void* walk_node(void* ctx, u64 pa, unsigned int /*level*/, const char** /*why*/) {
        auto& walk = *static_cast<Walk*>(ctx);
        const bool fresh = walk.seen.insert(pa).second;
        return fresh && Memory::readable(pa, page_bytes) && pa < Memory::near.end ? khob_node_at(pa)
                                                                                  : nullptr;
    }
    static int walk_key(void* /*ctx*/, u64 /*pa*/, unsigned int /*order*/, const char** /*why*/) {
        return 0;
    }
    static khob_check_result sum_tree(std::uint64_t root) {
        static const khob_check_ops ops = {.node = walk_node, .key = walk_key, .word = nullptr};
        constexpr khob_check_limits limits = {.end_pa = Memory::far.end, .max_nodes = 200};
        Walk walk{};
        khob_check_result result{};
        khob_check_tree(root, &ops, &walk, &limits, &result);
        return result;
    }
    void mend_sums(std::uint8_t what) {
        const std::uint64_t pa = made_.meta();
        auto meta = Memory::load<khob_meta>(pa);
        if ((what & mend_tree) != 0) {
            khob_fdt_info info{};
            const int err = khob_fdt_read(khob_user_ram.bytes + made_.fdt(), made_.fdt_len(), &info,
                                          nullptr, nullptr);
            const auto sums = sum_tree(err == 0 ? info.map_pa : made_.root());
            meta.tree_digest = sums.digest;
            meta.nr_keys = sums.nr_keys;
            meta.nr_nodes = sums.nr_nodes;
        }
        if ((what & mend_others) != 0 && meta.others_root != 0) {
            meta.others_digest = sum_tree(meta.others_root).digest;
        }
        if ((what & mend_fdt) != 0) {
            meta.fdt_digest = khob_xxh64(khob_user_ram.bytes + made_.fdt(), made_.fdt_len());
        }
        if ((what & mend_records) != 0 && made_.records() != 0) {
            meta.records_digest =
                khob_xxh64(khob_user_ram.bytes + made_.records(), made_.records_len());
        }
        memory_.store(pa, meta);
        if ((what & mend_meta) != 0 && meta.nr_chunks <= 64) {
            const std::size_t len = sizeof(meta) + meta.nr_chunks * sizeof(khob_chunk);
            std::vector<std::uint64_t> copy(len / sizeof(std::uint64_t));
            std::memcpy(copy.data(), khob_user_ram.bytes + pa, len);
            memory_.store(pa + offsetof(khob_meta, digest),
                          khob_meta_digest(reinterpret_cast<khob_meta*>(copy.data())));
        }
    }
    static int read_chain(void* /*ctx*/, u64 pa, void* to, size_t len) {
        return Memory::read(pa, to, len) ? 0 : -EFAULT;
    }
    static int note_interval(void* ctx, u64 start, u64 end) {
        static_cast<std::vector<khob_chunk>*>(ctx)->push_back({.addr = start, .size = end - start});
        return 0;
    }
    void mend_seal(std::uint8_t what) {
        static const khob_chain_ops ops = {.read = read_chain, .range = note_interval};
        std::vector<khob_chunk> all;
        khob_chain_info info{};
        khob_chain_read(Handover::chain_pa, &ops, &all, &info);
        auto seal = Memory::load<khob_seal>(made_.seal());
        if ((what & mend_kho) != 0) {
            const auto kho = Memory::load<khob_kho_data>(made_.kho());
            seal.kho_digest = khob_xxh64(&kho, sizeof(kho));
        }
        if ((what & mend_intervals) != 0) {
            seal.nr_intervals = static_cast<std::uint32_t>(all.size());
            seal.intervals_digest = khob_xxh64(all.data(), all.size() * sizeof(khob_chunk));
        }
        memory_.store(made_.seal(), seal);
    }
};

}  // namespace khob::fuzz
