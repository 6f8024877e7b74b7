// SPDX-License-Identifier: GPL-2.0-only
// Several initrds as one, as boot loaders join them.
#ifndef KHOB_LOAD_JOINED_HPP
#define KHOB_LOAD_JOINED_HPP

#include <filesystem>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"

namespace khob {

/// One initrd is itself; several are copied into memory that goes away with the object.
class JoinedInitrds {
  public:
    /// Errors: one of them cannot be read, or there is no memory.
    static Result<JoinedInitrds> open(const std::vector<std::filesystem::path>& initrds);

    /// Empty if there is none.
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
    Fd memory_;
};

}  // namespace khob

#endif  // KHOB_LOAD_JOINED_HPP
