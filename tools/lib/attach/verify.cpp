// SPDX-License-Identifier: GPL-2.0-only
// The verifier.
#include "attach/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "attach/fill.hpp"
#include "base/digest.hpp"

namespace khob {

namespace {

constexpr std::size_t piece_bytes = 1U << 20;

Range pages_of(const abi::record& r) {
    return make_range(align_down(r.addr, page_size), page_round(r.addr + r.size));
}

bool sane(const abi::record& r) {
    const bool range_ok =
        r.size > 0 && r.addr + r.size > r.addr && align_up(r.addr + r.size, page_size).has_value();
    if (r.kind == abi::record_blob || r.kind == abi::record_poison) {
        return range_ok;
    }
    return r.kind == abi::record_fill && range_ok && r.size >= page_size &&
           std::has_single_bit(r.size) && is_aligned(r.addr, r.size);
}

Order order_of(const abi::record& r) {
    return Order(static_cast<unsigned>(std::countr_zero(r.size) - Layout::page_shift));
}

/// What is still held, to be asked for folios and for whole ranges.
class Held {
  public:
    explicit Held(const VerifyInputs& in) : keys_(in.keys.begin(), in.keys.end()) {
        std::sort(keys_.begin(), keys_.end());
        std::vector<Range> all(in.ranges.begin(), in.ranges.end());
        for (const Key& k : keys_) {
            all.push_back(k.range());
        }
        ranges_ = merged(std::move(all));
    }
    bool holds(const abi::record& r) const {
        if (r.kind == abi::record_fill) {
            return std::binary_search(keys_.begin(), keys_.end(),
                                      Key{PhysAddr(r.addr), order_of(r)});
        }
        const Range want = pages_of(r);
        const auto it =
            std::upper_bound(ranges_.begin(), ranges_.end(), want.start,
                             [](PhysAddr at, const Range& range) { return at < range.end; });
        return it != ranges_.end() && it->contains(want);
    }

  private:
    std::vector<Key> keys_;
    std::vector<Range> ranges_;
};

/// How far the work is.
struct Course {
    ByteVector buffer;
    std::uint64_t before = 0;  ///< bytes of the records before this one
    std::uint64_t all = 0;
    bool stopped = false;
};

/// Reads one record's memory. What is wrong with it, or nothing.
std::optional<Finding> check_content(const abi::record& r, const VerifyInputs& in, Course& course) {
    FillCheck words(r.seed, r.index);
    Digest digest;
    for (std::uint64_t done = 0; done < r.size;) {
        const auto n = std::min<std::uint64_t>(piece_bytes, r.size - done);
        const ByteSpan piece = ByteSpan(course.buffer).first(n);
        if (const auto got = in.read(PhysAddr(r.addr + done), piece); !got) {
            return Finding{Verdict::lost, r, got.error().what};
        }
        digest.feed(piece);
        if (r.kind == abi::record_fill) {
            words.feed(piece);
        }
        done += n;
        if (in.progressed && !in.progressed(course.before + done, course.all)) {
            course.stopped = true;
            return std::nullopt;
        }
    }
    const bool digest_good = digest.value() == r.digest;
    if (!words.good()) {
        return Finding{
            Verdict::corrupt, r,
            fmt::format("the word at offset {:#x} is not what seed {} gives{}", words.bad_offset(),
                        r.seed, digest_good ? ", though the stored digest agrees" : "")};
    }
    if (!digest_good) {
        return Finding{
            Verdict::corrupt, r,
            fmt::format("xxh64 is {:#018x}, recorded was {:#018x}", digest.value(), r.digest)};
    }
    return std::nullopt;
}

void add_finding(VerifyReport& report, Finding finding) {
    if (finding.verdict == Verdict::corrupt) {
        ++report.corrupt;
    } else {
        ++report.lost;
    }
    if (report.findings.size() < max_findings) {
        report.findings.push_back(std::move(finding));
    }
}

/// Records whose memory is gone were given back if the module has given back as much.
void judge_missing(VerifyReport& report, const std::vector<abi::record>& missing, bool given_back) {
    if (given_back) {
        report.restored += missing.size();
        return;
    }
    for (const abi::record& r : missing) {
        add_finding(report, Finding{Verdict::lost, r, "it is no longer held"});
    }
}

}  // namespace

std::string_view to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::verified:
            return "verified";
        case Verdict::corrupt:
            return "corrupt";
        case Verdict::lost:
            return "lost";
        case Verdict::restored:
            return "restored";
    }
    return "";
}

Result<std::vector<abi::record>> parse_records(ByteView bytes) {
    if (bytes.size() % sizeof(abi::record) != 0) {
        return fail(ExitCode::data_damaged,
                    fmt::format("{} has {} bytes, which is no whole number of records",
                                abi::records_name, bytes.size()));
    }
    std::vector<abi::record> out(bytes.size() / sizeof(abi::record));
    if (!out.empty()) {
        std::memcpy(out.data(), bytes.data(), bytes.size());
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (!sane(out[i])) {
            return fail(ExitCode::data_damaged,
                        fmt::format("record {} of {} makes no sense: kind {}, address {:#x}, "
                                    "{} bytes",
                                    i, abi::records_name, out[i].kind, out[i].addr, out[i].size));
        }
    }
    // Of memory that is broken nothing is known but that.
    std::erase_if(out, [](const abi::record& r) { return r.kind == abi::record_poison; });
    return out;
}

VerifyReport verify(const VerifyInputs& in) {
    const Held held(in);
    VerifyReport report;
    report.records = in.records.size();
    Course course;
    course.buffer.resize(piece_bytes);
    std::uint64_t blobs = 0;
    for (const abi::record& r : in.records) {
        course.all += r.size;
        blobs += r.kind == abi::record_blob ? 1 : 0;
    }
    std::vector<abi::record> missing_folios;
    std::vector<abi::record> missing_blobs;
    std::uint64_t missing_pages = 0;
    for (const abi::record& r : in.records) {
        const bool folio = r.kind == abi::record_fill;
        const std::uint64_t pages = pages_of(r).size() / page_size;
        if (!held.holds(r)) {
            (folio ? missing_folios : missing_blobs).push_back(r);
            missing_pages += folio ? pages : 0;
        } else if (auto finding = check_content(r, in, course)) {
            add_finding(report, std::move(*finding));
        } else if (course.stopped) {
            report.stopped = true;
            return report;
        } else {
            ++report.verified;
            report.verified_bytes += r.size;
            report.verified_pages += folio ? pages : 0;
        }
        course.before += r.size;
    }
    judge_missing(report, missing_folios, missing_pages <= in.restored_pages);
    judge_missing(report, missing_blobs, missing_blobs.size() + in.held_blobs <= blobs);
    return report;
}

}  // namespace khob
