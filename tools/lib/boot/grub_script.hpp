// SPDX-License-Identifier: GPL-2.0-only
// The text of grub.cfg into statements: words, quotes, variables and blocks. It executes nothing.
#ifndef KHOB_BOOT_GRUB_SCRIPT_HPP
#define KHOB_BOOT_GRUB_SCRIPT_HPP

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "boot/entry.hpp"

namespace khob::boot {

/// Part of a word: text, or the name of a variable whose value stands there.
struct Piece {
    std::string text;
    bool variable = false;
    bool quoted = false;
};

/// As it stands in the text: with its variables' values it may become several words, or none.
struct Word {
    std::vector<Piece> pieces;
};

/// A command with its words; `menuentry`, `submenu` and `function` have a body.
struct Statement {
    std::vector<Word> words;
    std::vector<Statement> body;
};

/// Errors (refused): it ends within a quote or a block, or its blocks are nested too deep.
Result<std::vector<Statement>> parse_grub_script(std::string_view text);

/// The words of a statement with each variable's value, which is split at its blanks unless it is
/// quoted. One that is not set has none.
std::vector<std::string> expanded(const Statement& statement, const Variables& variables);

}  // namespace khob::boot

#endif  // KHOB_BOOT_GRUB_SCRIPT_HPP
