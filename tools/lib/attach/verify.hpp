// SPDX-License-Identifier: GPL-2.0-only
// Checks what was handed over against the outgoing kernel's records: that it is
// still there, and that each byte is what it was.
#ifndef KHOB_VERIFY_HPP
#define KHOB_VERIFY_HPP

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"
#include "module/lists.hpp"

namespace khob {

/// Reads preserved memory: fills `to` from physical address `at`.
using ReadMemory = std::function<Result<void>(PhysAddr at, ByteSpan to)>;

/// Called as the work goes on: bytes done of bytes in all. False: no more of it is wanted.
using Progressed = std::function<bool(std::uint64_t done, std::uint64_t all)>;

enum class Verdict { verified, corrupt, lost, restored };

std::string_view to_string(Verdict verdict);

struct Finding {
    Verdict verdict = Verdict::verified;
    abi::record record{};
    std::string why;
};

/// Findings that are listed one by one; all of them are counted.
inline constexpr std::size_t max_findings = 20;

struct VerifyReport {
    std::uint64_t records = 0;
    std::uint64_t verified = 0;
    std::uint64_t corrupt = 0;
    std::uint64_t lost = 0;
    std::uint64_t restored = 0;  ///< no longer preserved because they were restored
    std::uint64_t verified_bytes = 0;
    std::uint64_t verified_pages = 0;  ///< of fill records, 4K each
    std::vector<Finding> findings;     ///< the first max_findings that are corrupt or lost
    bool stopped = false;              ///< halfway, by who watched: the rest is not known

    bool good() const { return corrupt == 0 && lost == 0; }
};

struct VerifyInputs {
    std::span<const abi::record> records;
    std::span<const Key> keys;         ///< data folios still held, any order
    std::span<const Range> ranges;     ///< all memory still held, subtrees too; ascending
    std::uint64_t restored_pages = 0;  ///< data pages that the module has already given back
    std::uint64_t held_blobs = 0;      ///< subtrees still held, without the bridge's own two
    ReadMemory read;
    Progressed progressed;  ///< may be empty
};

/**
 * The records in a subtree's bytes. Errors (data_damaged): not a whole number of records,
 * an unknown kind, an address or size that cannot be.
 */
Result<std::vector<abi::record>> parse_records(ByteView bytes);

/**
 * Verifies every record: its memory is still held (else it is lost; or restored, if the
 * module has given back as many pages or subtrees as are missing), every word is what its
 * seed says (fill records) and its xxh64 is the recorded one. Memory that cannot be read
 * counts as lost.
 */
VerifyReport verify(const VerifyInputs& in);

}  // namespace khob

#endif  // KHOB_VERIFY_HPP
