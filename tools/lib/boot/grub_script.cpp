// SPDX-License-Identifier: GPL-2.0-only
#include "boot/grub_script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>

namespace khob::boot {

namespace {

constexpr std::size_t most_depth = 16;

bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

class Reader {
  public:
    explicit Reader(std::string_view text) : text_(text) {}

    /// Statements up to the end of the text or, within a block, to its closing brace.
    Result<std::vector<Statement>> block(std::size_t depth) {
        std::vector<Statement> out;
        Statement now;
        while (true) {
            skip_blanks();
            const bool ended = at_ >= text_.size();
            if (ended || text_[at_] == '\n' || text_[at_] == ';') {
                if (!now.words.empty()) {
                    out.push_back(std::move(now));
                    now = {};
                }
                if (ended) {
                    return depth == 0 ? Result<std::vector<Statement>>(std::move(out))
                                      : bad("a block is not closed");
                }
                at_++;
                continue;
            }
            if (alone('}') && now.words.empty() && depth > 0) {
                at_++;
                return out;
            }
            if (alone('{') && has_body(now)) {
                at_++;
                if (depth == most_depth) {
                    return bad("blocks are nested too deep");
                }
                auto body = block(depth + 1);
                if (!body) {
                    return body;
                }
                now.body = std::move(*body);
                out.push_back(std::move(now));
                now = {};
                continue;
            }
            auto next = word();
            if (!next) {
                return tl::unexpected(next.error());
            }
            now.words.push_back(std::move(*next));
        }
    }

  private:
    tl::unexpected<Error> bad(std::string_view why) const {
        const auto line =
            1 + std::count(text_.begin(), text_.begin() + std::min(at_, text_.size()), '\n');
        return fail(ExitCode::refused, fmt::format("line {}: {}", line, why));
    }

    static bool has_body(const Statement& statement) {
        if (statement.words.empty()) {
            return false;
        }
        const auto words = expanded({{statement.words[0]}, {}}, {});
        const std::string name = words.empty() ? "" : words[0];
        return name == "menuentry" || name == "submenu" || name == "function";
    }

    char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\n';
    }

    static bool ends_word(char c) { return c == ' ' || c == '\t' || c == '\n' || c == ';'; }

    /// Whether the next word is that character.
    bool alone(char c) const { return peek() == c && ends_word(peek(1)); }

    void skip_blanks() {
        while (at_ < text_.size()) {
            if (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r') {
                at_++;
            } else if (text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') {
                at_ += 2;
            } else if (text_[at_] == '#') {
                at_ = std::min(text_.find('\n', at_), text_.size());
            } else {
                return;
            }
        }
    }

    static void add(Word& to, char c) {
        if (to.pieces.empty() || to.pieces.back().variable) {
            to.pieces.emplace_back();
        }
        to.pieces.back().text += c;
    }

    /// `$name`, `${name}`; a dollar with anything else behind it is one.
    void variable(Word& to, bool quoted) {
        const bool braces = peek(1) == '{';
        std::size_t end = at_ + (braces ? 2 : 1);
        const std::size_t start = end;
        while (end < text_.size() && is_name(text_[end])) {
            end++;
        }
        if (end == start || (braces && (end >= text_.size() || text_[end] != '}'))) {
            add(to, text_[at_++]);
            return;
        }
        to.pieces.push_back({std::string(text_.substr(start, end - start)), true, quoted});
        at_ = end + (braces ? 1 : 0);
    }

    /// A backslash, and what it makes ordinary.
    void escaped(Word& to, bool quoted) {
        const char next = peek(1);
        if (at_ + 1 >= text_.size()) {
            at_++;
        } else if (quoted && next != '"' && next != '\\' && next != '$' && next != '\n') {
            add(to, text_[at_++]);
        } else {
            if (next != '\n') {
                add(to, next);
            }
            at_ += 2;
        }
    }

    std::optional<Error> quoted(Word& to, char quote) {
        at_++;
        // It is a word even if there is nothing in it.
        to.pieces.push_back({});
        while (at_ < text_.size() && text_[at_] != quote) {
            if (quote == '"' && text_[at_] == '\\') {
                escaped(to, true);
            } else if (quote == '"' && text_[at_] == '$') {
                variable(to, true);
            } else {
                add(to, text_[at_++]);
            }
        }
        if (at_ >= text_.size()) {
            return bad("a quote is not closed").value();
        }
        at_++;
        return std::nullopt;
    }

    Result<Word> word() {
        Word out;
        while (at_ < text_.size() && !ends_word(text_[at_])) {
            const char c = text_[at_];
            if (c == '\'' || c == '"') {
                if (auto error = quoted(out, c)) {
                    return tl::unexpected(std::move(*error));
                }
            } else if (c == '\\') {
                escaped(out, false);
            } else if (c == '$') {
                variable(out, false);
            } else {
                add(out, text_[at_++]);
            }
        }
        return out;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

std::vector<std::string> expanded(const Statement& statement, const Variables& variables) {
    std::vector<std::string> out;
    for (const Word& word : statement.words) {
        std::string now;
        bool begun = false;
        const auto end = [&out, &now, &begun] {
            if (begun) {
                out.push_back(now);
            }
            now.clear();
            begun = false;
        };
        for (const Piece& piece : word.pieces) {
            const auto found = variables.find(piece.text);
            std::string_view value = piece.text;
            if (piece.variable) {
                value = found == variables.end() ? std::string_view() : found->second;
            }
            if (!piece.variable || piece.quoted) {
                now += value;
                begun = true;
                continue;
            }
            for (const char c : value) {
                if (c == ' ' || c == '\t' || c == '\n') {
                    end();
                } else {
                    now += c;
                    begun = true;
                }
            }
        }
        end();
    }
    return out;
}

Result<std::vector<Statement>> parse_grub_script(std::string_view text) {
    return Reader(text).block(0);
}

}  // namespace khob::boot
