// SPDX-License-Identifier: GPL-2.0-only
// Fuzzes what kho_luo reads of another kernel's LUO, with whatever a few pages of memory may hold:
// the root, both kinds of lists, each file as the description of a memfd, and the root's page as
// that of a late room, and of kept files.
#include "core/luo_core.h"

#include <cerrno>
#include <cstring>
#include <set>
#include <span>
#include <string_view>

#include "fuzz.hpp"
#include "image.hpp"

namespace {

using khob::fuzz::Image;
using khob::fuzz::require;

constexpr std::uint64_t end_pa = std::uint64_t{1} << 40U;
constexpr std::uint64_t end_pfn = end_pa / KHOB_PAGE_SIZE;

struct Told {
    Image image;
    std::set<std::uint64_t> claimed;
    std::set<std::uint64_t> copied;
    std::uint64_t sessions = 0;
    std::uint64_t files = 0;
    bool keeps = false;
};

int read(void* ctx, u64 pa, void* to, u64 len) {
    auto& told = *static_cast<Told*>(ctx);
    require(len > 0 && len <= Image::page_size, "no more than a page is read at once");
    require(told.claimed.contains(pa) && told.copied.insert(pa).second,
            "every page is claimed, and read once");
    const Image::Node* found = told.image.find(pa);
    if (found == nullptr) {
        return -EFAULT;
    }
    std::memcpy(to, found->data(), len);
    return 0;
}

int claim(void* ctx, u64 pa) {
    require(pa % Image::page_size == 0 && pa <= end_pa - Image::page_size,
            "what is claimed is a page of memory");
    return static_cast<Told*>(ctx)->claimed.insert(pa).second ? 0 : -EEXIST;
}

bool is_text(std::span<const char> text) {
    return text[0] != '\0' && std::memchr(text.data(), 0, text.size()) != nullptr;
}

int session(void* ctx, const khob_luo_session_ser* ser) {
    auto& told = *static_cast<Told*>(ctx);
    told.sessions++;
    require(is_text(ser->name), "a session has a name");
    return 0;
}

/// The page that a file's data names, as a memfd and its list of folios.
void memfd(Image& image, u64 pa) {
    const Image::Node* found = image.find(pa);
    if (found == nullptr) {
        return;
    }
    khob_memfd_ser ser{};
    const char* why = nullptr;
    std::memcpy(&ser, found->data(), sizeof(ser));
    if (luo_memfd_check(&ser, end_pfn, &why) != 0) {
        require(why != nullptr, "a refusal says why");
        return;
    }
    require(ser.nr_folios <= luo_memfd_pages(ser.size) &&
                ser.nr_folios * sizeof(khob_memfd_folio_ser) <=
                    u64{ser.folios.total_pages} * KHOB_PAGE_SIZE,
            "the list has room for as many folios as there are");
    const Image::Node* list = image.find(ser.folios.first);
    const u64 nr = ser.nr_folios;
    if (list == nullptr || nr > Image::page_size / sizeof(khob_memfd_folio_ser)) {
        return;
    }
    const auto* folios = reinterpret_cast<const khob_memfd_folio_ser*>(list->data());
    if (luo_memfd_folios_check(folios, nr, ser.size, end_pfn, &why) != 0) {
        require(why != nullptr, "a refusal says why");
        return;
    }
    std::set<u64> places;
    for (u64 i = 0; i < nr; i++) {
        require(folios[i].pfn > 0 && folios[i].pfn < end_pfn &&
                    folios[i].index < luo_memfd_pages(ser.size) &&
                    places.insert(folios[i].index).second,
                "a folio is in memory, and in the file once");
    }
}

void late_room(Image& image) {
    const Image::Node* found = image.find(Image::base);
    if (found == nullptr) {
        return;
    }
    khob_late_room_ser ser{};
    const char* why = nullptr;
    std::memcpy(&ser, found->data(), sizeof(ser));
    // No input finds a digest.
    ser.digest = luo_room_digest(&ser);
    if (luo_room_check(&ser, end_pa, &why) != 0) {
        require(why != nullptr, "a refusal says why");
        return;
    }
    std::set<u64> pieces;
    for (const khob_late_room_piece& piece : std::span(ser.pieces).first(ser.nr)) {
        require(piece.pa > 0 && piece.pa < end_pa && pieces.insert(piece.pa).second,
                "a piece is in memory, once");
    }
}

int file(void* ctx, const khob_luo_file_ser* ser) {
    auto& told = *static_cast<Told*>(ctx);
    told.files++;
    require(told.sessions > 0 || told.keeps, "a file has a session");
    require(is_text(ser->compatible), "a file has a kind");
    memfd(told.image, ser->data);
    return 0;
}

/// The same memory, with a root that has its digest: no input finds one. Nor that of the files, so
/// that it is refused in the end if there are some.
void kept(Told& told, const luo_reader_ops& ops) {
    static luo_reader reader;
    khob_keep_ser* root = nullptr;
    Image::Node* found = told.image.find(Image::base);
    if (found == nullptr) {
        return;
    }
    root = reinterpret_cast<khob_keep_ser*>(found->data());
    std::memcpy(root->compatible, KHOB_KEEP_COMPATIBLE_KEEP_V1,
                sizeof(KHOB_KEEP_COMPATIBLE_KEEP_V1));
    root->digest = luo_keep_digest(root);
    told.claimed.clear();
    told.copied.clear();
    told.files = 0;
    told.keeps = true;
    reader = luo_reader{};
    reader.ops = &ops;
    reader.ctx = &told;
    reader.end_pa = end_pa;
    const int err = luo_keep_read(&reader, Image::base, sizeof(khob_keep_ser));
    require(err == 0 || reader.why != nullptr, "a refusal says why");
    require(err == 0 || err == -EINVAL || err == -EFAULT, "errors are those that are documented");
    require(reader.files == told.files, "all are counted");
    require(err != 0 || reader.digest == root->files_digest, "what is accepted has its digest");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const luo_reader_ops ops = {
        .read = read, .claim = claim, .session = session, .file = file};
    Told told{.image = Image(data, size), .claimed = {}, .copied = {}};
    static luo_reader reader;
    reader = luo_reader{};
    reader.ops = &ops;
    reader.ctx = &told;
    reader.end_pa = end_pa;

    const int err = luo_read(&reader, Image::base, sizeof(khob_luo_ser));
    require(err == 0 || reader.why != nullptr, "a refusal says why");
    require(err == 0 || err == -EINVAL || err == -EFAULT || err == -EOPNOTSUPP,
            "errors are those that are documented");
    require(reader.sessions == told.sessions && reader.files == told.files, "all are counted");
    late_room(told.image);
    kept(told, ops);
    return 0;
}
