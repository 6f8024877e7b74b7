// SPDX-License-Identifier: GPL-2.0-only
// Fuzzes abi-gen's reading of a schema: whatever the bytes are, it ends with
// errors that say where, or with a schema whose every version at every page size
// has a model, in JSON that can be read again.
#include "schema.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz.hpp"
#include "json.hpp"
#include "model.hpp"

namespace {

using khob::fuzz::require;
using khob::gen::Errors;
using khob::gen::Schema;

// abi-gen takes more; a few pages are enough for everything that it can be told.
constexpr std::size_t max_bytes = 8192;

/// What a schema that uses another one gets, by whatever name; no file is read.
const std::string used_schema = R"(format: 1
prefix: u
parameters:
  page_shift: {values: [12, 14], default: 12, doc: d, source: s}
versions:
  u1: {compatible: a, doc: d, source: s}
  u2: {compatible: b, doc: d, source: s, refused: [{page_shift: 14, doc: d}]}
default_version: u2
sections:
  all:
    doc: d
    source: s
    constants:
      page_size: {value: 1 << page_shift, type: u64, doc: d}
      moves: [{until: u1, value: 1, doc: d}, {since: u2, value: 2, doc: d}]
      wrong: {value: log2(page_size - 4096 * (page_shift / 14)), since: u2, doc: d}
    structs:
      vmalloc: {doc: d, fields: [{name: a, type: u64, doc: d}, {name: b, type: u16, doc: d}]}
      block: {doc: d, fields: [{name: in, type: vmalloc, length: page_size / 16, doc: d}]}
)";

void say_where(const Errors& errors) {
    require(!errors.empty(), "what fails says why");
    for (const auto& error : errors) {
        require(!error.text.empty() && error.at.line >= 0 && error.at.column >= 0,
                "an error has a sentence and a place");
        require(!to_string(error).empty(), "an error can be shown");
    }
}

void readable(const std::string& json) {
    require(nlohmann::json::accept(json), "what is written is JSON");
}

/// The model of versions that are sound one by one, and the vectors of the last.
void model_of(const Schema& schema, const std::vector<std::size_t>& versions,
              std::uint64_t page_shift) {
    const auto model = build_model(schema, versions, page_shift);
    require(model.has_value(), "versions that are sound are sound in one model");
    readable(model_json(*model, schema.file));
    if (!schema.key) {
        return;
    }
    const auto resolved = resolve(schema, versions.back(), page_shift);
    require(resolved.has_value(), "what has a model has values");
    const auto vectors = make_vectors(schema, *resolved);
    require(vectors.has_value(), "what is proved has vectors");
    readable(vectors_json(schema, *resolved, *vectors, schema.file));
}

/// Where a piece of text starts and how long it is.
struct Piece {
    std::size_t at = 0;
    std::size_t length = 0;
};

/// A line with its end, or a run of characters that words have.
Piece pick(std::string_view text, bool line, std::minstd_rand& random) {
    constexpr std::string_view in_words = "abcdefghijklmnopqrstuvwxyz0123456789_";
    const std::size_t at = random() % text.size();
    if (line) {
        const std::size_t before = text.substr(0, at).rfind('\n');
        const std::size_t start = before == std::string_view::npos ? 0 : before + 1;
        const std::size_t end = text.find('\n', at);
        return {start, (end == std::string_view::npos ? text.size() : end + 1) - start};
    }
    const std::size_t before = text.substr(0, at).find_last_not_of(in_words);
    const std::size_t start = before == std::string_view::npos ? 0 : before + 1;
    const std::size_t end = text.find_first_not_of(in_words, start);
    return {start, (end == std::string_view::npos ? text.size() : end) - start};
}

/// Still a schema more often than after a change of any byte: a line or a word
/// takes the place of another, goes to another place, or goes.
std::string rearrange(const std::string& text, std::minstd_rand& random) {
    const bool line = random() % 2 == 0;
    const Piece from = pick(text, line, random);
    const Piece to = pick(text, line, random);
    const std::string piece = text.substr(from.at, from.length);
    std::string result = text;
    switch (random() % 3) {
        case 0:
            return result.replace(to.at, to.length, piece);
        case 1:
            return result.insert(to.at, piece);
        default:
            return result.erase(to.at, to.length);
    }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed);

std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                    unsigned seed) {
    std::minstd_rand random(seed);
    if (size == 0 || random() % 3 == 0) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    const std::string text =
        rearrange({reinterpret_cast<const char*>(data), size}, random).substr(0, max_size);
    std::copy(text.begin(), text.end(), data);
    return text.size();
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > max_bytes) {
        return -1;  // not for the corpus
    }
    const auto schema = khob::gen::parse_schema(
        {reinterpret_cast<const char*>(data), size}, "fuzz.yaml",
        [](const std::string&) -> khob::gen::Result<std::string> { return used_schema; });
    if (!schema) {
        say_where(schema.error());
        return 0;
    }
    if (const auto proved = prove(*schema); !proved) {
        say_where(proved.error());
        return 0;
    }
    for (const std::uint64_t page_shift : schema->page_shift.values) {
        std::vector<std::size_t> usable;
        for (const auto& one : combinations(*schema)) {
            if (one.page_shift == page_shift && one.refusal == nullptr) {
                usable.push_back(one.version);
                model_of(*schema, {one.version}, page_shift);
            }
        }
        if (!usable.empty()) {
            model_of(*schema, usable, page_shift);
        }
    }
    return 0;
}
