// SPDX-License-Identifier: GPL-2.0-only
// The client of the module's debugfs directory; docs/debugfs.md is the contract.
#ifndef KHOB_MODULE_HPP
#define KHOB_MODULE_HPP

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/numbers.hpp"
#include "base/system.hpp"
#include "base/types.hpp"
#include "module/status.hpp"

namespace khob {

/// The two directions: what this kernel hands over, and what it was handed.
enum class Side { out, in };

std::string_view to_string(Side side);

/// A subtree as listed.
struct Subtree {
    std::string name;
    std::uint64_t bytes = 0;
};

/// Whether the module is loaded.
bool module_loaded(const System& sys);

/// Errors (usage) unless `name` can name a subtree: 1 to 63 of A-Z a-z 0-9 , . _ + -
Result<void> check_subtree_name(std::string_view name);

class Module {
  public:
    /// The module's directory, wherever it is.
    explicit Module(std::filesystem::path dir) : dir_(std::move(dir)) {}

    /// Checks root, lockdown, the module and debugfs. Errors: refused, absent.
    static Result<Module> open(const System& sys);

    Result<Status> status() const;
    Result<std::string> text(std::string_view name) const;
    Result<ByteVector> bytes(std::string_view name) const;

    /// Writes one line to a control file. The error's text is the module's own sentence.
    Result<void> control(std::string_view name, std::string_view line) const;

    /// Reads a file whose reading does some work. Errors as those of control().
    Result<std::string> run(std::string_view name) const;

    Result<std::vector<Key>> keys(Side side) const;
    Result<std::vector<Range>> ranges(Side side) const;
    Result<std::vector<Subtree>> subtrees(Side side) const;
    Result<ByteVector> subtree(Side side, std::string_view name) const;
    /// The xxh64 that an incoming subtree had when it was made; nothing if nobody has told it.
    std::optional<std::uint64_t> digest(std::string_view name) const;
    /// Makes an outgoing subtree of these bytes; nothing is left of it on failure.
    Result<void> put(std::string_view name, ByteView data) const;

    /// The areas of scratch that the module holds.
    Result<std::vector<Range>> scratch() const;

    /// in/data, to be read at offsets that are physical addresses.
    Result<Fd> open_data(Side side) const;

  private:
    std::filesystem::path file(std::string_view name) const { return dir_ / name; }
    /// What the module says of an errno that it gave, or `else_what` and the errno's text.
    tl::unexpected<Error> refused(int err, const std::string& else_what) const;

    std::filesystem::path dir_;
};

/// pread(2) of exactly `to`.
Result<void> read_at(const Fd& fd, PhysAddr at, ByteSpan to);

/// The scratch areas of the running kernel's own KHO, in its order; some may be empty.
Result<std::vector<Range>> kernel_scratch(const System& sys);

}  // namespace khob

#endif  // KHOB_MODULE_HPP
