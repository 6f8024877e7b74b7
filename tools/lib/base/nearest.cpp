// SPDX-License-Identifier: GPL-2.0-only
// Distances between words, a row of the table at a time.
#include "base/nearest.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace khob {

namespace {

constexpr std::size_t letters_per_edit = 3;
constexpr std::size_t most_edits = 2;

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
    // Of a's first i letters to b's first j; before that those of i - 1 and of i - 2 letters.
    std::vector<std::size_t> row(b.size() + 1);
    std::vector<std::size_t> last;
    std::vector<std::size_t> last_but_one;
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        last_but_one = std::move(last);
        last = std::move(row);
        row.assign(b.size() + 1, i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], last_but_one[j - 2] + 1);
            }
        }
    }
    return row.back();
}

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known) {
    const std::size_t near = std::min(word.size() / letters_per_edit, most_edits);
    std::optional<std::string> best;
    std::size_t best_distance = near + 1;
    for (const std::string& candidate : known) {
        const bool begun = word.size() >= letters_per_edit && candidate.starts_with(word);
        const std::size_t distance =
            std::min(edit_distance(word, candidate), begun ? near : near + 1);
        if (distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

}  // namespace khob
