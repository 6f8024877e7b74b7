// SPDX-License-Identifier: GPL-2.0-only
// Writes the handover of a plan into memory, as a kho_bridge and its loader do: chunks with the
// tree, the root FDT and what is said of both, blobs, data folios, intervals and their chain.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/fdt.h"
#include "core/handover.h"
#include "core/range.h"
#include "handover_memory.hpp"
#include "handover_plan.hpp"

namespace khob::fuzz {

/// What an edit may aim at.
enum class Part : std::uint8_t {
    chain,
    fdt,
    node,
    meta,
    records,
    kexec,
    blob,    ///< one that kho_bridge made, with a digest
    client,  ///< one that its owner may write to until the kexec: nobody has a digest of it
    others,
    anywhere,
    count
};

/// A piece of memory that is part of the handover.
struct Piece {
    Part part;
    std::uint64_t pa;
    std::uint64_t len;
};

struct Folio {
    std::uint64_t pa;
    unsigned int order;
    [[nodiscard]] std::uint64_t end() const { return pa + (page_bytes << order); }
    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 and a defaulted comparison
    friend auto operator<=>(const Folio&, const Folio&) = default;
};

struct Blob {
    std::string name;
    std::uint64_t pa;   ///< of its bytes
    std::uint64_t len;  ///< how many
    std::uint64_t at;   ///< what the root FDT says
    bool ours;          ///< it has a digest
};

class Handover {
  public:
    /// Where the chain begins; none of it is handed over.
    static constexpr std::uint64_t chain_pa = 0x90000;
    static constexpr std::uint64_t meta_room = 64;  // bytes behind the struct

    Handover(Memory& memory, const Plan& plan) : memory_(memory), plan_(plan) {
        make_chunks();
        make_folios();
        make_trees();
        make_blobs();
        make_meta();
        make_fdt();
        seal_meta();
        make_intervals();
        make_chain();
    }
    ~Handover() = default;
    Handover(const Handover&) = delete;
    Handover& operator=(const Handover&) = delete;
    Handover(Handover&&) = delete;
    Handover& operator=(Handover&&) = delete;

    [[nodiscard]] Way way() const {
        return static_cast<Way>(plan_.way % static_cast<unsigned>(Way::count));
    }
    [[nodiscard]] khob_abi abi() const { return static_cast<khob_abi>(plan_.abi % KHOB_ABI_NR); }
    [[nodiscard]] bool ours() const { return way() != Way::foreign; }
    [[nodiscard]] const std::vector<Piece>& pieces() const { return pieces_; }
    [[nodiscard]] const std::vector<Folio>& data() const { return data_; }
    [[nodiscard]] const std::vector<Folio>& others() const { return others_; }
    /// Everything that the tree preserves, by address.
    [[nodiscard]] const std::map<std::uint64_t, unsigned int>& preserved() const {
        return preserved_;
    }
    [[nodiscard]] const std::vector<Blob>& blobs() const { return blobs_; }
    [[nodiscard]] const std::vector<Zone>& intervals() const { return intervals_; }
    [[nodiscard]] const std::vector<Zone>& chunks() const { return chunks_; }
    [[nodiscard]] std::uint64_t root() const { return root_; }
    [[nodiscard]] std::uint64_t others_root() const { return others_root_; }
    [[nodiscard]] std::uint64_t fdt() const { return fdt_; }
    [[nodiscard]] std::uint64_t fdt_len() const { return fdt_len_; }
    /// Of the struct itself; 0: there is none.
    [[nodiscard]] std::uint64_t meta() const { return meta_; }
    [[nodiscard]] std::uint64_t kexec() const { return kexec_; }
    [[nodiscard]] std::uint64_t records() const { return records_; }
    [[nodiscard]] std::uint64_t records_len() const { return nr_records_ * sizeof(khob_record); }
    /// Of the payloads in the chain; 0: there is none.
    [[nodiscard]] std::uint64_t kho() const { return kho_; }
    [[nodiscard]] std::uint64_t seal() const { return seal_; }

    static constexpr std::uint32_t kexec_count = 7;
    static constexpr const char* release = "6.12.1-fuzz";

  private:
    static constexpr std::uint64_t chunks_from = 0x240000;
    static constexpr std::uint64_t chunk_pages = 96;  // of all
    static constexpr std::uint64_t data_from = 0x104000;
    static constexpr std::uint64_t data_again = 0x330000;

    Memory& memory_;
    Plan plan_;
    std::vector<Piece> pieces_;
    std::vector<Zone> chunks_;
    std::vector<Folio> data_;
    std::vector<Folio> others_;
    std::map<std::uint64_t, unsigned int> preserved_;
    std::vector<Blob> blobs_;
    std::vector<Zone> intervals_;
    std::vector<khob_fdt_subtree> subtrees_;
    std::size_t chunk_ = 0;   // from which arena pages are taken
    std::uint64_t next_ = 0;  // page in it
    std::uint64_t data_next_ = data_from;
    std::uint64_t far_next_ = Memory::far.start;
    std::uint64_t root_ = 0;
    std::uint64_t others_root_ = 0;
    std::uint64_t fdt_ = 0;
    std::uint64_t fdt_len_ = 0;
    std::uint64_t meta_ = 0;
    std::uint64_t kexec_ = 0;
    std::uint64_t records_ = 0;
    std::uint64_t nr_records_ = 0;
    std::uint64_t kho_ = 0;
    std::uint64_t seal_ = 0;
    std::uint64_t last_node_ = 0;
    bool others_tree_ = false;

    [[nodiscard]] unsigned int max_order() const { return plan_.order % 5; }
    [[nodiscard]] bool wraps() const { return !khob_abi_has_blob_size(abi()); }

    // 1. Places.

    void make_chunks() {
        const std::uint64_t nr = 1 + plan_.chunks % 3;
        const std::uint64_t pages = chunk_pages / nr;
        for (std::uint64_t i = 0; i < nr; i++) {
            const std::uint64_t start = chunks_from + i * 0x50000;
            chunks_.push_back({start, start + pages * page_bytes});
        }
        next_ = chunks_[0].start;
    }
    /// So many bytes in pages of the metadata's.
    std::uint64_t take_arena(std::uint64_t len) {
        const std::uint64_t pages = (len + page_bytes - 1) / page_bytes;
        while (next_ + pages * page_bytes > chunks_[chunk_].end) {
            chunk_++;
            require(chunk_ < chunks_.size(), "the metadata has room for every plan");
            next_ = chunks_[chunk_].start;
        }
        const std::uint64_t pa = next_;
        next_ += pages * page_bytes;
        return pa;
    }
    /// A place for so many bytes, some pages behind what was placed before.
    std::uint64_t take_data(std::uint64_t size, std::uint64_t align, unsigned int nth) {
        const std::uint64_t skip = page_bytes * (plan_.spacing >> (nth % 4 * 2) & 3U);
        std::uint64_t pa = (data_next_ + skip + align - 1) & -align;
        if (pa < data_again && pa + size > Memory::kernel.start) {
            pa = (data_again + align - 1) & -align;
        }
        data_next_ = pa + size;
        require(data_next_ <= Memory::hole.start, "there is room for every plan");
        return pa;
    }
    std::uint64_t take_far(unsigned int order) {
        const std::uint64_t size = page_bytes << order;
        const std::uint64_t pa = (far_next_ + size - 1) & -size;
        far_next_ = pa + size + page_bytes * (plan_.spacing & 3U);
        return pa;
    }
    void make_folios() {
        const unsigned int nr = plan_.data % 25;
        for (unsigned int i = 0; i < nr; i++) {
            const unsigned int order = max_order() == 0 ? 0 : i % (max_order() + 1);
            const std::uint64_t pa = i < plan_.far % 25U
                                         ? take_far(order)
                                         : take_data(page_bytes << order, page_bytes << order, i);
            data_.push_back({pa, order});
        }
        std::sort(data_.begin(), data_.end());
        const unsigned int nr_others = ours() ? plan_.others % 4U : 0;
        for (unsigned int i = 0; i < nr_others; i++) {
            others_.push_back({take_data(page_bytes, page_bytes, i), 0});
        }
    }

    // 2. Trees.

    static void* alloc_node(void* ctx, std::uint64_t* pa) {
        auto& self = *static_cast<Handover*>(ctx);
        *pa = self.take_arena(page_bytes);
        self.pieces_.push_back({self.others_tree_ ? Part::others : Part::node, *pa, page_bytes});
        return self.memory_.write(*pa, page_bytes);
    }
    static void free_node(void* /*ctx*/, void* /*node*/, std::uint64_t /*pa*/) {
        require(false, "a tree that only grows frees nothing");
    }
    static const khob_radix_ops* node_ops() {
        static const khob_radix_ops ops = {.alloc_node = alloc_node, .free_node = free_node};
        return &ops;
    }
    static int note_key(void* ctx, std::uint64_t key) {
        std::uint64_t pa = 0;
        unsigned int order = 0;
        require(khob_key_decode(key, &pa, &order) == 0, "a tree holds keys");
        static_cast<Handover*>(ctx)->preserved_.emplace(pa, order);
        return 0;
    }
    static void add(khob_radix& tree, const Folio& folio) {
        std::uint64_t key = 0;
        require(
            khob_key_encode(folio.pa, folio.order, &key) == 0 && khob_radix_add(&tree, key) == 0,
            "a folio is preserved");
    }
    void make_trees() {
        khob_radix tree{};
        require(khob_radix_init(&tree, node_ops(), this, 0) == 0, "a tree begins");
        root_ = pieces_.back().pa;
        for (const Zone& chunk : chunks_) {
            require(khob_radix_add_range(&tree, chunk.start / page_bytes,
                                         (chunk.end - chunk.start) / page_bytes, max_order()) == 0,
                    "the metadata is preserved");
        }
        for (const Folio& folio : data_) {
            add(tree, folio);
        }
        for (const Folio& folio : others_) {
            add(tree, folio);
        }
        place_blobs(tree);
        require(khob_radix_walk(&tree, 0, U64_MAX, note_key, this) == 0, "a tree can be walked");
        if (others_.empty()) {
            return;
        }
        others_tree_ = true;
        khob_radix second{};
        require(khob_radix_init(&second, node_ops(), this, 0) == 0, "a tree begins");
        others_root_ = pieces_.back().pa;
        for (const Folio& folio : others_) {
            add(second, folio);
        }
    }

    // 3. Blobs.

    /// Every other one in the metadata, the others in pages of their clients.
    void place_blobs(khob_radix& tree) {
        const unsigned int nr = plan_.blobs % 5U;
        for (unsigned int i = 0; i < nr; i++) {
            const std::uint64_t len = 1 + ((plan_.blob_len * 64U) >> i);
            const std::uint64_t room = wraps() ? khob_fdt_wrap_size(len) : len;
            const std::string name = "blob-" + std::to_string(i);
            if (i % 2 == 0 && ours()) {
                blobs_.push_back({name, 0, len, take_arena(room), true});
                continue;
            }
            const std::uint64_t pages = (room + page_bytes - 1) / page_bytes;
            const std::uint64_t pa = take_data(pages * page_bytes, page_bytes, i);
            for (std::uint64_t page = 0; page < pages; page++) {
                add(tree, {pa + page * page_bytes, 0});
            }
            blobs_.push_back({name, 0, len, pa, false});
        }
    }
    /// Puts bytes, or zeroes, where they may go, and names them. Return: where they are.
    std::uint64_t put(Part part, const std::string& name, std::uint64_t at, const void* bytes,
                      std::uint64_t len) {
        std::uint64_t room = len;
        std::uint64_t pa = at;
        if (wraps()) {
            room = khob_fdt_wrap_size(len);
            void* payload = nullptr;
            std::uint8_t* to = memory_.write(at, room);
            require(khob_fdt_wrap(to, room, bytes, len, &payload) == static_cast<long>(room),
                    "bytes can be wrapped");
            pa = at + static_cast<std::uint64_t>(static_cast<std::uint8_t*>(payload) - to);
        } else if (bytes != nullptr) {
            std::memcpy(memory_.write(at, len), bytes, len);
        }
        pieces_.push_back({part, at, room});
        khob_fdt_subtree subtree{};
        name.copy(static_cast<char*>(subtree.name), KHOB_SUBTREE_NAME_MAX);
        subtree.addr = at;
        subtree.size = room;  // not in the FDT of kho-v2
        subtrees_.push_back(subtree);
        return pa;
    }
    std::uint64_t put_anew(Part part, const std::string& name, const void* bytes,
                           std::uint64_t len) {
        const std::uint64_t room = wraps() ? khob_fdt_wrap_size(len) : len;
        return put(part, name, take_arena(room), bytes, len);
    }
    void make_blobs() {
        for (Blob& blob : blobs_) {
            const std::vector<std::uint8_t> bytes(blob.len, 0x5a);
            blob.pa = put(blob.ours ? Part::blob : Part::client, blob.name, blob.at, bytes.data(),
                          blob.len);
        }
        if (!ours()) {
            return;
        }
        khob_kexec_metadata kexec{};
        kexec.version = KHOB_KEXEC_METADATA_VERSION;
        kexec.kexec_count = kexec_count;
        std::strncpy(static_cast<char*>(kexec.previous_release), release,
                     sizeof(kexec.previous_release) - 1);
        kexec_ = put_anew(Part::kexec, KHOB_KEXEC_METADATA_NAME, &kexec, sizeof(kexec));
        make_records(khob_xxh64(&kexec, sizeof(kexec)));
    }
    void make_records(std::uint64_t kexec_digest) {
        std::vector<khob_record> records;
        records.push_back({.addr = kexec_,
                           .size = sizeof(khob_kexec_metadata),
                           .seed = 0,
                           .index = 0,
                           .digest = kexec_digest,
                           .kind = KHOB_RECORD_BLOB,
                           .reserved = 0});
        for (const Blob& blob : blobs_) {
            if (!blob.ours) {
                continue;
            }
            const std::vector<std::uint8_t> bytes(blob.len, 0x5a);
            records.push_back({.addr = blob.pa,
                               .size = blob.len,
                               .seed = 0,
                               .index = 0,
                               .digest = khob_xxh64(bytes.data(), bytes.size()),
                               .kind = KHOB_RECORD_BLOB,
                               .reserved = 0});
        }
        for (std::size_t i = 0; i < data_.size() && i < plan_.records % 8U; i++) {
            records.push_back({.addr = data_[i].pa,
                               .size = data_[i].end() - data_[i].pa,
                               .seed = 42,
                               .index = i,
                               .digest = i * 77,
                               .kind = i % 3 == 2 ? KHOB_RECORD_POISON : KHOB_RECORD_FILL,
                               .reserved = 0});
        }
        nr_records_ = records.size();
        if (nr_records_ != 0) {
            records_ = put_anew(Part::records, KHOB_RECORDS_NAME, records.data(), records_len());
        }
    }

    // 4. What a kho_bridge says of it, and the root FDT.

    void make_meta() {
        if (!ours()) {
            return;
        }
        std::vector<std::uint8_t> bytes(sizeof(khob_meta) + chunks_.size() * sizeof(khob_chunk) +
                                        meta_room);
        meta_ = put_anew(Part::meta, KHOB_META_NAME, bytes.data(), bytes.size());
    }
    void make_fdt() {
        fdt_len_ = khob_fdt_size(abi(), subtrees_.data(), subtrees_.size());
        fdt_ = take_arena(fdt_len_);
        require(khob_fdt_write(memory_.write(fdt_, fdt_len_), fdt_len_, abi(), root_,
                               subtrees_.data(), subtrees_.size()) == static_cast<long>(fdt_len_),
                "the root FDT can be written");
        pieces_.push_back({Part::fdt, fdt_, fdt_len_});
    }
    void seal_meta() {
        if (meta_ == 0) {
            return;
        }
        khob_meta meta{};
        meta.magic = KHOB_META_MAGIC;
        meta.version = KHOB_META_VERSION;
        meta.nr_chunks = static_cast<std::uint32_t>(chunks_.size());
        meta.kexec_tsc = 1234567;
        meta.tsc_khz = 2400000;
        meta.boot_count = kexec_count;
        meta.others_root = others_root_;
        memory_.store(meta_, meta);
        for (std::size_t i = 0; i < chunks_.size(); i++) {
            memory_.store(
                meta_ + sizeof(meta) + i * sizeof(khob_chunk),
                khob_chunk{.addr = chunks_[i].start, .size = chunks_[i].end - chunks_[i].start});
        }
        // The digests are mended as after an edit.
    }

    // 5. The chain.

    void make_intervals() {
        const std::uint64_t gap = page_bytes * (plan_.gap % 8U);
        for (const auto& [pa, order] : preserved_) {
            const std::uint64_t end = Folio{pa, order}.end();
            if (!intervals_.empty() && pa <= intervals_.back().end + gap) {
                intervals_.back().end = end;
            } else {
                intervals_.push_back({pa, end});
            }
        }
    }
    std::uint64_t add_node(std::uint64_t& at, std::uint32_t type, std::uint32_t len) {
        const std::uint64_t pa = at;
        at += (sizeof(khob_setup_data) + len + 7) & ~std::uint64_t{7};
        memory_.store(pa, khob_setup_data{.next = at, .type = type, .len = len});
        last_node_ = pa;
        return pa + sizeof(khob_setup_data);
    }
    void add_foreign(std::uint64_t& at, unsigned int place) {
        if ((plan_.foreign >> place & 1U) == 0) {
            return;
        }
        if (place % 2 == 0) {
            add_node(at, 1 + place, 20 + place);
        } else {
            // One of a boot loader's own.
            const std::uint64_t pa = add_node(at, KHOB_SETUP_INDIRECT, sizeof(khob_setup_indirect));
            memory_.store(
                pa, khob_setup_indirect{.type = 4, .reserved = 0, .len = 0x123, .addr = 0x80000});
        }
    }
    void make_chain() {
        std::uint64_t at = chain_pa;
        add_foreign(at, 0);
        kho_ = add_node(at, KHOB_SETUP_KEXEC_KHO, sizeof(khob_kho_data));
        memory_.store(kho_, khob_kho_data{.fdt_addr = fdt_,
                                          .fdt_size = fdt_len_,
                                          .scratch_addr = 0x80000,
                                          .scratch_size = sizeof(khob_scratch)});
        add_foreign(at, 1);
        if (way() != Way::held) {
            for (const Zone& interval : intervals_) {
                const std::uint64_t pa =
                    add_node(at, KHOB_SETUP_INDIRECT, sizeof(khob_setup_indirect));
                memory_.store(pa, khob_setup_indirect{.type = KHOB_SETUP_INDIRECT_RANGE,
                                                      .reserved = 0,
                                                      .len = interval.end - interval.start,
                                                      .addr = interval.start});
            }
        }
        add_foreign(at, 2);
        if (way() == Way::bridge) {
            seal_ = add_node(at, KHOB_SETUP_SEAL, sizeof(khob_seal));
            memory_.store(seal_, khob_seal{.magic = KHOB_SEAL_MAGIC,
                                           .version = KHOB_SEAL_VERSION,
                                           .nr_intervals = 0,
                                           .kho_digest = 0,
                                           .intervals_digest = 0});
        }
        add_foreign(at, 3);
        memory_.store(last_node_, std::uint64_t{0});
        pieces_.push_back({Part::chain, chain_pa, at - chain_pa});
    }
};

}  // namespace khob::fuzz
